"""`dsql-deploy recover ENV`."""

from typing import TYPE_CHECKING

import typer

from temporal_dsql_deploy.cli import options, proved
from temporal_dsql_deploy.cli.console import terminal

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.recover.result import RecoverPlan, RecoverResult, Repair

EXAMPLE = "dsql-deploy recover cluster"


def recover(
    environment: options.EnvironmentName,
    deadline: options.Deadline = options.DEADLINE,
    file: options.File = None,
    data_dir: options.DataDir = None,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Look what is wrong, do the least that cures it, and prove that with a probe.

    Nothing wrong: nothing is done. Else it starts what is dead, restarts what hangs, deletes rows
    of the dead; at last, after a question, it stops all roles and starts them in their order.
    With --dry-run it exits with 1 where something would be done.
    """
    from temporal_dsql_deploy.operations.recover import run as operation

    chosen, platform = options.choose(environment, file, data_dir)
    if dry_run:
        plan = operation.plan(platform, chosen, deadline=deadline, report=terminal.progress)
        if as_json:
            terminal.result(plan)
        else:
            _show_plan(plan)
        if plan.repair is not None:
            raise typer.Exit(1)
        return
    result = operation.recover(
        platform,
        chosen,
        deadline=deadline,
        confirm=None if yes else lambda repair: _ask(environment, repair),
        report=terminal.progress,
    )
    if as_json:
        terminal.result(result)
    else:
        _show(result)
    if not result.ok:
        raise typer.Exit(1)


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
