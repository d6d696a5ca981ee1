"""The parts of a cluster as a plan or state has them: their names, numbers and sizes."""

import re
from collections.abc import Iterable, Mapping

from temporal_dsql_deploy.plan.model import Plan, Resource, State

_SERVER = re.compile(r"(?:^|-)temporal-([a-z]+)$")


def component(name: object, project: str) -> str:
    """`history` of `temporal-dev-temporal-history`, `benchmark-worker` of `x-benchmark-worker`."""
    text = str(name)
    if project and text.startswith(f"{project}-"):
        text = text.removeprefix(f"{project}-")
    server = _SERVER.search(text)
    return server[1] if server else text


def project_of(services: Iterable[object]) -> str:
    """What the names of the servers' ECS services have in common; empty where there are none."""
    found = (re.fullmatch(r"(.+)-temporal-[a-z]+", str(name)) for name in services)
    return next((match[1] for match in found if match), "")


def replicas(plan: Plan | State) -> dict[str, int]:
    """Tasks that a running cluster has, by component, from the output `services`."""
    services = plan.outputs.get("services")
    if services is None or not isinstance(services.value, Mapping):
        return {}
    return {
        name: service["replicas"]
        for name, service in services.value.items()
        if isinstance(service, Mapping) and isinstance(service.get("replicas"), int)
    }


def instance_groups(plan: Plan | State) -> list[tuple[Resource, Resource | None]]:
    """Auto Scaling groups, each with the launch template of its module."""
    templates = {template.module: template for template in plan.of_type("aws_launch_template")}
    return [(group, templates.get(group.module)) for group in plan.of_type("aws_autoscaling_group")]
