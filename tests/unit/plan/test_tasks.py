"""Tasks are known by what they run and how they are tied together, not by our names."""

import json
from typing import Any

import pytest

from temporal_dsql_deploy.plan import UNKNOWN, Output, Plan, Resource
from temporal_dsql_deploy.plan.tasks import tasks

ARN = "arn:aws:ecs:eu-west-1:123456789012:task-definition/x:3"


def definition(name: str, *, module: str = "", **values: Any) -> Resource:
    containers = values.pop("containers", [{"name": "c", "image": "i"}])
    known = {"family": name, "arn": ARN, "container_definitions": json.dumps(containers)}
    return made("aws_ecs_task_definition", name, module, {**known, **values})


def service(name: str, *, module: str = "", **values: Any) -> Resource:
    return made("aws_ecs_service", name, module, {"name": name, "task_definition": ARN, **values})


def made(kind: str, name: str, module: str, values: dict[str, Any]) -> Resource:
    address = ".".join(part for part in (module, kind, name) if part)
    return Resource(address, module, "managed", kind, name, None, values)


@pytest.mark.parametrize(
    ("container", "role"),
    [
        ({"environment": [{"name": "TEMPORAL_SERVICES", "value": "history"}]}, "history"),
        ({"environment": [{"name": "SERVICES", "value": "matching"}]}, "matching"),
        ({"environment": [{"name": "SERVICES", "value": "history,matching"}]}, None),
        ({"command": ["temporal-server", "start", "--service=frontend"]}, "frontend"),
        (
            {"entryPoint": ["temporal-server"], "command": ["start", "--service", "worker"]},
            "worker",
        ),
        ({"command": ["nginx", "--service=frontend"]}, None),
        ({"portMappings": [{"containerPort": 7234}, {"containerPort": 9090}]}, "history"),
        ({"portMappings": [{"containerPort": 7234}, {"containerPort": 7233}]}, None),
        ({}, None),
    ],
)
def test_a_role_is_what_a_container_runs(container: dict[str, Any], role: str | None) -> None:
    sidecar = {"name": "collector", "image": "x"}
    plan = Plan(
        "", (definition("a", containers=[sidecar, {"name": "c", "image": "i", **container}]),)
    )
    (task,) = tasks(plan)
    assert task.role == role
    assert task.main is not None
    assert task.main.name == ("c" if role else "collector")
    assert [one.name for one in task.sidecars] == (["collector"] if role else ["c"])


def test_a_task_with_two_roles_is_none_of_them() -> None:
    both = [
        {"name": role, "image": "i", "environment": [{"name": "SERVICES", "value": role}]}
        for role in ("history", "matching")
    ]
    (task,) = tasks(Plan("", (definition("a", containers=both),)))
    assert task.role is None


def test_containers_that_are_not_known_leave_the_name() -> None:
    plan = Plan("", (
        definition("shop-temporal-history", container_definitions=UNKNOWN),
        service("shop-temporal-history"),
    ))  # fmt: skip
    (task,) = tasks(plan)
    assert (task.role, task.name, task.containers, task.main) == ("history", "history", None, None)


@pytest.mark.parametrize(
    ("name", "image", "party"),
    [
        ("logs", "grafana/loki:3.5", "loki"),
        ("pages", "123.dkr.ecr.eu-west-1.amazonaws.com/grafana:12", "grafana"),
        ("x", "temporalio/ui:2.40", "ui"),
        ("metrics", "public.ecr.aws/aws-observability/aws-otel-collector:v0.43", "adot"),
        ("benchmark-generator", "x", "benchmark"),
        ("opensearch-setup", "x", "opensearch-setup"),
        ("billing", "x", ""),
    ],
)
def test_other_parties_are_known_by_name_or_image(name: str, image: str, party: str) -> None:
    (task,) = tasks(Plan("", (definition(name, containers=[{"name": "c", "image": image}]),)))
    assert task.party == party


def test_a_service_is_tied_by_arn_by_family_or_by_module() -> None:
    by_arn = (definition("a"), service("b"))
    by_family = (definition("x", arn=UNKNOWN), service("b"))
    both = {"module": "module.m"}
    by_module = (
        definition("a", arn=UNKNOWN, **both),
        service("b", task_definition=UNKNOWN, **both),
        definition("other", arn=UNKNOWN),
    )
    for resources in (by_arn, by_family, by_module):
        tied = [task.service.name for task in tasks(Plan("", resources)) if task.service]
        assert tied == ["b"], resources
    apart = (definition("a", arn=UNKNOWN), service("b", task_definition=UNKNOWN, **both))
    assert tasks(Plan("", apart))[0].service is None


def test_one_definition_of_two_services_is_two_tasks() -> None:
    plan = Plan("", (definition("a"), service("one"), service("two")))
    assert [task.name for task in tasks(plan)] == ["one", "two"]


def test_how_many_there_are_is_said_by_the_output_or_by_a_count_above_zero() -> None:
    resources = (definition("a"), service("a", desired_count=0))
    assert tasks(Plan("", resources))[0].replicas is None
    resources = (definition("a"), service("a", desired_count=2))
    assert tasks(Plan("", resources))[0].replicas == 2
    outputs = {"services": Output("services", {"a": {"replicas": 5}})}
    assert tasks(Plan("", resources, outputs=outputs))[0].replicas == 5


def test_groups_are_those_of_the_service_where_all_are_known() -> None:
    def groups(given: Any) -> Any:
        network = [{"security_groups": given}]
        plan = Plan("", (definition("a"), service("a", network_configuration=network)))
        return tasks(plan)[0].groups

    assert groups(["sg-1", "sg-2"]) == ("sg-1", "sg-2")
    assert groups(["sg-1", UNKNOWN]) is None
    assert groups(UNKNOWN) is None
    assert tasks(Plan("", (definition("a"),)))[0].groups is None


@pytest.mark.parametrize("said", [ARN, ARN.removesuffix(":3"), "x:3", "x"])
def test_a_service_names_its_task_in_each_way_that_ecs_takes(said: str) -> None:
    (task,) = tasks(Plan("", (definition("x"), service("a", task_definition=said))))
    assert task.service is not None


@pytest.mark.parametrize("said", [ARN.replace(":3", ":4"), "x:4", "y", "xx:3"])
def test_a_service_of_another_task_is_not_tied_to_it(said: str) -> None:
    (task,) = tasks(Plan("", (definition("x"), service("a", task_definition=said))))
    assert task.service is None


@pytest.mark.parametrize(
    ("target", "replicas"),
    [
        ({"resource_id": "service/shop/a", "max_capacity": 60}, 60),
        ({"resource_id": "service/shop/a", "max_capacity": 1}, 2),
        ({"resource_id": "service/shop/a", "max_capacity": UNKNOWN}, None),
        ({"resource_id": UNKNOWN, "max_capacity": 60}, 60),
        ({"resource_id": "service/shop/b", "max_capacity": 60}, 2),
        ({"resource_id": "service/other/a", "max_capacity": 60}, 2),
        ({"resource_id": "table/a", "max_capacity": 60}, 2),
    ],
)
def test_what_autoscaling_may_make_of_a_service_counts(
    target: dict[str, Any], replicas: int | None
) -> None:
    arn = "arn:aws:ecs:eu-west-1:123456789012:cluster/shop"
    running = service("a", desired_count=2, cluster=arn)
    scaled = made("aws_appautoscaling_target", "t", "", target)
    (task,) = tasks(Plan("", (definition("x"), running, scaled)))
    assert task.replicas == replicas
