"""A change that ends half way: what was asked to stop, and only that, is started again."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from temporal_dsql_deploy.errors import BinaryMissing, DeployError, NotReady, StopFailed
from temporal_dsql_deploy.platforms.cluster import change, parts, programs, runs
from temporal_dsql_deploy.platforms.cluster.change import Passage
from temporal_dsql_deploy.platforms.processes import record, supervisor
from temporal_dsql_deploy.platforms.processes.directory import Directory
from temporal_dsql_deploy.platforms.processes.identity import ProcessIdentity
from temporal_dsql_deploy.platforms.processes.record import Record
from temporal_dsql_deploy.platforms.processes.supervisor import Component
from temporal_dsql_deploy.platforms.protocol import Change
from temporal_dsql_deploy.topology import load
from tests.unit.cluster.test_parts import settings

NOBODY = ProcessIdentity(1, "long ago")
ONE = dict.fromkeys(load().roles, 1)
MORE = {**ONE, "history": 3, "worker": 2}


class Machine:
    """Processes that are only said to run."""

    def __init__(self, root: Path) -> None:
        self.directory = Directory(root, "mine", [])
        self.directory.prepare()
        self.alive: set[str] = set()
        self.started: list[str] = []
        self.stopped: list[str] = []
        self.missing: set[str] = set()
        """Those whose program is gone by now."""
        self.silent: set[str] = set()
        """Those that start and never serve."""

    def boot(self) -> None:
        for part in parts.all_parts("mine", settings(11, MORE), self.directory):
            self.start(part.component(self.directory))
        self.started.clear()

    def start(self, component: Component) -> Record:
        if component.name in self.missing:
            component.record.unlink(missing_ok=True)
            raise BinaryMissing("it is not there", cause="it was moved")
        made = Record(
            component.name,
            NOBODY,
            NOBODY,
            component.command,
            "/log",
            0,
            "2026-11-21T09:00:00+00:00",
            component.settings,
        )
        record.write(component.record, made)
        self.alive.add(component.name)
        self.started.append(component.name)
        return made

    def stop_all(self, paths: Sequence[Path], *, grace: float) -> list[str]:
        assert grace > 0
        self.alive -= {path.stem for path in paths}
        self.stopped += [path.stem for path in paths]
        return []

    def not_serving(self, found: Sequence[Record], _: Directory) -> dict[str, DeployError]:
        return {
            run.component: NotReady(f"{run.component} is UNREACHABLE", cause="it said nothing")
            for run in found
            if run.component in self.silent
        }

    def passage(self, replicas: dict[str, int] = ONE) -> Passage:
        return Passage(settings(11, replicas), self.directory, lambda _: None)


class StandsStill:
    """A Starter that has nothing to start."""

    def __init__(self, *_: Any) -> None: ...

    def check(self) -> None: ...

    def start(self, wanted: Sequence[Any]) -> None:
        assert not list(wanted)


class StartsOne(StandsStill):
    """A Starter of what is given."""

    def __init__(self, _: Any, directory: Directory, __: Any) -> None:
        self._directory = directory

    def start(self, wanted: Sequence[Any]) -> None:
        for part in wanted:
            supervisor.start(part.component(self._directory))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(programs, "lacking", lambda _: [])
    monkeypatch.setattr(programs, "obtain", lambda *_: None)
    monkeypatch.setattr(change, "Starter", StandsStill)
    made = Machine(tmp_path)
    monkeypatch.setattr(Record, "alive", lambda run: run.component in made.alive)
    monkeypatch.setattr(supervisor, "start", made.start)
    monkeypatch.setattr(supervisor, "stop_all", made.stop_all)
    monkeypatch.setattr(runs, "not_serving", made.not_serving)
    made.boot()
    return made


def begun() -> None: ...


def interrupt(_: list[Change]) -> None:
    raise KeyboardInterrupt


GOING = ["history-2", "history-3", "worker-2"]


def test_who_is_awaited_stands_before_anybody_stops(machine: Machine) -> None:
    seen: list[list[Change]] = []

    def serving(changes: list[Change]) -> None:
        assert machine.stopped == []
        seen.append(changes)

    done = machine.passage().go(begun, serving)
    assert seen == [done]
    assert sorted(machine.stopped) == GOING


def test_who_was_not_asked_to_stop_is_left_alone(machine: Machine) -> None:
    passage = machine.passage()
    with pytest.raises(KeyboardInterrupt):
        passage.go(begun, interrupt)
    assert passage.undo() == "went back to what ran before"
    assert machine.stopped == []
    assert machine.started == []


def interrupted_stop(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Passage:
    """All that go have been stopped, and then came Ctrl-C."""
    passage = machine.passage()

    def stop(*given: Any, **named: Any) -> None:
        monkeypatch.setattr(runs, "stop", stop_runs)
        stop_runs(*given, **named)
        raise KeyboardInterrupt

    stop_runs = runs.stop
    monkeypatch.setattr(runs, "stop", stop)
    with pytest.raises(KeyboardInterrupt):
        passage.go(begun)
    assert machine.alive.isdisjoint(GOING)
    return passage


def test_what_has_stopped_is_started_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    passage = interrupted_stop(machine, monkeypatch)
    assert passage.undo() == "went back to what ran before"
    assert sorted(machine.started) == GOING


def test_one_that_does_not_start_again_stops_no_other(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    passage = interrupted_stop(machine, monkeypatch)
    machine.missing = {"history-2"}
    assert passage.undo() == "went back, but history-2 does not run: it is not there: it was moved"
    assert sorted(machine.started) == ["history-3", "worker-2"]
    # It is missed: whoever looks finds that it was there.
    assert "history-2" in runs.read(machine.directory)


def test_one_that_starts_and_does_not_serve_is_told(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    passage = interrupted_stop(machine, monkeypatch)
    machine.silent = {"history-3"}
    assert passage.undo() == "went back, but history-3 is UNREACHABLE: it said nothing"


def test_one_that_does_not_end_keeps_its_record(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise StopFailed("history-4 does not end", cause="it is still there after SIGKILL")

    monkeypatch.setattr(change, "Starter", StartsOne)
    monkeypatch.setattr(runs, "stop", stop)
    passage = machine.passage({**MORE, "history": 4})
    with pytest.raises(KeyboardInterrupt):
        passage.go(begun, interrupt)
    said = "went back, but history-4 does not end: it is still there after SIGKILL"
    assert passage.undo() == said
    assert "history-4" in runs.read(machine.directory)
