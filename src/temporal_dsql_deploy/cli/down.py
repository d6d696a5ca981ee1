"""`dsql-deploy down ENV`."""

from typing import Annotated

import typer

from temporal_dsql_deploy.cli import options, staged
from temporal_dsql_deploy.cli.console import terminal

EXAMPLE = "dsql-deploy down local"


def down(
    environment: options.EnvironmentName = "local",
    grace: options.Grace = options.GRACE,
    file: options.File = None,
    data_dir: options.DataDir = None,
    confirm: Annotated[
        str | None,
        typer.Option("--confirm", metavar="ENV", help="The name that is asked for in production."),
    ] = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Stop the cluster and keep its data: `up` goes on where it was.

    On ECS no task of any service runs then; instances and data stores stay, and cost. Production is
    confirmed by its name.
    """
    from temporal_dsql_deploy.operations import down as operation

    chosen, platform = options.choose(environment, file, data_dir, direct=False)
    if found := options.on_ecs(platform):
        from temporal_dsql_deploy.operations.on_ecs import change

        ask = staged.Given(environment, confirm=confirm).ask
        result = change.down(found, chosen, ask, dry_run=dry_run, report=terminal.progress)
    else:
        staged.refuse_given(chosen, {"--confirm": confirm})
        result = operation.down(
            platform, environment, grace=grace, dry_run=dry_run, report=terminal.progress
        )
    if result.stopped.killed:
        terminal.warning(f"not everything stopped within {grace:g} s: the rest was killed")
    if as_json:
        terminal.result(result)
    elif not result.stopped.was_running:
        terminal.text(f"{environment}: is not running, nothing to do")
    elif dry_run:
        terminal.text(f"{environment}: would be stopped")
    else:
        again = terminal.spelled("dsql-deploy up ENV")
        terminal.text(f"{environment}: stopped, its data is kept. To go on: {again}")
