"""Answers of ECS to a wait for a deployment, and the clock by which they come."""

from dataclasses import dataclass, field
from typing import Any

from temporal_dsql_deploy.platforms.clock import Clock
from temporal_dsql_deploy.platforms.ecs import rollout, services
from temporal_dsql_deploy.platforms.ecs.rollout import Wanted
from tests.support.fake_ecs import FakeEcs, FakeLogs, clients, deployment, service, task

OLD, NEW = 1, 2


@dataclass
class Seconds:
    """Time that passes only where somebody waits; each wait brings the next answer."""

    ecs: FakeEcs
    answers: list[tuple[dict[str, Any], list[dict[str, Any]]]]
    passed: float = 0.0
    at: int = 0
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._show()

    def clock(self) -> Clock:
        return Clock(lambda: self.passed, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.passed += seconds
        self.at = min(self.at + 1, len(self.answers) - 1)
        self._show()

    def _show(self) -> None:
        shown, there = self.answers[self.at]
        self.ecs.put(shown)
        self.ecs.tasks = there


def wanting(desired: int, *, named: bool = True) -> Wanted:
    """What ECS was asked for: this many tasks of the new definition; `named` is its deployment."""
    asked = service(
        number=NEW,
        desiredCount=desired,
        deployments=[deployment(number=NEW, rolloutState="IN_PROGRESS")],
    )
    wanted = Wanted.of(services.parse("history", asked))
    return wanted if named else Wanted(wanted.service, desired, wanted.task_definition)


def waited(
    answers: list[tuple[dict[str, Any], list[dict[str, Any]]]],
    wanted: Wanted,
    *,
    limit: float = 300,
    logs: FakeLogs | None = None,
) -> Seconds:
    """Wait for it, while ECS gives these answers. Raises what `rollout.wait` does."""
    ecs = FakeEcs()
    seconds = Seconds(ecs, answers)
    rollout.wait(
        [wanted], clients(ecs, logs), seconds.said.append, limit=limit, clock=seconds.clock()
    )
    return seconds


def deployment_of(number: int, count: int, **more: Any) -> dict[str, Any]:
    """A deployment that has all of its tasks."""
    return deployment(number=number, runningCount=count, desiredCount=count, **more)


def service_with(
    *deployments: dict[str, Any], desired: int, running: int, **more: Any
) -> dict[str, Any]:
    """A service of the ECS API with these deployments."""
    return service(
        number=NEW,
        desiredCount=desired,
        runningCount=running,
        deployments=list(deployments),
        **more,
    )


def tasks_of(number: int, count: int, **more: Any) -> list[dict[str, Any]]:
    """Tasks of the ECS API that run well, of one definition."""
    return [task(number=number, index=index + 1, **more) for index in range(count)]


GOOD = (service_with(deployment_of(NEW, 2), desired=2, running=2), tasks_of(NEW, 2))


ROLLED_BACK = (
    service_with(
        deployment_of(
            OLD, 2, rolloutStateReason="ECS deployment circuit breaker: rolling back to ecs-svc/1."
        ),
        deployment_of(NEW, 0, status="ACTIVE", rolloutState="FAILED"),
        desired=2,
        running=2,
    ),
    tasks_of(OLD, 2),
)
