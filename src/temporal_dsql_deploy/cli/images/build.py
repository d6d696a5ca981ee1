"""`dsql-deploy images build ENV`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.cli.images import declared

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.images.result import BuiltImage

EXAMPLE = "dsql-deploy images build dev --source ../temporal-dsql"
BASE_IMAGE = "docker.io/library/python:3.11.14-slim-bookworm"
GRAFANA_IMAGE = "docker.io/grafana/grafana-oss:12.3.0"
"""As operations.images.build has them, which is not imported for --help; a test compares."""


def build(
    environment: options.EnvironmentName,
    source: Annotated[
        Path | None,
        typer.Option(
            "--source",
            metavar="PATH",
            envvar="TEMPORAL_DSQL_PATH",
            help="Source tree of the server: of Temporal-DSQL, or the stock one "
            "[for `cluster`: the stock server that it runs].",
        ),
    ] = None,
    binaries: Annotated[
        Path | None,
        typer.Option(
            "--binaries",
            metavar="FOLDER",
            help="Folder of programs that are built already, instead of a source tree.",
        ),
    ] = None,
    image: declared.Images = None,
    architecture: declared.Architecture = None,
    base_image: Annotated[
        str,
        typer.Option(
            "--base-image",
            help="With Python from 3.9 on (3.11, pip: benchmark) and CA certificates.",
        ),
    ] = BASE_IMAGE,
    grafana_image: Annotated[
        str, typer.Option("--grafana-image", help="What Grafana's image is built on.")
    ] = GRAFANA_IMAGE,
    build_arg: Annotated[
        list[str] | None,
        typer.Option(
            "--build-arg",
            metavar="NAME=VALUE",
            help="Build argument of the runtime image; may be repeated.",
        ),
    ] = None,
    engine: declared.EngineName = None,
    file: options.File = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Build the images of a server's source tree, or of programs that are built already.

    The programs are compiled for the target and the images assembled without running anything of
    it. What is there already, made of the very same, is left alone.
    """
    found = declared.environment(environment, file)
    chosen = declared.images(image)
    target = declared.architecture(found, architecture)
    from temporal_dsql_deploy.images import arguments
    from temporal_dsql_deploy.images.engine import choose
    from temporal_dsql_deploy.operations.images import build as operation
    from temporal_dsql_deploy.operations.images.programs import Origin

    given = options.pairs("--build-arg", build_arg or [], example="--build-arg DSQL_PORT=5432")
    for name in given:
        options.one_of("build argument", name, arguments.KNOWN)
    request = operation.Request(
        environment=environment,
        architecture=target,
        origin=Origin(
            _absolute(source),
            _absolute(binaries),
            stock=found.platform == "cluster" and not (source or binaries),
        ),
        images=chosen,
        base_image=base_image,
        grafana_image=grafana_image,
        arguments=given,
    )
    for warning in arguments.warnings(given):
        terminal.warning(warning)
    if dry_run:
        result = operation.plan(request, choose(engine))
    else:
        result = operation.build(request, choose(engine), terminal.progress)
    for warning in result.warnings:
        terminal.warning(warning)
    if as_json:
        terminal.result(result)
        return
    declared.show_commands(result.commands)
    for one in result.images:
        terminal.text(line(one))


def line(one: "BuiltImage") -> str:
    """One image, in words."""
    size = f", {one.size / 1e6:,.0f} MB" if one.size is not None else ""
    there = ", unchanged" if one.unchanged else ""
    return f"{one.image}: {one.name} ({one.architecture}{size}{there})"


def _absolute(path: Path | None) -> Path | None:
    return path.expanduser().absolute() if path else None
