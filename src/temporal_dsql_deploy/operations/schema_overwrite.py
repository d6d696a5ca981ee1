"""Drop a schema with all that is in it, and set it up anew."""

from dataclasses import dataclass

from temporal_dsql_deploy.errors import Protected
from temporal_dsql_deploy.operations import schema
from temporal_dsql_deploy.operations.schema import Request, SchemaResult
from temporal_dsql_deploy.persistence import membership
from temporal_dsql_deploy.persistence.schema import apply, drop, lock
from temporal_dsql_deploy.persistence.schema.files import Version
from temporal_dsql_deploy.persistence.schema.target import Target, opened
from temporal_dsql_deploy.platforms.protocol import Report, Result


@dataclass(frozen=True, slots=True)
class SchemaTable(Result):
    """A table with all that is in it."""

    name: str
    rows: int | None
    """As the database estimates; null where it has not counted yet."""


@dataclass(frozen=True, slots=True)
class SchemaOverwrite(Result):
    """What `schema setup --overwrite` would drop."""

    environment: str
    host: str
    database: str
    tables: list[SchemaTable]
    """In the order in which they are dropped."""


def plan(request: Request) -> SchemaOverwrite:
    """What `overwrite` would drop; it changes nothing. Raises as that does."""
    known = schema.wanted(request).known
    with opened(request.database) as target:
        return SchemaOverwrite(
            environment=request.environment,
            host=request.database.host,
            database=target.name,
            tables=[SchemaTable(one.name, one.rows) for one in _dropped(request, target, known)],
        )


def overwrite(request: Request, report: Report) -> SchemaResult:
    """Drop all tables of the schema, and apply it from the beginning.

    Interrupted at any statement, the same goes on. Raises Protected while servers are registered
    there, and as `schema.bring` does.
    """
    wanted = schema.wanted(request)
    with opened(request.database) as target, lock.held(target, request.database, report) as ours:
        dropped = _dropped(request, ours, wanted.known)
        drop.drop(ours, dropped, report)
        applied = apply.upgrade(ours, wanted.known, report, wanted.number)
        return SchemaResult(
            environment=request.environment,
            applied=[str(number) for number in applied],
            status=schema.status_of(request, target, wanted),
            dropped=[table.name for table in dropped],
        )


def _dropped(request: Request, target: Target, known: list[Version]) -> list[drop.Table]:
    apply.refuse_other(target, known)
    _refuse_members(request, target)
    return drop.tables(target, known)


def _refuse_members(request: Request, target: Target) -> None:
    import psycopg

    try:
        rows = membership.rows(target.connection)
    except psycopg.errors.UndefinedTable:
        return
    fresh = [row for row in rows if row.age < membership.PROVEN_GONE]
    if fresh:
        first = fresh[0]
        raise Protected(
            f"servers of environment {request.environment} are registered in this database",
            cause=f"{len(fresh)} have written a heartbeat within {membership.PROVEN_GONE:g} s: "
            f"{first.role} at {first.address}:{first.port}, {max(first.age, 0):.0f} s ago"
            + (", and others" if fresh[1:] else ""),
            fix="stop them first; a minute after their last heartbeat the same command goes on",
        )
