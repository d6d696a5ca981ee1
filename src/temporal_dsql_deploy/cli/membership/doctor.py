"""`dsql-deploy membership doctor ENV`."""

from typing import TYPE_CHECKING

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.membership.result import DoctorResult
    from temporal_dsql_deploy.platforms.protocol import Platform

EXAMPLE = "dsql-deploy membership doctor cluster"
_EVIDENCE = 5
"""Lines of it that are shown; --json has all."""


def doctor(
    environment: options.EnvironmentName,
    direct: options.Direct = False,
    file: options.File = None,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
) -> None:
    """Say what is wrong with the membership. Exit code 1: something is that harms.

    A member that has just started or died is not known to all others for up to ten seconds.
    """
    _, platform = options.choose(environment, file, data_dir, direct=direct)
    result = _judged(platform, environment)
    if as_json:
        terminal.result(result)
    else:
        show(result)
    if not result.ok:
        raise typer.Exit(1)


def _judged(platform: "Platform", environment: str) -> "DoctorResult":
    if found := options.outside(platform):
        from temporal_dsql_deploy.operations.membership.result import DoctorResult
        from temporal_dsql_deploy.operations.on_ecs import inside

        command = ["membership", "doctor", environment]
        return inside.run(found.deployed, found.clients, command, DoctorResult, terminal.progress)
    from temporal_dsql_deploy.operations.membership import doctor as operation
    from temporal_dsql_deploy.operations.membership.look import look

    return operation.judge(look(platform, environment, report=terminal.progress))


def show(result: "DoctorResult") -> None:
    """The findings, each with its evidence and what to do."""
    for one in result.findings:
        kind = "FAILED" if one.problem else "note"
        terminal.text(f"{kind} {one.summary} [{one.code}]")
        for line in one.evidence[:_EVIDENCE]:
            terminal.text(f"  {line}")
        if len(one.evidence) > _EVIDENCE:
            terminal.text(f"  and {len(one.evidence) - _EVIDENCE} more")
        terminal.text(f"  fix: {terminal.spelled(one.fix)}")
    verdict = "OK" if result.ok else "not as it should be"
    terminal.text(f"{result.members} members, {result.rows} rows: {verdict}")
