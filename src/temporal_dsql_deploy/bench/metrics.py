"""The Prometheus page of a benchmark: its own metrics, and the SDK's of all its worker processes.

The first three names are those of the benchmark that the project began from. Its latencies are
known when an iteration is over, since they end when the server closed a workflow: until then the
page has none, and `temporal_workflow_endtoend_latency_seconds` of the SDK is the one to look at.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from types import TracebackType
from typing import Self

from hdrh.histogram import HdrHistogram
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from temporal_dsql_deploy.bench import prometheus_page
from temporal_dsql_deploy.bench.raw import Live
from temporal_dsql_deploy.bench.results import Iteration, Latency
from temporal_dsql_deploy.errors import PortTaken

BOUNDS = tuple(0.001 * 2**power for power in range(20))
"""Seconds, of the buckets of the latency."""
PROCESS = "process"
"""The label that tells the SDK's samples of one worker process from those of another."""
_WINDOW = 10
"""Seconds that the throughput is a mean of."""
_MICROSECONDS = 1_000_000
_FETCHERS = 8
_COUNTED = {
    "due": "Workflows that were due.",
    "dropped": "Workflows that were due and could not be sent in time.",
    "sent": "Starts that were sent.",
    "accepted": "Starts that the server has confirmed.",
    "rejected": "Starts that were given up.",
}


@dataclass(slots=True)
class _State:
    """What the page shows, all iterations together where it counts."""

    ended: Counter[str] = field(default_factory=Counter)
    """Totals of the iterations that are over."""
    live: Counter[str] = field(default_factory=Counter)
    """Totals of the one that runs."""
    iteration: int = 0
    target: float = 0.0
    throughput: float = 0.0
    backlog: int = 0
    lag_p99: float = 0.0
    """Seconds."""
    start_p99: float = 0.0
    recent: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=_WINDOW + 1))
    """Second and completions until then."""
    buckets: list[int] = field(default_factory=lambda: [0] * len(BOUNDS))
    """Latencies by the first bound that they do not exceed."""
    latencies: int = 0
    latency_sum: float = 0.0

    def total(self, name: str) -> int:
        """Of all iterations."""
        return self.ended[name] + self.live[name]


