"""`dsql-deploy destroy ENV`."""

from typing import Annotated

import typer

from temporal_dsql_deploy.cli import options, staged
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.errors import NotConfirmed

EXAMPLE = "dsql-deploy destroy local --yes"


def destroy(
    environment: options.EnvironmentName = "local",
    grace: options.Grace = options.GRACE,
    file: options.File = None,
    data_dir: options.DataDir = None,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    with_data: Annotated[
        bool,
        typer.Option(
            "--with-data", help="Remove DSQL, OpenSearch, tables, buckets and backups too; on ECS."
        ),
    ] = False,
    wait: options.StepWait = None,
    confirm: options.Confirm = None,
    var_file: options.VarFiles = None,
    terraform: options.TerraformBinary = None,
    provider_mirror: options.ProviderMirror = None,
    as_json: options.Json = False,
) -> None:
    """Stop the cluster and delete its data: workflows, namespaces, logs. Asks first.

    On ECS the infrastructure goes and the data stay, unless --with-data is given.
    """
    named = options.named(environment, file)
    if named.platform == "ecs":
        staged.refuse_given(named, {"--data-dir": data_dir})
        from temporal_dsql_deploy.cli import destroy_on_ecs

        destroy_on_ecs.destroy(
            named,
            staged.Given(
                environment, yes, confirm, var_file or [], terraform, provider_mirror, wait, dry_run
            ),
            with_data=with_data,
            as_json=as_json,
        )
        return
    given = {"--with-data": with_data, "--wait": wait, "--confirm": confirm, "--var-file": var_file}
    staged.refuse_given(named, given)
    from temporal_dsql_deploy.operations import down as operation

    _, platform = options.choose(environment, file, data_dir)
    stored = platform.stored()
    if stored and not (yes or dry_run):
        _ask(environment, [str(entry.path) for entry in stored])
    result = operation.destroy(
        platform, environment, grace=grace, dry_run=dry_run, report=terminal.progress
    )
    if as_json:
        terminal.result(result)
        return
    if not result.removed:
        terminal.text(f"{environment}: there is nothing to remove")
        return
    word = "would remove" if dry_run else "removed"
    lines = (f"{word} {entry.path} ({entry.bytes:,} bytes)" for entry in result.removed)
    terminal.text(*lines)


def _ask(environment: str, paths: list[str]) -> None:
    if not terminal.interactive():
        raise NotConfirmed(
            f"environment {environment} is not destroyed without a confirmation",
            cause="there is no terminal to ask on",
            fix="say that you are sure: dsql-deploy destroy ENV --yes",
        )
    listed = [f"  {path}" for path in paths]
    question = f"This stops {environment} if it runs, and deletes all its workflows:"
    if not terminal.confirm(question, *listed, "Delete them?"):
        raise NotConfirmed(
            f"environment {environment} is not destroyed",
            cause="the question was answered with no",
            fix="to stop it and keep its data: dsql-deploy down ENV",
        )
