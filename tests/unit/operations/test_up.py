"""`up` until the ring is whole: what ends it before undoes it."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from temporal_dsql_deploy.environments.find import find
from temporal_dsql_deploy.errors import NotReady
from temporal_dsql_deploy.operations import up as operation
from temporal_dsql_deploy.platforms.protocol import Change, Member, Status

JOINED = "temporal_dsql_deploy.operations.joined.until_joined"


class Fake:
    """A cluster that `start` starts."""

    name = "cluster"

    def __init__(self) -> None:
        self.undone = False

    @contextmanager
    def lock(self, _verb: str, _report: object) -> Iterator[None]:
        yield

    def running(self) -> bool:
        return False

    def start(self, starting: Callable[[], None]) -> list[Change]:
        starting()
        names = ("database", "matching-1", "ui")
        return [*(Change(what=name, action="start") for name in names), Change("x", "build")]

    def members(self) -> list[Member]:
        return [Member("matching", "10.0.0.1", 6935, 7235, name="matching-1")]

    def undo(self) -> str:
        self.undone = True
        return "stopped what was started"

    def warnings(self) -> list[str]:
        return []

    def status(self) -> Status:
        return Status("cluster", "cluster", running=True, healthy=True, components=[])


async def _settled(*_: object) -> list[Change]:
    return []


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Fake:
    monkeypatch.setattr("temporal_dsql_deploy.operations.settle.settle", _settled)
    return Fake()


def up(platform: Fake) -> Any:
    chosen: Any = platform
    return operation.up(chosen, find("cluster"), deadline=1, report=lambda _: None)


def test_the_roles_that_were_started_are_waited_for(
    platform: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Collection[str]] = []

    def joined(_: object, names: Collection[str], before: Mapping[int, object] | None) -> None:
        asked.append(names)
        assert before is None

    monkeypatch.setattr(JOINED, joined)
    monkeypatch.setattr(operation, "prove", lambda *_: "proved")
    assert up(platform).probe == "proved"
    assert asked == [{"matching-1"}]
    assert not platform.undone


@pytest.mark.parametrize("error", [NotReady("late", cause="x", fix="y"), KeyboardInterrupt()])
def test_what_is_in_no_ring_is_not_ready_and_is_undone(
    platform: Fake, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def late(*_: object) -> None:
        raise error

    monkeypatch.setattr(JOINED, late)
    with pytest.raises(type(error)):
        up(platform)
    assert platform.undone