class Page(Collector):
    """A Prometheus page on a port and an address of this machine; with port 0 there is none.

    Used by `with`. Raises PortTaken when somebody else listens there.
    """

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._state = _State()
        self._lock = Lock()
        self._pages: dict[str, str] = {}
        self._server = self._thread = None
        if not port:
            return
        registry = CollectorRegistry()
        registry.register(self)
        try:
            self._server, self._thread = start_http_server(port, addr=host, registry=registry)
        except OSError as error:
            raise PortTaken(
                f"the benchmark's metrics cannot be served on port {port}",
                cause=error.strerror or str(error),
                fix="choose another one with --metrics-port or BENCHMARK_METRICS_PORT; 0 for none",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    def sdk_pages(self, pages: Mapping[str, str]) -> None:
        """The URLs of the SDK's pages, by the identity of the worker process."""
        with self._lock:
            self._pages = dict(pages)

    def update(self, live: Live) -> None:
        """Show where an iteration is."""
        with self._lock:
            state = self._state
            if live.number != state.iteration:
                state.recent.clear()
                state.recent.append((0, 0))
                state.iteration = live.number
            state.live = Counter(
                {
                    "due": live.due,
                    "dropped": live.dropped,
                    "sent": live.due - live.dropped,
                    "accepted": live.accepted,
                    "rejected": live.rejected,
                    "success": live.completed,
                    "failure": live.dropped + live.rejected,
                }
            )
            state.recent.append((live.second + 1, live.completed))
            (first, before), (last, now) = state.recent[0], state.recent[-1]
            state.throughput = (now - before) / (last - first) if last > first else 0.0
            state.target = live.target
            state.backlog = max(0, live.accepted - live.completed)
            state.lag_p99 = live.lag_p99 / 1000
            state.start_p99 = live.start_p99 / 1000

    def finished(self, iteration: Iteration) -> None:
        """Show what an iteration has come to; from then on its latencies are there."""
        with self._lock:
            state = self._state
            counts = iteration.counts
            final = Counter({name: getattr(counts, name) for name in _COUNTED})
            final["success"] = counts.completed
            final["failure"] = counts.due - counts.completed
            # A counter never falls, also where a start that was given up has run all the same.
            state.ended += final | state.live
            state.live = Counter()
            state.iteration = iteration.number
            state.target = state.lag_p99 = state.start_p99 = 0.0
            state.throughput = iteration.throughput
            state.backlog = counts.unfinished
            _add(state, iteration.latency)

    def collect(self) -> Iterator[Metric]:
        """What the page shows now; the workers' pages are fetched for it."""
        with self._lock:
            own = list(_own(self._state))
            pages = dict(self._pages)
        yield from own
        yield from _together(pages)


def _own(state: _State) -> Iterator[Metric]:
    latency = "benchmark_workflow_latency_seconds"
    about = (
        "From when a workflow was due to when the server closed it, of iterations that are over."
    )
    yield HistogramMetricFamily(
        latency, about, buckets=_cumulative(state), sum_value=state.latency_sum
    )
    ended = CounterMetricFamily(
        "benchmark_workflows",
        "Workflows that have completed, and those that were due and did not.",
        labels=["result"],
    )
    for result in ("success", "failure"):
        ended.add_metric([result], state.total(result))
    yield ended
    for name, about in _COUNTED.items():
        yield CounterMetricFamily(f"benchmark_{name}", about, value=state.total(name))
    yield from (
        GaugeMetricFamily(f"benchmark_{name}", about, value=value)
        for name, about, value in (
            (
                "throughput_per_second",
                f"Completions a second, of the last {_WINDOW} seconds; of all when it is over.",
                state.throughput,
            ),
            ("target_per_second", "Workflows a second that are asked for now.", state.target),
            ("backlog", "Workflows that are started and not completed.", state.backlog),
            ("lag_p99_seconds", "How late starts were sent in the last second.", state.lag_p99),
            ("start_p99_seconds", "Latency of start calls in the last second.", state.start_p99),
            ("iteration", "Which iteration this is, from 1.", state.iteration),
        )
    )


def _cumulative(state: _State) -> list[tuple[str, float]]:
    made: list[tuple[str, float]] = []
    below = 0
    for bound, count in zip(BOUNDS, state.buckets, strict=True):
        below += count
        made.append((f"{bound:g}", below))
    return [*made, ("+Inf", state.latencies)]


def _add(state: _State, latency: Latency) -> None:
    """Count the latencies of an iteration."""
    if not latency.count:
        return
    for value in HdrHistogram.decode(latency.histogram).get_recorded_iterator():
        seconds = value.value_iterated_to / _MICROSECONDS
        place = next((at for at, bound in enumerate(BOUNDS) if seconds <= bound), None)
        if place is not None:
            state.buckets[place] += value.count_added_in_this_iter_step
    state.latencies += latency.count
    state.latency_sum += latency.count * latency.mean / 1000


def _together(pages: Mapping[str, str]) -> Iterator[Metric]:
    """The metrics of all processes, each metric once, its samples with the process as a label."""
    if not pages:
        return
    families: dict[str, Metric] = {}
    with ThreadPoolExecutor(_FETCHERS) as fetchers:
        texts = list(fetchers.map(prometheus_page.fetch, pages.values()))
    for process, text in zip(pages, texts, strict=True):
        for family in text_string_to_metric_families(text):
            whole = families.setdefault(
                family.name, Metric(family.name, family.documentation, family.type)
            )
            whole.samples.extend(
                Sample(one.name, {**one.labels, PROCESS: process}, one.value)
                for one in family.samples
            )
    yield from families.values()
