"""The tables of the report."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import fmean

from temporal_dsql_deploy.bench.compare import spread
from temporal_dsql_deploy.bench.options import OPTIONS
from temporal_dsql_deploy.bench.report.numbers import count, milliseconds, part, share, short
from temporal_dsql_deploy.bench.report.plot import parts
from temporal_dsql_deploy.bench.results import (
    BenchResult,
    Counts,
    Iteration,
    Latency,
    Second,
    System,
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose first column names its rows."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: bool = False
    """Whether the columns after the first are text."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that is shown large."""

    name: str
    value: str
    note: str = ""


def summed(iterations: Sequence[Iteration]) -> Counts:
    """Where the workflows of all iterations went."""
    return Counts(
        **{
            one.name: sum(getattr(it.counts, one.name) for it in iterations)
            for one in fields(Counts)
        }
    )


def figures(result: BenchResult) -> list[Figure]:
    """The key figures of all iterations together."""
    config, whole = result.config, result.results
    counts = summed(result.iterations)
    latency = whole.latency
    percentiles = [("p50", latency.p50), ("p95", latency.p95), ("p99", latency.p99)]
    times = [
        Figure(f"{name} latency", milliseconds(value) if latency.count else "none")
        for name, value in [*percentiles, ("Max", latency.max)]
    ]
    return [
        Figure("Target", f"{short(config.target_rate)}/s", f"for {config.duration}"),
        Figure("Sent", count(counts.sent), f"offered, {part(counts.sent, counts.due)} of due"),
        Figure("Accepted", count(counts.accepted), f"{part(counts.accepted, counts.sent)} of sent"),
        Figure(
            "Completed",
            count(counts.completed),
            f"{part(counts.completed, counts.sent)} of sent",
        ),
        Figure(
            "Throughput",
            f"{short(whole.actual_rate)}/s",
            f"{part(whole.actual_rate, config.target_rate)} of the target",
        ),
        Figure("Success rate", share(whole.success_rate), "completed of those due"),
        *times,
    ]


def over_iterations(iterations: Sequence[Iteration]) -> Table:
    """The iterations side by side, and how far they lie apart."""
    columns: Sequence[tuple[str, Callable[[Iteration], float | None]]] = (
        ("throughput /s", lambda one: one.throughput),
        ("success %", lambda one: 100 * one.success_rate),
        ("p50 ms", lambda one: one.latency.p50 if one.latency.count else None),
        ("p95 ms", lambda one: one.latency.p95 if one.latency.count else None),
        ("p99 ms", lambda one: one.latency.p99 if one.latency.count else None),
        ("max ms", lambda one: one.latency.max if one.latency.count else None),
        ("generator cores", lambda one: one.generator_cpu),
        ("worker cores", lambda one: sum(worker.cpu for worker in one.workers)),
        ("server cores", lambda one: one.server_cpu),
        ("transitions /s", lambda one: one.state_transitions_per_second),
    )
    rows = [
        [str(one.number), *(_cell(of(one)) for _, of in columns), one.bottleneck.party]
        for one in iterations
    ]
    known = [[value for one in iterations if (value := of(one)) is not None] for _, of in columns]
    rows.append(["mean", *(_cell(fmean(values) if values else None) for values in known), ""])
    rows.append(["± 95 %", *(_cell(spread(values)) for values in known), ""])
    return Table("Iterations", ["", *(name for name, _ in columns), "bottleneck"], rows)


def _cell(value: float | None) -> str:
    return "–" if value is None else short(value, 4)


