"""`dsql-deploy images list ENV`."""

from typing import Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.cli.images import declared
from temporal_dsql_deploy.cli.images.build import line

EXAMPLE = "dsql-deploy images list dev"


def list_images(
    environment: options.EnvironmentName,
    local: Annotated[
        bool,
        typer.Option("--local", help="Only those of this machine: no registry, no credentials."),
    ] = False,
    registry: declared.RegistryName = None,
    region: declared.Region = None,
    engine: declared.EngineName = None,
    file: options.File = None,
    terraform: options.TerraformBinary = None,
    as_json: options.Json = False,
) -> None:
    """List the images that were built here, and those that the registry holds, newest first."""
    found = declared.environment(environment, file)
    from dataclasses import replace

    from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable
    from temporal_dsql_deploy.images.engine import choose
    from temporal_dsql_deploy.operations.images import push as operation

    asked = not local and (registry is not None or found.platform == "ecs")
    notes = []
    try:
        used = choose(engine)
    except (BinaryMissing, BinaryUnusable) as error:
        # What the registry holds can be told all the same.
        if not asked:
            raise
        used = None
        notes.append(f"{error.message}: the images of this machine are not listed")
    place = declared.place(found, registry, region, terraform) if asked else None
    result = operation.listed(environment, place, used)
    result = replace(result, notes=[*notes, *result.notes])
    if as_json:
        terminal.result(result)
        return
    for note in result.notes:
        terminal.warning(note)
    here = [f"  {line(one)}" for one in result.local]
    terminal.text("on this machine:", *here or ["  none"])
    if result.registry:
        pushed = [f"  {one.image}: {one.name} {one.digest}" for one in result.pushed]
        terminal.text(f"in {result.registry}:", *pushed or ["  none"])
