"""The climb of `recover`: what it asks, what it says when it ends, and when it is no success."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from temporal_dsql_deploy.environments.find import find
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import (
    DeployError,
    NotConfirmed,
    NotRunning,
    PortTaken,
    StoppedHalfway,
)
from temporal_dsql_deploy.operations.membership import kinds
from temporal_dsql_deploy.operations.probe.result import ProbeResult
from temporal_dsql_deploy.operations.recover import run
from temporal_dsql_deploy.operations.recover.result import Action, RecoverResult, Seen
from temporal_dsql_deploy.platforms.protocol import Instance, Status
from tests.unit.operations.test_recover import NAMES, ROLES, instance, probe, seen

REFUSED = PortTaken("port 7233 is taken", cause="by another", fix="end it")


class Fake:
    """A cluster in which an instance that is restarted runs."""

    name = "cluster"

    def __init__(self, *dead: str, refuse: DeployError | None = None, at: int = 1) -> None:
        self.dead = {*dead}
        self.restarts: list[list[str]] = []
        self._refuse = refuse
        self._at = at

    @contextmanager
    def lock(self, _verb: str, _waiting: object) -> Iterator[None]:
        yield

    def instances(self) -> list[Instance]:
        return [instance(name, running=name not in self.dead) for name in NAMES]

    def restart(self, names: Sequence[str], *, grace: float) -> None:
        assert grace > 0
        if self._refuse and len(self.restarts) + 1 == self._at:
            raise self._refuse
        self.restarts.append([*names])
        self.dead -= {*names}

    def status(self) -> Status:
        return Status("cluster", "cluster", running=True, healthy=True, components=[])


class World:
    """What is seen and what probes tell, one after the other; the last goes on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, platform: Fake) -> None:
        self.platform = platform
        self.looks: list[Seen] = []
        self.probes: list[ProbeResult | DeployError] = [probe(ok=True)]
        self.said: list[str] = []
        monkeypatch.setattr(run, "see", self._see)
        monkeypatch.setattr(run, "prove", self._prove)
        monkeypatch.setattr(run, "_POLL", 0)

    def _see(self, platform: Fake) -> Seen:
        look = self.looks.pop(0) if self.looks else seen(dead=sorted(platform.dead))
        return replace(look, instances=platform.instances())

    def _prove(self, *_: object) -> ProbeResult:
        told = self.probes.pop(0) if len(self.probes) > 1 else self.probes[0]
        if isinstance(told, DeployError):
            raise told
        return told

    def recover(self, answers: Sequence[bool] | None = None) -> RecoverResult:
        left = [*answers] if answers is not None else None
        chosen: Any = self.platform
        return run.recover(
            chosen,
            environment(),
            deadline=1,
            confirm=None if left is None else lambda _: left.pop(0),
            report=self.said.append,
        )


def environment() -> Environment:
    return find("cluster", file=None)


def rebuilt() -> list[str]:
    return [name for name in NAMES if name.partition("-")[0] in ROLES]


def test_a_no_after_a_repair_is_a_no_and_says_what_was_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(monkeypatch, Fake("ui"))
    world.probes = [probe(ok=False)]
    with pytest.raises(NotConfirmed) as refused:
        world.recover([False])
    assert refused.value.exit_code == 4
    assert "tried: start ui" in refused.value.cause
    assert "--yes" in refused.value.fix
    assert world.platform.restarts == [["ui"]]


def test_after_a_yes_it_is_rebuilt_if_it_is_still_so(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, Fake())
    world.probes = [probe(ok=False), probe(ok=False), probe(ok=False), probe(ok=True)]
    assert world.recover([True]).ok
    assert world.platform.restarts == [rebuilt()]


def test_after_a_yes_nothing_is_rebuilt_that_works_by_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(monkeypatch, Fake())
    world.probes = [probe(ok=False), probe(ok=False), probe(ok=True)]
    assert world.recover([True]).ok
    assert world.platform.restarts == []


def test_one_probe_that_fails_by_chance_is_no_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, Fake())
    world.probes = [probe(ok=False), probe(ok=True)]
    assert world.recover().ok
    assert world.platform.restarts == []


def test_a_refusal_before_the_first_repair_is_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, Fake("ui", refuse=REFUSED))
    with pytest.raises(PortTaken):
        world.recover()


def test_a_refusal_after_a_repair_is_half_way_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(monkeypatch, Fake("ui", refuse=REFUSED, at=2))
    world.looks = [seen(dead=["ui"]), seen(dead=["worker-1"])]
    # Another one dies as soon as the first is started.
    monkeypatch.setattr(world.platform, "restart", _then_dies(world.platform, "worker-1"))
    with pytest.raises(StoppedHalfway) as failed:
        world.recover()
    assert failed.value.fix == "end it; then: dsql-deploy recover ENV"
    assert "tried: start ui" in failed.value.cause


def _then_dies(platform: Fake, name: str) -> Any:
    restart = platform.restart

    def restarting(names: Sequence[str], *, grace: float) -> None:
        restart(names, grace=grace)
        platform.dead.add(name)

    return restarting


def test_a_frontend_that_dies_before_the_probe_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(monkeypatch, Fake())
    world.probes = [NotRunning("not running", cause="no frontend runs"), probe(ok=True)]
    world.looks = [seen(), seen(hung=["frontend-1"], starting=["frontend-1"])]
    assert world.recover().ok


def test_what_does_harm_and_has_no_rung_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, Fake())
    world.looks = [seen(found=[kinds.CLOCK_AHEAD])]
    result = world.recover()
    assert not result.ok
    assert result.left
    assert result.probe is not None
    assert result.probe.ok


def test_what_is_left_of_the_dead_is_a_success_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, Fake())
    monkeypatch.setattr(run._Ladder, "_clean", lambda _: {"1"})
    world.looks = [seen(rows=1), seen(rows=1)]
    result = world.recover()
    assert result.ok
    assert [one.repair.action for one in result.repairs] == [Action.CLEAN]
    assert result.left == ["1 rows of cluster_membership are of processes that are gone"]
