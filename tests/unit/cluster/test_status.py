"""The words of `status`, and the order in which processes are read and stopped."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest

from temporal_dsql_deploy.errors import DatabaseUnusable
from temporal_dsql_deploy.persistence.database import Database
from temporal_dsql_deploy.platforms.cluster import runs, status
from temporal_dsql_deploy.platforms.processes import record, supervisor
from temporal_dsql_deploy.platforms.processes.directory import Directory
from temporal_dsql_deploy.platforms.processes.identity import ProcessIdentity
from temporal_dsql_deploy.platforms.processes.record import Record
from temporal_dsql_deploy.platforms.protocol import GRACE, State
from temporal_dsql_deploy.platforms.ring import Seen

NOBODY = ProcessIdentity(1, "long ago")
NAMES = ["ui", "history-10", "history-2", "worker-1", "database", "frontend-1", "matching-1"]


def run(name: str) -> Record:
    component = name.rpartition("-")[0] or name
    settings: dict[str, Any] = {"component": component, "address": "127.11.1.1", "ports": {}}
    return Record(name, NOBODY, NOBODY, ["x"], "/log", 0, "2026-11-21T09:00:00+00:00", settings)


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    made = Directory(tmp_path, "x", [])
    made.prepare()
    for name in NAMES:
        record.write(made.record(name), run(name))
    return made


def test_processes_are_read_in_the_order_of_their_start(directory: Directory) -> None:
    (directory.run / "torn.json").write_text("{")
    assert list(runs.read(directory)) == [
        *("database", "history-2", "history-10", "matching-1", "frontend-1", "worker-1", "ui")
    ]
    assert runs.alive(runs.read(directory)) == {}


def test_clients_are_stopped_before_what_they_ask(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages: list[set[str]] = []

    def stop_all(paths: list[Path], *, grace: float) -> list[str]:
        stages.append({path.stem for path in paths})
        return ["frontend-1"] if "frontend-1" in stages[-1] else []

    monkeypatch.setattr(supervisor, "stop_all", stop_all)
    assert runs.stop(runs.read(directory), directory, grace=GRACE) == ["frontend-1"]
    assert stages == [
        {"ui", "worker-1"},
        {"frontend-1", "matching-1", "history-2", "history-10"},
        {"database"},
    ]


def member(role: str, *, status: str = "alive") -> Seen:
    return Seen(address="127.0.0.1:6933", status=status, role=role, grpc="127.0.0.1:7233")


def everybody(**others: str) -> list[Seen]:
    found = [member(role) for role in ("frontend", "history", "history", "matching", "worker")]
    return [*found, *(member(role, status=status) for role, status in others.items())]


WHOLE = "history 2, matching 1, frontend 1, worker 1"


@pytest.mark.parametrize(
    ("views", "said"),
    [
        ({"a": everybody(), "b": everybody()}, WHOLE),
        ({"a": everybody(worker="faulty"), "b": everybody()}, WHOLE),
        (
            {"a": everybody(), "b": [member("history")], "c": everybody()},
            f"a, c see {WHOLE}; b see history 1, matching 0, frontend 0, worker 0",
        ),
    ],
)
def test_the_ring_is_told_once_where_all_agree(views: dict[str, list[Seen]], said: str) -> None:
    assert status.ring_in_words(views) == said


def test_shards_are_told_by_their_owners() -> None:
    owners = {1: "a:1", 2: "b:1", 3: "a:1", 4: "gone:1", 5: ""}
    said = status.shards_in_words(owners, {"a:1": "history-1", "b:1": "history-2"})
    assert said == ("5: gone:1, which is gone 1, history-1 2, history-2 1, nobody, which is gone 1")


def database_says(monkeypatch: pytest.MonkeyPatch, text: str) -> tuple[State, str]:
    """What `status` makes of a database to which libpq connects so."""
    failed = f'connection failed: connection to server at "127.11.1.1", port 5432 failed: {text}'

    def connect(_: Database) -> NoReturn:
        raise DatabaseUnusable("database temporal cannot be used", cause=failed)

    monkeypatch.setattr(status, "connect", connect)
    return status._database_state(Database("127.11.1.1", 5432, "temporal", "temporal"))


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("FATAL:  the database system is starting up", State.STARTING),
        ("FATAL:  the database system is in recovery mode", State.STARTING),
        ("FATAL:  the database system is not yet accepting connections", State.STARTING),
        # It ends by itself, or waits for clients that may never go.
        ("FATAL:  the database system is shutting down", State.UNREACHABLE),
        ("FATAL:  sorry, too many clients already", State.SERVING),
        (
            "FATAL:  remaining connection slots are reserved for non-replication superusers",
            State.SERVING,
        ),
        ("Connection refused", State.UNREACHABLE),
    ],
)
def test_a_database_that_answers_does_not_hang(
    monkeypatch: pytest.MonkeyPatch, text: str, state: State
) -> None:
    found, note = database_says(monkeypatch, text)
    assert found is state
    assert note.endswith(text.removeprefix("FATAL:  "))


@pytest.mark.parametrize(
    ("name", "age", "state"),
    [
        ("history-2", 10, State.STARTING),
        ("history-2", 20, State.UNREACHABLE),
        ("database", 50, State.STARTING),
        ("database", 70, State.UNREACHABLE),
        ("opensearch", 170, State.STARTING),
        ("opensearch", 190, State.UNREACHABLE),
    ],
)
def test_each_component_has_its_own_time_to_start(
    monkeypatch: pytest.MonkeyPatch, name: str, age: float, state: State
) -> None:
    monkeypatch.setattr(Record, "alive", lambda _: True)
    ports = {"grpc": 7234, "http": 9200, "postgresql": 5432}
    young = replace(
        run(name),
        started_at=(datetime.now(UTC) - timedelta(seconds=age)).isoformat(),
        settings={**run(name).settings, "ports": ports},
    )
    seen = status.Seen(
        states={name: State.UNREACHABLE},
        notes={name: "refused"},
        views={},
        owners=None,
        version="",
        namespaces=[],
    )
    made = status._component(young, seen)
    assert (made.state, made.note) == (state, "refused")
