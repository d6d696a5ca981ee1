"""`dsql-deploy membership clean ENV`."""

from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import table, terminal

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.membership.result import CleanResult

EXAMPLE = "dsql-deploy membership clean cluster --yes"


def clean(
    environment: options.EnvironmentName,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete them.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say which; so it is without --yes too.")
    ] = False,
    file: options.File = None,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
) -> None:
    """Delete rows of cluster_membership whose owner is proven gone; without --yes only list them.

    Gone is who has written no heartbeat for 60 s, is in no member's ring, does not listen, and is
    no process that is known to run. A row that is in doubt stays.
    """
    _, platform = options.choose(environment, file, data_dir)
    from temporal_dsql_deploy.operations.membership import clean as operation

    result = operation.clean(
        platform, environment, dry_run=dry_run or not yes, report=terminal.progress
    )
    if as_json:
        terminal.result(result)
    else:
        show(result)


def show(result: "CleanResult") -> None:
    """What becomes of each row."""
    done = "would be deleted" if result.dry_run else "deleted"
    rows = [
        (one.role, one.address, f"{one.age:.0f} s ago", one.host_id, what)
        for what, fates in ((done, result.deleted), ("", result.kept))
        for one in fates
        for what in [what or f"kept: {one.kept_because}"]
    ]
    terminal.render(table(["row", "membership", "heartbeat", "host id", ""], rows))
    terminal.text(f"{len(result.deleted)} {done}, {len(result.kept)} kept")
    if result.dry_run and result.deleted:
        terminal.text(terminal.spelled("to delete them: dsql-deploy membership clean ENV --yes"))
