"""What `scale` refuses, and what it waits for before anybody is stopped."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import NotReady, RestartNeeded
from temporal_dsql_deploy.operations import scale as operation
from temporal_dsql_deploy.platforms.protocol import Change, Instance, Platform, Report

STALE = Change(what="history-1", action="restart", detail="server 1.32.1 -> 1.32.2")
MORE = [Change(what="history-2", action="start"), Change(what="frontend-2", action="stop")]


class Fake:
    """A platform that writes down what is asked of it."""

    def __init__(self, changes: list[Change]) -> None:
        self.changes = changes
        self.log: list[str] = []

    @contextmanager
    def lock(self, _verb: str, _waiting: Report) -> Iterator[None]:
        yield

    def running(self) -> bool:
        return True

    def plan_scale(self, _: Mapping[str, int]) -> list[Change]:
        return self.changes

    def scale(
        self,
        _: Mapping[str, int],
        starting: Callable[[], None],
        serving: Callable[[list[Change]], None],
    ) -> list[Change]:
        starting()
        self.log.append("started")
        serving(self.changes)
        self.log.append("stopped")
        return self.changes

    def undo(self) -> str:
        self.log.append("undone")
        return "went back to what ran before"

    def instances(self) -> list[Instance]:
        return [Instance("history-2", "history", running=True)]


def environment() -> Environment:
    return Environment(name="cluster", platform="cluster")


def scale(platform: Any) -> Any:
    wanted: Platform = platform
    return operation.scale(
        wanted, environment(), {"history": 2}, deadline=1.0, report=lambda _: None
    )


def test_nothing_is_restarted_by_the_way() -> None:
    platform: Any = Fake([STALE, *MORE])
    with pytest.raises(RestartNeeded, match="history-1") as refused:
        scale(platform)
    assert platform.log == []
    assert "dsql-deploy restart ENV" in refused.value.fix
    with pytest.raises(RestartNeeded):
        operation.plan(platform, environment(), {"history": 2})


def test_nobody_stops_before_the_new_have_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    platform = Fake(MORE)

    def until_joined(_: Any, names: Collection[str], before: Any) -> None:
        assert (names, before) == (["history-2"], {})
        platform.log.append("waited")
        raise NotReady("history-2 did not find its place", cause="it is not in the ring")

    monkeypatch.setattr(operation, "until_joined", until_joined)
    monkeypatch.setattr(operation, "taken_now", lambda _: {})
    with pytest.raises(NotReady):
        scale(platform)
    assert platform.log == ["started", "waited", "undone"]
