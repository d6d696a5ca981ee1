"""The whole result of a benchmark, put together from its iterations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean

from temporal_dsql_deploy.bench import thresholds
from temporal_dsql_deploy.bench.options import Settings
from temporal_dsql_deploy.bench.recorder import merged
from temporal_dsql_deploy.bench.results import (
    SCHEMA_VERSION,
    BenchResult,
    Config,
    Iteration,
    Latency,
    Results,
    System,
    Thresholds,
)

_TIME = "%Y%m%d-%H%M%S"
_JUST_NAMED = 60
"""Seconds after which a namespace with a time in its name is taken for one of an earlier run."""


def stamp(at: datetime) -> str:
    """A time as it stands in names."""
    return f"{at:{_TIME}}"


@dataclass(frozen=True, slots=True)
class Done:
    """What a benchmark has come to."""

    began: datetime
    iterations: Sequence[Iteration]
    warnings: Sequence[str]


def of(done: Done, settings: Settings, system: System) -> BenchResult:
    """The document."""
    whole = together(done.iterations)
    asked = Thresholds(
        max_p99_latency_ms=settings.max_p99.seconds * 1000,
        min_throughput=settings.min_throughput,
        min_success_rate=settings.min_success_rate,
    )
    reasons = thresholds.missed(asked, whole, [one.counts for one in done.iterations])
    if len(done.iterations) < settings.iterations:
        reasons.append(f"only {len(done.iterations)} of {settings.iterations} iterations were run")
    return BenchResult(
        schema_version=SCHEMA_VERSION,
        id=_id(settings.namespace, done.began),
        timestamp=done.began,
        config=config(settings),
        results=whole,
        system=system,
        thresholds=asked,
        passed=not reasons,
        failure_reasons=reasons,
        iterations=list(done.iterations),
        warnings=list(done.warnings),
    )


def together(done: Sequence[Iteration]) -> Results:
    """All iterations as one: counts added, histograms merged, never a mean of percentiles."""
    due = sum(one.counts.due for one in done)
    completed = sum(one.counts.completed for one in done)
    return Results(
        workflows_started=sum(one.counts.accepted + one.counts.unconfirmed for one in done),
        workflows_completed=completed,
        workflows_failed=due - completed,
        actual_rate=round(fmean(one.throughput for one in done), 3),
        latency=Latency.of(merged(one.latency.histogram for one in done)),
        state_transitions=sum(one.state_transitions for one in done),
        success_rate=round(completed / due, 6) if due else 0.0,
    )


def _id(namespace: str, began: datetime) -> str:
    """The namespace and the time, once: a namespace may be used again."""
    for ago in range(_JUST_NAMED):
        if namespace.endswith(stamp(began - timedelta(seconds=ago))):
            return namespace
    return f"{namespace}-{stamp(began)}"


def config(settings: Settings) -> Config:
    """The settings as they stand in the document."""
    return Config(
        workflow_type=settings.workload,
        target_rate=settings.rate,
        duration=str(settings.duration),
        ramp_up_duration=str(settings.ramp_up),
        worker_count=settings.workers,
        iterations=settings.iterations,
        namespace=settings.namespace,
        activity_count=settings.activity_count,
        timer_duration=str(settings.timer_duration),
        child_count=settings.child_count,
        options=settings.to_json(),
    )
