"""The numbers of an iteration that tell its bottleneck."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import fmean

from temporal_dsql_deploy.bench import workflows, workloads
from temporal_dsql_deploy.bench.options import Settings
from temporal_dsql_deploy.bench.results import Iteration, Latency, Second

_STEP = 0.1
"""Seconds that a step may take beyond its own work: a task is scheduled, polled and answered."""
_BEHIND = 2.0
"""Seconds of load that a cluster may be behind, beyond what its workflows take."""
_LEAST_WINDOW = 3
"""Seconds of the window in which a run is looked at more closely."""
_UNDONE = 0.01
"""Share of what was sent that may fail."""
_NO_LIMIT = {"BusyWorkflow", "BUSY_WORKFLOW"}
_FULL = 0.02
"""Share of the slots that is free in a worker that is full."""


@dataclass(frozen=True, slots=True)
class Slots:
    """The slots of the fullest worker, for workflow tasks or for activities."""

    name: str
    """`workflow` or `activity`."""
    option: str
    size: int
    full: float
    """Share of the seconds in which none was free."""
    held: float
    """Slots in use when most was open."""
    waiting: float
    """Tasks that waited in matching then."""
    waited: float
    """Mean of what tasks have waited, in seconds; 0 where there were none."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of every party. Latencies are in seconds, CPU in cores, shares from 0 to 1."""

    settings: Settings
    due: int
    dropped: int
    sent: int
    completed: int
    undone: int
    """Sent, and rejected, failed, unfinished or lost."""
    behind: float
    """Seconds of load that were sent and not completed when most was open, beyond own work."""
    patience: float
    """What `behind` may be."""
    open: float
    """Workflows that were sent and not completed then."""
    latency: float
    """Median, from when a workflow was due."""
    tail: float
    """Its 99th percentile."""
    lag: float
    start: float
    """Mean latency of the confirmed starts."""
    refused: dict[str, int]
    """RESOURCE_EXHAUSTED answers to starts, by cause."""
    exhausted: dict[str, int]
    """The same to all clients, as the servers count them; a busy workflow is nobody's limit."""
    silent: list[int]
    """The longest row of seconds in which the server confirmed and completed nothing it had to."""
    answer: float | None
    """Median of a call for which the frontend asks nobody, beyond the network's share."""
    persistence: float | None
    """Mean of a database call when most was open; of the whole load where none was seen then."""
    quiet: float | None
    """The same in the second in which it was least."""
    operations: dict[str, float]
    """The same by operation, the busiest first."""
    workflow_slots: Slots
    activity_slots: Slots
    worker_cpu: float | None
    """Of the busiest worker process; None when none has reported."""
    worker_late: float | None
    """How late the event loop of the latest worker runs its tasks."""
    workers: int
    """That have reported."""
    generator_cpu: float
    server_cpu: float | None
    cores: int | None
    """Of the workers' machine, which is the server's too where its CPU is seen."""

    @property
    def behind_or_undone(self) -> bool:
        """Whether the cluster did not do what it was sent, or fell behind with it."""
        return self.behind > self.patience or self.undone > _UNDONE * max(1, self.sent)

    @property
    def slow(self) -> bool:
        """Whether its latency was above the threshold, beyond what a workflow takes by itself."""
        return self.tail > self.settings.max_p99.seconds + self.lag + own_work(self.settings)

    @property
    def left_out(self) -> bool:
        """Whether the generator did not send all that was due."""
        return self.late > _UNDONE

    @property
    def stuck(self) -> float:
        """Share of what was sent that was not done, or not when most was open."""
        return max(self.undone, self.open) / self.sent if self.sent else 0.0

    @property
    def late(self) -> float:
        """Share of what was due that its generator did not send."""
        return self.dropped / self.due if self.due else 0.0


def see(iteration: Iteration, settings: Settings) -> Seen:
    """The numbers of an iteration."""
    counts = iteration.counts
    load = [one for one in iteration.series if one.second < settings.duration.seconds]
    steady = [one for one in load if one.second >= settings.ramp_up.seconds] or load
    is_open = _open(iteration.series)
    end = _worst(steady, is_open)
    backlog = fmean(is_open[one.second] for one in end) if end else 0.0
    rate = sum(one.sent for one in steady) / max(1, len(steady))
    work = own_work(settings)
    return Seen(
        settings=settings,
        due=counts.due,
        dropped=counts.dropped,
        sent=counts.sent,
        completed=counts.completed,
        undone=counts.rejected + counts.failed + counts.unfinished + counts.lost,
        behind=max(0.0, backlog / rate - work - iteration.lag.mean / 1000) if rate else 0.0,
        patience=_BEHIND + _STEP * _steps(settings),
        open=backlog,
        latency=iteration.latency.p50 / 1000,
        tail=iteration.latency.p99 / 1000,
        lag=iteration.lag.mean / 1000,
        start=iteration.start_latency.mean / 1000,
        refused={
            name.partition(" ")[2] or "unknown": count
            for name, count in iteration.rejections.items()
            if name.startswith("RESOURCE_EXHAUSTED") and not name.endswith("BUSY_WORKFLOW")
        },
        exhausted={
            name: count
            for name, count in iteration.resource_exhausted.items()
            if name not in _NO_LIMIT
        },
        silent=_silent(iteration.series),
        answer=_answer(steady, end),
        persistence=_milli(_persistence(end, load, iteration.series)),
        quiet=_milli(_least(one.persistence for one in load)),
        operations={name: value / 1000 for name, value in iteration.persistence.items()},
        workflow_slots=_slots(
            "workflow", settings.workflow_slots, iteration.schedule_to_start, steady, end
        ),
        activity_slots=_slots(
            "activity", settings.activity_slots, iteration.activity_schedule_to_start, steady, end
        ),
        worker_cpu=_busiest(iteration, steady),
        worker_late=_milli(_mean_or_none(one.worker_late for one in steady)),
        workers=len(iteration.workers),
        generator_cpu=iteration.generator_cpu / settings.generators,
        server_cpu=iteration.server_cpu,
        cores=max((one.cores for one in iteration.workers), default=None),
    )


