"""The release of a lock: of the one that somebody was shown, and of no other."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import Locked
from temporal_dsql_deploy.operations import lock as operation
from temporal_dsql_deploy.persistence.lock import Held, Holder
from temporal_dsql_deploy.platforms.ecs import lock

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DEV = Environment("dev", platform="ecs", terraform=Path("/nowhere"))


class Place:
    """A lock that others may take and give back."""

    def __init__(self) -> None:
        self.held: Held | None = None

    def __str__(self) -> str:
        return "s3://states/dev"

    def put(self, who: str, *, ends: int = 60) -> None:
        holder = Holder(who, who, "up", f"since {who} came")
        self.held = Held(holder, f"e-{who}", NOW + timedelta(seconds=ends), NOW)

    def read(self) -> Held | None:
        return self.held

    def delete(self, etag: str) -> bool:
        if self.held is None or self.held.etag != etag:
            return False
        self.held = None
        return True


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    found = Place()
    monkeypatch.setattr(lock, "place", lambda _directory: found)
    return found


def test_the_one_that_was_shown_is_released(place: Place) -> None:
    place.put("ann")
    agreed = operation.show(DEV)
    assert operation.release(DEV, dry_run=False, agreed=agreed).released
    assert place.held is None


@pytest.mark.parametrize(
    "shown", [lambda place: place.put("ann"), lambda place: place.put("ann", ends=-1)]
)
def test_who_has_come_while_somebody_was_asked_keeps_it(
    place: Place, shown: Callable[[Place], None]
) -> None:
    shown(place)
    agreed = operation.show(DEV)
    place.put("bob")
    with pytest.raises(Locked, match="changed meanwhile"):
        operation.release(DEV, dry_run=False, agreed=agreed)
    assert place.held is not None


def test_one_that_is_over_needs_nobody_to_agree(place: Place) -> None:
    place.put("ann", ends=-1)
    agreed = operation.show(DEV)
    assert not agreed.locked
    assert operation.release(DEV, dry_run=False, agreed=agreed).released
