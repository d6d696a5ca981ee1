"""What ECS's service scheduler does next for one service: arithmetic over plain data.

ECS developer guide, deployment-type-ecs and service-scheduler-concepts: a deployment starts tasks
up to maximumPercent of the desired count, rounded down, and stops old ones down to
minimumHealthyPercent, rounded up. ECS API, DeploymentCircuitBreaker: a deployment fails after half
the desired count of consecutive failures, at least 3 and at most 200; with roll-back the last one
that was completed becomes the primary again and the failed one starts no more tasks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

IN_PROGRESS, COMPLETED, FAILED = "IN_PROGRESS", "COMPLETED", "FAILED"
_LEAST, _MOST = 3, 200
_PATIENT = 3
"""Failures in a row before the scheduler waits between two starts."""
_LONGEST = 60.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A task of the service, as far as the scheduler needs it."""

    id: str
    deployment: str
    stops: bool = False
    """Whether it has been told to stop, and is still there."""
    healthy: bool = False
    """RUNNING, and HEALTHY where it has a health check."""
    unhealthy: bool = False
    """Its health check has failed."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """A deployment of the service."""

    id: str
    state: str = IN_PROGRESS
    failures: int = 0
    """Tasks that failed one after the other."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What is asked of a service, and what it has."""

    desired: int
    primary: Rollout
    others: Sequence[Rollout] = ()
    tasks: Sequence[Seen] = ()
    minimum_percent: int = 100
    maximum_percent: int = 200
    breaker: bool = False
    roll_back: bool = False
    last_completed: str = ""
    """Another deployment that was completed last; empty where there is none."""
    last_failure: float = -math.inf
    """When a task failed last, in seconds."""

    @property
    def most(self) -> int:
        """Tasks that there may be at one time."""
        return self.desired * self.maximum_percent // 100

    @property
    def least(self) -> int:
        """Healthy tasks that a deployment leaves."""
        return math.ceil(self.desired * self.minimum_percent / 100)


@dataclass(frozen=True, slots=True)
class Actions:
    """What is to be done, all of it at once."""

    start: int = 0
    """Tasks of the primary deployment."""
    stop: Sequence[str] = ()
    """Tasks that a new deployment or a smaller count has no use for."""
    replace: Sequence[str] = ()
    """Tasks whose health check has failed."""
    gone: Sequence[str] = ()
    """Deployments that have no tasks any more."""
    complete: bool = False
    fail: bool = False
    roll_back_to: str = ""
    stuck: bool = False
    """Neither starting nor stopping is allowed by the two percentages."""
    steady: bool = False
    """Whether all is as it should be."""
    throttled: bool = False


def threshold(desired: int) -> int:
    """Failures in a row with which the circuit breaker ends a deployment."""
    return min(max(math.ceil(desired / 2), _LEAST), _MOST)


def decide(aim: Aim, now: float) -> Actions:
    """The next step towards as many tasks of the primary deployment as are desired."""
    if aim.breaker and aim.primary.state == IN_PROGRESS and _is_broken(aim):
        return Actions(fail=True, roll_back_to=aim.last_completed if aim.roll_back else "")
    parts = _Parts.of(aim)
    replaced = tuple(task.id for task in parts.unhealthy)
    surplus = _surplus(aim, parts)
    old = _old(aim, parts)
    missing = max(0, aim.desired - len(parts.new))
    room = max(0, aim.most - len(aim.tasks))
    start = min(missing, room) if aim.primary.state != FAILED else 0
    throttled = start > 0 and _is_throttled(aim, now)
    stop = (*surplus, *old)
    there = missing == 0 and not surplus and all(task.healthy for task in parts.new)
    done = there and not parts.old and not replaced
    return Actions(
        start=0 if throttled else start,
        stop=stop,
        replace=replaced,
        gone=tuple(one.id for one in aim.others if one.id not in parts.used),
        complete=done and aim.primary.state == IN_PROGRESS,
        stuck=bool(missing and parts.old and not (start or stop or replaced or parts.stopping)),
        steady=done and not parts.stopping,
        throttled=throttled,
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """The tasks that are there, by what they are for."""

    new: list[Seen] = field(default_factory=list)
    old: list[Seen] = field(default_factory=list)
    unhealthy: list[Seen] = field(default_factory=list)
    stopping: list[Seen] = field(default_factory=list)
    used: frozenset[str] = frozenset()

    @classmethod
    def of(cls, aim: Aim) -> "_Parts":
        stays = [task for task in aim.tasks if not task.stops]
        well = [task for task in stays if not task.unhealthy]
        return cls(
            new=[task for task in well if task.deployment == aim.primary.id],
            old=[task for task in well if task.deployment != aim.primary.id],
            unhealthy=[task for task in stays if task.unhealthy],
            stopping=[task for task in aim.tasks if task.stops],
            used=frozenset(task.deployment for task in stays),
        )


def _is_broken(aim: Aim) -> bool:
    return aim.primary.failures >= threshold(aim.desired)


def _is_throttled(aim: Aim, now: float) -> bool:
    """Whether tasks that fail again and again make the scheduler wait, each time longer."""
    over = aim.primary.failures - _PATIENT
    return over >= 0 and now < aim.last_failure + min(_LONGEST, 2.0**over)


def _surplus(aim: Aim, parts: _Parts) -> list[str]:
    """Tasks of the primary deployment above the desired count: first those that are not ready."""
    ranked = sorted(parts.new, key=lambda task: task.healthy)
    return [task.id for task in ranked[: max(0, len(parts.new) - aim.desired)]]


def _old(aim: Aim, parts: _Parts) -> list[str]:
    """Tasks of other deployments that may go now.

    Those that are not ready carry nothing. Of the others as many go as new ones have taken over
    from, or as stand in the way of new ones, and never so many that too few are healthy.
    """
    idle = [task.id for task in parts.old if not task.healthy]
    ready = [task.id for task in parts.old if task.healthy]
    healthy = len(ready) + min(aim.desired, sum(task.healthy for task in parts.new))
    taken_over = max(0, healthy - aim.desired)
    room = aim.most - len(aim.tasks) + len(idle)
    in_the_way = max(0, aim.desired - len(parts.new) - max(0, room) - len(parts.stopping))
    if aim.primary.state == FAILED:
        in_the_way = 0
    allowed = max(0, healthy - aim.least)
    return [*idle, *ready[: min(allowed, max(taken_over, in_the_way))]]
