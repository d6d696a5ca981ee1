"""The supervisor with small programs of its own: start, stop, end, refuse."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable
from temporal_dsql_deploy.platforms.processes import logs, ports, record, supervisor
from temporal_dsql_deploy.platforms.processes.identity import ProcessIdentity, identify
from temporal_dsql_deploy.platforms.processes.supervisor import Component

Make = Callable[..., Component]
SLEEP = "import signal; print('ready', flush=True); signal.pause()"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"


def tail(path: Path, count: int) -> list[str]:
    return list(logs.read([logs.Tail(path, str)], count=count, follow=False))


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    path = tmp_path / "run" / "thing.json"

    def component(program: str, *, command: list[str] | None = None) -> Component:
        return Component(
            name="thing",
            command=command or [sys.executable, "-c", program],
            record=path,
            log=tmp_path / "logs" / "thing.log",
            environment=dict(os.environ),
        )

    yield component
    supervisor.stop(path, grace=0)


def until(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not question():
        assert time.monotonic() < deadline
        os.sched_yield()


def test_a_component_runs_apart_from_its_starter_and_is_stopped(make: Make) -> None:
    component = make(SLEEP)
    run = supervisor.start(component)
    assert run.alive()
    assert os.getsid(run.process.pid) != os.getsid(os.getpid())
    until(lambda: component.log.exists() and tail(component.log, 1) == ["ready"])
    assert supervisor.stop(component.record, grace=20) is False
    assert not run.process.alive()
    assert not run.keeper.alive()
    ended = record.read(component.record)
    assert ended is not None
    assert ended.exit is not None
    assert ended.exit.code == -signal.SIGTERM


def test_what_ignores_sigterm_is_killed(make: Make) -> None:
    component = make(STUBBORN)
    run = supervisor.start(component)
    until(lambda: component.log.exists() and tail(component.log, 1) == ["ready"])
    assert supervisor.stop(component.record, grace=0.1) is True
    assert not run.process.alive()


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("raise SystemExit(7)", 7),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
    ],
)
def test_the_end_of_a_component_is_recorded(make: Make, program: str, code: int) -> None:
    component = make(program)
    run = supervisor.start(component)

    def ended() -> bool:
        now = record.read(component.record)
        return now is not None and now.exit is not None

    until(ended)
    now = record.read(component.record)
    assert now is not None
    assert now.exit is not None
    assert now.exit.code == code
    until(lambda: not run.keeper.alive())


@pytest.mark.needs("procfs")
def test_a_component_does_not_outlive_its_keeper(make: Make) -> None:
    run = supervisor.start(make(SLEEP))
    os.kill(run.keeper.pid, signal.SIGKILL)
    until(lambda: not run.process.alive())


def test_a_keeper_that_is_told_to_stop_stops_its_component(make: Make) -> None:
    run = supervisor.start(make(SLEEP))
    os.kill(run.keeper.pid, signal.SIGTERM)
    until(lambda: not run.process.alive() and not run.keeper.alive())


def test_a_recycled_pid_is_never_killed(make: Make) -> None:
    component = make(SLEEP)
    run = supervisor.start(component)
    me = identify(os.getpid())
    assert me is not None
    stale = replace(run, process=ProcessIdentity(os.getpid(), "before the last boot"), keeper=me)
    path = component.record.with_name("stale.json")
    record.write(path, replace(stale, keeper=ProcessIdentity(os.getpid(), "also")))
    assert supervisor.stop(path, grace=0) is False
    assert me.alive()


def test_a_program_that_is_missing_or_cannot_be_run_is_an_error(make: Make, tmp_path: Path) -> None:
    with pytest.raises(BinaryMissing):
        supervisor.start(make("", command=[str(tmp_path / "nothing")]))
    text = tmp_path / "text"
    text.write_text("no program")
    with pytest.raises(BinaryUnusable):
        supervisor.start(make("", command=[str(text)]))


def test_nothing_stays_when_the_starter_goes_before_the_component_runs(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    before = {child.pid for child in psutil.Process().children(recursive=True)}
    component = make(SLEEP)
    monkeypatch.setattr(os, "fdopen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        supervisor.start(component)
    monkeypatch.undo()
    until(lambda: {c.pid for c in psutil.Process().children(recursive=True)} <= before)
    assert not component.record.exists()


def test_who_holds_a_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not ports.is_free(port)
        assert f"process {os.getpid()} (" in ports.holder(port)
    assert ports.is_free(port)
    assert "another user" in ports.holder(port)


def test_each_of_several_is_asked_to_end_by_its_own_signal(make: Make, tmp_path: Path) -> None:
    by_interrupt = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    by_interrupt += "signal.signal(signal.SIGINT, lambda *_: exit(3)); " + SLEEP
    made = {
        "term": replace(make(SLEEP), name="term", record=tmp_path / "run" / "term.json"),
        "int": replace(
            make(by_interrupt),
            name="int",
            record=tmp_path / "run" / "int.json",
            log=tmp_path / "logs" / "int.log",
            stop_signal=signal.SIGINT,
        ),
    }
    for component in made.values():
        supervisor.start(component)
        until(lambda log=component.log: log.exists() and tail(log, 1) == ["ready"])  # type: ignore[misc]
    paths = [component.record for component in made.values()]
    assert supervisor.stop_all(paths, grace=20) == []
    until(lambda: all(one is not None and one.exit is not None for one in map(record.read, paths)))
    ends = {
        one.component: one.exit.code for path in paths if (one := record.read(path)) and one.exit
    }
    assert ends == {"term": -signal.SIGTERM, "int": 3}


def test_a_record_of_an_earlier_version_is_stopped_by_sigterm(tmp_path: Path) -> None:
    path = tmp_path / "thing.json"
    one = record.Record("thing", ProcessIdentity(1, "x"), ProcessIdentity(1, "x"), [], "", 0, "")
    record.write(path, one)
    path.write_text(path.read_text().replace('"stop_signal": 15,', ""))
    assert record.read(path) == one
