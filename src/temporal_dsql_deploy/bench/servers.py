"""What the servers say of themselves: CPU where they run here, persistence and limits by metrics.

The names are those that move in real work (facts measured on temporal-server 1.32.2 and on the DSQL
plugin); `dsql_tx_*` and the pool gauges of the plugin do not, and are not read.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from temporal_dsql_deploy.bench import prometheus_page

_LATENCY = (
    "persistence_latency",
    "persistence_latency_seconds",
    "persistence_latency_milliseconds",
)
_EXHAUSTED = ("service_errors_resource_exhausted", "service_errors_resource_exhausted_total")
_GAUGES = ("persistence_sql_open_conn", "persistence_sql_in_use", "persistence_sql_max_open_conn")
_DATABASE = (
    *_GAUGES,
    "persistence_session_refresh_attempts",
    "persistence_session_refresh_failures",
    "persistence_errors",
    "persistence_errors_total",
)
_LOOK_SHARE = 100
"""A look that took t seconds is repeated after 100 t: a hundredth of a core. The page of a server
that has run many benchmarks is of megabytes."""
_LEAST_LOOKS = 8
"""Looks while the load lasts, even so: the quarter of it that tells a bottleneck holds some."""
_LEAST_SHARE = 10
"""After t seconds it rests for 10 t in any case: a server that is starved is left to its work."""
_FIND_AGAIN = 5.0
"""Seconds between two searches for servers that are not there."""
_NOISE = {"ListNexusEndpoints"}
"""Operations whose errors grow on the DSQL plugin whatever is done."""


Totals = dict[str, float]
"""By a label; a defaultdict while it is filled."""


@dataclass(slots=True)
class Metrics:
    """Totals at one moment."""

    seconds: Totals = field(default_factory=lambda: defaultdict(float))
    """Time in the database by operation."""
    calls: Totals = field(default_factory=lambda: defaultdict(float))
    exhausted: Totals = field(default_factory=lambda: defaultdict(float))
    database: Totals = field(default_factory=lambda: defaultdict(float))

    def minus(self, before: "Metrics") -> "Metrics":
        """What came since `before`; gauges stay as they are."""
        counted = _grown(self.database, before.database)
        return Metrics(
            seconds=_grown(self.seconds, before.seconds),
            calls=_grown(self.calls, before.calls),
            exhausted=_grown(self.exhausted, before.exhausted),
            database={
                name: value if name in _GAUGES else counted[name]
                for name, value in self.database.items()
            },
        )

    def mean(self) -> float | None:
        """Seconds of a call to the database; None when there was none."""
        calls = sum(self.calls.values())
        return sum(self.seconds.values()) / calls if calls else None

    def by_operation(self, most: int = 8) -> dict[str, float]:
        """Milliseconds of a call by operation, where most time went first."""
        busiest = sorted(self.seconds, key=lambda name: -self.seconds[name])
        called = [name for name in busiest if self.calls.get(name)][:most]
        return {name: round(self.seconds[name] / self.calls[name] * 1000, 3) for name in called}

    def add(self, other: "Metrics") -> None:
        """Add those of another server."""
        for name in ("seconds", "calls", "exhausted", "database"):
            totals = getattr(self, name)
            for label, value in getattr(other, name).items():
                totals[label] = totals.get(label, 0.0) + value


def _grown(now: Totals, before: Totals) -> Totals:
    # A server that was started again counts from nothing.
    counters = (name for name in now if name not in _GAUGES)
    restarted = any(now[name] < before.get(name, 0) for name in counters)
    return {name: now[name] - (0 if restarted else before.get(name, 0)) for name in now}


def read(page: str) -> Metrics:
    """What a server's page says."""
    seen = Metrics()
    latencies = [name + part for name in _LATENCY for part in ("_sum", "_count")]
    for sample in prometheus_page.samples(page, [*latencies, *_EXHAUSTED, *_DATABASE]):
        if sample.name in latencies:
            _latency(seen, sample)
        elif sample.name in _EXHAUSTED:
            cause = sample.labels.get("resource_exhausted_cause", "unknown")
            seen.exhausted[cause.removeprefix("RESOURCE_EXHAUSTED_CAUSE_")] += sample.value
        elif (
            sample.labels.get("operation") not in _NOISE
            and sample.labels.get("db_kind", "main") == "main"
        ):
            seen.database[sample.name.removesuffix("_total")] += sample.value
    return seen


