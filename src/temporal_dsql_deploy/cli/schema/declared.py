"""The options of `schema`'s verbs, and what they ask for."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.errors import InvalidSetting, NotForPlatform, UnknownEnvironment

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.schema import Request, SchemaResult, SchemaStatus
    from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
    from temporal_dsql_deploy.platforms.protocol import SqlStore

Folder = Annotated[
    Path | None,
    typer.Option(
        "--schema",
        metavar="FOLDER",
        envvar="DSQL_DEPLOY_SCHEMA",
        help="Folder of one versioned schema: schema/dsql/temporal of a server's source tree "
        "[that of the server of `cluster`].",
    ),
]
Store = Annotated[
    str,
    typer.Option("--store", metavar="STORE", help="Which store: default, or visibility in SQL."),
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
        help="Aurora DSQL cluster: ID.dsql.REGION.on.aws [that of ENV, by its Terraform]. With it "
        "ENV is a name and no more.",
    ),
]
User = Annotated[str, typer.Option("--user", help="Database role, on Aurora DSQL.")]
Certificates = Annotated[
    Path | None,
    typer.Option(
        "--certificates",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Certificates to trust, on Aurora DSQL [those of AWS's SDK].",
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Drop every table of the schema first, with all workflows; asks for ENV's name.",
    ),
]
Confirm = Annotated[
    str | None,
    typer.Option("--confirm", metavar="ENV", help="The name that --overwrite asks for."),
]
Force = Annotated[
    bool, typer.Option("--force", help="Overwrite what is protected, such as prod, too.")
]
WithTool = Annotated[
    bool,
    typer.Option(
        "--with-tool",
        help="Run temporal-dsql-tool (of DSQL) or temporal-sql-tool in the sequence that works.",
    ),
]
Tool = Annotated[
    Path | None,
    typer.Option("--tool", metavar="FILE", help="That program [the one on PATH]."),
]
AsTask = Annotated[
    bool,
    typer.Option("--as-task", help="Run it as a task inside the VPC of ENV, and wait for that."),
]
PRODUCTION = "prod"
"""The environment whose data are protected by its name alone."""
ADMIN = "admin"
"""As persistence.dsql.ADMIN, which is not imported for --help; a test compares."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options say."""

    environment: str
    schema: Path | None
    version: str | None
    store: str
    endpoint: str | None
    user: str
    certificates: Path | None
    file: Path | None
    data_dir: Path | None
    terraform: Path | None
    provider_mirror: Path | None

    def protected(self, deployed: "Deployed | None") -> str:
        """Why what is there may not be dropped, as far as is known; empty where it may."""
        if self.environment == PRODUCTION:
            return f"its name is {PRODUCTION}"
        if deployed is not None and deployed.outputs.get("deletion_protection"):
            return "deletion_protection is on in its Terraform"
        return ""


def request(asked: Asked) -> "Request":
    """What is asked for. Raises InvalidSetting, UnknownEnvironment, NotRunning, NotForPlatform.

    Without an endpoint also NotApplied, and what Terraform and AWS raise.
    """
    from temporal_dsql_deploy.operations.schema import Request
    from temporal_dsql_deploy.platforms.protocol import SQL_STORES

    options.address(asked.environment, file=asked.file, data_dir=asked.data_dir)
    options.one_of("store", asked.store, SQL_STORES)
    deployed = None
    found = _on_this_machine(asked)
    if found is None and asked.endpoint is None:
        deployed = options.deployed(
            asked.environment, asked.file, asked.terraform, asked.provider_mirror
        )
    if found is None:
        found = _on_aws(asked, deployed)
    return Request(
        environment=asked.environment,
        database=found.database,
        folder=asked.schema or _known(found),
        version=asked.version,
        protected=asked.protected(deployed),
    )


