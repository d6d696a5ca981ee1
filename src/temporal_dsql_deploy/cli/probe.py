"""`dsql-deploy probe ENV`."""

from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import table, terminal

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.probe.result import ProbeResult

EXAMPLE = "dsql-deploy probe local --deadline 5"


def probe(
    environment: options.EnvironmentName = "local",
    namespace: Annotated[
        str | None, typer.Option(help="Namespace to use [the environment's first, or default].")
    ] = None,
    deadline: options.Deadline = options.DEADLINE,
    file: options.File = None,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
) -> None:
    """Run real workflows from end to end, and say what does not work.

    No health check of Temporal notices a closed path between two roles; this does. Exit code 1: a
    check failed.
    """
    chosen, platform = options.choose(environment, file, data_dir)
    address = platform.frontend()
    from temporal_dsql_deploy.operations.probe import run

    result = run.probe(
        address,
        namespace or chosen.probe_namespace,
        deadline=deadline,
        report=terminal.progress,
    )
    if as_json:
        terminal.result(result)
    else:
        show(result)
    if not result.ok:
        raise typer.Exit(1)


def show(result: "ProbeResult") -> None:
    """The checks as a table, and what the failed ones mean."""
    rows = [
        (check.name, "OK" if check.ok else "FAILED", f"{check.seconds * 1000:.0f} ms", check.error)
        for check in result.checks
    ]
    terminal.render(table(["probe", "result", "latency", ""], rows))
    for meaning in dict.fromkeys(check.meaning for check in result.checks if check.meaning):
        terminal.text(meaning)
