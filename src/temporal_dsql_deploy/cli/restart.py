"""`dsql-deploy restart ENV`."""

from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options, proved
from temporal_dsql_deploy.cli.console import terminal

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.restart import RestartResult

EXAMPLE = "dsql-deploy restart cluster history"


def restart(
    environment: options.EnvironmentName = "local",
    role: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ROLE]...", help="Roles, `ui`, or instances such as `history-2` [all]."
        ),
    ] = None,
    grace: options.Grace = options.GRACE,
    deadline: options.Deadline = options.DEADLINE,
    file: options.File = None,
    data_dir: options.DataDir = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Start it again instance by instance, with the settings that it runs with, and probe it.

    The next is stopped when the last one serves, is in the ring of every member and has its shards.
    It stops at the first that does not come back: exit code 5. What does not serve comes first.
    """
    from temporal_dsql_deploy.operations import restart as operation

    chosen, platform = options.choose(environment, file, data_dir)
    known = operation.choices(platform)
    wanted = [options.one_of("role or instance", one, known) for one in role or []]
    if dry_run:
        plan = operation.plan(platform, chosen.name, wanted)
        proved.tell_plan(plan, as_json=as_json)
        return
    request = operation.Request(
        chosen=wanted, grace=grace, deadline=deadline, options=_given(grace, deadline)
    )
    result = operation.restart(platform, chosen, request, terminal.progress)
    if as_json:
        terminal.result(result)
    else:
        _show(result)
    if not result.probe.ok:
        raise typer.Exit(1)


def _given(grace: float, deadline: float) -> list[str]:
    """The options that are not as they would be without being given."""
    said = [] if grace == options.GRACE else ["--grace", f"{grace:g}"]
    return said if deadline == options.DEADLINE else [*said, "--deadline", f"{deadline:g}"]


def _show(result: "RestartResult") -> None:
    done = ", ".join(f"{one.name} ({one.seconds} s)" for one in result.restarted)
    headline = f"{result.environment}: restarted {done}"
    proved.show(["", headline, ""], result.status, result.probe)
