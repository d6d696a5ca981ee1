"""`dsql-deploy recover ENV`."""

from typing import TYPE_CHECKING

import typer

from temporal_dsql_deploy.cli import options, proved
from temporal_dsql_deploy.cli.console import terminal

if TYPE_CHECKING:
    from temporal_dsql_deploy.environments.model import Environment
    from temporal_dsql_deploy.operations.recover.result import RecoverPlan, RecoverResult, Repair
    from temporal_dsql_deploy.platforms.protocol import Platform

EXAMPLE = "dsql-deploy recover cluster"


def recover(
    environment: options.EnvironmentName,
    deadline: options.Deadline = options.DEADLINE,
    direct: options.Direct = False,
    file: options.File = None,
    data_dir: options.DataDir = None,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Look what is wrong, do the least that cures it, and prove that with a probe.

    Nothing wrong: nothing is done. Else it starts what is dead, restarts what hangs, deletes rows
    of the dead; at last, after a question, it stops all roles and starts them in their order.
    With --dry-run it exits with 1 where something would be done. On ECS a task inside the VPC does
    it, which cannot ask: what needs the question needs --yes.
    """
    chosen, platform = options.choose(environment, file, data_dir, direct=direct)
    if dry_run:
        plan = _planned(platform, chosen, deadline)
        if as_json:
            terminal.result(plan)
        else:
            _show_plan(plan)
        if plan.repair is not None:
            raise typer.Exit(1)
        return
    result = _recovered(platform, chosen, deadline, yes=yes)
    if as_json:
        terminal.result(result)
    else:
        _show(result)
    if not result.ok:
        raise typer.Exit(1)


def _planned(platform: "Platform", environment: "Environment", deadline: float) -> "RecoverPlan":
    if found := options.outside(platform):
        from temporal_dsql_deploy.operations.on_ecs import inside
        from temporal_dsql_deploy.operations.recover.result import RecoverPlan

        command = [*_command(environment, deadline), "--dry-run"]
        return inside.run(found.deployed, found.clients, command, RecoverPlan, terminal.progress)
    from temporal_dsql_deploy.operations.recover import run as operation

    return operation.plan(platform, environment, deadline=deadline, report=terminal.progress)


def _recovered(
    platform: "Platform", environment: "Environment", deadline: float, *, yes: bool
) -> "RecoverResult":
    if found := options.outside(platform):
        from temporal_dsql_deploy.operations.on_ecs import inside
        from temporal_dsql_deploy.operations.recover.result import RecoverResult

        command = [*_command(environment, deadline), *(["--yes"] if yes else [])]
        with found.lock("recover", terminal.progress):
            return inside.run(
                found.deployed, found.clients, command, RecoverResult, terminal.progress
            )
    from temporal_dsql_deploy.operations.recover import run as operation

    return operation.recover(
        platform,
        environment,
        deadline=deadline,
        confirm=None if yes else lambda repair: _ask(environment.name, repair),
        report=terminal.progress,
    )


def _command(environment: "Environment", deadline: float) -> list[str]:
    return ["recover", environment.name, "--deadline", f"{deadline:g}"]


def _ask(environment: str, repair: "Repair") -> bool:
    if not terminal.interactive():
        return False
    question = f"Stop all roles of {environment} and start them again in their order?"
    return terminal.confirm(*repair.why, question)


def _show_plan(plan: "RecoverPlan") -> None:
    terminal.text(*plan.wrong or ["nothing is wrong"])
    if plan.repair is not None:
        terminal.text(f"would {plan.repair}")


def _verdict(result: "RecoverResult") -> str:
    if not result.ok:
        return "is not cured"
    if result.repairs:
        return "works again"
    return "works, nothing was done" if result.left else "nothing is wrong, nothing was done"


def _show(result: "RecoverResult") -> None:
    done = "; ".join(f"{one.repair} ({one.seconds} s)" for one in result.repairs)
    verdict = _verdict(result)
    headline = f"{result.environment}: {f'{done}: ' if done else ''}{verdict}"
    left = [f"still wrong: {line}" for line in result.left]
    proved.show(["", headline, "", *left], result.status, result.probe)
