"""The applier on a real PostgreSQL, which plays Aurora DSQL too: what that cannot show is said.

As DSQL it knows no INDEX ASYNC: the stand-in takes the word out, makes the index at once, and
writes its job into a table sys.jobs; an index is invalid where PostgreSQL's catalogue is told so.
What DSQL refuses, DDL beside other statements in one transaction, the stand-in refuses by itself.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING, Any, cast

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy.errors import SchemaUnusable
from temporal_dsql_deploy.persistence.schema import apply, files, occ, statements, versions
from temporal_dsql_deploy.persistence.schema.files import Version
from temporal_dsql_deploy.persistence.schema.target import Engine, Target
from tests.support import postgresql, schema_folder

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.needs("postgresql")

NAME = "postgres"
_COLUMNS = (
    "SELECT table_name, column_name, data_type, column_default, is_nullable "
    "FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, ordinal_position"
)
_INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
_ROWS = "SELECT partition_id, notification_version FROM namespace_metadata ORDER BY 1"
_VERSION = "SELECT db_name, curr_version, min_compatible_version FROM schema_version"
_CHANGES_ROWS = ("INSERT ", "UPDATE ", "DELETE ")
_JOBS = "CREATE TABLE sys.jobs (job_id TEXT, status TEXT, details TEXT)"
_JOB = (
    "INSERT INTO sys.jobs VALUES (gen_random_uuid()::text, %s, 'what became of ' || %s) "
    "RETURNING job_id"
)
_MARK = "UPDATE pg_index SET indisvalid = %s WHERE indexrelid = 'idx_namespaces_name'::regclass"
_HISTORY = "SELECT old_version, new_version FROM schema_update_history ORDER BY update_time"


class Killed(BaseException):
    """As by SIGKILL: nothing that the applier has to say is heard any more."""


@dataclass
class Fault:
    """What happens at a statement that changes something."""

    error: type[BaseException] | None = None
    done: bool = False
    """Whether the statement had been done before."""


@dataclass
class Played:
    """A connection to PostgreSQL that takes statements as DSQL does, and fails as it is told."""

    real: psycopg.Connection
    dsql: bool
    fault: Callable[[str], Fault] = lambda _: Fault()
    asked: list[str] = field(default_factory=list)
    job: str = "completed"
    """What becomes of the job that makes idx_namespaces_name."""
    _changed: set[bool] | None = None

    def execute(self, statement: str, values: Any = None) -> Any:
        if statement.startswith("SELECT"):
            return self.real.execute(statement, values)
        self.asked.append(statement)
        if self.dsql and self._changed is not None:
            self._changed.add(statement.startswith(_CHANGES_ROWS))
            assert self._changed == {True}, f"DSQL takes no DDL in such a transaction: {statement}"
        told = self.fault(statement)
        if told.error is None or told.done:
            begins_job = self.dsql and statements.is_async(statement)
            done = self._begin(statement) if begins_job else self.real.execute(statement, values)
        if told.error is not None:
            raise told.error
        return done

    def _begin(self, statement: str) -> Any:
        """CREATE INDEX ASYNC: its row is the job."""
        self.real.execute(statements.without_async(statement))
        name = "idx_namespaces_name"
        status = self.job if name in statement else "completed"
        if status != "completed":
            self.real.execute(_MARK, [False])
        return self.real.execute(_JOB, [status, statement])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._changed = set()
        try:
            with self.real.transaction():
                yield
        finally:
            self._changed = None


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with postgresql.running() as port:
        yield port


@contextmanager
def empty(port: int) -> Iterator[psycopg.Connection]:
    """A connection to a database in which there is nothing."""
    where = f"host=127.0.0.1 port={port} user={postgresql.USER} dbname={NAME}"
    with psycopg.connect(where, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
        connection.execute("DROP SCHEMA IF EXISTS sys CASCADE")
        connection.execute("CREATE SCHEMA sys")
        connection.execute(_JOBS)
        yield connection


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> list[Version]:
    folder: Path = tmp_path_factory.mktemp("schema")
    return files.read(schema_folder.write(folder / "temporal"))


def upgrade(played: Played, wanted: list[Version]) -> list[str]:
    """Apply it; what was reported."""
    said: list[str] = []
    engine = Engine.DSQL if played.dsql else Engine.POSTGRESQL
    target = Target(cast("psycopg.Connection", played), engine, NAME)
    apply.upgrade(target, wanted, said.append)
    return said


def content(connection: psycopg.Connection) -> list[Any]:
    queries = (_COLUMNS, _INDEXES, _ROWS, _VERSION, _HISTORY)
    return [connection.execute(query).fetchall() for query in queries]


ENGINES = pytest.mark.parametrize("dsql", [True, False], ids=["as-dsql", "postgresql"])


@ENGINES
def test_an_empty_database_gets_everything_and_a_second_run_changes_nothing(
    port: int,
    wanted: list[Version],
    dsql: bool,  # noqa: FBT001
) -> None:
    with empty(port) as connection:
        said = upgrade(Played(connection, dsql), wanted)
        made = content(connection)
        again = Played(connection, dsql)
        assert upgrade(again, wanted) == []
        assert all(text.startswith("CREATE TABLE IF NOT EXISTS schema_") for text in again.asked)
        assert content(connection) == made
    assert made[2] == [(54321, 1)]
    assert made[3] == [(NAME, "1.10", "1.0")]
    assert made[4] == [
        ("0", "0.0"),
        ("0.0", "1.0"),
        ("1.0", "1.1"),
        ("1.1", "1.2"),
        ("1.2", "1.10"),
    ]
    assert ("it is left out" in " ".join(said)) is not dsql
    assert "schema 1.2: 2 statements" in said


@ENGINES
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_interrupted_at_any_statement_the_next_run_ends_the_same(
    port: int,
    wanted: list[Version],
    dsql: bool,  # noqa: FBT001
    done: bool,  # noqa: FBT001
) -> None:
    with empty(port) as connection:
        counted = Played(connection, dsql)
        upgrade(counted, wanted)
        whole = content(connection)
    for at in range(len(counted.asked)):
        with empty(port) as connection:
            left = iter(range(at, -1, -1))

            def fault(_: str, left: Iterator[int] = left) -> Fault:
                return Fault(Killed, done) if next(left, None) == 0 else Fault()

            with pytest.raises(Killed):
                upgrade(Played(connection, dsql, fault), wanted)
            upgrade(Played(connection, dsql), wanted)
            assert content(connection) == whole, f"killed at {counted.asked[at]}"


@pytest.mark.parametrize(
    # What a conflict undoes is one statement of some, or all of a version.
    "case",
    [(True, 0.5, 1000), (False, 0.05, 50)],
    ids=["as-dsql", "postgresql"],
)
def test_a_thousand_conflicts_have_no_double_effect(
    port: int,
    wanted: list[Version],
    monkeypatch: pytest.MonkeyPatch,
    case: tuple[bool, float, int],
) -> None:
    dsql, rate, least = case
    monkeypatch.setattr(occ, "_FIRST", 0.0)
    with empty(port) as connection:
        upgrade(Played(connection, dsql), wanted)
        whole = content(connection)
    injected = 0

    @settings(max_examples=100)
    @given(st.integers(0, 2**32))
    def conflicts(seed: int) -> None:
        nonlocal injected
        chance = random.Random(seed)  # noqa: S311
        of: Counter[str] = Counter()

        def fault(statement: str) -> Fault:
            # Never so many that a dozen attempts at a transaction of two are not enough.
            hit = chance.random() < rate and of[statement] < 4
            of[statement] += hit
            return Fault(psycopg.errors.SerializationFailure if hit else None)

        with empty(port) as connection:
            upgrade(Played(connection, dsql, fault), wanted)
            assert content(connection) == whole
        injected += of.total()

    conflicts()
    assert injected >= least


def test_two_at_once_make_one_schema(port: int, wanted: list[Version]) -> None:
    where = f"host=127.0.0.1 port={port} user={postgresql.USER} dbname={NAME}"
    with empty(port) as connection:
        upgrade(Played(connection, dsql=False), wanted)
        whole = content(connection)
    failed: list[BaseException] = []

    def one() -> None:
        try:
            with psycopg.connect(where, autocommit=True) as own:
                upgrade(Played(own, dsql=False), wanted)
        except BaseException as error:
            failed.append(error)

    for _ in range(10):
        with empty(port) as connection:
            threads = [Thread(target=one) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert failed == []
            assert content(connection) == whole


def test_what_somebody_has_dropped_is_named(port: int, wanted: list[Version]) -> None:
    with empty(port) as connection:
        upgrade(Played(connection, dsql=True), wanted)
        connection.execute("DROP TABLE current_chasm_executions")
        with pytest.raises(SchemaUnusable) as refused:
            upgrade(Played(connection, dsql=True), wanted)
        assert refused.value.cause == "it lacks table current_chasm_executions"


def test_an_unknown_fault_stops_it_where_it_was(port: int, wanted: list[Version]) -> None:
    def fault(statement: str) -> Fault:
        refused = statement.startswith("ALTER TABLE namespaces ADD COLUMN")
        return Fault(psycopg.errors.InsufficientPrivilege) if refused else Fault()

    with empty(port) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            upgrade(Played(connection, dsql=True, fault=fault), wanted)
        assert str(versions.stored(connection, NAME)) == "1.1"


def becomes_valid(connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the index become valid while one waits for it; how long one has waited."""
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        connection.execute(_MARK, [True])

    monkeypatch.setattr(time, "sleep", sleep)
    return waited


