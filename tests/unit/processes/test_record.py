"""Run records and the identity of processes."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.platforms.processes import record
from temporal_dsql_deploy.platforms.processes.identity import ProcessIdentity, identify
from temporal_dsql_deploy.platforms.processes.record import Exit, Record

identities = st.builds(ProcessIdentity, pid=st.integers(1, 2**22), start_time=st.text())
records = st.builds(
    Record,
    component=st.text(),
    process=identities,
    keeper=identities,
    command=st.lists(st.text()),
    log=st.text(),
    started_at=st.text(),
    settings=st.dictionaries(st.text(), st.integers() | st.text()),
    exit=st.none() | st.builds(Exit, code=st.integers(-64, 255), at=st.text()),
)


@given(run=records)
def test_a_record_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, run: Record
) -> None:
    path = tmp_path_factory.mktemp("run") / "server.json"
    record.write(path, run)
    assert record.read(path) == run
    assert list(path.parent.iterdir()) == [path]


@given(text=st.binary())
def test_a_file_that_is_no_record_is_none(
    tmp_path_factory: pytest.TempPathFactory, text: bytes
) -> None:
    path = tmp_path_factory.mktemp("run") / "server.json"
    path.write_bytes(text)
    assert record.read(path) is None


def test_a_missing_record_is_none(tmp_path: Path) -> None:
    assert record.read(tmp_path / "server.json") is None


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (0, "was stopped"),
        # As Java ends by SIGTERM.
        (143, "was stopped"),
        (137, "exited with code 137"),
        (-9, "was killed by signal 9"),
    ],
)
def test_how_it_ended_is_said(code: int, said: str) -> None:
    assert Exit(code, "").describe() == said


def test_this_process_is_alive_and_one_with_its_pid_but_another_start_is_not() -> None:
    me = identify(os.getpid())
    assert me is not None
    assert me.alive()
    assert not replace(me, start_time="another").alive()


def test_a_zombie_is_not_alive() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        process = identify(child.pid)
        assert process is not None
        assert process.alive()
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not process.alive()
        assert identify(child.pid) is None


@pytest.mark.needs("ps")
def test_the_start_time_of_another_system_is_told_apart_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    me = identify(os.getpid())
    assert me is not None
    assert me.alive()
    assert identify(2**22 + 1) is None
