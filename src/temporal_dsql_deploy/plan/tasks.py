"""The ECS tasks of a plan: task definitions, with the services that run them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.plan.containers import Container, containers
from temporal_dsql_deploy.plan.model import Plan, Resource, State
from temporal_dsql_deploy.plan.parts import component, project_of, replicas

ROLE_VARIABLES = ("TEMPORAL_SERVICES", "SERVICES")
"""What chooses the role of a server: the first since 1.30, the second before."""
_COMMAND = re.compile(r"--(?:service|svc)[= ]+([a-z]+)")
_PARTIES_BY_IMAGE = {
    r"temporalio/ui\b|temporal-ui\b": "ui",
    r"grafana/grafana\b|(^|[/-])grafana:": "grafana",
    r"grafana/loki\b|(^|[/-])loki:": "loki",
    r"aws-otel-collector|(^|[/-])adot:": "adot",
}
_PARTIES_BY_NAME = {
    r"\bopensearch-setup\b": "opensearch-setup",
    r"\bschema-setup\b": "schema-setup",
    r"\badmin-task\b": "admin-task",
    r"\bbenchmark\b": "benchmark",
    r"\bgrafana\b": "grafana",
    r"\bloki\b": "loki",
    r"\b(adot|otel-collector)\b": "adot",
    r"\bui\b": "ui",
}


@dataclass(frozen=True, slots=True)
class Task:
    """One task definition and, where there is one, the service that runs it."""

    name: str
    """What stands after the project's name: history, ui, grafana, benchmark-worker."""
    role: str | None
    """The Temporal role that it runs; None for anything else, and for several in one process."""
    party: str
    """What topology.json calls it: a role or component; empty for what is not in there."""
    definition: Resource
    """The `aws_ecs_task_definition`."""
    containers: tuple[Container, ...] | None
    """None where they are not known."""
    service: Resource | None
    """The `aws_ecs_service`; None for a task that is started once by hand."""
    replicas: int | None
    """Tasks of the service in a running cluster, the most that autoscaling may make of them; None
    where nothing says so."""

    @property
    def main(self) -> Container | None:
        """The container that the task is for: the one of the server, or else the first."""
        found = self.containers or ()
        return next((each for each in found if _role(each)), found[0] if found else None)

    @property
    def sidecars(self) -> tuple[Container, ...]:
        """The others."""
        return tuple(each for each in self.containers or () if each is not self.main)

    @property
    def groups(self) -> tuple[str, ...] | None:
        """Ids of the security groups that its service gives to it; None where not all are known."""
        if self.service is None:
            return None
        given = self.service["network_configuration.0.security_groups"]
        if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
            return None
        return tuple(given)


def tasks(plan: Plan | State) -> tuple[Task, ...]:
    """All task definitions of a plan, each with its service, in the order of their addresses."""
    services = plan.of_type("aws_ecs_service")
    project = project_of(service["name"] for service in services)
    wanted = replicas(plan)
    targets = plan.of_type("aws_appautoscaling_target")
    definitions = plan.of_type("aws_ecs_task_definition")
    found: list[Task] = []
    for definition in definitions:
        users: list[Resource | None] = [
            one for one in services if _runs(one, definition, definitions)
        ]
        # One that several services run is that many tasks.
        for service in users or [None]:
            task = _task(definition, service, project, wanted)
            found.append(replace(task, replicas=_scaled(task, targets)))
    return tuple(found)


def _scaled(task: Task, targets: tuple[Resource, ...]) -> int | None:
    """Its replicas, or as many as autoscaling may make of them."""
    for target in targets:
        if task.service is None or not _scales(target, task.service):
            continue
        most = target["max_capacity"]
        return max(most, task.replicas or 0) if isinstance(most, int) else None
    return task.replicas


def _scales(target: Resource, service: Resource) -> bool:
    """Whether an `aws_appautoscaling_target` is for a service: `service/CLUSTER/SERVICE`."""
    said = target["resource_id"]
    if not isinstance(said, str):
        return target.module == service.module and target.index == service.index
    kind, _, rest = said.partition("/")
    cluster, _, name = rest.partition("/")
    there = service["cluster"]
    same = not isinstance(there, str) or there.rsplit("/", 1)[-1] == cluster
    return bool(kind == "service" and name == service["name"] and same)


def _task(
    definition: Resource, service: Resource | None, project: str, wanted: Mapping[str, int]
) -> Task:
    inside = containers(definition)
    called = service["name"] if service and isinstance(service["name"], str) else None
    name = component(called or definition["family"], project)
    roles = {role for each in inside or () if (role := _role(each))}
    role = roles.pop() if len(roles) == 1 else None
    if role is None and inside is None and name in topology.load().roles:
        role = name
    return Task(
        name=name,
        role=role,
        party=role or _party(name, inside or ()),
        definition=definition,
        containers=inside,
        service=service,
        replicas=wanted.get(name, _count(service)),
    )


def _count(service: Resource | None) -> int | None:
    """Tasks by `desired_count`; 0 says only that something else scales it."""
    count = service["desired_count"] if service else None
    return count if isinstance(count, int) and count > 0 else None


def _role(container: Container) -> str | None:
    roles = topology.load().roles
    for variable in ROLE_VARIABLES:
        if container.environment.get(variable) in roles:
            return container.environment[variable]
    command = " ".join(container.words)
    said = _COMMAND.search(command)
    if said and "temporal" in command and said[1] in roles:
        return said[1]
    grpc = {role.ports["grpc"]: name for name, role in roles.items()}
    served = [grpc[port] for port in container.ports if port in grpc]
    return served[0] if len(served) == 1 else None


def _party(name: str, inside: tuple[Container, ...]) -> str:
    for pattern, party in _PARTIES_BY_NAME.items():
        if re.search(pattern, name.replace("_", "-")):
            return party
    for container in inside[:1]:
        for pattern, party in _PARTIES_BY_IMAGE.items():
            if re.search(pattern, container.image):
                return party
    return ""


def _runs(service: Resource, definition: Resource, all_of_them: tuple[Resource, ...]) -> bool:
    """Whether a service runs a task definition, also before either has an ARN."""
    said, arn, family = service["task_definition"], definition["arn"], definition["family"]
    if isinstance(said, str):
        if isinstance(arn, str):
            # Also without its revision, and as `family:revision`.
            short = arn.rsplit("/", 1)[-1]
            return said in {arn, arn.rpartition(":")[0], short, short.rpartition(":")[0]}
        return bool(said.rsplit("/", 1)[-1].split(":")[0] == family)
    beside = [each for each in all_of_them if each.module == service.module]
    if definition not in beside:
        return False
    return len(beside) == 1 or (definition.name, definition.index) == (service.name, service.index)
