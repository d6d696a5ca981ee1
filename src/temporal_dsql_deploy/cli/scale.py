"""`dsql-deploy scale ENV`."""

from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options, proved
from temporal_dsql_deploy.cli.console import terminal

if TYPE_CHECKING:
    from temporal_dsql_deploy.environments.model import Environment
    from temporal_dsql_deploy.operations.scale import ScalePlan, ScaleResult
    from temporal_dsql_deploy.platforms.protocol import Platform

EXAMPLE = "dsql-deploy scale cluster history=2 frontend=2"


def scale(
    environment: options.EnvironmentName,
    replicas: Annotated[
        list[str], typer.Argument(metavar="ROLE=N...", help="Instances that a role is to have.")
    ],
    deadline: options.Deadline = options.DEADLINE,
    direct: options.Direct = False,
    file: options.File = None,
    data_dir: options.DataDir = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Run more or fewer instances of roles, without an interruption, and probe the cluster.

    New ones serve, are in the ring and have their shards before others stop. All else stays as it
    runs, whatever the environment's file says by now. `up` keeps what was scaled unless the
    environment's file names a number; on ECS always, as does an apply.
    """
    wanted = options.replicas(replicas)
    chosen, platform = options.choose(environment, file, data_dir, direct=direct)
    if dry_run:
        plan = _planned(platform, chosen, wanted)
        for warning in plan.warnings:
            terminal.warning(warning)
        proved.tell_plan(plan, as_json=as_json)
        return
    result = _scaled(platform, chosen, wanted, deadline)
    for warning in result.warnings:
        terminal.warning(warning)
    if as_json:
        terminal.result(result)
    else:
        _show(result)
    if not result.probe.ok:
        raise typer.Exit(1)


def _planned(
    platform: "Platform", environment: "Environment", wanted: dict[str, int]
) -> "ScalePlan":
    from temporal_dsql_deploy.operations import scale as operation
    from temporal_dsql_deploy.operations.on_ecs import change

    if found := options.on_ecs(platform):
        return change.plan_scale(found, environment, wanted)
    return operation.plan(platform, environment, wanted)


def _scaled(
    platform: "Platform", environment: "Environment", wanted: dict[str, int], deadline: float
) -> "ScaleResult":
    from temporal_dsql_deploy.operations import scale as operation
    from temporal_dsql_deploy.operations.on_ecs import change

    report = terminal.progress
    if found := options.on_ecs(platform):
        return change.scale(found, environment, wanted, deadline=deadline, report=report)
    return operation.scale(platform, environment, wanted, deadline=deadline, report=report)


def _show(result: "ScaleResult") -> None:
    done = ", ".join(f"{change.action} {change.what}" for change in result.changes)
    headline = f"{result.environment}: {done or 'nothing to change'}"
    proved.show(["", headline, ""], result.status, result.probe)
