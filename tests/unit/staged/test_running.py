"""Services are started in order, each waited for; clients that do not know a name are deployed."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.errors import NotApplied, NotReady, RolledBack
from temporal_dsql_deploy.operations.staged import running
from temporal_dsql_deploy.operations.staged.running import CLIENTS, Cluster
from temporal_dsql_deploy.operations.staged.steps import Doing
from temporal_dsql_deploy.platforms.clock import Clock
from temporal_dsql_deploy.platforms.ecs import services
from tests.support.fake_ecs import (
    START,
    FakeEcs,
    clients,
    definition,
    deployed,
    deployment,
    service,
    task,
)

ROOT = Path(__file__).parents[3]
ORDER = ("loki", "history", "matching", "frontend", "worker", "ui", "grafana")


class Seconds:
    """Time that passes only where somebody waits."""

    def __init__(self) -> None:
        self.passed = 0.0

    def clock(self) -> Clock:
        return Clock(lambda: self.passed, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.passed += seconds


class _Sick(FakeEcs):
    """Whose tasks run and do not become healthy."""

    def set_count(self, name: str, count: int) -> None:
        super().set_count(name, count)
        self.tasks = [{**one, "healthStatus": "UNHEALTHY"} for one in self.tasks]


class _RolledBack(FakeEcs):
    """Whose circuit breaker gives up."""

    def set_count(self, name: str, count: int) -> None:
        super().set_count(name, count)
        failed = deployment(rolloutState="FAILED", rolloutStateReason="tasks failed to start.")
        self.services[name] = {**self.services[name], "deployments": [failed]}


def _stopped(component: str, **more: Any) -> dict[str, Any]:
    none: dict[str, Any] = {"desiredCount": 0, "runningCount": 0}
    return service(component, deployments=[deployment(component, **none)], **none, **more)


def _cluster(ecs: FakeEcs, *order: str, **outputs: Any) -> Cluster:
    return Cluster(deployed(*(order or ORDER), **outputs), clients(ecs), 60.0, Seconds().clock())


def _doing() -> tuple[Doing, list[str]]:
    said: list[str] = []
    return Doing(said.append), said


def _asked(ecs: FakeEcs) -> list[tuple[str, dict[str, Any]]]:
    return [(name.rpartition("-")[2], change) for name, change in ecs.asked]


def test_all_are_started_in_order_and_a_second_run_asks_for_nothing() -> None:
    ecs = FakeEcs()
    ecs.put(*(_stopped(name) for name in ORDER))
    cluster = _cluster(ecs)
    assert not running.look(cluster).done
    doing, said = _doing()
    assert running.start_all(cluster, doing) == f"{', '.join(ORDER)} run"
    assert doing.has_changed
    assert [name for name, _ in _asked(ecs)] == list(ORDER)
    assert said[0] == "services: loki: none of 1 tasks run"
    ecs.asked.clear()
    assert running.look(cluster).done
    running.start_all(cluster, _doing()[0])
    assert ecs.asked == []


def test_a_client_that_is_started_gets_a_deployment_that_knows_all_names() -> None:
    ecs = FakeEcs()
    ecs.put(*(_stopped(name) for name in ORDER))
    running.start_all(_cluster(ecs), _doing()[0])
    anew = [name for name, change in _asked(ecs) if change.get("forceNewDeployment")]
    assert anew == list(CLIENTS)


@given(st.lists(st.sampled_from(ORDER), unique=True))
def test_only_what_does_not_run_is_started(off: list[str]) -> None:
    ecs = FakeEcs()
    ecs.put(*(_stopped(name) if name in off else service(name) for name in ORDER))
    ecs.tasks = [task(name) for name in ORDER if name not in off]
    running.start_all(_cluster(ecs), _doing()[0])
    assert [name for name, _ in _asked(ecs)] == [name for name in ORDER if name in off]


def test_the_next_is_not_started_before_the_one_before_it_is_well() -> None:
    ecs = _Sick()
    ecs.put(_stopped("history"), _stopped("matching"))
    cluster = _cluster(ecs, "history", "matching")
    with pytest.raises(NotReady, match="history"):
        running.start_all(cluster, _doing()[0])
    assert [name for name, _ in _asked(ecs)] == ["history"]


def test_one_that_another_run_has_begun_is_waited_for_and_not_asked_again() -> None:
    ecs = FakeEcs()
    begun = deployment(rolloutState="IN_PROGRESS", runningCount=0)
    ecs.put(service(runningCount=0, pendingCount=1, deployments=[begun]))
    seconds = Seconds()

    def sleep(passed: float) -> None:
        seconds.passed += passed
        ecs.put(service())
        ecs.tasks = [task()]

    cluster = Cluster(deployed("history"), clients(ecs), 60.0, Clock(lambda: seconds.passed, sleep))
    assert "0 of 1 tasks run" in running.look(cluster).told
    running.start_all(cluster, _doing()[0])
    assert ecs.asked == []
    assert running.look(cluster).done


def test_what_was_scaled_stays_so_and_is_told() -> None:
    ecs = FakeEcs()
    three: dict[str, Any] = {"desiredCount": 3, "runningCount": 3}
    ecs.put(service(deployments=[deployment(**three)], **three))
    seen = running.look(_cluster(ecs, "history"))
    assert seen.done
    assert "history runs 3, and the Terraform says 1" in seen.told


def test_a_service_that_is_to_have_no_tasks_is_left_alone() -> None:
    ecs = FakeEcs()
    ecs.put(_stopped("history"))
    cluster = _cluster(ecs, "history")
    written = {**cluster.deployed.service("history"), "replicas": 0}
    cluster = _cluster(ecs, "history", services={"history": written})
    running.start_all(cluster, _doing()[0])
    assert ecs.asked == []


def test_a_failed_deployment_is_made_anew_and_another_definition_put_right() -> None:
    failed = services.parse("history", service(deployments=[deployment(rolloutState="FAILED")]))
    needed = running.need(failed, deployed("history").service("history"))
    assert needed is not None
    assert needed.anew
    back = services.parse("history", service("history", 7))
    needed = running.need(back, deployed("history").service("history"))
    assert needed is not None
    assert needed.task_definition == definition("history", 1)


def test_a_roll_back_is_told_and_what_comes_after_is_not_started() -> None:
    ecs = _RolledBack()
    ecs.put(_stopped("history"), _stopped("matching"))
    with pytest.raises(RolledBack) as caught:
        running.start_all(_cluster(ecs, "history", "matching"), _doing()[0])
    assert "tasks failed to start." in caught.value.cause
    assert [name for name, _ in _asked(ecs)] == ["history"]


def test_a_service_that_somebody_has_deleted_is_said_to_be_gone() -> None:
    with pytest.raises(NotApplied, match="no service of history"):
        running.look(_cluster(FakeEcs(), "history"))


def _frontend_and_ui(ui_since: int) -> FakeEcs:
    """A frontend that was made at START, and a UI deployed so many seconds later."""
    ecs = FakeEcs()
    created = START + timedelta(seconds=ui_since)
    ecs.put(
        service("frontend", createdAt=START),
        service("ui", deployments=[deployment("ui", createdAt=created)]),
    )
    ecs.tasks = [task("frontend"), task("ui")]
    return ecs


def test_a_client_older_than_the_name_is_deployed_anew_once() -> None:
    ecs = _frontend_and_ui(-5)
    cluster = _cluster(ecs, "frontend", "ui")
    assert running.look_at_clients(cluster).told.endswith("had its name: ui")
    running.deploy_clients(cluster, _doing()[0])
    assert _asked(ecs) == [("ui", {"forceNewDeployment": True})]


def test_a_client_newer_than_the_name_is_left_alone() -> None:
    assert running.look_at_clients(_cluster(_frontend_and_ui(5), "frontend", "ui")).done
    assert running.look_at_clients(_cluster(_frontend_and_ui(5), "frontend")).done


def test_the_clients_are_those_of_the_terraform() -> None:
    """A module with Service Connect and no name of its own finds others by theirs."""
    modules = ROOT / "terraform" / "modules"
    named = {
        path.parent.name
        for path in modules.rglob("*.tf")
        if re.search(r"^\s*(dynamic )?\"?service_connect_configuration", path.read_text(), re.M)
    }
    assert named - {"temporal-service"} == {f"temporal-{name}" for name in CLIENTS}
