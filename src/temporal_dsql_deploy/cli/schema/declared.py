"""The options of `schema`'s verbs, and what they ask for."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.errors import InvalidSetting, NotForPlatform

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.schema import Request, SchemaStatus
    from temporal_dsql_deploy.persistence.database import Database

Folder = Annotated[
    Path,
    typer.Option(
        "--schema",
        metavar="FOLDER",
        envvar="DSQL_DEPLOY_SCHEMA",
        help="Folder of one versioned schema: schema/dsql/temporal of a server's source tree.",
    ),
]
Version = Annotated[
    str | None,
    typer.Option("--version", metavar="X.Y", help="Up to this version [the newest there]."),
]
Endpoint = Annotated[
    str | None,
    typer.Option(
        "--endpoint",
        metavar="HOST",
        envvar="CLUSTER_ENDPOINT",
        help="Aurora DSQL cluster: ID.dsql.REGION.on.aws [the database of ENV].",
    ),
]
User = Annotated[str, typer.Option("--user", help="Database role, with --endpoint.")]
Certificates = Annotated[
    Path | None,
    typer.Option(
        "--certificates",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Certificates to trust with --endpoint [those of AWS's SDK].",
    ),
]
ADMIN = "admin"
"""As persistence.dsql.ADMIN, which is not imported for --help; a test compares."""


def request(
    environment: str,
    folder: Path,
    version: str | None,
    endpoint: str | None,
    user: str,
    certificates: Path | None,
) -> "Request":
    """What is asked for. Raises InvalidSetting, UnknownEnvironment, NotRunning, NotForPlatform."""
    from temporal_dsql_deploy.operations.schema import Request

    return Request(
        environment=environment,
        database=_database(environment, endpoint, user, certificates),
        folder=folder,
        version=version,
    )


def _database(
    environment: str, endpoint: str | None, user: str, certificates: Path | None
) -> "Database":
    from temporal_dsql_deploy.environments.find import find

    options.address(environment)
    named = find(environment).platform
    if named == "local":
        raise NotForPlatform(
            f"environment {environment} has no schema to be applied",
            cause="the embedded server makes its own, in SQLite",
            fix="name one with a database: cluster, or one on ECS",
        )
    if named != "ecs":
        if endpoint is not None:
            raise InvalidSetting(
                f"environment {environment} has a database of its own",
                cause=f"--endpoint (CLUSTER_ENDPOINT) is {endpoint}, of an Aurora DSQL cluster",
                fix="leave it out, or name an environment on ECS",
            )
        _, platform = options.choose(environment, None, None)
        return platform.database()
    if endpoint is None:
        raise InvalidSetting(
            f"which DSQL cluster environment {environment} has is not known here",
            cause="it is in the outputs of its Terraform",
            fix="--endpoint HOST, as `terraform output -raw dsql_cluster_endpoint` tells",
        )
    from temporal_dsql_deploy.persistence import database, dsql

    return database.of_dsql(dsql.Endpoint.parse(endpoint), user=user, certificates=certificates)


def show(status: "SchemaStatus") -> None:
    """One database, in words."""
    has = f"schema {status.version}" if status.version else "no schema yet"
    terminal.text(f"{status.database} at {status.host} ({status.engine}): {has}")
    if status.pending:
        terminal.text(f"to be applied: {', '.join(status.pending)}")
    if status.lacking:
        lacking = ", ".join(status.lacking)
        terminal.text(f"version {status.version} should have, and it lacks: {lacking}")
    if status.ok:
        newer = "" if status.version == status.wanted else ", and it is newer than that"
        terminal.text(f"wanted is {status.wanted}{newer}: nothing to do")


def bring(request: "Request", *, only_upgrade: bool, dry_run: bool, as_json: bool) -> None:
    """Apply what is missing, or with `dry_run` tell what that is."""
    from temporal_dsql_deploy.operations import schema as operation

    if dry_run:
        tell(operation.plan(request, only_upgrade=only_upgrade), as_json=as_json)
        return
    result = operation.bring(request, terminal.progress, only_upgrade=only_upgrade)
    if as_json:
        terminal.result(result)
        return
    terminal.text(f"applied: {', '.join(result.applied) or 'nothing'}")
    show(result.status)


def tell(status: "SchemaStatus", *, as_json: bool) -> None:
    """What there is."""
    if as_json:
        terminal.result(status)
    else:
        show(status)
