"""What the SDK of a worker says of itself on its Prometheus page.

Names as SDK core 1.35 has them (the page of a real worker was read); buckets as `BUCKETS` asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from temporal_dsql_deploy.bench import prometheus_page
from temporal_dsql_deploy.bench.recorder import Histogram

_WORKFLOW_TASKS = "temporal_workflow_task_schedule_to_start_latency"
_ACTIVITIES = "temporal_activity_schedule_to_start_latency"
_SLOTS = "temporal_worker_task_slots_available"
_POLLERS = "temporal_num_pollers"
BUCKETS: Mapping[str, list[float]] = {
    name: [step * 10.0**power for power in range(-3, 3) for step in (1, 1.5, 2, 3, 5, 7)]
    for name in (_WORKFLOW_TASKS, _ACTIVITIES)
}
"""In seconds: the SDK's own begin at 0.1 s, which is where trouble does."""
_LONGEST = 7200.0


@dataclass(slots=True)
class Waits:
    """A histogram of the SDK: what tasks have waited for this worker, since it began."""

    sum: float = 0.0
    """Seconds."""
    count: float = 0.0
    buckets: dict[float, float] = field(default_factory=dict)
    """How many have waited at most so many seconds, by the bucket's bound; cumulative."""

    def mean_since(self, before: "Waits") -> float | None:
        """Seconds, of those that came after `before`; None when none did."""
        count = self.count - before.count
        return (self.sum - before.sum) / count if count > 0 else None

    def to_json(self) -> dict[str, Any]:
        """Plain data, buckets as pairs."""
        return {
            "sum": self.sum,
            "count": self.count,
            "buckets": sorted((bound, count) for bound, count in self.buckets.items()),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Waits":
        """What `to_json` gave."""
        pairs = {float(bound): float(count) for bound, count in document["buckets"]}
        return cls(document["sum"], document["count"], pairs)

    def minus(self, before: "Waits") -> "Waits":
        """Those that came after `before`."""
        buckets = {
            bound: count - before.buckets.get(bound, 0) for bound, count in self.buckets.items()
        }
        return Waits(self.sum - before.sum, self.count - before.count, buckets)

    def histogram(self) -> Histogram:
        """Each wait as the bound of its bucket, which is the most that it can have been."""
        made = Histogram()
        below = 0.0
        for bound, count in sorted(self.buckets.items()):
            # What was longer than all buckets counts as the longest that can be told.
            made.record(min(bound, _LONGEST), times=round(count - below))
            below = count
        return made


@dataclass(slots=True)
class Look:
    """The page at one moment, of one task queue."""

    workflow_tasks: Waits = field(default_factory=Waits)
    activities: Waits = field(default_factory=Waits)
    workflow_slots: float | None = None
    """Free ones."""
    activity_slots: float | None = None
    workflow_pollers: int = 0
    sticky_pollers: int = 0
    """Polls of the worker's own queue, for workflows that it has cached."""
    activity_pollers: int = 0


def look(url: str, task_queue: str) -> Look:
    """Read the page of a worker; all is zero when it is not there."""
    return read(prometheus_page.fetch(url), task_queue)


def read(page: str, task_queue: str) -> Look:
    """What the page says of the task queue."""
    seen = Look()
    waits = {f"{_WORKFLOW_TASKS}_seconds": seen.workflow_tasks}
    waits[f"{_ACTIVITIES}_seconds"] = seen.activities
    parts = ("_sum", "_count", "_bucket")
    names = [_SLOTS, _POLLERS, *(name + part for name in waits for part in parts)]
    for sample in prometheus_page.samples(page, names):
        if sample.labels.get("task_queue") != task_queue:
            continue
        if sample.name == _SLOTS:
            _slots(seen, sample)
        elif sample.name == _POLLERS:
            _pollers(seen, sample)
        else:
            _wait(waits, sample)
    return seen


def _slots(seen: Look, sample: prometheus_page.Sample) -> None:
    kind = sample.labels.get("worker_type")
    if kind == "WorkflowWorker":
        seen.workflow_slots = sample.value
    elif kind == "ActivityWorker":
        seen.activity_slots = sample.value


def _pollers(seen: Look, sample: prometheus_page.Sample) -> None:
    kind = sample.labels.get("poller_type")
    if kind == "activity_task":
        seen.activity_pollers += int(sample.value)
    elif kind == "sticky_workflow_task":
        seen.sticky_pollers += int(sample.value)
    elif kind == "workflow_task":
        seen.workflow_pollers += int(sample.value)


def _wait(waits: Mapping[str, Waits], sample: prometheus_page.Sample) -> None:
    name, _, part = sample.name.rpartition("_")
    wait = waits[name]
    if part == "sum":
        wait.sum += sample.value
    elif part == "count":
        wait.count += sample.value
    else:
        bound = float(sample.labels["le"])
        wait.buckets[bound] = wait.buckets.get(bound, 0) + sample.value