def test_an_index_whose_job_fails_is_told_and_dropped_and_made_again(
    port: int, wanted: list[Version], monkeypatch: pytest.MonkeyPatch
) -> None:
    with empty(port) as connection:
        connection.execute(_JOB, ["failed", "another index"])
        with pytest.raises(SchemaUnusable, match="idx_namespaces_name are not valid") as refused:
            upgrade(Played(connection, dsql=True, job="failed"), wanted)
        assert "failed: what became of CREATE UNIQUE INDEX" in refused.value.cause
        assert "another index" not in refused.value.cause
        # What it says to do; sys.jobs lists that job still.
        connection.execute("DROP INDEX idx_namespaces_name")
        waited = becomes_valid(connection, monkeypatch)
        upgrade(Played(connection, dsql=True, job="processing"), wanted)
        assert waited == [apply._POLL]
        assert str(versions.stored(connection, NAME)) == "1.10"


def test_an_index_that_another_attempt_has_begun_is_waited_for(
    port: int, wanted: list[Version], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(statement: str) -> Fault:
        return Fault(Killed if "idx_namespaces_name" in statement else None, done=True)

    with empty(port) as connection:
        connection.execute(_JOB, ["cancelled", "another index"])
        with pytest.raises(Killed):
            upgrade(Played(connection, dsql=True, fault=fault, job="processing"), wanted)
        with monkeypatch.context() as patched:
            patched.setattr(apply, "_INDEX_SECONDS", 0.0)
            with pytest.raises(SchemaUnusable) as refused:
                upgrade(Played(connection, dsql=True), wanted)
        assert refused.value.cause == "they were not done within 0 s (sys.jobs)"
        waited = becomes_valid(connection, monkeypatch)
        upgrade(Played(connection, dsql=True), wanted)
        assert waited == [apply._POLL]
