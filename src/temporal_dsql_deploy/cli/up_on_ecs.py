"""`dsql-deploy up ENV` of an environment on ECS: the staged deployment."""

from typing import TYPE_CHECKING

import typer

from temporal_dsql_deploy.cli import options, staged
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.errors import UsageError

if TYPE_CHECKING:
    from temporal_dsql_deploy.environments.model import Environment
    from temporal_dsql_deploy.operations.staged.up import StagedUp


def up(
    environment: "Environment",
    given: staged.Given,
    *,
    first: str | None,
    only: str | None,
    deadline: float,
    direct: bool,
    as_json: bool,
) -> None:
    """Run the steps, show what came of them; exit code 1 where the probe has failed."""
    from temporal_dsql_deploy.operations.staged import proof
    from temporal_dsql_deploy.operations.staged import up as operation
    from temporal_dsql_deploy.operations.staged.steps import Chosen

    if first and only:
        raise UsageError(
            "--from and --only do not go together",
            cause="the one asks for a step and all after it, the other for one alone",
            fix="leave one of them out",
        )
    for name in filter(None, (first, only)):
        options.one_of("step", name, operation.NAMES)
    with given.how() as how:
        result = operation.up(
            environment,
            how,
            Chosen(first, only),
            terminal.progress,
            proof.of(deadline, terminal.progress, direct=direct),
        )
    if as_json:
        terminal.result(result)
    else:
        _show(result)
    if result.probe is not None and not result.probe.ok:
        raise typer.Exit(1)


def _show(result: "StagedUp") -> None:
    terminal.text("")
    staged.show_steps(result.steps)
    if result.probe is not None:
        from temporal_dsql_deploy.cli.probe import show as show_probe

        terminal.text("")
        show_probe(result.probe)
    if result.open:
        terminal.text("", "To open, with the ids of a task (ecs:ListTasks, ecs:DescribeTasks):")
        terminal.text(*(f"  {page}: {command}" for page, command in result.open.items()))
