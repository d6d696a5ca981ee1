"""Let the one-off task of the Terraform do it: it stands where a private cluster is reached."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from temporal_dsql_deploy.platforms.ecs import one_off
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
from temporal_dsql_deploy.platforms.ecs.one_off import OneOff
from temporal_dsql_deploy.platforms.protocol import Report, Result

OUTPUT = "schema_setup"


@dataclass(frozen=True, slots=True)
class SchemaTask(Result):
    """A verb of `schema` that a task inside the VPC has done, or would do."""

    environment: str
    command: list[str]
    """Of the container, after its entrypoint `dsql-deploy`."""
    call: str
    """The call of AWS that starts it."""
    task: str | None = None
    """Its ARN; null where it was not started."""
    exit_code: int | None = None
    log: list[str] | None = None
    """Its lines."""


def plan(deployed: Deployed, command: Sequence[str]) -> SchemaTask:
    """What `run` would do. Raises NotApplied."""
    call = one_off.shown(_found(deployed, command))
    return SchemaTask(deployed.environment, list(command), call)


def run(deployed: Deployed, command: Sequence[str], report: Report) -> SchemaTask:
    """Run it, and wait until it has ended. Raises NotApplied, and what one_off.run does."""
    found = _found(deployed, command)
    ended = one_off.run(found, Clients.of(deployed.region), report)
    return SchemaTask(
        deployed.environment,
        list(command),
        one_off.shown(found),
        ended.task,
        ended.exit_code,
        ended.log,
    )


def _found(deployed: Deployed, command: Sequence[str]) -> OneOff:
    return replace(OneOff.of(deployed, OUTPUT), command=command)