def own_work(settings: Settings) -> float:
    """Seconds that a workflow takes by itself, on average over the mix."""
    return _mean_of_mix(settings, _work)


def _steps(settings: Settings) -> float:
    return _mean_of_mix(settings, lambda kind, settings: _sequence(kind, settings) + 1)


def _mean_of_mix(settings: Settings, value: Callable[[str, Settings], float]) -> float:
    weights = workloads.parse(settings.workload).weights
    total = sum(weight * value(kind, settings) for kind, weight in weights.items())
    return total / sum(weights.values())


def _work(kind: str, settings: Settings) -> float:
    if kind == "timer":
        return settings.timer_duration.seconds
    if kind in ("multi-activity", "state-transitions"):
        return _sequence(kind, settings) * settings.activity_duration.seconds
    return 0.0


def _sequence(kind: str, settings: Settings) -> float:
    """Steps of a workflow that follow one another."""
    if kind == "multi-activity":
        parallel = settings.activity_count * 2 // 5
        return settings.activity_count - parallel + bool(parallel)
    return {"state-transitions": workflows.STEPS, "child-workflow": 2, "timer": 1}.get(kind, 0)


def _open(series: list[Second]) -> dict[int, int]:
    """Workflows that were sent and neither completed nor given up, at the end of each second."""
    inside = 0
    found = {}
    for one in series:
        inside += one.sent - one.rejected - one.completed - one.failed
        found[one.second] = max(0, inside)
    return found


def _worst(steady: list[Second], is_open: dict[int, int]) -> list[Second]:
    """The quarter of the load in which most was open; its end, where nothing else decides."""
    length = max(_LEAST_WINDOW, len(steady) // 4)
    windows = [steady[at : at + length] for at in range(max(1, len(steady) - length + 1))]
    return max(reversed(windows), key=lambda window: sum(is_open[one.second] for one in window))


def _silent(series: list[Second]) -> list[int]:
    longest: list[int] = []
    row: list[int] = []
    if all(one.answer is None for one in series):
        return []
    for one in series:
        # Something was to be done, and not even the frontend said anything.
        silent = one.answer is None and not one.accepted and not one.completed
        row = [*row, one.second] if silent and (one.sent or one.open) else []
        longest = max(longest, row, key=len)
    return longest


def _answer(steady: list[Second], end: list[Second]) -> float | None:
    least = _least(one.answer_least for one in steady)
    middle = _mean_or_none(one.answer for one in end)
    return None if least is None or middle is None else (middle - least) / 1000


def _persistence(*parts: list[Second]) -> float | None:
    """The mean of the first part in which there is a reading: a large page is not read often."""
    means = (_mean_or_none(one.persistence for one in part) for part in parts)
    return next((mean for mean in means if mean is not None), None)


def _slots(
    name: str, size: int, waits: Latency | None, steady: list[Second], end: list[Second]
) -> Slots:
    """Of `workflow` tasks or of `activity` tasks."""

    def free(part: list[Second]) -> list[int | None]:
        return [getattr(one, f"{name}_slots_free") for one in part]

    return Slots(
        name=name,
        option=f"--{name}-slots",
        size=size,
        full=_full(free(steady), size),
        held=_held(free(end), size),
        waiting=_mean(getattr(one, f"waiting_{name}_tasks") for one in end),
        waited=waits.mean / 1000 if waits else 0.0,
    )


def _full(free: Iterable[int | None], size: int) -> float:
    known = [one for one in free if one is not None]
    return sum(one <= _FULL * size for one in known) / len(known) if known else 0.0


def _held(free: Iterable[int | None], size: int) -> float:
    return max(0.0, size - found) if (found := _mean(free, default=size)) else float(size)


def _busiest(iteration: Iteration, steady: list[Second]) -> float | None:
    """Cores of the busiest worker while the load lasts."""
    if not iteration.workers:
        return None
    total = sum(one.cpu for one in iteration.workers)
    share = max(one.cpu for one in iteration.workers) / total if total else 0.0
    return _mean(one.worker_cpu for one in steady) * share


def _mean(values: Iterable[float | None], *, default: float = 0.0) -> float:
    found = _mean_or_none(values)
    return default if found is None else found


def _mean_or_none(values: Iterable[float | None]) -> float | None:
    known = [one for one in values if one is not None]
    return fmean(known) if known else None


def _least(values: Iterable[float | None]) -> float | None:
    return min((one for one in values if one is not None), default=None)


def _milli(value: float | None) -> float | None:
    return None if value is None else value / 1000
