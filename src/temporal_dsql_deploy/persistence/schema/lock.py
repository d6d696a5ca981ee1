"""A lock between two that change the schema of one database: a row with an expiry, a lease.

Aurora DSQL has no advisory locks, and no transaction can hold DDL together with what keeps others
away. So who works writes a row, renews it before each statement, and deletes it in the end. Who is
killed leaves it behind, and it expires. Times are the database's: clocks of two machines differ.
"""

import getpass
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from temporal_dsql_deploy.errors import DeployError, Locked
from temporal_dsql_deploy.persistence.database import Database, connect
from temporal_dsql_deploy.persistence.schema.occ import retried
from temporal_dsql_deploy.persistence.schema.target import Target

if TYPE_CHECKING:
    import psycopg

Report = Callable[[str], None]
Clock = Callable[[], datetime]
LEASE = timedelta(seconds=120)
"""Far more than one statement takes, with the pauses between its attempts (occ): 5 s each at most,
eleven of them."""
PATIENCE = 150.0
"""Seconds to wait for another: longer than a lease, so what a killed one left is outlasted."""
_POLL = 1.0
_NAME = "schema"
# In a schema of its own: Temporal's tools drop whatever tables are in public.
_TABLE = (
    "CREATE SCHEMA IF NOT EXISTS dsql_deploy",
    (
        "CREATE TABLE IF NOT EXISTS dsql_deploy.locks (name VARCHAR(64) NOT NULL PRIMARY KEY, "
        "token VARCHAR(64) NOT NULL, owner VARCHAR(255) NOT NULL, since TIMESTAMPTZ NOT NULL, "
        "expires TIMESTAMPTZ NOT NULL)"
    ),
)
_AT_ONCE = ("23505", "42P06", "42P07", "42710")
"""What PostgreSQL says of CREATE … IF NOT EXISTS when another creates the same at this moment."""
_READ = "SELECT token, owner, since, expires FROM dsql_deploy.locks WHERE name = %s"
_INSERT = (
    "INSERT INTO dsql_deploy.locks (name, token, owner, since, expires) "
    "VALUES (%s, %s, %s, %s, %s) ON CONFLICT (name) DO NOTHING"
)
_TAKE_OVER = (
    "UPDATE dsql_deploy.locks SET token = %s, owner = %s, since = %s, expires = %s "
    "WHERE name = %s AND token = %s AND expires = %s"
)
_RENEW = "UPDATE dsql_deploy.locks SET expires = %s WHERE name = %s AND token = %s"
_RELEASE = "DELETE FROM dsql_deploy.locks WHERE name = %s AND token = %s"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the lock."""

    token: str
    """Random: one for each that works."""
    owner: str
    """`user@host, process 4711`."""
    since: datetime
    expires: datetime


class Lock:
    """The lock of one database, as one that works on it sees it."""

    def __init__(self, connection: "psycopg.Connection", clock: Clock | None = None) -> None:
        """`connection` is in autocommit; `clock` is the database's unless another is given."""
        self._connection = connection
        self._clock = clock or partial(_now, connection)
        self._token = str(uuid.uuid4())

    def take(self, waiting: Report, *, patience: float = PATIENCE) -> None:
        """Take it; wait for one who has it, for `patience` seconds. Raises Locked, psycopg.Error.

        `waiting` is told once whom it waits for.
        """
        deadline = time.monotonic() + patience
        told = False
        while (holder := self._try()) is not None:
            if time.monotonic() >= deadline:
                raise _refused(holder)
            if not told:
                waiting(
                    f"waiting for {holder.owner}, at work on the schema since {_at(holder.since)}"
                )
                told = True
            time.sleep(_POLL)

    def _try(self) -> Holder | None:
        """None when it is ours now, else who has it."""
        while True:
            held, now = self._held(), self._clock()
            if held is not None and held.expires > now:
                return held
            if self._write(held, now):
                return None

    def _held(self) -> Holder | None:
        import psycopg

        try:
            row = self._connection.execute(_READ, [_NAME]).fetchone()
        except psycopg.errors.UndefinedTable:
            for statement in _TABLE:
                retried(partial(self._connection.execute, statement), also=_AT_ONCE)
            return None
        return Holder(*row) if row else None

    def _write(self, before: Holder | None, now: datetime) -> bool:
        """Make it ours if nobody has done so since it was read; whether it is."""
        ours = [self._token, _owner(), now, now + LEASE]
        if before is None:
            return self._execute(_INSERT, [_NAME, *ours])
        return self._execute(_TAKE_OVER, [*ours, _NAME, before.token, before.expires])

    def _execute(self, statement: str, values: list[Any]) -> bool:
        return retried(partial(self._connection.execute, statement, values)).rowcount == 1

    def renew(self) -> None:
        """Say that its owner still works. Raises Locked when another has it by now."""
        if self._execute(_RENEW, [self._clock() + LEASE, _NAME, self._token]):
            return
        holder = self._held()
        if holder is None:
            raise Locked(
                "the lock on the schema is lost",
                cause="this took longer than a lease, and another has taken it, and is done",
                fix="see what there is now: dsql-deploy schema status ENV",
            )
        raise _refused(holder)

    def release(self, connection: "psycopg.Connection | None" = None) -> None:
        """Give it back, if it is ours; over another connection if one is given."""
        release = (connection or self._connection).execute
        retried(partial(release, _RELEASE, [_NAME, self._token]))


def _now(connection: "psycopg.Connection") -> datetime:
    row = connection.execute("SELECT now()").fetchone()
    assert row is not None  # noqa: S101 - of such a query there always is one
    found: datetime = row[0]
    return found


def _owner() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a number that has no name.
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}, process {os.getpid()}"[:255]


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _refused(holder: Holder) -> Locked:
    return Locked(
        f"the schema is being changed by {holder.owner}, since {_at(holder.since)}",
        cause=f"its row in dsql_deploy.locks holds until {_at(holder.expires)}, and is "
        "renewed while it works",
        fix="wait until it is done; if it was killed, its lock expires by itself: try again then",
    )


@contextmanager
def held(target: Target, database: Database, waiting: Report) -> Iterator[Target]:
    """Be the only one who changes the schema; the target renews the lock before each statement.

    Raises Locked, psycopg.Error.
    """
    lock = Lock(target.connection)
    lock.take(waiting)
    try:
        yield replace(target, before_each=lock.renew)
    finally:
        _give_back(lock, database)


def _give_back(lock: Lock, database: Database) -> None:
    import psycopg

    try:
        lock.release()
    except psycopg.Error:
        # An interruption leaves a connection in the middle of a statement. Without any, it expires.
        with suppress(psycopg.Error, DeployError), connect(database) as another:
            lock.release(another)
