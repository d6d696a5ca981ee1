"""The outputs of an environment's Terraform: what stands on AWS, by the names of outputs.tf."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.errors import NotInitialised
from temporal_dsql_deploy.terraform import commands
from temporal_dsql_deploy.terraform.run import OnEvent, Terraform, ignore, ready
from temporal_dsql_deploy.terraform.workdir import initialise


@dataclass(frozen=True, slots=True)
class Request:
    """Whose outputs, and the Terraform that tells them."""

    directory: Path
    terraform: Path | None = None
    """The program; None for the one of `find.find`."""
    provider_mirror: Path | None = None
    """None for the one of `mirror.find`."""
    on_event: OnEvent = ignore


def read(request: Request) -> Mapping[str, Any]:
    """The values of all outputs, of whatever backend; empty where nothing was applied.

    Raises what `failures` makes of Terraform's errors, BinaryMissing, BinaryUnusable.
    """
    directory = request.directory.expanduser().absolute()
    with ready(request.terraform, request.provider_mirror, request.on_event) as found:
        binary, variables = found
        terraform = Terraform(binary, directory, variables, request.on_event)
        try:
            said = terraform.document(commands.output())
        except NotInitialised:
            initialise(terraform)
            said = terraform.document(commands.output())
    return {name: one["value"] for name, one in said.items()}
