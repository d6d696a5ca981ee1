"""`dsql-deploy scale ENV`."""

from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options, proved
from temporal_dsql_deploy.cli.console import terminal

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.scale import ScaleResult

EXAMPLE = "dsql-deploy scale cluster history=2 frontend=2"


def scale(
    environment: options.EnvironmentName,
    replicas: Annotated[
        list[str], typer.Argument(metavar="ROLE=N...", help="Instances that a role is to have.")
    ],
    deadline: options.Deadline = options.DEADLINE,
    file: options.File = None,
    data_dir: options.DataDir = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Run more or fewer instances of roles, without an interruption, and probe the cluster.

    New ones serve, are in the ring and have their shards before others stop. All else stays as it
    runs, whatever the environment's file says by now. `up` keeps what was scaled unless the
    environment's file names a number.
    """
    from temporal_dsql_deploy.operations import scale as operation

    wanted = options.replicas(replicas)
    chosen, platform = options.choose(environment, file, data_dir)
    if dry_run:
        plan = operation.plan(platform, chosen, wanted)
        for warning in plan.warnings:
            terminal.warning(warning)
        proved.tell_plan(plan, as_json=as_json)
        return
    result = operation.scale(platform, chosen, wanted, deadline=deadline, report=terminal.progress)
    for warning in result.warnings:
        terminal.warning(warning)
    if as_json:
        terminal.result(result)
    else:
        _show(result)
    if not result.probe.ok:
        raise typer.Exit(1)


def _show(result: "ScaleResult") -> None:
    done = ", ".join(f"{change.action} {change.what}" for change in result.changes)
    headline = f"{result.environment}: {done or 'nothing to change'}"
    proved.show(["", headline, ""], result.status, result.probe)
