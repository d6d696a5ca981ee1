"""Results of benchmarks that never ran, with all fields, whose numbers agree with one another."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import fmean

from temporal_dsql_deploy.bench import document, options, results, thresholds
from temporal_dsql_deploy.bench.option import Duration
from temporal_dsql_deploy.bench.recorder import Histogram, merged
from temporal_dsql_deploy.bench.results import Counts, Iteration, Latency, Second

BEGAN = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Load:
    """What the imagined cluster was given, and how it bore it."""

    seed: int = 1
    seconds: int = 20
    rate: float = 20.0
    iterations: int = 1
    latency: float = 0.07
    """Median, in seconds."""
    dropped: float = 0.0
    """Shares of what was due, of what was sent and of what was accepted."""
    rejected: float = 0.0
    failed: float = 0.0
    unfinished: float = 0.0
    lost: int = 0
    away: tuple[int, int] = (0, 0)
    """From which second to which the server was away."""
    server_seen: bool = True
    """Whether CPU and metrics of the server were to be had."""
    party: str = "none"


@dataclass(slots=True)
class _Seen:
    """The events of one iteration."""

    due: list[float] = field(default_factory=list)
    tallies: defaultdict[int, Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter[str])
    )
    took: defaultdict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Latencies of what completed in a second."""
    starts: defaultdict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    totals: Counter[str] = field(default_factory=Counter)


def result(load: Load | None = None) -> results.BenchResult:
    """A benchmark under such a load; the same load, the same result."""
    load = load or Load()
    done = [iteration(load, number) for number in range(1, load.iterations + 1)]
    due = sum(one.counts.due for one in done)
    completed = sum(one.counts.completed for one in done)
    whole = results.Results(
        workflows_started=sum(one.counts.accepted for one in done),
        workflows_completed=completed,
        workflows_failed=due - completed,
        actual_rate=round(fmean(one.throughput for one in done), 3),
        latency=Latency.of(merged(one.latency.histogram for one in done)),
        state_transitions=sum(one.state_transitions for one in done),
        success_rate=round(completed / due, 6),
    )
    given = _settings(load)
    asked = results.Thresholds(given.max_p99.seconds * 1000, given.min_throughput, 0.99)
    reasons = thresholds.missed(asked, whole, [one.counts for one in done])
    return results.BenchResult(
        schema_version=results.SCHEMA_VERSION,
        id=given.namespace,
        timestamp=BEGAN,
        config=document.config(given),
        results=whole,
        system=results.System(
            instance_type="aarch64, 4 cores",
            history_shards=512,
            services={"frontend": 2, "history": 3, "matching": 2, "worker": 1},
            server_version="1.32.2",
            address="127.0.0.1:7233",
            environment="local",
            tool_version="0.1.0",
            python="3.11.7",
        ),
        thresholds=asked,
        passed=not reasons,
        failure_reasons=reasons,
        iterations=done,
        warnings=[],
    )


def _settings(load: Load) -> options.Settings:
    return options.settings(
        {
            "rate": load.rate,
            "duration": Duration(load.seconds),
            "iterations": load.iterations,
            "seed": load.seed,
        },
        now=f"{BEGAN:%Y%m%d-%H%M%S}",
    )


def iteration(load: Load, number: int = 1) -> Iteration:
    """One iteration of it."""
    chance = Random(load.seed * 1000 + number)  # noqa: S311 - the same seed, the same result
    seen = _happened(load, chance)
    counts = _counts(load, seen)
    series = _series(load, seen, chance)
    last = max(len(series), load.seconds)
    transitions = 3 * counts.completed
    steady = series[round(load.seconds / 10) : load.seconds]
    return Iteration(
        number=number,
        began=BEGAN + timedelta(seconds=(number - 1) * (load.seconds + 30)),
        counts=counts,
        throughput=round(fmean(one.completed for one in steady), 3),
        success_rate=round(counts.completed / counts.due, 6),
        latency=_latency([one for took in seen.took.values() for one in took]),
        start_latency=_latency([one for took in seen.starts.values() for one in took]),
        lag=_drawn(chance, 0.0009, counts.sent),
        client_latency=_drawn(chance, load.latency * 1.1, min(counts.completed, load.seconds)),
        close_to_listed=_drawn(chance, 0.03, min(counts.completed, load.seconds)),
        query_latency=_drawn(chance, 0.005, load.seconds),
        schedule_to_start=_drawn(chance, 0.004, counts.completed),
        activity_schedule_to_start=_drawn(chance, 0.003, counts.completed),
        series=series,
        workers=[
            results.Worker(
                identity=f"benchmark-worker-{number}-{index}",
                cpu=0.3,
                cores=4,
                workflow_pollers=10,
                activity_pollers=10,
                workflow_tasks=counts.completed // 2,
            )
            for index in range(2)
        ],
        generator_cpu=round(load.rate * 0.0011, 3),
        server_cpu=round(load.rate * 0.006, 3) if load.server_seen else None,
        state_transitions=transitions,
        state_transitions_per_second=round(transitions / last, 3),
        failures={"Timed out": counts.failed} if counts.failed else {},
        rejections={"RESOURCE_EXHAUSTED RPS_LIMIT": counts.rejected} if counts.rejected else {},
        resource_exhausted={"RPS_LIMIT": counts.rejected} if counts.rejected else {},
        persistence={"UpdateWorkflowExecution": 5.6, "CreateWorkflowExecution": 6.9}
        if load.server_seen
        else {},
        database={"persistence_sql_open_conn": 9.0} if load.server_seen else {},
        clock_offset=-0.85,
        clock_uncertainty=2.1,
        bottleneck=results.Verdict(
            load.party,
            "Nothing has limited the run: the target was met.",
            ["99.8 % of the target was accepted", "workers had 190 slots free at the least"],
        ),
    )


