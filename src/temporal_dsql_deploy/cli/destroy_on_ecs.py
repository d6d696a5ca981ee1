"""`dsql-deploy destroy ENV` of an environment on ECS."""

from typing import TYPE_CHECKING

from temporal_dsql_deploy.cli import staged
from temporal_dsql_deploy.cli.console import terminal

if TYPE_CHECKING:
    from temporal_dsql_deploy.environments.model import Environment
    from temporal_dsql_deploy.operations.staged.destroy import StagedDestroy


def destroy(
    environment: "Environment",
    given: staged.Given,
    *,
    with_data: bool,
    as_json: bool,
) -> None:
    """Remove it, and show what stays and what that costs."""
    from temporal_dsql_deploy.operations.staged import destroy as operation

    with given.how() as how:
        result = operation.destroy(environment, how, terminal.progress, with_data=with_data)
    if as_json:
        terminal.result(result)
    else:
        _show(result, dry_run=given.dry_run)


def _show(result: "StagedDestroy", *, dry_run: bool) -> None:
    terminal.text("")
    staged.show_steps(result.steps)
    word = "would be removed" if dry_run else "removed"
    terminal.text("", f"{word}: {len(result.removed)} resources; --json has all")
    if not result.kept:
        return
    terminal.text("stays, and goes on costing:")
    terminal.text(*(f"  {one.what} {one.address}: {one.costs}" for one in result.kept))
    beside = f"{len(result.beside)} resources that they stand on stay too, such as network and key"
    terminal.text(
        f"  {beside}; --json has all",
        terminal.spelled("to build on them again: dsql-deploy up ENV"),
        terminal.spelled("to remove them too, for ever: dsql-deploy destroy ENV --with-data"),
    )
