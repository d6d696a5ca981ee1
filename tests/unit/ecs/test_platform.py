"""The platform `ecs`: what it says of services and tasks, and what it asks ECS for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.cli.staged import Given
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import (
    Locked,
    NotConfirmed,
    NotForPlatform,
    NotRunning,
    StoppedHalfway,
)
from temporal_dsql_deploy.operations.on_ecs import change
from temporal_dsql_deploy.operations.on_ecs import prove as proving
from temporal_dsql_deploy.operations.probe.result import ProbeResult
from temporal_dsql_deploy.operations.recover.seeing import see
from temporal_dsql_deploy.operations.staged.work import Question
from temporal_dsql_deploy.platforms.clock import Clock
from temporal_dsql_deploy.platforms.ecs import lock
from temporal_dsql_deploy.platforms.ecs.platform import EcsPlatform
from temporal_dsql_deploy.platforms.ecs.slots import Slots
from temporal_dsql_deploy.platforms.ecs.tasks import Task, parse
from temporal_dsql_deploy.platforms.protocol import State
from tests.support.fake_ecs import START, FakeEcs, clients, deployed, deployment, service, task

COMPONENTS = ("history", "matching", "frontend", "worker")


def unasked(question: Question) -> None:
    raise AssertionError(question)


@dataclass
class World:
    """A cluster of the four roles; time passes where somebody waits."""

    ecs: FakeEcs = field(default_factory=FakeEcs)
    passed: float = 0.0
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for component in COMPONENTS:
            self.ecs.put(service(component))
            self.ecs.tasks.append(task(component))

    def platform(self, *, direct: bool = False) -> EcsPlatform:
        return EcsPlatform(
            Environment("dev", platform="ecs"),
            deployed(*COMPONENTS, dsql_cluster_endpoint="abc.dsql.eu-west-1.on.aws"),
            clients(self.ecs),
            direct=direct,
            report=self.said.append,
            clock=Clock(lambda: self.passed, self._sleep),
        )

    def _sleep(self, seconds: float) -> None:
        self.passed += seconds

    def asked(self) -> list[tuple[str, object]]:
        """What ECS was asked to change: component and change."""
        return [
            (name.rpartition("-")[2], change.get("desiredCount", change))
            for name, change in self.ecs.asked
        ]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def proved(monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe that passes; a task inside the VPC is not what is tried here."""
    passed = ProbeResult(
        "10.0.1.1:7233", "default", "probe", ok=True, at=START, seconds=1, checks=[]
    )
    for module in (change, proving):
        monkeypatch.setattr(module, "prove", lambda *_: passed)


ENVIRONMENT = Environment("dev", platform="ecs")


def test_status_has_a_line_for_each_task_in_the_order_of_start(world: World) -> None:
    world.ecs.put(
        service(
            "history",
            desiredCount=3,
            runningCount=2,
            deployments=[deployment("history", desiredCount=3, rolloutState="IN_PROGRESS")],
        )
    )
    world.ecs.tasks.append(task("history", index=2, healthStatus="UNKNOWN"))
    now = world.platform().status()
    told = [(one.instance or one.name, one.state) for one in now.components]
    assert told == [
        ("history-1", State.SERVING),
        ("history-2", State.STARTING),
        ("history-3", State.STOPPED),
        ("matching", State.SERVING),
        ("frontend", State.SERVING),
        ("worker", State.SERVING),
    ]
    assert now.running
    assert not now.healthy
    assert now.facts["deployments"] == "history 2 of 3, IN_PROGRESS"
    assert now.components[0].address == "10.0.1.1:7234"


def test_status_tells_the_room_on_the_instances(world: World) -> None:
    """A network interface for each task: two on an m7g.large without a trunk, ten with one."""
    left = [{"name": "CPU", "integerValue": 1024}, {"name": "MEMORY", "integerValue": 2048}]
    kind = {"name": "ecs.instance-type", "value": "m7g.large"}
    one = {
        "containerInstanceArn": "arn:1",
        "status": "ACTIVE",
        "agentConnected": True,
        "capacityProviderName": "main",
        "runningTasksCount": 1,
        "remainingResources": left,
        "attributes": [kind],
    }
    trunk = {**one, "attributes": [kind, {"name": "ecs.awsvpc-trunk-id", "value": "x"}]}
    draining = {**one, "status": "DRAINING"}
    world.ecs.instances = [
        {**each, "containerInstanceArn": f"arn:{index}"}
        for index, each in enumerate([one, trunk, draining])
    ]
    assert world.platform().status().facts["room main"] == (
        "2 of 3 instances take tasks; left: 1 + 8 network interfaces, 2 vCPU, 4096 MiB"
    )


