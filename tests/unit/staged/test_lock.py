"""The release of a lock: of the one that somebody was shown, and of no other."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import BackendMissing, Locked, NotForPlatform
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


def test_a_lock_that_is_a_file_says_who_has_it_and_when_nobody_has(tmp_path: Path) -> None:
    here = Environment("dev", platform="ecs", terraform=tmp_path)
    assert not operation.show(here).locked
    with lock.held(tmp_path, "scale", print):
        found = operation.show(here)
        assert found.locked
        assert "dsql-deploy scale by " in found.who
    assert not operation.show(here).locked
    with pytest.raises(NotForPlatform, match="no lock in a bucket"):
        operation.release(here, dry_run=False)


def test_where_no_bucket_is_named_nothing_was_deployed(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('terraform {\n  backend "s3" {\n    key = "dev"\n  }\n}\n')
    with pytest.raises(BackendMissing) as refused:
        operation.show(Environment("dev", platform="ecs", terraform=tmp_path))
    assert "up ENV --only state" in refused.value.fix


def test_a_cluster_on_this_machine_has_no_lock_that_stays() -> None:
    with pytest.raises(NotForPlatform, match="no lock that stays"):
        operation.show(Environment("local"))
