"""The wait for instances that were started: the dead and an unread database are no yes."""

from collections.abc import Sequence

import pytest

from temporal_dsql_deploy.errors import DatabaseUnusable, NotForPlatform, NotRunning, StartFailed
from temporal_dsql_deploy.operations import joined
from temporal_dsql_deploy.operations.joined import _missing, taken_now, until_joined
from temporal_dsql_deploy.persistence.database import Database
from temporal_dsql_deploy.persistence.shards import Taken
from temporal_dsql_deploy.platforms.protocol import Instance, Member


class Fake:
    """A platform of which only these instances are known."""

    def __init__(self, *there: Instance, members: Sequence[Member] = ()) -> None:
        self._there = [*there]
        self._members = [*members]

    def instances(self) -> list[Instance]:
        return self._there

    def members(self) -> list[Member]:
        return self._members

    def database(self) -> Database:
        raise NotRunning("environment cluster is not running", cause="its PostgreSQL does not run")


class Elsewhere(Fake):
    """One whose database the tool does not read."""

    def database(self) -> Database:
        raise NotForPlatform("not here")


def test_who_has_died_has_not_joined_though_nobody_else_runs() -> None:
    dead = Instance("frontend-1", "frontend", running=False, note="was killed by signal 9")
    with pytest.raises(StartFailed) as failed:
        until_joined(Fake(dead), ["frontend-1"], None)  # type: ignore[arg-type]
    assert failed.value.message.startswith("frontend-1 was killed by signal 9")


def test_who_is_no_member_is_missing() -> None:
    running = Instance("frontend-1", "frontend", running=True)
    said = _missing(Fake(running), ["frontend-1"], None)  # type: ignore[arg-type]
    assert said == ["frontend-1 does not run"]


def test_shards_that_cannot_be_read_are_not_taken_for_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(joined, "outside", lambda _ports, _addresses: [])
    monkeypatch.setattr(joined, "ask", lambda _addresses, _report: [])
    history = Member("history", "127.0.0.1", 6934, 7234, name="history-1")
    before = {1: Taken(5, "127.0.0.1:7234")}
    said = _missing(Fake(members=[history]), ["history-1"], before)  # type: ignore[arg-type]
    assert said == [
        "the shards cannot be read: environment cluster is not running: its PostgreSQL does not run"
    ]


def test_before_anything_is_stopped_an_unread_database_is_a_refusal() -> None:
    with pytest.raises((NotRunning, DatabaseUnusable)):
        taken_now(Fake())  # type: ignore[arg-type]
    assert taken_now(Elsewhere()) is None  # type: ignore[arg-type]
