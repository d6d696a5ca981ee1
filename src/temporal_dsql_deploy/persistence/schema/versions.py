"""The tables in which Temporal's tools and servers keep the version of a schema."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from temporal_dsql_deploy.persistence.schema.files import NOTHING, Number, Version

if TYPE_CHECKING:
    import psycopg

# As common/persistence/sql/sqlplugin/postgresql/admin.go makes them, of server 1.32.2.
_VERSION = (
    "CREATE TABLE IF NOT EXISTS schema_version(version_partition INT not null, "
    "db_name VARCHAR(255) not null, creation_time TIMESTAMP, curr_version VARCHAR(64), "
    "min_compatible_version VARCHAR(64), PRIMARY KEY (version_partition, db_name))"
)
_HISTORY = (
    "CREATE TABLE IF NOT EXISTS schema_update_history(version_partition INT not null, "
    "year int not null, month int not null, update_time TIMESTAMP not null, "
    "description VARCHAR(255), manifest_md5 VARCHAR(64), new_version VARCHAR(64), "
    "old_version VARCHAR(64), PRIMARY KEY (version_partition, year, month, update_time))"
)
TABLES = (_VERSION, _HISTORY)
NAMES = ("schema_version", "schema_update_history")
_READ = "SELECT curr_version FROM schema_version WHERE version_partition = 0 AND db_name = %s"
_INSERT = (
    "INSERT INTO schema_version(version_partition, db_name, creation_time, curr_version, "
    "min_compatible_version) VALUES (0, %s, %s, %s, %s)"
)
_UPDATE = (
    "UPDATE schema_version SET creation_time = %s, curr_version = %s, min_compatible_version = %s "
    "WHERE version_partition = 0 AND db_name = %s AND curr_version = %s"
)
_LOG = (
    "INSERT INTO schema_update_history(version_partition, year, month, update_time, old_version, "
    "new_version, manifest_md5, description) VALUES (0, %s, %s, %s, %s, %s, %s, %s)"
)


def stored(connection: "psycopg.Connection", database: str) -> Number | None:
    """The version that a database has; None where it has no such tables or no such row.

    `database` is the name that the row is under: the database's, `postgres` on DSQL.
    Raises psycopg.Error, ValueError for what is no version.
    """
    import psycopg

    try:
        row = connection.execute(_READ, [database]).fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    return Number.parse(row[0]) if row else None


def begin(connection: "psycopg.Connection", database: str) -> None:
    """Write down that nothing has been applied yet; call it in a transaction of its own."""
    now = _now()
    connection.execute(_INSERT, [database, now, str(NOTHING), str(NOTHING)])
    versions = ["0", str(NOTHING)]
    connection.execute(_LOG, [*_time(now), *versions, "", "initial version"])


def record(
    connection: "psycopg.Connection", database: str, before: Number, version: Version
) -> bool:
    """Write down that a version has been applied; whether the stored one still was `before`.

    Call it in a transaction that ends with it. What another has written down meanwhile stays.
    """
    now = _now()
    done = connection.execute(
        _UPDATE, [now, str(version.number), str(version.least), database, str(before)]
    )
    if done.rowcount == 0:
        return False
    versions = [str(before), str(version.number)]
    connection.execute(_LOG, [*_time(now), *versions, version.digest, version.description])
    return True


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _time(now: datetime) -> list[int | datetime]:
    return [now.year, now.month, now]