def _happened(load: Load, chance: Random) -> _Seen:
    seen = _Seen()
    at = 0.0
    ramp = load.seconds / 10
    while at < load.seconds:
        _one(load, chance, seen, at)
        at += 1 / (load.rate * (0.1 + 0.9 * min(1.0, at / ramp)))
    return seen


def _one(load: Load, chance: Random, seen: _Seen, due: float) -> None:
    """A workflow from its intended start to its end."""
    tally = seen.tallies[int(due)]
    tally["due"] += 1
    if chance.random() < load.dropped:
        tally["dropped"] += 1
        return
    tally["sent"] += 1
    began = load.away[1] if load.away[0] <= due < load.away[1] else due
    confirmed = began + chance.lognormvariate(-4.6, 0.4)
    if chance.random() < load.rejected:
        seen.tallies[int(confirmed)]["rejected"] += 1
        return
    seen.tallies[int(confirmed)]["accepted"] += 1
    seen.starts[int(confirmed)].append(confirmed - due)
    closed = began + load.latency * chance.lognormvariate(0, 0.5)
    if load.away[0] <= closed < load.away[1]:
        closed = load.away[1] + chance.random() / 2
    _end(load, chance, seen, due, closed)


def _end(load: Load, chance: Random, seen: _Seen, due: float, closed: float) -> None:
    if seen.totals["lost"] < load.lost:
        seen.totals["lost"] += 1
    elif chance.random() < load.unfinished:
        seen.totals["unfinished"] += 1
    elif chance.random() < load.failed:
        seen.tallies[int(closed)]["failed"] += 1
    else:
        seen.took[int(closed)].append(closed - due)


def _counts(load: Load, seen: _Seen) -> Counts:
    total: Counter[str] = sum(seen.tallies.values(), Counter[str]())
    return Counts(
        **{name: total[name] for name in ("due", "dropped", "sent", "accepted", "rejected")},
        completed=sum(len(took) for took in seen.took.values()),
        failed=total["failed"],
        unfinished=seen.totals["unfinished"],
        lost=seen.totals["lost"],
        unconfirmed=0,
    )


def _series(load: Load, seen: _Seen, chance: Random) -> list[Second]:
    made = []
    is_open = 0
    for second in range(max([load.seconds - 1, *seen.tallies, *seen.took]) + 1):
        tally, took = seen.tallies[second], sorted(seen.took[second])
        is_open += tally["accepted"] - tally["failed"] - len(took)
        away = load.away[0] <= second < load.away[1]
        made.append(
            Second(
                second=second,
                target=load.rate if second < load.seconds else 0.0,
                **{name: tally[name] for name in ("due", "dropped", "sent")},
                accepted=tally["accepted"],
                rejected=tally["rejected"],
                completed=len(took),
                failed=tally["failed"],
                open=is_open,
                p50=_at(took, 0.5),
                p99=_at(took, 0.99),
                max=_at(took, 1),
                start_p99=_at(sorted(seen.starts[second]), 0.99),
                lag_p99=round(chance.uniform(0.5, 3), 3) if tally["sent"] else None,
                schedule_to_start=round(chance.uniform(2, 6), 3) if took else None,
                waiting_workflow_tasks=None if away else chance.randrange(3),
                waiting_activity_tasks=None if away else 0,
                workflow_slots_free=chance.randrange(190, 201),
                activity_slots_free=200,
                generator_cpu=round(load.rate * chance.uniform(0.001, 0.0012), 3),
                worker_cpu=round(load.rate * chance.uniform(0.002, 0.0026), 3),
                server_cpu=round(load.rate * chance.uniform(0.005, 0.007), 3)
                if load.server_seen and not away
                else None,
                persistence=round(chance.uniform(2, 5), 3)
                if load.server_seen and not away
                else None,
                query=None if away else round(chance.uniform(2, 9), 3),
            )
        )
    return made


def _at(ordered: list[float], share: float) -> float | None:
    if not ordered:
        return None
    return round(1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))], 3)


def _latency(values: list[float]) -> Latency:
    made = Histogram()
    for value in values:
        made.record(value)
    return Latency.of(made)


def _drawn(chance: Random, median: float, count: int) -> Latency:
    return _latency([median * chance.lognormvariate(0, 0.6) for _ in range(count)])
