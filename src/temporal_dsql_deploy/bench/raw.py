"""What is seen of one iteration, before it is made into a result."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from temporal_dsql_deploy.bench.answers import Answers
from temporal_dsql_deploy.bench.numbers import Numbers
from temporal_dsql_deploy.bench.outcome import Outcome
from temporal_dsql_deploy.bench.pollers import Queue
from temporal_dsql_deploy.bench.recorder import Histogram
from temporal_dsql_deploy.bench.servers import Watch

if TYPE_CHECKING:
    from array import array


@dataclass(frozen=True, slots=True)
class Live:
    """Where an iteration is; totals since its beginning."""

    number: int
    second: int
    target: float
    due: int
    dropped: int
    accepted: int
    rejected: int
    completed: int
    """As visibility shows it, which may be behind."""
    start_p99: float
    """Milliseconds, of the last second."""
    lag_p99: float


@dataclass(slots=True)
class Raw:
    """Everything that was seen in one iteration, not yet made into a result."""

    number: int
    epoch: float
    due: "array[float]"
    seconds: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    """What the generators told, by second."""
    ends: list[dict[str, Any]] = field(default_factory=list)
    """What each of them told at its end."""
    queues: dict[int, Queue] = field(default_factory=dict)
    queries: Histogram = field(default_factory=Histogram)
    query_seconds: dict[int, float] = field(default_factory=dict)
    outcome: Outcome = field(default_factory=Outcome)
    reports: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Of each worker, by its identity."""
    before: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """The same at the beginning."""
    watch: Watch = field(default_factory=lambda: Watch([], list, 0.0))
    answers: Answers = field(default_factory=Answers)

    def accepted(self) -> Numbers:
        """The numbers of all workflows whose start was confirmed."""
        return reduce(or_, (Numbers(end["accepted"]) for end in self.ends), Numbers())
