"""A wait for a deployment says yes to what was asked for, whole and healthy, and to no other."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy.errors import NotApplied, NotReady, RolledBack
from temporal_dsql_deploy.platforms.clock import Clock
from temporal_dsql_deploy.platforms.ecs import rollout, services
from temporal_dsql_deploy.platforms.ecs.rollout import Wanted
from tests.support.fake_ecs import (
    FakeEcs,
    clients,
    definition,
    deployed,
    service,
    task,
)
from tests.support.rollouts import (
    GOOD,
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


def test_what_was_asked_for_is_waited_for() -> None:
    starting = deployment_of(NEW, 0, rolloutState="IN_PROGRESS")
    old = deployment_of(OLD, 2, status="ACTIVE")
    answers = [
        (service_with(starting, old, desired=2, running=2), tasks_of(OLD, 2)),
        (
            service_with(deployment_of(NEW, 2, rolloutState="IN_PROGRESS"), desired=2, running=2),
            tasks_of(NEW, 2),
        ),
        GOOD,
    ]
    seconds = waited(answers, wanting(2))
    assert seconds.at == 2
    assert seconds.said[-1] == "history: 2 of 2 run, 2 healthy, COMPLETED"


@pytest.mark.parametrize(
    ("shown", "there"),
    [
        (
            service_with(deployment_of(NEW, 2, rolloutState="IN_PROGRESS"), desired=2, running=2),
            tasks_of(NEW, 2),
        ),
        (
            service_with(deployment_of(NEW, 2), desired=2, running=2),
            tasks_of(NEW, 2, healthStatus="UNKNOWN"),
        ),
        (service_with(deployment_of(NEW, 2), desired=2, running=2), tasks_of(NEW, 1)),
        (
            service_with(deployment_of(NEW, 2), desired=2, running=2),
            tasks_of(NEW, 2) + tasks_of(OLD, 1),
        ),
        (service_with(deployment_of(NEW, 1), desired=1, running=1), tasks_of(NEW, 1)),
        (
            service_with(deployment_of(NEW, 2), desired=2, running=2, pendingCount=1),
            tasks_of(NEW, 2),
        ),
        (
            service_with(deployment_of(NEW, 2), desired=2, running=2),
            tasks_of(NEW, 2, lastStatus="PENDING"),
        ),
    ],
    ids=["in progress", "unhealthy", "few", "old ones", "scaled", "pending", "not running"],
)
def test_what_is_not_yet_as_wanted_is_not_ready(
    shown: dict[str, Any], there: list[dict[str, Any]]
) -> None:
    with pytest.raises(NotReady, match="history: not as wanted within 20 s"):
        waited([(shown, there)], wanting(2), limit=20)


def test_without_a_health_check_a_task_that_runs_is_well() -> None:
    ecs = FakeEcs(health_check=False)
    seconds = Seconds(ecs, [(GOOD[0], tasks_of(NEW, 2, healthStatus="UNKNOWN"))])
    found = rollout.wait([wanting(2)], clients(ecs), seconds.said.append, clock=seconds.clock())
    assert [one.id for one in found["history"]] == ["history-2-1", "history-2-2"]


def test_another_deployment_in_its_place_is_no_yes() -> None:
    """Somebody else has deployed, or ECS does not show the new one yet: that may take a moment."""
    other = (service_with(deployment_of(3, 2), desired=2, running=2), tasks_of(3, 2))
    assert waited([other, other, GOOD], wanting(2)).at == 2
    with pytest.raises(RolledBack):
        waited([other], wanting(2))


def test_a_forced_deployment_of_the_same_definition_is_told_apart_by_its_id() -> None:
    same = definition("history", NEW)
    back = (
        service_with(
            deployment_of(OLD, 2, taskDefinition=same),
            deployment_of(NEW, 0, status="ACTIVE", rolloutState="FAILED"),
            desired=2,
            running=2,
        ),
        tasks_of(NEW, 2, startedBy="ecs-svc/1"),
    )
    with pytest.raises(RolledBack):
        waited([back], wanting(2))


def test_none_is_waited_for_until_none_is_left() -> None:
    stopping = (service_with(deployment_of(NEW, 0), desired=0, running=1), tasks_of(NEW, 1))
    gone = (service_with(deployment_of(NEW, 0), desired=0, running=0), tasks_of(NEW, 1))
    none: tuple[dict[str, Any], list[dict[str, Any]]]
    none = (service_with(deployment_of(NEW, 0), desired=0, running=0), [])
    wanted = Wanted(services.parse("history", none[0]), 0)
    assert waited([stopping, gone, none], wanted).at == 2


def test_one_that_ecs_does_not_have_is_not_ready() -> None:
    with pytest.raises(NotReady) as told:
        rollout.wait(
            [wanting(1)],
            clients(FakeEcs()),
            lambda _: None,
            limit=0,
            clock=Clock(lambda: 0.0, lambda _: None),
        )
    assert told.value.cause == "history: ECS has no such service"


def test_ask_changes_only_what_is_said() -> None:
    ecs = FakeEcs()
    ecs.put(service())
    found = services.look(deployed("history"), clients(ecs))["history"]
    rollout.ask(found, clients(ecs), desired=3)
    rollout.ask(found, clients(ecs), force=True)
    rollout.ask(found, clients(ecs), task_definition=definition("history", 2))
    assert [change for _, change in ecs.asked] == [
        {"desiredCount": 3},
        {"forceNewDeployment": True},
        {"taskDefinition": definition("history", 2)},
    ]


_STATES = st.sampled_from(["IN_PROGRESS", "COMPLETED", "FAILED"])


_COUNTS = st.integers(0, 3)


@st.composite
def _answers(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Any answer: which deployment is PRIMARY, how far each is, and what its tasks do."""
    first, second = draw(st.permutations([OLD, NEW]))
    deployments = [
        deployment_of(first, draw(_COUNTS), rolloutState=draw(_STATES)),
        deployment_of(second, draw(_COUNTS), status="ACTIVE", rolloutState=draw(_STATES)),
    ][: draw(st.integers(1, 2))]
    there = [
        task(
            number=draw(st.sampled_from([OLD, NEW, NEW])),
            index=index,
            healthStatus=draw(st.sampled_from(["HEALTHY", "HEALTHY", "UNHEALTHY", "UNKNOWN"])),
        )
        for index in range(draw(_COUNTS))
    ]
    shown = service_with(
        *deployments,
        desired=draw(st.sampled_from([2, 2, 1])),
        running=draw(st.sampled_from([2, 2, 1, 3])),
        pendingCount=draw(st.sampled_from([0, 0, 1])),
    )
    return shown, there


