"""A wait for a deployment says yes to what was asked for, whole and healthy, and to no other."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
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
    FakeLogs,
    clients,
    definition,
    deployed,
    deployment,
    service,
    task,
)

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


def _wanted(desired: int, *, named: bool = True) -> Wanted:
    asked = service(
        number=NEW,
        desiredCount=desired,
        deployments=[deployment(number=NEW, rolloutState="IN_PROGRESS")],
    )
    wanted = Wanted.of(services.parse("history", asked))
    return wanted if named else Wanted(wanted.service, desired, wanted.task_definition)


def _wait(
    answers: list[tuple[dict[str, Any], list[dict[str, Any]]]],
    wanted: Wanted,
    *,
    limit: float = 300,
    logs: FakeLogs | None = None,
) -> Seconds:
    ecs = FakeEcs()
    seconds = Seconds(ecs, answers)
    rollout.wait(
        [wanted], clients(ecs, logs), seconds.said.append, limit=limit, clock=seconds.clock()
    )
    return seconds


def _of(number: int, count: int, **more: Any) -> dict[str, Any]:
    return deployment(number=number, runningCount=count, desiredCount=count, **more)


def _shown(*deployments: dict[str, Any], desired: int, running: int, **more: Any) -> dict[str, Any]:
    return service(
        number=NEW,
        desiredCount=desired,
        runningCount=running,
        deployments=list(deployments),
        **more,
    )


def _tasks(number: int, count: int, **more: Any) -> list[dict[str, Any]]:
    return [task(number=number, index=index + 1, **more) for index in range(count)]


GOOD = (_shown(_of(NEW, 2), desired=2, running=2), _tasks(NEW, 2))
ROLLED_BACK = (
    _shown(
        _of(
            OLD, 2, rolloutStateReason="ECS deployment circuit breaker: rolling back to ecs-svc/1."
        ),
        _of(NEW, 0, status="ACTIVE", rolloutState="FAILED"),
        desired=2,
        running=2,
    ),
    _tasks(OLD, 2),
)


def test_what_was_asked_for_is_waited_for() -> None:
    starting = _of(NEW, 0, rolloutState="IN_PROGRESS")
    old = _of(OLD, 2, status="ACTIVE")
    answers = [
        (_shown(starting, old, desired=2, running=2), _tasks(OLD, 2)),
        (_shown(_of(NEW, 2, rolloutState="IN_PROGRESS"), desired=2, running=2), _tasks(NEW, 2)),
        GOOD,
    ]
    seconds = _wait(answers, _wanted(2))
    assert seconds.at == 2
    assert seconds.said[-1] == "history: 2 of 2 run, 2 healthy, COMPLETED"


@pytest.mark.parametrize(
    ("shown", "there"),
    [
        (_shown(_of(NEW, 2, rolloutState="IN_PROGRESS"), desired=2, running=2), _tasks(NEW, 2)),
        (_shown(_of(NEW, 2), desired=2, running=2), _tasks(NEW, 2, healthStatus="UNKNOWN")),
        (_shown(_of(NEW, 2), desired=2, running=2), _tasks(NEW, 1)),
        (_shown(_of(NEW, 2), desired=2, running=2), _tasks(NEW, 2) + _tasks(OLD, 1)),
        (_shown(_of(NEW, 1), desired=1, running=1), _tasks(NEW, 1)),
        (_shown(_of(NEW, 2), desired=2, running=2, pendingCount=1), _tasks(NEW, 2)),
        (_shown(_of(NEW, 2), desired=2, running=2), _tasks(NEW, 2, lastStatus="PENDING")),
    ],
    ids=["in progress", "unhealthy", "few", "old ones", "scaled", "pending", "not running"],
)
def test_what_is_not_yet_as_wanted_is_not_ready(
    shown: dict[str, Any], there: list[dict[str, Any]]
) -> None:
    with pytest.raises(NotReady, match="history: not as wanted within 20 s"):
        _wait([(shown, there)], _wanted(2), limit=20)


def test_without_a_health_check_a_task_that_runs_is_well() -> None:
    ecs = FakeEcs(health_check=False)
    seconds = Seconds(ecs, [(GOOD[0], _tasks(NEW, 2, healthStatus="UNKNOWN"))])
    found = rollout.wait([_wanted(2)], clients(ecs), seconds.said.append, clock=seconds.clock())
    assert [one.id for one in found["history"]] == ["history-2-1", "history-2-2"]


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
        _wait([(shown, [*there, ended])], _wanted(2), logs=logs)
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
    none = _shown(_of(NEW, 0), desired=2, running=0)
    answers = [(none, [_ended(index) for index in range(1, 1 + count)]) for count in range(4)]
    seconds = Seconds(FakeEcs(), answers)
    with pytest.raises(NotReady, match="3 tasks have ended, one after another") as told:
        rollout.wait([_wanted(2)], clients(seconds.ecs), seconds.said.append, clock=seconds.clock())
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
    ids=["user", "scaling", "older", "before", "the breaker's", "health"],
)
def test_only_starts_that_failed_end_a_wait(
    rollout_state: str, more: dict[str, Any], *, ends: bool
) -> None:
    shown = _shown(_of(NEW, 0, rolloutState=rollout_state), desired=2, running=0)
    there = [_ended(index, **more) for index in range(1, 6)]
    expected = "one after another" if ends else "not as wanted within 20 s"
    with pytest.raises(NotReady, match=expected):
        _wait([(shown, there)], _wanted(2), limit=20)


@pytest.mark.parametrize(("breaker", "ends"), [(True, False), (False, True)])
def test_a_deployment_without_a_circuit_breaker_is_not_waited_for_to_the_limit(
    *, breaker: bool, ends: bool
) -> None:
    shown = _shown(
        _of(NEW, 0, rolloutState="IN_PROGRESS"),
        desired=2,
        running=0,
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": breaker}},
    )
    there = [_ended(index) for index in range(1, 6)]
    expected = "one after another" if ends else "not as wanted within 20 s"
    with pytest.raises(NotReady, match=expected):
        _wait([(shown, there)], _wanted(2), limit=20)


def test_what_was_rolled_back_to_is_not_blamed_on_the_wait_for_another() -> None:
    """The old deployment is COMPLETED again: that no breaker watches it says nothing."""
    old = _shown(_of(OLD, 2), desired=2, running=2)
    there = [*_tasks(OLD, 2), *(_ended(index) for index in range(1, 5))]
    with pytest.raises(RolledBack):
        _wait([(old, there)], _wanted(2), limit=60)


def test_another_deployment_in_its_place_is_no_yes() -> None:
    """Somebody else has deployed, or ECS does not show the new one yet: that may take a moment."""
    other = (_shown(_of(3, 2), desired=2, running=2), _tasks(3, 2))
    assert _wait([other, other, GOOD], _wanted(2)).at == 2
    with pytest.raises(RolledBack):
        _wait([other], _wanted(2))


def test_a_forced_deployment_of_the_same_definition_is_told_apart_by_its_id() -> None:
    same = definition("history", NEW)
    back = (
        _shown(
            _of(OLD, 2, taskDefinition=same),
            _of(NEW, 0, status="ACTIVE", rolloutState="FAILED"),
            desired=2,
            running=2,
        ),
        _tasks(NEW, 2, startedBy="ecs-svc/1"),
    )
    with pytest.raises(RolledBack):
        _wait([back], _wanted(2))


def test_none_is_waited_for_until_none_is_left() -> None:
    stopping = (_shown(_of(NEW, 0), desired=0, running=1), _tasks(NEW, 1))
    gone = (_shown(_of(NEW, 0), desired=0, running=0), _tasks(NEW, 1))
    none: tuple[dict[str, Any], list[dict[str, Any]]]
    none = (_shown(_of(NEW, 0), desired=0, running=0), [])
    wanted = Wanted(services.parse("history", none[0]), 0)
    assert _wait([stopping, gone, none], wanted).at == 2


def test_one_that_ecs_does_not_have_is_not_ready() -> None:
    with pytest.raises(NotReady) as told:
        rollout.wait(
            [_wanted(1)],
            clients(FakeEcs()),
            lambda _: None,
            limit=0,
            clock=Clock(lambda: 0.0, lambda _: None),
        )
    assert told.value.cause == "history: ECS has no such service"


def test_a_placement_failure_is_told_with_what_it_means() -> None:
    message = (
        "(service temporal-dev-temporal-history) was unable to place a task because no container "
        'instance met all of its requirements. It encountered error "RESOURCE:ENI".'
    )
    event = {"id": "1", "createdAt": datetime.now(UTC), "message": message}
    shown = _shown(_of(NEW, 0, rolloutState="IN_PROGRESS"), desired=2, running=0, events=[event])
    with pytest.raises(NotReady) as told:
        _wait([(shown, [])], _wanted(2), limit=20)
    assert message in told.value.cause
    assert "no instance has a network interface left" in told.value.cause


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
        _of(first, draw(_COUNTS), rolloutState=draw(_STATES)),
        _of(second, draw(_COUNTS), status="ACTIVE", rolloutState=draw(_STATES)),
    ][: draw(st.integers(1, 2))]
    there = [
        task(
            number=draw(st.sampled_from([OLD, NEW, NEW])),
            index=index,
            healthStatus=draw(st.sampled_from(["HEALTHY", "HEALTHY", "UNHEALTHY", "UNKNOWN"])),
        )
        for index in range(draw(_COUNTS))
    ]
    shown = _shown(
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
            [_wanted(2, named=named)],
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
