"""A connection to the default store."""

import logging
import os
import urllib.parse
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from temporal_dsql_deploy.errors import DatabaseUnusable, InvalidSetting
from temporal_dsql_deploy.persistence import dsql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psycopg

INSTEAD = "DSQL_DEPLOY_INSTEAD_OF_DSQL"
"""The variable that names a PostgreSQL in the place of every Aurora DSQL cluster, as a rehearsal
has one: postgresql://USER@HOST:PORT/DATABASE, the password in PGPASSWORD."""
_CONNECT_SECONDS = 5
"""The least that libpq keeps to is 2."""
_SILENT_MILLISECONDS = 10_000
"""After so long a database that has gone silent is given up (tcp_user_timeout)."""


@dataclass(frozen=True, slots=True)
class Database:
    """Where the default store is, and as whom to use it."""

    host: str
    port: int
    name: str
    user: str
    password: str = field(default="", repr=False)
    sslmode: str = "disable"
    """As libpq has it: `verify-full` for DSQL."""
    sslrootcert: str = ""
    """A file of certificates; empty for those that AWS's SDK trusts, with a region."""
    region: str = ""
    """AWS region of a DSQL cluster, which is used with a token; empty for others."""


def of_dsql(
    endpoint: dsql.Endpoint, *, user: str = dsql.ADMIN, certificates: "Path | None" = None
) -> Database:
    """A DSQL cluster, used as this database role; or the PostgreSQL of INSTEAD in its place.

    `certificates` is a file of those to trust, instead of those that AWS's SDK trusts. Raises
    InvalidSetting for an INSTEAD that is none.
    """
    if instead := os.environ.get(INSTEAD):
        return _of_url(instead)
    return Database(
        host=endpoint.host,
        port=dsql.PORT,
        name=dsql.NAME,
        user=user,
        sslmode="verify-full",
        sslrootcert=str(certificates or ""),
        region=endpoint.region,
    )


def _of_url(text: str) -> Database:
    url = urllib.parse.urlsplit(text)
    name = url.path.removeprefix("/")
    try:
        port = url.port or dsql.PORT
    except ValueError:
        port = 0
    if url.scheme != "postgresql" or not (url.hostname and url.username and name and port):
        raise InvalidSetting(
            f"{INSTEAD} is no address of a PostgreSQL",
            # It may hold a password.
            cause="it has to be postgresql://USER@HOST:PORT/DATABASE",
            fix="correct it, or unset it for Aurora DSQL; a password is given as PGPASSWORD",
        )
    password = urllib.parse.unquote(url.password or "") or os.environ.get("PGPASSWORD", "")
    return Database(url.hostname, port, name, urllib.parse.unquote(url.username), password)


@contextmanager
def connect(database: Database) -> "Iterator[psycopg.Connection]":
    """A connection on which each statement is a transaction of its own.

    Raises DatabaseUnusable, also for what fails on the connection later; of DSQL also
    CredentialsMissing, CredentialsExpired, PermissionMissing.
    """
    import psycopg

    # It warns of a statement that is not cancelled when one is interrupted: nobody has asked.
    logging.getLogger("psycopg").addHandler(logging.NullHandler())
    try:
        with _opened(database) as connection:
            yield connection
    except psycopg.errors.UndefinedTable as error:
        raise DatabaseUnusable(
            f"database {database.name} at {database.host} does not hold Temporal's schema",
            cause=_first_line(error),
            fix="see that the environment names the right database, and was started once",
        ) from error
    except psycopg.Error as error:
        raise DatabaseUnusable(
            f"database {database.name} at {database.host}:{database.port} cannot be used",
            cause=_first_line(error),
            fix="see whether it runs, and whether this machine may reach it",
        ) from error


def _opened(database: Database) -> "psycopg.Connection":
    import psycopg

    options: dict[str, Any] = {
        "connect_timeout": _CONNECT_SECONDS,
        "tcp_user_timeout": _SILENT_MILLISECONDS,
        "application_name": "dsql-deploy",
    }
    if database.region:
        return dsql.connect(database, **options)
    where = psycopg.conninfo.make_conninfo(
        host=database.host,
        port=database.port,
        dbname=database.name,
        user=database.user,
        password=database.password or None,
        sslmode=database.sslmode,
        sslrootcert=database.sslrootcert or None,
        **options,
    )
    return psycopg.connect(where, autocommit=True)


def _first_line(error: Exception) -> str:
    """What it says; libpq adds the text of the statement, and for some failures advice."""
    return str(error).strip().partition("\n")[0]
