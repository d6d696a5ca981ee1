"""`schema setup --overwrite` on a stand-in for Aurora DSQL: what it lists, drops and refuses."""

import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support import dsql, schema_folder
from tests.support.cluster import NETWORK
from tests.support.deploy import Deploy
from tests.support.schema_verbs import Verbs

pytestmark = [pytest.mark.needs("postgresql"), pytest.mark.needs("loopback addresses")]
_MEMBERSHIP = """
CREATE TABLE cluster_membership (
  membership_partition INT NOT NULL, host_id BYTEA NOT NULL, rpc_address VARCHAR(128) NOT NULL,
  rpc_port SMALLINT NOT NULL, role SMALLINT NOT NULL, session_start TIMESTAMP NOT NULL,
  last_heartbeat TIMESTAMP NOT NULL, record_expiry TIMESTAMP NOT NULL,
  PRIMARY KEY (membership_partition, host_id))
"""
_HEARTBEAT = """
INSERT INTO cluster_membership VALUES (0, '\\x0123456789abcdef0123456789abcdef', '10.0.1.2', 6933,
  1, now(), (now() AT TIME ZONE 'UTC') - %s * interval '1 second', now())
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[dsql.Cluster]:
    with dsql.running(tmp_path / "dsql", f"127.{NETWORK}.9.1") as cluster:
        yield cluster


@pytest.fixture
def database(cluster: dsql.Cluster) -> Iterator[psycopg.Connection]:
    with psycopg.connect(cluster.behind, autocommit=True) as connection:
        yield connection


@pytest.fixture
def verbs(deploy: Deploy, cluster: dsql.Cluster, tmp_path: Path) -> Verbs:
    for name in list(deploy.environment):
        if name.startswith(("AWS_", "PG")):
            del deploy.environment[name]
    return Verbs(deploy, cluster, schema_folder.write(tmp_path / "schema"))


def names(database: psycopg.Connection) -> set[str]:
    rows = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {name for (name,) in rows}


def test_all_that_is_the_schemas_goes_and_comes_back_empty(
    verbs: Verbs, database: psycopg.Connection
) -> None:
    verbs.run("setup")
    whole = names(database)
    database.execute("INSERT INTO tasks_v2 SELECT generate_series(1, 1234)")
    database.execute("CREATE TABLE of_somebody_else(id INT)")
    database.execute("ANALYZE")

    told = verbs.run("setup", "--overwrite", "--dry-run").stdout
    assert "tasks_v2: about 1,234 rows" in told
    assert "of_somebody_else" not in told
    listed = json.loads(verbs.run("setup", "--overwrite", "--dry-run", "--json").stdout)["tables"]
    assert {one["name"] for one in listed} == whole
    assert listed[-1]["name"] == "schema_version"
    refused = verbs.run("setup", "--overwrite", check=False)
    assert refused.returncode == 4
    assert "--confirm dev" in refused.stderr
    refused = verbs.run("setup", "--overwrite", "--confirm=prod", check=False)
    assert refused.returncode == 4
    assert "'prod' is not the name" in refused.stderr
    assert database.execute("SELECT count(*) FROM tasks_v2").fetchone() == (1234,)

    made = json.loads(verbs.run("setup", "--overwrite", "--confirm=dev", "--json").stdout)
    assert set(made["dropped"]) == whole
    assert made["applied"] == list(schema_folder.VERSIONS)
    assert made["status"]["ok"]
    assert names(database) == whole | {"of_somebody_else"}
    assert database.execute("SELECT count(*) FROM tasks_v2").fetchone() == (0,)


def test_servers_that_are_registered_keep_it(verbs: Verbs, database: psycopg.Connection) -> None:
    verbs.run("setup")
    database.execute(_MEMBERSHIP)
    database.execute(_HEARTBEAT, [4])
    for more in (["--dry-run"], ["--confirm=dev"]):
        refused = verbs.run("setup", "--overwrite", *more, check=False)
        assert refused.returncode == 4
        assert "frontend at 10.0.1.2:6933" in refused.stderr
    database.execute("DELETE FROM cluster_membership")
    database.execute(_HEARTBEAT, [61])
    assert "dropped: 6 tables" in verbs.run("setup", "--overwrite", "--confirm=dev").stdout


def test_prod_is_protected_by_its_name(verbs: Verbs, database: psycopg.Connection) -> None:
    verbs.run("setup", environment="prod")
    before = names(database)
    words = ["--overwrite", "--confirm=prod"]
    refused = verbs.run("setup", *words, environment="prod", check=False)
    assert refused.returncode == 4
    assert "are protected [protected]" in refused.stderr
    assert names(database) == before
    done = verbs.run("setup", *words, "--force", environment="prod")
    assert "dropped:" in done.stdout
    refused = verbs.run("setup", "--force", check=False)
    assert refused.returncode == 2
    assert "--force means nothing without --overwrite" in refused.stderr


def test_killed_while_it_drops_it_says_so_and_goes_on(
    verbs: Verbs, cluster: dsql.Cluster, database: psycopg.Connection
) -> None:
    verbs.run("setup")
    whole = names(database)
    with psycopg.connect(cluster.behind) as keeper:
        keeper.execute("LOCK TABLE schema_version IN ROW SHARE MODE")
        process = verbs.start("setup", "--overwrite", "--confirm=dev")
        assert process.stderr is not None
        for line in process.stderr:
            if "dropping schema_version" in line:
                break
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'DROP TABLE%'"
        )
    assert names(database) == {"schema_version"}
    database.execute("UPDATE dsql_deploy.locks SET expires = now()")
    told = verbs.run("setup", check=False)
    assert told.returncode == 3
    assert "is not whole" in told.stderr
    assert "dropped: " in verbs.run("setup", "--overwrite", "--confirm=dev").stdout
    assert names(database) == whole


@pytest.mark.needs("terminals")
def test_on_a_terminal_the_name_is_typed(verbs: Verbs, database: psycopg.Connection) -> None:
    verbs.run("setup")
    for typed, code in ((b"y\n", 4), (b"dev\n", 0)):
        ours, theirs = pty.openpty()
        with os.fdopen(ours, "wb") as keyboard:
            process = subprocess.Popen(
                [*verbs.deploy.command, *verbs.words("setup", "--overwrite")],
                env=verbs.deploy.environment,
                cwd=verbs.deploy.cwd,
                stdin=theirs,
                stdout=subprocess.DEVNULL,
                stderr=theirs,
            )
            os.close(theirs)
            keyboard.write(typed)
            keyboard.flush()
            assert process.wait(60) == code


def test_the_cluster_of_this_machine_is_begun_anew_otherwise(deploy: Deploy) -> None:
    refused = deploy.run("schema", "setup", "local", "--overwrite", "--confirm=local", check=False)
    assert refused.returncode == 2
