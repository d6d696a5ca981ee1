"""`dsql-deploy membership clean ENV`."""

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import table, terminal

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.membership.result import CleanResult
    from temporal_dsql_deploy.platforms.protocol import Platform

EXAMPLE = "dsql-deploy membership clean cluster --yes"


def clean(
    environment: options.EnvironmentName,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete them.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say which; so it is without --yes too.")
    ] = False,
    direct: options.Direct = False,
    file: options.File = None,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
) -> None:
    """Delete rows of cluster_membership whose owner is proven gone; without --yes only list them.

    Gone is who has written no heartbeat for 60 s, is in no member's ring, does not listen, and is
    no process that is known to run. A row that is in doubt stays.
    """
    _, platform = options.choose(environment, file, data_dir, direct=direct)
    result = _cleaned(platform, environment, dry_run=dry_run or not yes)
    if as_json:
        terminal.result(result)
    else:
        show(result)


def _cleaned(platform: "Platform", environment: str, *, dry_run: bool) -> "CleanResult":
    if found := options.outside(platform):
        from temporal_dsql_deploy.operations.membership.result import CleanResult
        from temporal_dsql_deploy.operations.on_ecs import inside

        command = ["membership", "clean", environment, "--dry-run" if dry_run else "--yes"]
        lock = nullcontext() if dry_run else found.lock("membership clean", terminal.progress)
        with lock:
            return inside.run(
                found.deployed, found.clients, command, CleanResult, terminal.progress
            )
    from temporal_dsql_deploy.operations.membership import clean as operation

    return operation.clean(platform, environment, dry_run=dry_run, report=terminal.progress)


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
