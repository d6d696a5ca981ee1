"""Which plots show an iteration."""

import math
from collections.abc import Callable, Iterable, Sequence

from temporal_dsql_deploy.bench.recorder import Histogram
from temporal_dsql_deploy.bench.report.gaps import gaps
from temporal_dsql_deploy.bench.report.numbers import moment
from temporal_dsql_deploy.bench.report.plot import Band, Chart, Line, second_ticks
from temporal_dsql_deploy.bench.results import Iteration, Latency, Second

_POINTS = 20
"""Of a percentile curve, for each power of ten."""
_LEAST_NINES = 2
_CROWDED = 3.5
"""From so many nines on there is no room for 50 % on the axis."""
Read = Callable[[Second], float | None]


def charts(one: Iteration, *, last_start: float) -> list[Chart]:
    """The plots of an iteration, without lines of which nothing is known.

    `last_start` is the second until which workflows were started.
    """
    over_time = [
        _over_time(one, last_start, key, log=log, texts=texts, lines=lines)
        for key, log, texts, lines in _OVER_TIME
    ]
    curve = _curve(one)
    made = [*over_time[:2], *([curve] if curve else []), *over_time[2:]]
    return [chart for chart in made if chart.lines]


_Lines = Sequence[tuple[str, str, Read]]
_Texts = tuple[str, str, str]
_OVER_TIME: Sequence[tuple[str, bool, _Texts, _Lines]] = (
    (
        "rate",
        False,
        ("Rate", "A cluster that keeps up accepts and completes what is asked for.", "/s"),
        (
            ("sent", "under", lambda one: one.sent),
            ("target", "target", lambda one: one.target),
            ("accepted", "b", lambda one: one.accepted),
            ("completed", "a", lambda one: one.completed),
        ),
    ),
    (
        "latency",
        True,
        ("Latency", "Of what completed in each second, from when it was due.", "ms"),
        (
            ("max", "b", lambda one: one.max),
            ("p99", "c", lambda one: one.p99),
            ("p50", "a", lambda one: one.p50),
        ),
    ),
    (
        "backlog",
        False,
        ("Backlog", "A line that climbs to the end is a cluster that does not keep up.", ""),
        (
            ("open workflows", "a", lambda one: one.open),
            ("waiting workflow tasks", "b", lambda one: one.waiting_workflow_tasks),
            ("waiting activity tasks", "c", lambda one: one.waiting_activity_tasks),
        ),
    ),
    (
        "cpu",
        False,
        ("CPU", "Cores in use, of all processes of a kind together.", "cores"),
        (
            ("generator", "a", lambda one: one.generator_cpu),
            ("workers", "b", lambda one: one.worker_cpu),
            ("server", "c", lambda one: one.server_cpu),
        ),
    ),
    (
        "slots",
        False,
        ("Free slots", "Of the worker that has the fewest; at 0 tasks wait for workers.", ""),
        (
            ("workflow tasks", "a", lambda one: one.workflow_slots_free),
            ("activities", "b", lambda one: one.activity_slots_free),
        ),
    ),
    (
        "starts",
        True,
        ("Starting", "How late starts were sent, and how long the server took to confirm.", "ms"),
        (
            ("p99 of start calls", "a", lambda one: one.start_p99),
            ("p99 of lag", "b", lambda one: one.lag_p99),
        ),
    ),
    (
        "server",
        True,
        ("Behind the frontend", "Means of each second: tasks, database, visibility.", "ms"),
        (
            ("schedule to start", "a", lambda one: one.schedule_to_start),
            ("database call", "b", lambda one: one.persistence),
            ("visibility query", "c", lambda one: one.query),
        ),
    ),
)


def _over_time(  # noqa: PLR0913 - a row of the table above
    one: Iteration, last_start: float, key: str, *, log: bool, texts: _Texts, lines: _Lines
) -> Chart:
    title, text, unit = texts
    length = len(one.series)
    return Chart(
        key=key,
        title=title,
        text=text,
        unit=unit,
        lines=_known(
            Line(name, colour, [of(second) for second in one.series]) for name, colour, of in lines
        ),
        log=log,
        x_end=length,
        x_ticks=[(at, moment(at, length)) for at in second_ticks(length)],
        x_names=_seconds,
        bands=[Band(gap.begin, gap.end, f"gap {gap.seconds} s") for gap in gaps(one.series)],
        marks=[(last_start, "last start")],
    )


def _known(lines: Iterable[Line]) -> list[Line]:
    return [line for line in lines if any(value is not None for value in line.values)]


def _seconds(begin: float, end: float) -> str:
    first, last = int(begin), int(end)
    return f"second {first}" if first == last else f"seconds {first} to {last}"


def _curve(one: Iteration) -> Chart | None:
    """Latencies over 1/(1-q), as HdrHistogram plots them: each nine has the same width."""
    latencies = (
        ("latency", "a", one.latency),
        ("start call", "b", one.start_latency),
        ("workflow task, schedule to start", "c", one.schedule_to_start),
        ("activity, schedule to start", "d", one.activity_schedule_to_start),
    )
    known = [(name, colour, it) for name, colour, it in latencies if it and it.count]
    if not known:
        return None
    nines = max(_LEAST_NINES, *(math.log10(it.count) for *_, it in known))
    half = [math.log10(2)] if nines < _CROWDED else []
    xs = [at / _POINTS for at in range(math.floor(nines * _POINTS) + 1)] + [nines]
    return Chart(
        key="percentiles",
        title="Percentiles",
        text="What a share of all did not exceed; flat and low to the right is good.",
        unit="ms",
        lines=[Line(name, colour, _values(it, xs)) for name, colour, it in known],
        log=True,
        xs=xs,
        x_end=nines,
        x_ticks=[(at, _percentile(at)) for at in [0, *half, *range(1, math.floor(nines) + 1)]],
        x_names=lambda at, _: f"p{_percentile(at).removesuffix(' %')}",
    )


def _percentile(nines: float) -> str:
    percent = 100 * (1 - 10**-nines)
    return f"{percent:.{max(1, math.ceil(nines) - 1)}f}".rstrip("0").rstrip(".") + " %"


def _values(latency: Latency, xs: Sequence[float]) -> list[float | None]:
    """Up to the percentile that one value more would be beyond; the greatest stands there."""
    histogram = Histogram(latency.histogram)
    end = math.log10(latency.count)
    inside = [at for at in xs if at < end]
    seconds = histogram.percentiles(100 * (1 - 10**-at) for at in inside)
    values: list[float | None] = [round(1000 * value, 3) for value in seconds]
    values += [round(1000 * histogram.max, 3)] if len(inside) < len(xs) else []
    return values + [None] * (len(xs) - len(values))