def test_a_cluster_that_is_down_has_its_places_and_says_so(world: World) -> None:
    platform = world.platform()
    platform.stop(grace=0)
    now = platform.status()
    assert not now.running
    assert {one.note for one in now.components} == {"no task of it is wanted"}
    assert [one.running for one in platform.instances()] == [False] * 4


def test_what_has_to_be_dialled_is_refused_from_outside(world: World) -> None:
    outside = world.platform()
    for ask in (outside.frontend, outside.pages, outside.database):
        with pytest.raises(NotForPlatform, match="cannot be dialled from here"):
            ask()
    inside = world.platform(direct=True)
    assert inside.frontend() == "10.0.1.1:7233"
    assert inside.database().host == "abc.dsql.eu-west-1.on.aws"


def test_without_a_frontend_there_is_none_to_dial(world: World) -> None:
    world.ecs.set_count("temporal-dev-temporal-frontend", 0)
    with pytest.raises(NotRunning, match="no frontend"):
        world.platform(direct=True).frontend()


def test_members_are_the_tasks_that_run_with_the_ports_of_their_roles(world: World) -> None:
    world.ecs.tasks[1] = task("matching", lastStatus="PENDING")
    found = world.platform().members()
    assert [(one.name, one.grpc_port, one.membership_port) for one in found] == [
        ("history", 7234, 6934),
        ("frontend", 7233, 6933),
        ("worker", 7239, 6939),
    ]


def test_down_stops_the_last_to_be_started_first_and_waits_for_each(world: World) -> None:
    platform = world.platform()
    result = change.down(platform, ENVIRONMENT, unasked, dry_run=False, report=world.said.append)
    assert result.stopped.was_running
    assert world.asked() == [(one, 0) for one in reversed(COMPONENTS)]
    world.ecs.asked.clear()
    again = change.down(platform, ENVIRONMENT, unasked, dry_run=False, report=world.said.append)
    assert not again.stopped.was_running
    assert world.ecs.asked == []


def test_down_dry_run_changes_nothing(world: World) -> None:
    platform = world.platform()
    found = change.down(platform, ENVIRONMENT, unasked, dry_run=True, report=world.said.append)
    assert found.stopped.was_running
    assert world.ecs.asked == []


def test_down_of_production_takes_its_name(world: World) -> None:
    production = replace(ENVIRONMENT, name="prod")
    platform = world.platform()
    refusing = Given("prod", confirm="dev").ask
    with pytest.raises(NotConfirmed, match="prod is not changed"):
        change.down(platform, production, refusing, dry_run=False, report=world.said.append)
    assert world.ecs.asked == []
    named = Given("prod", confirm="prod").ask
    change.down(platform, production, named, dry_run=False, report=world.said.append)
    assert world.asked() == [(one, 0) for one in reversed(COMPONENTS)]


@pytest.mark.usefixtures("proved")
def test_scale_asks_for_what_differs_and_says_what_its_terraform_says(world: World) -> None:
    platform = world.platform()
    result = change.scale(
        platform, ENVIRONMENT, {"history": 3, "worker": 1}, deadline=1, report=world.said.append
    )
    assert world.asked() == [("history", 3)]
    assert [one.detail for one in result.changes] == ["1 to 3 tasks"]
    assert result.warnings == [
        "its Terraform says history has 1: after a `down`, `up` starts so many"
    ]
    assert len([one for one in result.status.components if one.name == "history"]) == 3


def test_nothing_is_scaled_or_restarted_where_nothing_runs(world: World) -> None:
    platform = world.platform()
    platform.stop(grace=0)
    with pytest.raises(NotRunning):
        change.plan_scale(platform, ENVIRONMENT, {"history": 2})
    with pytest.raises(NotRunning):
        change.plan_restart(platform, ENVIRONMENT, [])


@pytest.mark.usefixtures("proved")
def test_restart_renews_each_role_in_order_what_does_not_serve_first(world: World) -> None:
    world.ecs.tasks[2] = task("frontend", healthStatus="UNHEALTHY")
    plan = change.plan_restart(world.platform(), ENVIRONMENT, [])
    assert [one.what for one in plan.changes] == ["frontend", "history", "matching", "worker"]
    world.ecs.tasks[2] = task("frontend")
    result = change.restart(world.platform(), ENVIRONMENT, [], deadline=1, report=world.said.append)
    assert [one.name for one in result.restarted] == list(COMPONENTS)
    assert world.asked() == [(one, {"forceNewDeployment": True}) for one in COMPONENTS]


