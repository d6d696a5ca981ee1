"""`dsql-deploy env ENV`."""

from pathlib import Path
from typing import Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal

EXAMPLE = "dsql-deploy env dev --out docker/.env"


def env(
    environment: options.EnvironmentOnEcs,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write them there [to the terminal]."),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option("--image", help="Runtime image [the one on ECS, which is for arm64]."),
    ] = None,
    file: options.File = None,
    terraform: options.TerraformBinary = None,
    provider_mirror: options.ProviderMirror = None,
    as_json: options.Json = False,
) -> None:
    """Print the variables by which docker/compose.yaml runs the roles on another machine.

    They are those of the task definitions that the outputs of its Terraform name, and hold no
    secret: the roles sign with the AWS credentials of that machine.
    """
    options.check_out(out)
    deployed = options.deployed(environment, file, terraform, provider_mirror)
    from dataclasses import replace

    from temporal_dsql_deploy.operations import env as operation

    result = operation.variables(deployed, image)
    if out is not None:
        result = replace(result, file=out.expanduser().absolute())
        operation.write(result, out.expanduser())
    for note in result.notes:
        terminal.warning(note)
    if as_json:
        terminal.result(result)
    elif out is None:
        terminal.content(operation.text(result).encode())
    else:
        terminal.text(f"wrote {len(result.variables)} variables to {out}")
