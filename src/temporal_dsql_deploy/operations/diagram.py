"""Draw what an environment is made of."""

from dataclasses import dataclass, field
from pathlib import Path

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.operations.plan.run import How, known_plan
from temporal_dsql_deploy.plan import read
from temporal_dsql_deploy.plan.diagram import Picture, draw, picture_of
from temporal_dsql_deploy.platforms.protocol import Result


@dataclass(frozen=True, slots=True)
class Connection(Result):
    """A TCP connection that the security groups of both ends let pass."""

    source: str
    target: str
    """Role or component; `database`, `visibility`, `internet`."""
    port: int


@dataclass(frozen=True, slots=True)
class ApiCall(Result):
    """A way to an AWS API inside the VPC."""

    source: str
    """Role or component."""
    api: str
    """Name of the VPC endpoint, such as `ecr.api`."""


@dataclass(frozen=True, slots=True)
class DiagramResult(Result):
    """What was drawn."""

    environment: str
    file: Path | None
    """The SVG document; null where it was not written to a file."""
    project: str
    """Prefix of the names of everything in it."""
    connections: list[Connection]
    api_calls: list[ApiCall]
    notes: list[str] = field(default_factory=list)
    """What to know about it."""


def diagram(
    environment: Environment, how: How, out: Path | None = None
) -> tuple[DiagramResult, str]:
    """What an apply of an environment would make in an empty account, drawn: result and SVG.

    `out` is where the SVG will be written, for the result; None for nowhere.
    Raises NotForPlatform for an environment without Terraform, and what planning raises.
    """
    plan, notes = known_plan(environment, how)
    return _drawn(environment.name, picture_of(plan), out, notes)


def diagram_of_file(name: str, source: Path, out: Path | None) -> tuple[DiagramResult, str]:
    """What is in a plan or state of `terraform show -json`, - for stdin, drawn: result and SVG.

    Raises NotAPlan, also for a plan whose security groups are not known yet.
    """
    return _drawn(name, picture_of(read(source)), out, [])


def _drawn(
    name: str, picture: Picture, out: Path | None, notes: list[str]
) -> tuple[DiagramResult, str]:
    result = DiagramResult(
        environment=name,
        file=out,
        project=picture.project,
        connections=[Connection(link.source, link.target, link.port) for link in picture.links],
        api_calls=[ApiCall(call.party, call.api) for call in picture.calls],
        notes=notes,
    )
    return result, draw(picture)