def test_a_restart_that_is_rolled_back_says_how_far_it_has_come(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = world.ecs.update_service

    def failing(**asked: object) -> dict[str, object]:
        answer = update(**asked)  # type: ignore[arg-type]
        if "matching" in str(asked["service"]):
            world.ecs.put(
                service(
                    "matching",
                    deployments=[
                        deployment("matching", 1),
                        {
                            **answer["service"]["deployments"][0],
                            "status": "ACTIVE",
                            "rolloutState": "FAILED",
                        },
                    ],
                )
            )
        return answer

    monkeypatch.setattr(FakeEcs, "update_service", lambda _, **asked: failing(**asked))
    with pytest.raises(StoppedHalfway, match="matching has not come back") as told:
        change.restart(world.platform(), ENVIRONMENT, [], deadline=1, report=world.said.append)
    assert "restarted: history" in told.value.cause
    assert "not touched: frontend, worker" in told.value.cause
    assert "dsql-deploy restart ENV matching frontend worker" in told.value.fix


def test_a_place_is_restarted_by_stopping_its_task(world: World) -> None:
    world.ecs.set_count("temporal-dev-temporal-history", 2)
    platform = world.platform()
    platform.restart(["history-2"], grace=1)
    (stopped,) = world.ecs.asked
    assert stopped == (
        "stop_task",
        {"task": "arn:aws:ecs:eu-west-1:123456789012:task/temporal-dev/history-1-2"},
    )
    names = {one.name: one.task for one in platform.seen().places}
    assert names["history-2"]
    assert names["history-2"].id == "history-1-2-again"


def test_all_roles_at_once_stop_before_any_is_started(world: World) -> None:
    """As `recover` rebuilds a ring: nobody of the old one may be left when the first joins."""
    platform = world.platform()
    platform.restart([one.name for one in platform.instances()], grace=1)
    stops, starts = world.asked()[:4], world.asked()[4:]
    assert stops == [(one, 0) for one in reversed(COMPONENTS)]
    assert starts == [(one, 1) for one in COMPONENTS]


def test_recover_sees_a_role_that_has_no_task(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = world.platform()
    world.ecs.set_count("temporal-dev-temporal-matching", 0)
    monkeypatch.setattr("temporal_dsql_deploy.operations.recover.seeing._look", lambda _: None)
    seen = see(platform)
    assert [one.name for one in seen.instances if not one.running] == ["matching"]
    platform.restart(["matching"], grace=1)
    assert world.asked()[-1] == ("matching", 1)


def _tasks(arns: list[int]) -> list[Task]:
    return [parse("history", "s", task("history", index=one)) for one in arns]


@given(st.lists(st.tuples(st.sets(st.integers(1, 30), max_size=6), st.integers(0, 6))))
def test_a_task_keeps_its_place_and_every_task_has_one(rounds: list[tuple[set[int], int]]) -> None:
    """Whatever comes and goes: no place has two, and who stays is not renumbered while it fits."""
    slots = Slots()
    before: dict[str, str] = {}
    count_before = 0
    for there, wanted in rounds:
        found = slots.fill("history", _tasks(sorted(there)), wanted)
        filled = [one.arn for one in found.values() if one]
        count = max(wanted, len(there))
        assert len(found) == count
        assert sorted(filled) == sorted(one.arn for one in _tasks(sorted(there)))
        if count >= count_before > 1:
            for name, arn in before.items():
                if arn in filled:
                    assert found[name] is not None
                    assert found[name].arn == arn  # type: ignore[union-attr]
        before = {name: one.arn for name, one in found.items() if one}
        count_before = count


class _LostLater:
    """A lock that is there once, and then another's."""

    def __init__(self) -> None:
        self.looks = 0

    def check(self) -> None:
        self.looks += 1
        if self.looks > 1:
            raise Locked("the lock of the environment is lost")


@pytest.mark.usefixtures("proved")
def test_a_restart_goes_no_further_when_another_has_the_lock(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    @contextmanager
    def held(*_: object) -> Iterator[_LostLater]:
        yield _LostLater()

    monkeypatch.setattr(lock, "held", held)
    platform = world.platform()
    platform._environment = replace(ENVIRONMENT, terraform=tmp_path)
    with pytest.raises(Locked, match="is lost"):
        change.restart(platform, ENVIRONMENT, [], deadline=1, report=world.said.append)
    assert [name for name, _ in world.asked()] == ["history"]
