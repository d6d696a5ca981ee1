"""Drop what a schema has made, and nothing else: an index goes with its table."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from temporal_dsql_deploy.persistence.schema import statements, versions
from temporal_dsql_deploy.persistence.schema.files import Version
from temporal_dsql_deploy.persistence.schema.occ import retried
from temporal_dsql_deploy.persistence.schema.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable

_TABLES = (
    "SELECT relname, reltuples FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
    "WHERE nspname = 'public' AND relkind = 'r' ORDER BY relname"
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a schema that is there."""

    name: str
    rows: int | None
    """As the database's planner estimates; None where it has not counted yet."""


def tables(target: Target, known: Sequence[Version]) -> list[Table]:
    """The tables there that any of these versions makes, and those of the versions, which are last.

    Raises psycopg.Error.
    """
    made = {
        found[1]
        for version in known
        for statement in version.statements
        if (found := statements.creates(statement)) is not None and found[0] == "table"
    }
    there: dict[str, float] = dict(target.connection.execute(_TABLES).fetchall())
    wanted = [*sorted(made - set(versions.NAMES)), *reversed(versions.NAMES)]
    return [
        Table(name, round(there[name]) if there[name] >= 0 else None)
        for name in wanted
        if name in there
    ]


def drop(target: Target, dropped: Sequence[Table], report: "Callable[[str], None]") -> None:
    """Drop tables in this order, each in a transaction of its own.

    Interrupted before the last, `status` says what is lacking, since the version is still there.
    Raises psycopg.Error, and what `before_each` of the target does.
    """
    for table in dropped:
        target.before_each()
        report(f"dropping {table.name}")
        statement = f'DROP TABLE IF EXISTS public."{table.name}"'
        retried(partial(target.connection.execute, statement))
