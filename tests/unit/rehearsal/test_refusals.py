"""What the emulated ECS refuses, as ECS does."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.capacity.instances import Room
from temporal_dsql_deploy.rehearsal.ecs import refusals
from temporal_dsql_deploy.rehearsal.ecs.definition import Definition, Part

MAPPING = {"containerPort": 7233, "hostPort": 7233, "name": "grpc"}
CONTAINER: dict[str, Any] = {
    "name": "server",
    "image": "server:1",
    "cpu": 448,
    "memory": 900,
    "portMappings": [MAPPING],
    "mountPoints": [{"sourceVolume": "logs", "containerPath": "/var/log"}],
    "healthCheck": {"command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 3},
}
TASK: dict[str, Any] = {
    "networkMode": "awsvpc",
    "cpu": "512",
    "memory": "1024",
    "volumes": [{"name": "logs"}],
    "containerDefinitions": [CONTAINER],
}
SERVICE: dict[str, Any] = {
    "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
    "capacityProviderStrategy": [{"capacityProvider": "main"}],
    "placementStrategy": [{"type": "spread", "field": "attribute:ecs.availability-zone"}],
    "serviceConnectConfiguration": {"enabled": True, "services": [{"portName": "grpc"}]},
}
DEFINITION = Definition(
    "arn", "server", 1, Room(512, 1024, 1), [Part("server", "server:1", CONTAINER)]
)


def of_service(mode: str = "awsvpc", **changed: Any) -> str:
    return refusals.of_service({**SERVICE, **changed}, DEFINITION, mode, ["main"])


def of_container(**changed: Any) -> str:
    return refusals.of_definition({**TASK, "containerDefinitions": [{**CONTAINER, **changed}]})


def test_what_is_right_is_taken() -> None:
    assert refusals.of_definition(TASK) == ""
    assert of_service() == ""


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"portMappings": [{**MAPPING, "hostPort": 723}]}, "must match"),
        ({"portMappings": [{"containerPort": 72330}]}, "containerPort"),
        ({"mountPoints": [{"sourceVolume": "", "containerPath": "/x"}]}, "Unknown volume"),
        ({"cpu": 4480}, "'cpu'"),
        ({"memory": 9000}, "'memory'"),
    ],
)
def test_a_container_that_ecs_does_not_take(changed: dict[str, Any], words: str) -> None:
    assert words in of_container(**changed)


def test_host_ports_are_free_outside_of_awsvpc() -> None:
    container = {**CONTAINER, "portMappings": [{**MAPPING, "hostPort": 32768}]}
    task = {**TASK, "networkMode": "bridge", "containerDefinitions": [container]}
    assert refusals.of_definition(task) == ""


def test_a_tmpfs_is_not_for_fargate() -> None:
    container = {**CONTAINER, "linuxParameters": {"tmpfs": [{"containerPath": "/x", "size": 1}]}}
    task = {**TASK, "containerDefinitions": [container]}
    assert refusals.of_definition(task) == ""
    assert "Tmpfs" in refusals.of_definition({**task, "requiresCompatibilities": ["FARGATE"]})


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 100))
def test_a_health_check_within_the_ranges_is_taken(
    interval: int, timeout: int, retries: int
) -> None:
    check = {"interval": interval, "timeout": timeout, "retries": retries}
    within = 5 <= interval <= 300 and 2 <= timeout <= 60 and 1 <= retries <= 10
    assert (of_container(healthCheck={**CONTAINER["healthCheck"], **check}) == "") == within


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"networkConfiguration": {}}, "must be provided"),
        ({"capacityProviderStrategy": [{"capacityProvider": "other"}]}, "was not found"),
        ({"placementStrategy": [{"type": "spread", "field": "memory"}]}, "placement strategy"),
        ({"placementStrategy": [{"type": "binpack", "field": "instanceId"}]}, "placement strategy"),
        (
            {"serviceConnectConfiguration": {"enabled": True, "services": [{"portName": "web"}]}},
            "portName 'web'",
        ),
        (
            {
                "networkConfiguration": {
                    "awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}
                }
            },
            "Assign public IP",
        ),
    ],
)
def test_a_service_that_ecs_does_not_take(changed: dict[str, Any], words: str) -> None:
    assert words in of_service(**changed)


def test_a_network_is_not_for_a_task_on_the_bridge() -> None:
    assert "not valid" in of_service("bridge")
    assert of_service("bridge", networkConfiguration={}) == ""


def test_fargate_is_no_capacity_provider_of_ours() -> None:
    strategy = [{"capacityProvider": "FARGATE_SPOT"}]
    assert of_service(capacityProviderStrategy=strategy) == ""
