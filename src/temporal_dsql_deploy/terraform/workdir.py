"""The real plan of an environment, in its own folder.

Terraform runs where its files are, with its own `.terraform` there: what this tool and the user's
own `terraform` commands do in that folder is the same.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.errors import DirectoryUnusable, NotInitialised
from temporal_dsql_deploy.plan import Plan, read_plan
from temporal_dsql_deploy.terraform import commands, failures, scratch
from temporal_dsql_deploy.terraform.run import OnEvent, Terraform, ignore, ready

BACKEND = "backend.hcl"
"""The backend's settings, when this file lies beside the configuration."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to plan."""

    directory: Path
    var_files: Iterable[Path] = ()
    out: Path | None = None
    """Where to keep the plan file, for its owner alone; None for nowhere."""
    destroy: bool = False
    """Whether it is to plan that everything, or `targets`, is destroyed."""
    targets: Sequence[str] = ()
    """Addresses; empty for everything."""
    check: Callable[[Plan], None] | None = None
    """Raises what speaks against the plan, which is then not kept."""
    terraform: Path | None = None
    """The program; None for the one of `find.find`."""
    provider_mirror: Path | None = None
    """None for the one of `mirror.find`."""
    on_event: OnEvent = ignore


def plan(request: Request) -> Plan:
    """Initialise where that is needed, plan, and read the plan.

    Raises what `failures` makes of Terraform's errors, BinaryMissing, BinaryUnusable, what
    `check` raises, and DirectoryUnusable when the plan cannot be kept.
    """
    directory = request.directory.expanduser().absolute()
    with scratch.folder() as folder:
        # A plan holds what is secret in a configuration: it is nobody else's to read.
        out = folder / "plan"
        with ready(request.terraform, request.provider_mirror, request.on_event) as found:
            binary, variables = found
            terraform = Terraform(binary, directory, variables, request.on_event)
            command = commands.plan(
                out=out,
                var_files=[path.expanduser().absolute() for path in request.var_files],
                destroy=request.destroy,
            )
            made = _planned(terraform, [*command, *commands.targets(request.targets)], out)
        if request.check:
            request.check(made)
        if request.out:
            _keep(out, request.out.expanduser().absolute())
    return made


def state(request: Request) -> Mapping[str, Any]:
    """The state, as `terraform show -json` prints it. Raises as `plan` does."""
    directory = request.directory.expanduser().absolute()
    with ready(request.terraform, request.provider_mirror, request.on_event) as found:
        binary, variables = found
        terraform = Terraform(binary, directory, variables, request.on_event)
        if not (directory / ".terraform").is_dir():
            initialise(terraform)
        try:
            said = terraform.document(commands.show())
        except NotInitialised:
            initialise(terraform)
            said = terraform.document(commands.show())
    made: Mapping[str, Any] = said
    return made


def initialise(terraform: Terraform) -> None:
    """`terraform init`, with the backend's settings from `backend.hcl` where there is one."""
    backend = terraform.directory / BACKEND
    terraform.run(commands.init(backend_config=backend if backend.is_file() else None))


def _planned(terraform: Terraform, command: commands.Command, out: Path) -> Plan:
    if (terraform.directory / ".terraform").is_dir():
        with suppress(NotInitialised):
            return _made(terraform, command, out)
    initialise(terraform)
    return _made(terraform, command, out)


def _keep(plan_file: Path, out: Path) -> None:
    """Move a plan to where it is to be kept: readable for its owner alone, and whole or not."""
    try:
        # In the folder of `out`, as a file can be renamed only within a file system.
        with tempfile.TemporaryDirectory(prefix=".dsql-deploy-", dir=out.parent) as beside:
            copy = Path(beside) / "plan"
            copy.touch(mode=0o600)
            shutil.copyfile(plan_file, copy)
            os.replace(copy, out)  # noqa: PTH105 - says both names when it fails
    except OSError as error:
        raise DirectoryUnusable(
            f"the plan cannot be kept in {out}",
            cause=str(error.strerror),
            fix="name another place with --out",
        ) from error


def _made(terraform: Terraform, command: commands.Command, out: Path) -> Plan:
    said = terraform.run(command, keep=lambda _: False)
    plan = read_plan(terraform.document(commands.show(out)), out)
    return replace(plan, warnings=failures.warnings(said.diagnostics, terraform.directory))
