"""`dsql-deploy restart ENV`."""

from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options, proved
from temporal_dsql_deploy.cli.console import terminal

if TYPE_CHECKING:
    from temporal_dsql_deploy.environments.model import Environment
    from temporal_dsql_deploy.operations.restart import RestartResult
    from temporal_dsql_deploy.platforms.ecs.platform import EcsPlatform

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
    direct: options.Direct = False,
    file: options.File = None,
    data_dir: options.DataDir = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Start it again instance by instance, with the settings that it runs with, and probe it.

    The next is stopped when the last one serves, is in the ring of every member and has its shards.
    It stops at the first that does not come back: exit code 5. What does not serve comes first. On
    ECS it goes role by role, each with a new deployment.
    """
    from temporal_dsql_deploy.operations import restart as operation

    chosen, platform = options.choose(environment, file, data_dir, direct=direct)
    if found := options.on_ecs(platform):
        _on_ecs(found, chosen, role or [], deadline, dry_run=dry_run, as_json=as_json)
        return
    known = operation.choices(platform)
    wanted = [options.one_of("role or instance", one, known) for one in role or []]
    if dry_run:
        plan = operation.plan(platform, chosen.name, wanted)
        proved.tell_plan(plan, as_json=as_json)
        return
    request = operation.Request(
        chosen=wanted, grace=grace, deadline=deadline, options=_given(grace, deadline)
    )
    _tell(operation.restart(platform, chosen, request, terminal.progress), as_json=as_json)


def _on_ecs(
    platform: "EcsPlatform",
    environment: "Environment",
    roles: list[str],
    deadline: float,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    from temporal_dsql_deploy.operations.on_ecs import change

    known = change.restart_choices(platform)
    wanted = [options.one_of("role or instance", one, known) for one in roles]
    if dry_run:
        plan = change.plan_restart(platform, environment, wanted)
        proved.tell_plan(plan, as_json=as_json)
        return
    result = change.restart(
        platform, environment, wanted, deadline=deadline, report=terminal.progress
    )
    _tell(result, as_json=as_json)


def _tell(result: "RestartResult", *, as_json: bool) -> None:
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