def _is_good(answer: tuple[dict[str, Any], list[dict[str, Any]]]) -> bool:
    """By the words of the issue, and not as the code has them."""
    shown, there = answer
    if any(
        one["rolloutState"] == "FAILED" and one["id"] == "ecs-svc/2" for one in shown["deployments"]
    ):
        return False
    primary = shown["deployments"][0]
    whole = (shown["desiredCount"], shown["runningCount"], shown["pendingCount"]) == (2, 2, 0)
    right = primary["id"] == "ecs-svc/2" and primary["rolloutState"] == "COMPLETED"
    healthy = [
        one for one in there if one["healthStatus"] == "HEALTHY" and one["startedBy"] == "ecs-svc/2"
    ]
    return whole and right and len(healthy) == len(there) == 2 and primary["runningCount"] == 2


@settings(max_examples=300, deadline=None)
@given(
    before=st.lists(st.one_of(_answers(), st.just(GOOD), st.just(ROLLED_BACK)), max_size=12),
    named=st.booleans(),
)
def test_a_wait_never_says_yes_after_a_roll_back(
    before: list[tuple[dict[str, Any], list[dict[str, Any]]]],
    *,
    named: bool,
) -> None:
    """Whatever ECS answers until it has rolled back: a yes is to an answer that is good."""
    answers = [*before, ROLLED_BACK]
    ecs = FakeEcs()
    seconds = Seconds(ecs, answers)
    try:
        rollout.wait(
            [wanting(2, named=named)],
            clients(ecs),
            seconds.said.append,
            limit=10_000,
            clock=seconds.clock(),
        )
    except RolledBack:
        failed = [
            any(
                one["id"] == "ecs-svc/2" and one["rolloutState"] == "FAILED"
                for one in shown["deployments"]
            )
            or shown["deployments"][0]["id"] != "ecs-svc/2"
            for shown, _ in answers
        ]
        assert failed[seconds.at]
        assert not any(_is_good(one) for one in answers[: seconds.at + 1])
        return
    assert _is_good(answers[seconds.at])
    assert not any(
        one["id"] == "ecs-svc/2" and one["rolloutState"] == "FAILED"
        for shown, _ in answers[: seconds.at + 1]
        for one in shown["deployments"]
    )


@pytest.mark.parametrize("desired", [0, 1])
def test_a_service_that_is_deleted_meanwhile_is_said_to_be(desired: int) -> None:
    ecs = FakeEcs()
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    asked = services.parse("history", service())
    wanted = Wanted(asked, desired, definition("history", NEW) if desired else "")
    clock = Clock(lambda: passed[0], sleep)

    def wait() -> dict[str, Any]:
        return dict(rollout.wait([wanted], clients(ecs), lambda _line: None, clock=clock))

    if not desired:
        assert wait() == {"history": []}
        return
    with pytest.raises(NotApplied, match=r"no service .*history any more"):
        wait()
    assert rollout.SETTLING < passed[0] <= rollout.SETTLING + rollout.POLL
