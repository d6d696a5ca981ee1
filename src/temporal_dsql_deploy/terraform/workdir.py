"""The real plan of an environment, in its own folder.

Terraform runs where its files are, with its own `.terraform` there: what this tool and the user's
own `terraform` commands do in that folder is the same.
"""

import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from temporal_dsql_deploy.errors import NotInitialised
from temporal_dsql_deploy.plan import Plan, read_plan
from temporal_dsql_deploy.terraform import commands, find, mirror
from temporal_dsql_deploy.terraform.run import OnEvent, Terraform, ignore

BACKEND = "backend.hcl"
"""The backend's settings, when this file lies beside the configuration."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to plan."""

    directory: Path
    var_files: Iterable[Path] = ()
    out: Path | None = None
    """Where to keep the plan file; None for nowhere."""
    terraform: Path | None = None
    """The program; None for the one of `find.find`."""
    provider_mirror: Path | None = None
    """None for the one of `mirror.find`."""
    on_event: OnEvent = ignore


def plan(request: Request) -> Plan:
    """Initialise where that is needed, plan, and read the plan.

    Raises what `failures` makes of Terraform's errors, BinaryMissing, BinaryUnusable.
    """
    binary = find.find(request.terraform)
    source = mirror.find(request.provider_mirror)
    directory = request.directory.expanduser().absolute()
    with tempfile.TemporaryDirectory(prefix="dsql-deploy-") as folder:
        # A plan holds what is secret in a configuration: it is nobody else's to read.
        out = request.out.expanduser().absolute() if request.out else Path(folder) / "plan"
        with mirror.configured(source) as variables:
            terraform = Terraform(binary, directory, variables, request.on_event)
            command = commands.plan(
                out=out, var_files=[path.expanduser().absolute() for path in request.var_files]
            )
            initialised = (directory / ".terraform").is_dir()
            if initialised:
                with suppress(NotInitialised):
                    terraform.run(command)
                    return _shown(terraform, out)
            initialise(terraform)
            terraform.run(command)
            return _shown(terraform, out)


def initialise(terraform: Terraform) -> None:
    """`terraform init`, with the backend's settings from `backend.hcl` where there is one."""
    backend = terraform.directory / BACKEND
    terraform.run(commands.init(backend_config=backend if backend.is_file() else None))


def _shown(terraform: Terraform, out: Path) -> Plan:
    return read_plan(terraform.document(commands.show(out)), out)