def _on_this_machine(asked: Asked) -> "SqlStore | None":
    """None for an environment on ECS, or of which an endpoint is all that one has to know."""
    from temporal_dsql_deploy.environments.find import find

    options.check_name(asked.environment)
    try:
        named = find(asked.environment, file=asked.file)
    except UnknownEnvironment:
        if asked.endpoint is None:
            raise
        return None
    if named.platform not in options.ON_THIS_MACHINE:
        return None
    if asked.endpoint is not None:
        raise InvalidSetting(
            f"environment {asked.environment} has a database of its own",
            cause=f"--endpoint (CLUSTER_ENDPOINT) is {asked.endpoint}, of an Aurora DSQL cluster",
            fix="leave it out, or name an environment on ECS",
        )
    _, platform = options.choose(asked.environment, asked.file, asked.data_dir)
    return platform.sql_store(asked.store)


def _on_aws(asked: Asked, deployed: "Deployed | None") -> "SqlStore":
    from temporal_dsql_deploy.persistence import database, dsql
    from temporal_dsql_deploy.platforms.protocol import SqlStore

    if asked.store != "default":
        raise NotForPlatform(
            f"store {asked.store} is not in Aurora DSQL",
            cause="on AWS it is in OpenSearch, which has an index and no schema in SQL",
            fix="leave --store out",
        )
    host = asked.endpoint if deployed is None else deployed.output("dsql_cluster_endpoint")
    found = database.of_dsql(
        dsql.Endpoint.parse(host or ""), user=asked.user, certificates=asked.certificates
    )
    return SqlStore(found, None)


def _known(found: "SqlStore") -> Path:
    """The folder of the schema that its server wants. Raises InvalidSetting."""
    if found.schema is not None:
        return found.schema
    if found.database.region:
        cause = (
            "the schema of Aurora DSQL is in the source tree of the Temporal-DSQL server alone, "
            "which is in no package registry"
        )
        fix = "--schema FOLDER: schema/dsql/temporal of the source tree of the server that you run"
    else:
        cause = "the environment runs a temporal-server that was not built here"
        fix = "--schema FOLDER: schema/postgresql/v12/temporal of the source tree of that server"
    raise InvalidSetting("which schema the database is to have is not known", cause=cause, fix=fix)


def refuse_together(*, with_tool: bool, tool: Path | None, overwrite: bool) -> None:
    """Refuse options that do not go with one another. Raises InvalidSetting."""
    if tool is not None and not with_tool:
        raise InvalidSetting(
            "--tool means nothing without --with-tool",
            cause="no tool is run",
            fix="add --with-tool, or leave --tool out",
        )
    if with_tool and overwrite:
        raise InvalidSetting(
            "--with-tool and --overwrite do not go together",
            cause="the tool's own --overwrite drops whatever is in the database, and asks nobody",
            fix="leave --with-tool out",
        )


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
    show_result(result, as_json=as_json)


def show_result(result: "SchemaResult", *, as_json: bool) -> None:
    """What was done."""
    if as_json:
        terminal.result(result)
        return
    if result.dropped:
        terminal.text(f"dropped: {len(result.dropped)} tables")
    terminal.text(f"applied: {', '.join(result.applied) or 'nothing'}")
    show(result.status)


def bring_with_tool(request: "Request", tool: Path | None, *, dry_run: bool, as_json: bool) -> None:
    """The same by the tool of a server, or with `dry_run` the commands that it would be given."""
    from temporal_dsql_deploy.operations import schema_tool as operation

    if not dry_run:
        result = operation.bring(request, tool, terminal.progress)
        show_result(result, as_json=as_json)
        return
    planned = operation.plan(request, tool)
    if as_json:
        terminal.result(planned)
        return
    terminal.text(*(shlex.join(words) for words in planned.commands))
    terminal.text("COPY is a copy of the versions in which CREATE TABLE is without IF NOT EXISTS.")
    if planned.variables:
        terminal.text(f"The connection comes from {', '.join(planned.variables)}.")


def tell(status: "SchemaStatus", *, as_json: bool) -> None:
    """What there is."""
    if as_json:
        terminal.result(status)
    else:
        show(status)