def latencies(one: Iteration) -> Table:
    """Every distribution of an iteration."""
    known: Sequence[tuple[str, Latency | None]] = (
        ("latency, from due to closed", one.latency),
        ("start call", one.start_latency),
        ("lag of the generator", one.lag),
        ("workflow task, schedule to start", one.schedule_to_start),
        ("activity, schedule to start", one.activity_schedule_to_start),
        ("as a client saw it, one in two seconds", one.client_latency),
        ("closed to listed in visibility, one in two seconds", one.close_to_listed),
        ("visibility query", one.query_latency),
    )
    head = ["ms", "count", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"]
    rows = [
        [
            name,
            count(it.count),
            *(short(v) for v in (it.mean, it.p50, it.p90, it.p95, it.p99, it.p999, it.max)),
        ]
        for name, it in known
        if it and it.count
    ]
    return Table("Latencies", head, rows)


def workers(one: Iteration) -> list[Table]:
    """What the workers did, where any was seen."""
    rows = [
        [
            it.identity,
            short(it.cpu),
            str(it.cores),
            str(it.workflow_pollers),
            str(it.activity_pollers),
            count(it.workflow_tasks),
        ]
        for it in one.workers
    ]
    pollers = ["workflow pollers", "activity pollers", "workflow tasks"]
    head = ["worker", "cores used", "of", *pollers]
    return [Table("Workers and their pollers", head, rows)] if rows else []


def lists(one: Iteration) -> list[Table]:
    """What else was counted in an iteration, without what there was nothing of."""
    made = [
        _counted("Errors of start calls, by cause", "cause", one.rejections),
        _counted("Failed workflows, by how they ended", "status", one.failures),
        _counted("Calls refused as ResourceExhausted, by cause", "cause", one.resource_exhausted),
        Table(
            "Database calls by operation, the busiest first",
            ["operation", "mean ms"],
            [[name, short(value)] for name, value in one.persistence.items()],
        ),
        _counted("Database connections and errors", "metric", one.database),
    ]
    return [table for table in made if table.rows]


def _counted(title: str, what: str, numbers: Mapping[str, float]) -> Table:
    rows = [[name, short(value, 6)] for name, value in numbers.items()]
    return Table(title, [what, "number"], rows)


def numbers(one: Iteration, *, rows: int) -> Table:
    """What the plots show, as a table of so many intervals."""
    cut = parts(len(one.series), rows)
    longest = max((end - begin for begin, end in cut), default=1)
    title = "The numbers of the plots" + (f", up to {longest} s a row" if longest > 1 else "")
    made = []
    for begin, end in cut:
        seconds = one.series[begin:end]
        first, last = seconds[0].second, seconds[-1].second
        made.append(
            [
                f"{first}" if first == last else f"{first} to {last}",
                *(_cell(how(_known(seconds, of))) for _, how, of in _COLUMNS),
            ]
        )
    return Table(title, ["second", *(name for name, _, _ in _COLUMNS)], made)


def _known(seconds: Sequence[Second], of: Callable[[Second], float | None]) -> list[float]:
    return [value for one in seconds if (value := of(one)) is not None]


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _most(values: Sequence[float]) -> float | None:
    return max(values, default=None)


def _least(values: Sequence[float]) -> float | None:
    return min(values, default=None)


_COLUMNS: Sequence[
    tuple[str, Callable[[Sequence[float]], float | None], Callable[[Second], float | None]]
] = (
    ("target /s", _mean, lambda one: one.target),
    ("sent /s", _mean, lambda one: one.sent),
    ("dropped /s", _mean, lambda one: one.dropped),
    ("accepted /s", _mean, lambda one: one.accepted),
    ("rejected /s", _mean, lambda one: one.rejected),
    ("completed /s", _mean, lambda one: one.completed),
    ("failed /s", _mean, lambda one: one.failed),
    ("most open", _most, lambda one: one.open),
    ("highest p50 ms", _most, lambda one: one.p50),
    ("highest p99 ms", _most, lambda one: one.p99),
    ("max ms", _most, lambda one: one.max),
    ("highest start p99 ms", _most, lambda one: one.start_p99),
    ("highest lag p99 ms", _most, lambda one: one.lag_p99),
    ("schedule to start ms", _mean, lambda one: one.schedule_to_start),
    ("most waiting workflow tasks", _most, lambda one: one.waiting_workflow_tasks),
    ("most waiting activity tasks", _most, lambda one: one.waiting_activity_tasks),
    ("least free workflow slots", _least, lambda one: one.workflow_slots_free),
    ("least free activity slots", _least, lambda one: one.activity_slots_free),
    ("generator cores", _mean, lambda one: one.generator_cpu),
    ("worker cores", _mean, lambda one: one.worker_cpu),
    ("server cores", _mean, lambda one: one.server_cpu),
    ("database call ms", _mean, lambda one: one.persistence),
    ("visibility query ms", _mean, lambda one: one.query),
)


def configuration(result: BenchResult) -> Table:
    """Every option, with what it means."""
    helps = {option.name: option.help for option in OPTIONS}
    rows = [
        [f"--{name.replace('_', '-')}", _text(value), helps.get(name, "")]
        for name, value in result.config.options.items()
    ]
    return Table("Configuration", ["option", "value", "meaning"], rows, words=True)


def system(result: BenchResult) -> Table:
    """What was measured, and from where."""
    rows = [
        [one.name.replace("_", " "), _text(getattr(result.system, one.name))]
        for one in fields(System)
    ]
    return Table("System", ["", "value"], rows, words=True)


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {number}" for name, number in value.items()) or "not seen"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
