"""docker/compose.yaml: roles, ports, health, order and drain are those of topology.json."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.runtime import rules

DOCKER = Path(__file__).parents[2] / "docker"
HOUSE = topology.load()


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    return found


@pytest.fixture(scope="module")
def example() -> dict[str, str]:
    lines = (DOCKER / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_it_has_the_roles_and_the_ui(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {*HOUSE.roles, "ui"}


@pytest.mark.parametrize("role", HOUSE.roles)
def test_a_role_is_what_the_topology_says(compose: dict[str, Any], role: str) -> None:
    service, known = compose["services"][role], HOUSE.roles[role]
    assert service["environment"]["TEMPORAL_SERVICES"] == role
    assert service["healthcheck"]["test"] == [
        *("CMD", "grpc_health_probe"),
        f"-addr=127.0.0.1:{known.ports['grpc']}",
        f"-service={known.health_service}",
    ]
    assert service["stop_grace_period"] == f"{HOUSE.drain.stop_timeout_seconds}s"


def test_they_start_in_their_order_one_after_the_other(compose: dict[str, Any]) -> None:
    order = [step.component for step in HOUSE.start_order if step.component in compose["services"]]
    for after in order[1:]:
        assert compose["services"][after]["depends_on"].keys() <= set(order[: order.index(after)])
    assert "depends_on" not in compose["services"][order[0]]
    assert compose["services"][order[1]]["depends_on"] == {
        order[0]: {"condition": "service_healthy"}
    }


def test_what_is_published_is_the_frontend_and_the_ui_on_this_machine_alone(
    compose: dict[str, Any],
) -> None:
    published = [
        (name, port)
        for name, service in compose["services"].items()
        for port in service.get("ports", ())
    ]
    frontend = HOUSE.roles["frontend"].ports
    ends = {(name, int(port.rsplit(":", 1)[1])) for name, port in published}
    assert ends == {
        ("frontend", frontend["grpc"]),
        ("frontend", frontend["http"]),
        ("ui", HOUSE.ui_port),
    }
    assert all(port.startswith("127.0.0.1:") for _, port in published)


@pytest.mark.parametrize("role", HOUSE.roles)
def test_the_example_and_the_file_together_are_all_that_a_role_has_to_be_told(
    compose: dict[str, Any], example: dict[str, str], role: str
) -> None:
    own = {
        name: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value)
        for name, value in compose["services"][role]["environment"].items()
    }
    _, faults = rules.validate({**example, **own})
    assert [f"{one.variable}: {one.what}" for one in faults] == []


def test_no_credential_is_in_a_variable(compose: dict[str, Any], example: dict[str, str]) -> None:
    told = {name for service in compose["services"].values() for name in service["environment"]}
    for name in (*told, *example):
        assert not re.search("SECRET|PASSWORD|TOKEN|ACCESS_KEY", name), name
