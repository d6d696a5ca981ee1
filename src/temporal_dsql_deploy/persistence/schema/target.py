"""A database that is to have a schema, and what its refusals are told as."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from temporal_dsql_deploy.errors import DeployError, PermissionMissing, SchemaUnusable
from temporal_dsql_deploy.persistence.database import Database, connect

if TYPE_CHECKING:
    import psycopg

_NO_RIGHT = "42501"


class Engine(StrEnum):
    """What a database is, as far as its DDL is concerned."""

    DSQL = "Aurora DSQL"
    POSTGRESQL = "PostgreSQL"


@dataclass(frozen=True, slots=True)
class Target:
    """A database that is to have a schema."""

    connection: "psycopg.Connection"
    """In autocommit."""
    engine: Engine
    name: str
    """What its version is stored under: the database's name, `postgres` on DSQL."""
    before_each: Callable[[], None] = lambda: None
    """Called before each statement of a schema; raises to stop there."""


@contextmanager
def opened(database: Database) -> Iterator[Target]:
    """A connection to it, on which a refused statement is a refused statement of the schema.

    Raises SchemaUnusable, PermissionMissing, and what `connect` does.
    """
    import psycopg

    with connect(database) as connection:
        engine = Engine.DSQL if database.region else Engine.POSTGRESQL
        try:
            yield Target(connection, engine, database.name)
        except psycopg.Error as error:
            if error.sqlstate is None:
                raise
            raise _failed(database, error) from error


def _failed(database: Database, error: "psycopg.Error") -> DeployError:
    """What a statement that the database has refused is told as."""
    said = f"{' '.join(str(error).split())} [{error.sqlstate}]"
    if error.sqlstate == _NO_RIGHT:
        return PermissionMissing(
            f"database role {database.user} may not do what the schema needs",
            cause=said,
            fix="use one that may make tables in schema public: admin on Aurora DSQL",
        )
    return SchemaUnusable(
        f"database {database.name} at {database.host} has refused a statement of the schema",
        cause=said,
        fix="what was done stays; when the cause is gone the same command goes on",
    )
