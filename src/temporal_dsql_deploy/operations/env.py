"""The variables by which docker/compose.yaml runs an environment's roles on another machine."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporal_dsql_deploy import aws, topology
from temporal_dsql_deploy.errors import NotApplied, NotConfirmed
from temporal_dsql_deploy.platforms import files
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
from temporal_dsql_deploy.platforms.protocol import Result

HEADER = "# Made by `dsql-deploy env`; made again, it is written anew."
_MODE = 0o600
_ROLE = "history"
"""Any of the four: what they are told is the same, except for the role itself."""
_ELSEWHERE = {
    # Compose says it, or it is of the place where the task runs.
    "BIND_ON_IP",
    "TEMPORAL_BROADCAST_ADDRESS",
    "TEMPORAL_FRONTEND_ADDRESS",
    "TEMPORAL_LOG_FILE",
    "TEMPORAL_SERVICES",
}
_PLAIN = re.compile(r"[\w.:/@+,-]*", re.ASCII)
_READ_DIFFERENTLY = re.compile(r"['\\\r\n]|\$\{")
"""Within single quotes Compose 1.29 replaces these, and later versions take them as they are."""


@dataclass(frozen=True, slots=True)
class EnvResult(Result):
    """The variables of an environment's roles."""

    environment: str
    variables: dict[str, str]
    notes: list[str]
    file: Path | None = None
    """Where they were written."""


def variables(deployed: Deployed, image: str | None = None) -> EnvResult:
    """What the roles of an environment are told, as its task definitions have it.

    `image` is the runtime image to run instead of the one on ECS, which is for arm64.
    Raises NotApplied, and what AWS raises.
    """
    service = deployed.output("services").get(_ROLE)
    if not service:
        raise NotApplied(
            f"environment {deployed.environment} has no {_ROLE}",
            cause="the output `services` of its Terraform does not name one",
            fix="see what an apply would make: dsql-deploy plan ENV",
        )
    container = _container(deployed, service)
    known = {*topology.load().runtime, *topology.load().environment}
    told = {one["name"]: one["value"] for one in container["environment"]}
    meant = {name: told[name] for name in sorted(told) if name in known - _ELSEWHERE}
    kept = {name: value for name, value in meant.items() if not _READ_DIFFERENTLY.search(value)}
    run = {"TEMPORAL_IMAGE": image or container["image"]}
    notes = [*_notes(deployed, image), *(_left_out(name) for name in meant if name not in kept)]
    return EnvResult(deployed.environment, {**run, **kept}, notes)


def _left_out(name: str) -> str:
    return (
        f"{name} is left out: a quote, a backslash, a line break or ${{ in its value is read "
        "differently by versions of Compose; give it in a compose.override.yaml"
    )


def _container(deployed: Deployed, service: Mapping[str, Any]) -> Mapping[str, Any]:
    ecs = aws.client("ecs", deployed.region)
    with aws.calling(f"read the task definition of {_ROLE}"):
        answer = ecs.describe_task_definition(taskDefinition=service["task_definition_arn"])
    containers: list[Mapping[str, Any]] = answer["taskDefinition"]["containerDefinitions"]
    wanted = service.get("container_name")
    return next((one for one in containers if one["name"] == wanted), containers[0])


def _notes(deployed: Deployed, image: str | None) -> Iterator[str]:
    running = _running(deployed)
    if running:
        yield (
            f"{', '.join(running)} of {deployed.environment} run on ECS: containers of another "
            "machine would join their ring, be dialled there, and never answer; stop the ones "
            "before you start the others"
        )
    if image is None:
        yield "TEMPORAL_IMAGE is the one on ECS, for arm64: --image names one of this machine"


def _running(deployed: Deployed) -> list[str]:
    """The roles of which a task runs."""
    services: Mapping[str, Mapping[str, Any]] = deployed.output("services")
    roles = {
        one["service_name"]: role
        for role, one in services.items()
        if role in topology.load().roles and one
    }
    ecs = aws.client("ecs", deployed.region)
    with aws.calling("look which of its services run"):
        answer = ecs.describe_services(
            cluster=deployed.output("ecs_cluster_name"), services=list(roles)
        )
    return [roles[one["serviceName"]] for one in answer["services"] if one["runningCount"]]


def text(result: EnvResult) -> str:
    """A file of variables as Compose reads it, every version of it."""
    lines = [f"{name}={_quoted(value)}" for name, value in result.variables.items()]
    of = f"# Environment {result.environment}: what its task definitions tell the roles."
    return "\n".join([HEADER, of, *lines, ""])


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else f"'{value}'"


def write(result: EnvResult, path: Path) -> None:
    """Write the file, for its owner alone. Raises NotConfirmed where another is."""
    if path.exists() and not path.read_text(errors="replace").startswith(HEADER):
        raise NotConfirmed(
            f"{path} is not written over",
            cause="it was not made by this command: it may hold what somebody has written",
            fix="remove it, or name another place with --out",
        )
    files.write(path, text(result))
    path.chmod(_MODE)
