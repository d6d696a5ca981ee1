"""`dsql-deploy images push ENV`."""

from typing import Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.cli.images import declared

EXAMPLE = "dsql-deploy images push dev"


def push(
    environment: options.EnvironmentName,
    image: declared.Images = None,
    tag: Annotated[
        str | None,
        typer.Option("--tag", help="Of the images that were built [the newest of each]."),
    ] = None,
    architecture: declared.Architecture = None,
    registry: declared.RegistryName = None,
    region: declared.Region = None,
    engine: declared.EngineName = None,
    file: options.File = None,
    terraform: options.TerraformBinary = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Push the images that were built here, and print by which digests Terraform names them.

    Makes the repositories of Amazon ECR that are not there yet. An image that is there already is
    left alone, and compared.
    """
    found = declared.environment(environment, file)
    chosen = declared.images(image) if image else ()
    target = declared.architecture(found, architecture)
    from temporal_dsql_deploy.images.engine import choose
    from temporal_dsql_deploy.operations.images import push as operation

    used = choose(engine)
    request = operation.Request(
        environment=environment,
        place=declared.place(found, registry, region, terraform),
        architecture=target,
        images=chosen,
        tag=tag,
    )
    if dry_run:
        result = operation.plan(request, used)
    else:
        result = operation.push(request, used, terminal.progress)
    for warning in result.warnings:
        terminal.warning(warning)
    if as_json:
        terminal.result(result)
        return
    if dry_run and result.made:
        terminal.text(f"would make the repositories {', '.join(result.made)}")
    if result.made and not dry_run:
        terminal.text(
            "made the repositories; before terraform/account is applied with them, in its folder:",
            *(
                f"  terraform import 'aws_ecr_repository.this[\"{name}\"]' {name}"
                for name in result.made
            ),
        )
    declared.show_commands(result.commands)
    for one in result.images:
        terminal.text(f"{one.image}: {one.reference}{' (was there)' if one.already else ''}")
    if result.variables:
        terminal.text("", "# terraform.tfvars", *result.variables)
