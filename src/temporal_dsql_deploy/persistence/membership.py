"""The table `cluster_membership`: one row for each process that ever joined, until it expires.

A process writes its row when it starts and again every 10 to 15 s, with the time of its own
clock; who starts later dials those whose heartbeat is younger than 20 s. A row stays for 48 h, and
the next start deletes those that have expired (temporalio/temporal
common/membership/ringpop/monitor.go, common/persistence/sql/cluster_metadata.go).
"""

import random
import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

ROLES = {1: "frontend", 2: "history", 3: "matching", 4: "worker", 5: "internal-frontend"}
"""Roles by their number in the table (common/persistence/cluster_metadata.go)."""
PROVEN_GONE = 60.0
"""Seconds without a heartbeat after which a row may be deleted: four heartbeats were missed."""
BATCH = 200
"""Rows a statement deletes: DSQL takes 3,000 changed rows a transaction, with those of the table's
five indexes (Aurora DSQL user guide, quotas)."""
_TRIES = 5
_PAUSE = 0.1
_PARTITION = 0

_ROWS = """
SELECT host_id, rpc_address, rpc_port, role, session_start, last_heartbeat, record_expiry,
       CAST(EXTRACT(EPOCH FROM (now() AT TIME ZONE 'UTC') - last_heartbeat) AS double precision)
FROM cluster_membership WHERE membership_partition = %s
ORDER BY role, rpc_address, rpc_port, session_start
"""
_KEYS = "SELECT host_id FROM cluster_membership WHERE membership_partition = %s"
# The age once more: a process that was frozen may have gone on since its row was read.
_DELETE = """
DELETE FROM cluster_membership
WHERE membership_partition = %s AND host_id = ANY(%s)
  AND EXTRACT(EPOCH FROM (now() AT TIME ZONE 'UTC') - last_heartbeat) > %s
RETURNING host_id
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of cluster_membership."""

    host_id: str
    """A UUID, new for each process."""
    role: str
    address: str
    """The IP address that the process broadcasts."""
    port: int
    """Its membership port."""
    started: datetime
    """UTC, by the process's clock, as is `heartbeat`."""
    heartbeat: datetime
    expiry: datetime
    age: float
    """Seconds since the heartbeat by the database's clock; negative where the other is ahead."""


def rows(connection: "psycopg.Connection") -> list[Row]:
    """All rows, by role and address."""
    found = connection.execute(_ROWS, [_PARTITION]).fetchall()
    return [
        Row(
            host_id=_host_id(host_id),
            role=ROLES.get(role, str(role)),
            address=address,
            port=port,
            started=started.replace(tzinfo=UTC),
            heartbeat=heartbeat.replace(tzinfo=UTC),
            expiry=expiry.replace(tzinfo=UTC),
            age=round(age, 3),
        )
        for host_id, address, port, role, started, heartbeat, expiry, age in found
    ]


def delete(
    connection: "psycopg.Connection",
    host_ids: Collection[str],
    *,
    silent_for: float = PROVEN_GONE,
    batch: int = BATCH,
) -> set[str]:
    """Delete the rows of these processes, and give the ids of those that were deleted.

    A row whose heartbeat is younger than `silent_for` seconds by the database's clock stays.
    """
    found = (key for (key,) in connection.execute(_KEYS, [_PARTITION]))
    keys = [key for key in found if _host_id(key) in host_ids]
    deleted: set[str] = set()
    for start in range(0, len(keys), batch):
        deleted |= _delete(connection, keys[start : start + batch], silent_for)
    return deleted


def _delete(
    connection: "psycopg.Connection", keys: list[bytes] | list[uuid.UUID], silent_for: float
) -> set[str]:
    """One batch, again while DSQL says that another changed the same rows."""
    from psycopg.errors import SerializationFailure

    for left in reversed(range(_TRIES)):
        try:
            done = connection.execute(_DELETE, [_PARTITION, keys, silent_for])
            return {_host_id(key) for (key,) in done}
        except SerializationFailure:
            if not left:
                raise
            time.sleep(_PAUSE * (1 + random.random()))  # noqa: S311 - only spreads the tries
    return set()


def _host_id(key: bytes | uuid.UUID) -> str:
    """Of the column's type: bytes in PostgreSQL, uuid in DSQL."""
    return str(key if isinstance(key, uuid.UUID) else uuid.UUID(bytes=bytes(key)))
