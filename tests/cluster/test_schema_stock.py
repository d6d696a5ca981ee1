"""The stock server's own schema: applied here it is what temporal-sql-tool makes of it."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from scripts import temporal_server
from temporal_dsql_deploy import topology
from temporal_dsql_deploy.persistence.database import Database
from temporal_dsql_deploy.platforms.cluster import postgresql, schema_files
from temporal_dsql_deploy.platforms.protocol import SQL_STORES
from tests.support import postgresql as support

pytestmark = [pytest.mark.needs("postgresql"), pytest.mark.needs("temporal-server")]
_QUERIES = (
    (
        "SELECT table_name, column_name, ordinal_position, data_type, column_default, is_nullable, "
        "generation_expression FROM information_schema.columns WHERE table_schema = 'public' "
        "ORDER BY 1, 3"
    ),
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    (
        "SELECT proname, prosrc FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace "
        "WHERE nspname = 'public' ORDER BY 1, 2"
    ),
    "SELECT extname FROM pg_extension ORDER BY 1",
    "SELECT curr_version, min_compatible_version FROM schema_version",
    (
        "SELECT old_version, new_version, manifest_md5, description FROM schema_update_history "
        "ORDER BY update_time"
    ),
)


@pytest.fixture
def database() -> Iterator[Database]:
    with support.running() as port:
        yield Database(host="127.0.0.1", port=port, name="postgres", user=support.USER)


def content(database: Database, store: str) -> list[Any]:
    name = postgresql.NAMES[store]
    where = f"host={database.host} port={database.port} user={database.user} dbname={name}"
    with psycopg.connect(where) as connection:
        return [connection.execute(query).fetchall() for query in _QUERIES]


@pytest.mark.parametrize("store", SQL_STORES)
def test_it_is_what_the_tool_makes(database: Database, store: str) -> None:
    assert schema_files.obtain(print)
    folder = schema_files.of_store(store)
    assert folder is not None
    applied = postgresql.set_up(database, store, folder)
    ours = content(database, store)
    assert str(applied[-1]) == getattr(topology.servers()["temporal-server"].schema, store).version
    assert postgresql.is_set_up(database, store)
    assert postgresql.set_up(database, store, folder) == []

    tool = temporal_server.folder() / "temporal-sql-tool"
    postgresql.set_up_with_tool(database, store, tool)
    assert content(database, store) == ours, "the tool finds nothing to do"
    with support.running() as port:
        other = replace(database, port=port)
        postgresql.set_up_with_tool(other, store, tool)
        assert content(other, store) == ours


def test_a_store_of_an_older_server_is_brought_to_the_newest(database: Database) -> None:
    folder = schema_files.of_store("default")
    assert folder is not None
    tool = temporal_server.folder() / "temporal-sql-tool"
    connection = {"SQL_HOST": database.host, "SQL_PORT": str(database.port)}
    connection |= {"SQL_USER": database.user, "SQL_PLUGIN": "postgres12_pgx"}
    for words in (
        ["create-database"],
        ["setup-schema", "-v", "0.0"],
        ["update-schema", "--schema-name", "postgresql/v12/temporal", "--version", "1.17"],
    ):
        subprocess.run(
            [str(tool), "--db", postgresql.DEFAULT, *words],
            env={**os.environ, **connection},
            capture_output=True,
            check=True,
        )
    assert not postgresql.is_set_up(database, "default")
    applied = [str(number) for number in postgresql.set_up(database, "default", folder)]
    assert applied == ["1.18", "1.19"]
    assert postgresql.is_set_up(database, "default")
