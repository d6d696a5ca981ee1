"""`dsql-deploy lease show ENV`."""

from datetime import datetime
from typing import TYPE_CHECKING

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import table, terminal

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.lease.look import LeaseStatus

EXAMPLE = "dsql-deploy lease show prod"


def show(
    environment: options.EnvironmentOnEcs,
    terraform: options.TerraformBinary = None,
    provider_mirror: options.ProviderMirror = None,
    file: options.File = None,
    as_json: options.Json = False,
) -> None:
    """Compare the counter with the connections that are open. Exit code 1: it is proven wrong.

    What a killed process had leased stays in the counter for ever, and at the limit no role starts.
    """
    from temporal_dsql_deploy.operations.lease import run
    from temporal_dsql_deploy.operations.lease.look import Sources
    from temporal_dsql_deploy.operations.lease.proof import Verdict

    sources = Sources.of(options.deployed(environment, file, terraform, provider_mirror))
    status = run.show(sources)
    if as_json:
        terminal.result(status)
    else:
        tell(status)
        _advise(status)
    if status.verdict is Verdict.WRONG:
        raise typer.Exit(1)


def tell(status: "LeaseStatus") -> None:
    """Everybody's figures, and what they come to."""
    limit = "" if status.limit is None else f"of {status.limit} at most"
    rows: list[tuple[str, object, str]] = [
        ("counter", _said(status.counter), ", ".join(filter(None, [limit, _changed(status)]))),
        ("open", _said(status.open), _counted(status)),
        ("leases", status.leases_alive, "given in the last three minutes"),
        ("", status.leases_expired, "older, open or not, until DynamoDB deletes them"),
        ("tasks", status.tasks, f"that take leases, and hold {status.tasks_hold} at most"),
    ]
    terminal.text(f"leases of {status.endpoint}, in table {status.table}")
    terminal.render(table(["", "", ""], rows))
    for endpoint, active in status.others.items():
        terminal.warning(f"{status.table} has a counter of {endpoint} too: {active}")
    if status.counter is not None and status.limit is not None and status.counter >= status.limit:
        terminal.warning("the counter is at its limit: no further lease is given, no role starts")
    terminal.text(_verdict(status))


def _advise(status: "LeaseStatus") -> None:
    if status.verdict in {"wrong", "suspect"}:
        watch = "" if status.verdict == "wrong" else " --watch"
        terminal.text(terminal.spelled(f"to correct it: dsql-deploy lease reset ENV{watch}"))


def _verdict(status: "LeaseStatus") -> str:
    words = {
        "right": "OK",
        "wrong": f"FAILED: {status.leaked} at least have leaked",
        "suspect": f"it may be wrong by {status.leaked}",
        "unknown": "not known",
    }
    return f"{words[status.verdict]}: {status.why}"


def _said(number: int | None) -> str:
    return "-" if number is None else str(number)


def _changed(status: "LeaseStatus") -> str:
    return "" if status.updated is None else f"changed {_ago(status.at, status.updated)}"


def _counted(status: "LeaseStatus") -> str:
    if status.open_at is None:
        return "CloudWatch has no count of its connections"
    return f"by CloudWatch, in the minute that began {_ago(status.at, status.open_at)}"


def _ago(now: datetime, at: datetime) -> str:
    seconds = max(0, round((now - at).total_seconds()))
    return f"{seconds} s ago" if seconds < 120 else f"{seconds // 60} min ago"
