"""Tasks that end, and deployments that are rolled back: a wait tells of them, and why."""

from datetime import UTC, datetime
from typing import Any

import pytest

from temporal_dsql_deploy.errors import NotReady, RolledBack
from temporal_dsql_deploy.platforms.ecs import rollout
from tests.support.fake_ecs import (
    FakeEcs,
    FakeLogs,
    clients,
    definition,
    task,
)
from tests.support.rollouts import (
    NEW,
    OLD,
    ROLLED_BACK,
    Seconds,
    deployment_of,
    service_with,
    tasks_of,
    waited,
    wanting,
)


@pytest.mark.parametrize("code", [143, 137])
def test_a_rolled_back_deployment_is_told_with_what_its_tasks_said(code: int) -> None:
    """The collector ends after the server has, as ECS stops it then."""
    ended = task(
        number=NEW,
        desiredStatus="STOPPED",
        lastStatus="STOPPED",
        stoppedReason="Essential container in task exited",
        stoppedAt=datetime.now(UTC),
        containers=[
            {"name": "otel-collector", "exitCode": code},
            {"name": "temporal-history", "exitCode": 1},
        ],
    )
    logs = FakeLogs(
        {
            "temporal-history/temporal-history/history-2-1": ["no usable database"],
            "temporal-history/otel-collector/history-2-1": ["all is well"],
        }
    )
    shown, there = ROLLED_BACK
    with pytest.raises(RolledBack, match="does not deploy history") as told:
        waited([(shown, [*there, ended])], wanting(2), logs=logs)
    assert "circuit breaker: rolling back" in told.value.cause
    assert "temporal-history ended with exit code 1" in told.value.cause
    assert "logged: no usable database" in told.value.cause


def _ended(index: int, **more: Any) -> dict[str, Any]:
    """A task that never started."""
    return task(
        number=NEW,
        index=index,
        desiredStatus="STOPPED",
        lastStatus="STOPPED",
        **{
            "stoppedAt": datetime.now(UTC),
            "stopCode": "TaskFailedToStart",
            "stoppedReason": "Essential container in task exited",
            "containers": [{"name": "temporal-history", "reason": "CannotPullContainerError: x"}],
            **more,
        },
    )


def test_tasks_that_never_start_are_told_and_not_waited_for_to_the_limit() -> None:
    """More tasks of a service are no deployment, and no circuit breaker of ECS watches them."""
    none = service_with(deployment_of(NEW, 0), desired=2, running=0)
    answers = [(none, [_ended(index) for index in range(1, 1 + count)]) for count in range(4)]
    seconds = Seconds(FakeEcs(), answers)
    with pytest.raises(NotReady, match="3 tasks have ended, one after another") as told:
        rollout.wait([wanting(2)], clients(seconds.ecs), seconds.said.append, clock=seconds.clock())
    assert seconds.at == 3
    assert "the image is not there" in told.value.cause
    once = "history: task history-2-1 has ended: temporal-history: CannotPullContainerError: x"
    assert seconds.said.count(once) == 1


@pytest.mark.parametrize(
    ("rollout_state", "more", "ends"),
    [
        ("COMPLETED", {"stopCode": "UserInitiated", "stoppedReason": "by somebody"}, False),
        ("COMPLETED", {"stopCode": "ServiceSchedulerInitiated", "stoppedReason": "Scaling"}, False),
        ("COMPLETED", {"taskDefinitionArn": definition("history", OLD)}, False),
        ("COMPLETED", {"startedBy": "ecs-svc/before"}, False),
        ("COMPLETED", {"stoppedAt": datetime(2026, 1, 1, tzinfo=UTC)}, False),
        ("IN_PROGRESS", {}, False),
        (
            "COMPLETED",
            {
                "stopCode": "ServiceSchedulerInitiated",
                "stoppedReason": "Task failed container health checks",
            },
            True,
        ),
    ],
    ids=["user", "scaling", "older", "other deployment", "before", "the breaker's", "health"],
)
def test_only_starts_that_failed_end_a_wait(
    rollout_state: str, more: dict[str, Any], *, ends: bool
) -> None:
    shown = service_with(deployment_of(NEW, 0, rolloutState=rollout_state), desired=2, running=0)
    there = [_ended(index, **more) for index in range(1, 6)]
    expected = "one after another" if ends else "not as wanted within 20 s"
    with pytest.raises(NotReady, match=expected):
        waited([(shown, there)], wanting(2), limit=20)


@pytest.mark.parametrize(("breaker", "ends"), [(True, False), (False, True)])
def test_a_deployment_without_a_circuit_breaker_is_not_waited_for_to_the_limit(
    *, breaker: bool, ends: bool
) -> None:
    shown = service_with(
        deployment_of(NEW, 0, rolloutState="IN_PROGRESS"),
        desired=2,
        running=0,
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": breaker}},
    )
    there = [_ended(index) for index in range(1, 6)]
    expected = "one after another" if ends else "not as wanted within 20 s"
    with pytest.raises(NotReady, match=expected):
        waited([(shown, there)], wanting(2), limit=20)


def test_what_was_rolled_back_to_is_not_blamed_on_the_wait_for_another() -> None:
    """The old deployment is COMPLETED again: that no breaker watches it says nothing."""
    old = service_with(deployment_of(OLD, 2), desired=2, running=2)
    there = [*tasks_of(OLD, 2), *(_ended(index) for index in range(1, 5))]
    with pytest.raises(RolledBack):
        waited([(old, there)], wanting(2), limit=60)


def test_a_placement_failure_is_told_with_what_it_means() -> None:
    message = (
        "(service temporal-dev-temporal-history) was unable to place a task because no container "
        'instance met all of its requirements. It encountered error "RESOURCE:ENI".'
    )
    event = {"id": "1", "createdAt": datetime.now(UTC), "message": message}
    shown = service_with(
        deployment_of(NEW, 0, rolloutState="IN_PROGRESS"), desired=2, running=0, events=[event]
    )
    with pytest.raises(NotReady) as told:
        waited([(shown, [])], wanting(2), limit=20)
    assert message in told.value.cause
    assert "no instance has a network interface left" in told.value.cause
