"""Which AWS APIs and registries a party calls."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.reach.parties import Party
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.containers import Container
from temporal_dsql_deploy.plan.tasks import Task

_ECR = re.compile(r"^\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.[a-z.]+/")
_PULLS = ("ecr.api", "ecr.dkr", "s3")
_COUNTS = (
    "DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED",
    "DSQL_DISTRIBUTED_CONN_LEASE_ENABLED",
)


def calls(subject: Subject, party: Party) -> Mapping[str, bool]:
    """AWS APIs that a party may call, and whether the plan says that it does."""
    named = topology.load().aws.apis.get(party.name, ())
    found = {api: _needed(subject, party, api) for api in named}
    if party.name == "instances":
        # Old versions of the SSM agent call it, and a plan does not show the version.
        found["ec2messages"] = False
    if on_fargate(party):
        pulled = [container for task in party.tasks for container in task.containers or ()]
        for api, needed in _of_starting(subject, pulled):
            found[api] = found.get(api, False) or needed
    return found


def symptom_of(party: Party, api: str) -> str:
    """What is seen where a party does not reach an API."""
    kind = "instances" if party.name == "instances" else "tasks"
    return str(_table()[kind].get(api, f"Calls of {api} time out."))


def actions(api: str) -> tuple[str, ...]:
    """What callers of an API cannot do without; none where that is not known."""
    return tuple(_table()["actions"].get(api, ()))


def public_images(subject: Subject, party: Party) -> set[str] | None:
    """Images that a party pulls by the internet; None where not all images are known."""
    if party.name == "instances":
        tasks = [task for task in subject.tasks if not fargate(task)]
    elif on_fargate(party):
        tasks = list(party.tasks)
    else:
        return set()
    if any(task.containers is None for task in tasks):
        return None
    images = {container.image for task in tasks for container in task.containers or ()}
    return {image for image in images if not _in_ecr(subject, image)}


def on_fargate(party: Party) -> bool:
    """Whether its tasks run on Fargate, where a task pulls and logs by its own interface."""
    return any(fargate(task) for task in party.tasks)


def fargate(task: Task) -> bool:
    """Whether a task runs on Fargate."""
    service = task.service
    if service is not None and service["launch_type"] in {"FARGATE", "EC2"}:
        return bool(service["launch_type"] == "FARGATE")
    return bool(task.definition["requires_compatibilities"] == ["FARGATE"])


def _needed(subject: Subject, party: Party, api: str) -> bool:
    if party.name == "instances":
        return _needed_by_instances(subject, api)
    if party.name in {"opensearch-setup", "schema-setup"}:
        return False  # What it pulls and logs is known by where it runs.
    if party.name == "admin-task":
        return api == "ecs"
    if party.name == "loki" and api == "s3":
        return bool(subject.plan.of_type("aws_s3_bucket"))
    said: Mapping[str, Callable[[], bool]] = {
        "ssmmessages": lambda: _exec(party),
        "logs": lambda: _exec(party) and _records_sessions(subject),
        "aps-workspaces": lambda: _metrics(party) and _workspace(subject),
        "dynamodb": lambda: _counts(party),
    }
    return said[api]() if api in said else True


def _needed_by_instances(subject: Subject, api: str) -> bool:
    if api.startswith("ecs"):
        return True
    on_them = [task for task in subject.tasks if not fargate(task)]
    containers = [each for task in on_them for each in task.containers or ()]
    return dict(_of_starting(subject, containers)).get(api, False)


def _of_starting(subject: Subject, containers: list[Container]) -> Iterator[tuple[str, bool]]:
    """What is called to start containers: for images, logs and secrets."""
    pulls = any(_in_ecr(subject, container.image) for container in containers)
    yield from ((api, pulls) for api in _PULLS)
    drivers = (container.definition.get("logConfiguration") or {} for container in containers)
    yield "logs", any(driver.get("logDriver") == "awslogs" for driver in drivers)
    secrets = [arn for container in containers for arn in container.secrets.values()]
    yield "secretsmanager", any(":secretsmanager:" in arn for arn in secrets)
    yield "ssm", any(":secretsmanager:" not in arn for arn in secrets)


def _exec(party: Party) -> bool:
    services = (task.service for task in party.tasks)
    return any(one is not None and one["enable_execute_command"] is True for one in services)


def _records_sessions(subject: Subject) -> bool:
    path = "configuration.0.execute_command_configuration.0.log_configuration.0"
    groups = [
        c[f"{path}.cloud_watch_log_group_name"] for c in subject.plan.of_type("aws_ecs_cluster")
    ]
    # By default a session is logged where its container is.
    return not groups or any(isinstance(group, str) for group in groups)


def _metrics(party: Party) -> bool:
    if party.name in {"grafana", "adot"}:
        return True
    return any(task.sidecars for task in party.tasks)


def _workspace(subject: Subject) -> bool:
    """Whether metrics go to Amazon Managed Service for Prometheus."""
    if subject.plan.of_type("aws_prometheus_workspace"):
        return True
    return any(
        "aps-workspaces" in value
        for task in subject.tasks
        for container in task.containers or ()
        for value in container.environment.values()
    )


def _counts(party: Party) -> bool:
    return any(
        container.environment.get(name, "").lower() in {"true", "1"}
        for task in party.tasks
        for container in task.containers or ()
        for name in _COUNTS
    )


def _in_ecr(subject: Subject, image: str) -> bool:
    """Whether an image is in ECR of this region, which is where endpoints lead."""
    found = _ECR.match(image)
    return found is not None and subject.region in {None, found[1]}


@cache
def _table() -> Any:
    return json.loads(Path(__file__).with_name("calls.json").read_bytes())
