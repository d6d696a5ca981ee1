"""`dsql-deploy visibility setup ENV`."""

from typing import Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.cli.visibility import declared, show

EXAMPLE = "dsql-deploy visibility setup dev"


def setup(
    environment: options.EnvironmentName,
    endpoint: declared.Endpoint = None,
    index: declared.Index = None,
    schema: declared.Schema = None,
    wait: declared.Wait = declared.WAIT,
    as_task: Annotated[
        bool,
        typer.Option(
            declared.AS_TASK,
            help="Let the one-off task of the Terraform do it, inside the VPC, and wait for it.",
        ),
    ] = False,
    file: options.File = None,
    data_dir: options.DataDir = None,
    terraform: options.TerraformBinary = None,
    provider_mirror: options.ProviderMirror = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Make the index: wait for health, then setting, template, index; then compare by field.

    What is there and right stays; an index that is there and wrong stays too, and is said to be:
    exit code 1. Run again it does nothing.
    """
    given = declared.Given(endpoint, index, schema, file, data_dir, terraform, provider_mirror)
    if as_task:
        _as_task(environment, given, wait=wait, dry_run=dry_run, as_json=as_json)
        return
    request = declared.request(environment, given)
    from temporal_dsql_deploy.operations.visibility import setup as operation

    if dry_run:
        show.plan(operation.plan(request), as_json=as_json)
        return
    show.result(operation.setup(request, terminal.progress, wait=wait), as_json=as_json)


def _as_task(
    environment: str, given: declared.Given, *, wait: float, dry_run: bool, as_json: bool
) -> None:
    found = declared.deployed(environment, given)
    from temporal_dsql_deploy.operations.visibility import task as operation

    if dry_run:
        show.plan(operation.plan(found), as_json=as_json)
        return
    done = operation.run(found, terminal.progress, limit=wait + declared.TASK_STARTS)
    if as_json:
        terminal.result(done)
        return
    terminal.text(f"task {done.task} has made the index and ended with exit code 0")
    terminal.text(
        terminal.spelled(
            "it has not compared it. From where the domain is reached: dsql-deploy visibility "
            "status ENV"
        )
    )