def _latency(seen: Metrics, sample: prometheus_page.Sample) -> None:
    operation = sample.labels.get("operation", "")
    if sample.name.endswith("_count"):
        seen.calls[operation] += sample.value
    else:
        unit = 1000 if "milliseconds" in sample.name else 1
        seen.seconds[operation] += sample.value / unit


def rest(took: float, load: float) -> float:
    """Seconds until the next look, after one that took so long, under a load of `load` seconds."""
    return min(_LOOK_SHARE * took, max(load / _LEAST_LOOKS, _LEAST_SHARE * took))


async def _next_second() -> int:
    """Wait for the end of a second of Unix time; which it was."""
    await asyncio.sleep(1 - time.time() % 1)
    return int(time.time() - 0.5)


class Watch:
    """The servers, looked at again and again while a benchmark runs."""

    def __init__(
        self, pages: Iterable[str], find_pids: Callable[[], Iterable[int]], load: float
    ) -> None:
        self._last: dict[str, Metrics | None] = dict.fromkeys(pages)
        self._find_pids = find_pids
        self._load = load
        """Seconds that the load lasts."""
        self._pids: set[int] = set()
        self._most = 1
        """Processes, of the servers that there were at once."""
        self._found_at = 0.0
        self._grown = Metrics()
        self.seconds: defaultdict[int, dict[str, float | None]] = defaultdict(dict)
        """By second of Unix time: `cpu` in cores, `persistence` in seconds."""

    async def run(self) -> None:
        """Look, until cancelled."""
        # Apart, as a page may take its time where a server is starved.
        await asyncio.gather(self._watch_pages(), self._watch_cpu())

    async def _watch_pages(self) -> None:
        await self._look()
        while True:
            second = await _next_second()
            began = time.monotonic()
            self.seconds[second]["persistence"] = (await self._look()).mean()
            await asyncio.sleep(rest(time.monotonic() - began, self._load))

    async def _watch_cpu(self) -> None:
        before = await asyncio.to_thread(self._cpu)
        while True:
            second = await _next_second()
            now = await asyncio.to_thread(self._cpu)
            grown = None if before is None or now is None or now < before else now - before
            self.seconds[second]["cpu"] = grown
            before = now

    def grown(self) -> Metrics:
        """What came since the first look."""
        return self._grown

    async def _look(self) -> Metrics:
        """What came since the last look. A page that is not there once is looked at later."""
        urls = list(self._last)
        pages = await asyncio.gather(
            *(asyncio.to_thread(prometheus_page.fetch, url) for url in urls)
        )
        whole = Metrics()
        for url, page in zip(urls, pages, strict=True):
            if not page:
                continue
            now, before = read(page), self._last[url]
            self._last[url] = now
            if before is not None:
                whole.add(now.minus(before))
        gauges = {name: value for name, value in whole.database.items() if name in _GAUGES}
        self._grown.add(whole)
        self._grown.database.update(gauges)
        return whole

    def _cpu(self) -> float | None:
        """Seconds of CPU time of all servers here; None when one of them is not there."""
        import psutil

        if len(self._pids) < self._most and time.monotonic() > self._found_at + _FIND_AGAIN:
            before = self._pids
            self._pids, self._found_at = set(self._find_pids()), time.monotonic()
            self._most = max(self._most, len(self._pids))
            if before and before != self._pids:
                # One that was away has come back: what it has used is not of the last second.
                return None
        total = 0.0
        for pid in self._pids:
            try:
                times = psutil.Process(pid).cpu_times()
            except psutil.Error:
                # It has ended; what was started in its place is another process.
                self._pids = set()
                return None
            total += times.user + times.system
        return total if self._pids else None
