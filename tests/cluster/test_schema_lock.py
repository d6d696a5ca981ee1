"""The lock on a schema: one at a time, whoever is killed, frozen or late."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy.errors import Locked
from temporal_dsql_deploy.persistence.database import Database
from temporal_dsql_deploy.persistence.schema import lock
from temporal_dsql_deploy.persistence.schema.lock import Lock
from temporal_dsql_deploy.persistence.schema.target import Engine, Target
from tests.support import dsql, postgresql, schema_folder
from tests.support.cluster import NETWORK
from tests.support.deploy import Deploy
from tests.support.schema_verbs import Verbs

pytestmark = pytest.mark.needs("postgresql")
_CONTENDERS = 3


@pytest.fixture(scope="module")
def where() -> Iterator[str]:
    with postgresql.running() as port:
        found = f"host=127.0.0.1 port={port} user={postgresql.USER} dbname=postgres"
        with psycopg.connect(found, autocommit=True) as connection:
            Lock(connection).take(print)
        yield found


class Hands:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@contextmanager
def contenders(where: str, clock: Hands) -> Iterator[list[Lock]]:
    """Some that want the lock, each on a connection of its own; nobody has it."""
    with psycopg.connect(where, autocommit=True) as connection:
        connection.execute("DELETE FROM dsql_deploy.locks")
        yield [Lock(connection, clock) for _ in range(_CONTENDERS)]


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(("take", "renew", "release", "wait")),
        st.integers(0, _CONTENDERS - 1),
        st.integers(1, 2 * int(lock.LEASE.total_seconds())),
    ),
    max_size=40,
)


def test_never_two_have_it(where: str) -> None:
    """Against a model: who has it, and until when."""

    @settings(max_examples=150)
    @given(_STEPS)
    def contend(steps: list[tuple[str, int, int]]) -> None:
        clock = Hands()
        with contenders(where, clock) as locks:
            owner, until = None, clock.now
            for step, who, seconds in steps:
                if step == "wait":
                    clock.now += timedelta(seconds=seconds)
                    continue
                if step == "release":
                    locks[who].release()
                    owner = None if owner == who else owner
                    continue
                is_free = owner is None or until <= clock.now
                may = owner == who if step == "renew" else is_free
                try:
                    act(locks[who], step)
                except Locked:
                    assert not may, (step, who)
                else:
                    assert may, (step, who)
                    owner, until = who, clock.now + lock.LEASE

    contend()


def act(one: Lock, step: str) -> None:
    if step == "renew":
        one.renew()
    else:
        one.take(print, patience=0)


def test_who_is_refused_is_told_by_whom_and_since_when(where: str) -> None:
    clock = Hands()
    with contenders(where, clock) as (first, second, _):
        first.take(print)
        with pytest.raises(Locked) as refused:
            second.take(print, patience=0)
    assert f"process {os.getpid()}, since 2026-11-22 00:00:00 UTC" in refused.value.message
    assert "holds until 2026-11-22 00:02:00 UTC" in refused.value.cause
    assert refused.value.exit_code == 4


def test_one_that_was_frozen_stops_before_its_next_statement(where: str) -> None:
    with psycopg.connect(where, autocommit=True) as connection:
        connection.execute("DELETE FROM dsql_deploy.locks")
        target = Target(connection, Engine.DSQL, "postgres")
        nowhere = Database(host="127.0.0.1", port=1, name="postgres", user="nobody")
        with lock.held(target, nowhere, print) as ours:
            ours.before_each()
            connection.execute("UPDATE dsql_deploy.locks SET expires = now()")
            with lock.held(target, nowhere, print) as theirs:
                with pytest.raises(Locked, match="is being changed by"):
                    ours.before_each()
                theirs.before_each()
            with pytest.raises(Locked, match="the lock on the schema is lost"):
                ours.before_each()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[dsql.Cluster]:
    with dsql.running(tmp_path / "dsql", f"127.{NETWORK}.9.1") as cluster:
        yield cluster


@pytest.fixture
def verbs(deploy: Deploy, cluster: dsql.Cluster, tmp_path: Path) -> Verbs:
    for name in list(deploy.environment):
        if name.startswith(("AWS_", "PG")):
            del deploy.environment[name]
    return Verbs(deploy, cluster, schema_folder.write(tmp_path / "schema"))


def until(lines: Iterator[str], text: str) -> str:
    for line in lines:
        if text in line:
            return line
    raise AssertionError(f"it never said {text}")


@contextmanager
def stuck(verbs: Verbs, where: str) -> "Iterator[tuple[int, psycopg.Connection]]":
    """A set-up that has the lock and waits for a table; its process, and who keeps the table."""
    verbs.run("setup", "--version=1.1")
    with psycopg.connect(where) as keeper:
        keeper.execute("LOCK TABLE namespaces IN ACCESS EXCLUSIVE MODE")
        process = verbs.start("setup")
        assert process.stderr is not None
        until(process.stderr, "schema 1.2")
        with psycopg.connect(where, autocommit=True) as looking:
            while not looking.execute(_WAITING).fetchall():
                pass
        yield process.pid, keeper
        process.wait(30)
        # A statement of an interrupted one goes on in the database.
        keeper.rollback()


_WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER%'"


@pytest.mark.needs("loopback addresses")
def test_the_second_of_two_waits_and_what_a_killed_one_left_expires(
    verbs: Verbs, cluster: dsql.Cluster
) -> None:
    with stuck(verbs, cluster.behind) as (pid, keeper):
        second = verbs.start("setup")
        assert second.stderr is not None
        said = until(second.stderr, "waiting for")
        assert f"process {pid}, at work on the schema since" in said
        os.kill(pid, signal.SIGKILL)
        keeper.rollback()
    with psycopg.connect(cluster.behind, autocommit=True) as expiring:
        expiring.execute("UPDATE dsql_deploy.locks SET expires = now()")
        stdout, _ = second.communicate(timeout=60)
        assert second.returncode == 0
        assert "applied: 1.2, 1.10" in stdout
        assert expiring.execute("SELECT * FROM dsql_deploy.locks").fetchall() == []


@pytest.mark.needs("loopback addresses")
def test_who_is_interrupted_gives_it_back(verbs: Verbs, cluster: dsql.Cluster) -> None:
    with stuck(verbs, cluster.behind) as (pid, _):
        os.kill(pid, signal.SIGINT)
    with psycopg.connect(cluster.behind) as looking:
        assert looking.execute("SELECT * FROM dsql_deploy.locks").fetchall() == []
    assert "applied: 1.2, 1.10" in verbs.run("setup").stdout
