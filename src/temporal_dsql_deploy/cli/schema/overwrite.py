"""`schema setup --overwrite`: what it lists, what it asks, what it refuses."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.cli.schema import declared
from temporal_dsql_deploy.errors import InvalidSetting, NotConfirmed, NotForPlatform, Protected

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.schema import Request
    from temporal_dsql_deploy.operations.schema_overwrite import SchemaOverwrite


@dataclass(frozen=True, slots=True)
class Overwriting:
    """What the options say of it."""

    confirm: str | None
    force: bool
    dry_run: bool
    as_json: bool


def refuse_alone(confirm: str | None, *, force: bool) -> None:
    """Refuse options that go with --overwrite alone. Raises InvalidSetting."""
    if force or confirm is not None:
        option = "--force" if force else "--confirm"
        raise InvalidSetting(
            f"{option} means nothing without --overwrite",
            cause="nothing is dropped, so nothing has to be confirmed",
            fix=f"leave {option} out",
        )


def overwrite(request: "Request", how: Overwriting) -> None:
    """Drop the schema and set it up anew, or with `dry_run` list what would be dropped.

    Raises NotForPlatform, Protected, NotConfirmed, and what the operation raises.
    """
    from temporal_dsql_deploy.operations import schema_overwrite as operation

    _refuse(request, force=how.force)
    planned = operation.plan(request)
    if how.dry_run:
        if how.as_json:
            terminal.result(planned)
        else:
            terminal.text(*_listed(planned))
        return
    _confirm(planned, how.confirm)
    declared.show_result(operation.overwrite(request, terminal.progress), as_json=how.as_json)


def _refuse(request: "Request", *, force: bool) -> None:
    if not request.database.region:
        raise NotForPlatform(
            f"environment {request.environment} keeps its data on this machine",
            cause="--overwrite is for Aurora DSQL, which outlives its cluster",
            fix="begin anew: dsql-deploy destroy ENV, then dsql-deploy up ENV",
        )
    refuse_protected(request.environment, request.protected, force=force)


def refuse_protected(environment: str, protected: str, *, force: bool) -> None:
    """Refuse to drop what is protected; `protected` is why. Raises Protected."""
    if protected and not force:
        raise Protected(
            f"the data of environment {environment} are protected",
            cause=protected,
            fix="if you do mean it, see what would be dropped: "
            "dsql-deploy schema setup ENV --overwrite --force --dry-run",
        )


def _listed(planned: "SchemaOverwrite") -> list[str]:
    where = f"{planned.database} at {planned.host}"
    if not planned.tables:
        return [f"{where} has no table of this schema"]
    lines = [f"drops {len(planned.tables)} tables of {where}, with all that is in them:"]
    for table in planned.tables:
        rows = "rows not counted yet" if table.rows is None else f"about {table.rows:,} rows"
        lines.append(f"  {table.name}: {rows}")
    return lines


def _confirm(planned: "SchemaOverwrite", given: str | None) -> None:
    name = planned.environment
    said = given
    if said is None and terminal.interactive():
        said = terminal.ask(*_listed(planned), f"Type {name} to drop them:")
    refuse_unconfirmed(name, said)


def refuse_unconfirmed(name: str, said: str | None) -> None:
    """Refuse whatever is not the name of the environment. Raises NotConfirmed."""
    if said is None:
        raise NotConfirmed(
            f"the schema of environment {name} is not dropped without a confirmation",
            cause="there is no terminal to ask on",
            fix=f"say that you are sure: --confirm {name}",
        )
    if said != name:
        raise NotConfirmed(
            f"the schema of environment {name} is not dropped",
            cause=f"{said!r} is not the name of the environment",
            fix=f"to be sure, what has to be typed is {name}",
        )
