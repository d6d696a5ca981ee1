"""The entrypoint with real processes: what it becomes, what signals do, where output goes."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import temporal_dsql_deploy.runtime
from temporal_dsql_deploy.runtime.output import LogFile
from tests.unit.runtime.good import POSTGRESQL

FOLDER = Path(temporal_dsql_deploy.runtime.__file__).parent
SERVER = f"""#!{sys.executable} -IS
import json, os, signal, sys
def end(number, _):
    os.write(1, b"stopping\\n")
    os.write(2, b"last words")
    os._exit(7)
signal.signal(signal.SIGTERM, end)
told = dict(pid=os.getpid(), arguments=sys.argv[1:], environ=dict(os.environ))
print(json.dumps(told), flush=True)
while True:
    signal.pause()
"""


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """A stand-in for temporal-server: says how it was started, and ends at SIGTERM with 7."""
    path = tmp_path / "temporal-server"
    path.write_text(SERVER)
    path.chmod(0o755)
    return path


@contextmanager
def started(
    tmp_path: Path, environ: dict[str, str], *options: str
) -> Iterator[subprocess.Popen[str]]:
    """The entrypoint, killed at the end if it is still there."""
    process = subprocess.Popen(
        [sys.executable, "-IS", str(FOLDER), "--config-dir", str(tmp_path / "config"), *options],
        env={**POSTGRESQL, "PREFLIGHT": "off", **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout
    found: dict[str, Any] = json.loads(process.stdout.readline())
    return found


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_becomes_the_server_so_that_signals_arrive(tmp_path: Path, server: Path) -> None:
    excluded = {"TEMPORAL_ROOT": "/x", "TEMPORAL_SERVER_CONFIG_FILE_PATH": "/x"}
    with started(tmp_path, {"HOME": "/h", **excluded}, "--server", str(server)) as process:
        detected, became = line(process), line(process)
        assert became["pid"] == process.pid
        assert became["arguments"] == [
            "--config-file",
            str(tmp_path / "config" / "server.yaml"),
            "--allow-no-auth",
            "start",
            "--service",
            "matching",
        ]
        # The password is in the file alone.
        environ = became["environ"]
        assert set(environ) - {"LC_CTYPE"} == {*POSTGRESQL, "PREFLIGHT", "HOME"} - {
            "TEMPORAL_SQL_PASSWORD"
        }
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (7, "stopping\n", "last words")
    assert detected["broadcast_address"] == "127.0.0.12"
    assert detected["broadcast_source"] == "BIND_ON_IP"
    assert detected["stores"] == {"database": "not tried"}
    assert POSTGRESQL["TEMPORAL_SQL_PASSWORD"] not in json.dumps(detected)
    files = {path.name: mode(path) for path in (tmp_path / "config").iterdir()}
    assert files == {"server.yaml": 0o600, "dynamic.yaml": 0o644}


@pytest.mark.needs("procfs")
def test_the_server_ignores_and_blocks_no_signal(tmp_path: Path) -> None:
    server = tmp_path / "temporal-server"
    server.write_text("#!/bin/sh\nexec cat /proc/self/status\n")
    server.chmod(0o755)
    for environ in ({}, {"TEMPORAL_LOG_FILE": str(tmp_path / "server.log")}):
        with started(tmp_path, environ, "--server", str(server)) as process:
            line(process)
            out, _ = process.communicate(timeout=30)
        found = dict(row.split(":\t", 1) for row in out.splitlines())
        # Of the 31 that have names: make leaves two of the C library's own ignored.
        standard = [int(found[name], 16) & 0x7FFFFFFF for name in ("SigIgn", "SigBlk")]
        assert standard == [0, 0]


def test_the_output_goes_into_a_file_too_to_the_last_word(tmp_path: Path, server: Path) -> None:
    log = tmp_path / "logs" / "server.log"
    environ = {"TEMPORAL_LOG_FILE": str(log)}
    with started(tmp_path, environ, "--server", str(server)) as process:
        detected, became = line(process), line(process)
        assert became["pid"] != process.pid
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (7, "")
    assert out == "stopping\nlast words"
    told = log.read_text().splitlines()
    assert [json.loads(told[0])["msg"], json.loads(told[1])["pid"]] == [
        detected["msg"],
        became["pid"],
    ]
    assert told[2:] == ["stopping", "last words"]


def test_a_server_that_is_killed_is_said_to_be(tmp_path: Path, server: Path) -> None:
    environ = {"TEMPORAL_LOG_FILE": str(tmp_path / "server.log")}
    with started(tmp_path, environ, "--server", str(server)) as process:
        line(process)
        os.kill(line(process)["pid"], signal.SIGKILL)
        assert process.wait(timeout=30) == 128 + signal.SIGKILL


def test_sigterm_during_the_preflight_ends_it_at_once(tmp_path: Path, server: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
        environ = {"PREFLIGHT": "strict", "PREFLIGHT_TIMEOUT": "60s", "TEMPORAL_SQL_PORT": port}
        with started(tmp_path, environ, "--server", str(server)) as process:
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGTERM)
                out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (128 + signal.SIGTERM, "", "")


@pytest.mark.parametrize(("preflight", "starts"), [("strict", False), ("warn", True)])
def test_a_store_that_is_not_there_stops_the_start_or_is_said(
    tmp_path: Path,
    server: Path,
    preflight: str,
    starts: bool,  # noqa: FBT001
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    environ = {"PREFLIGHT": preflight, "TEMPORAL_SQL_PORT": port}
    with started(tmp_path, environ, "--server", str(server)) as process:
        cause, detected = line(process), line(process)
        assert cause["level"] == ("warn" if starts else "error")
        assert cause["error"] == f"127.0.0.1:{port} refuses connections: nothing listens there"
        assert detected["stores"] == {"database": "unreachable"}
        if starts:
            assert line(process)["pid"] == process.pid
        else:
            assert process.wait(timeout=30) == 1


def test_a_wrong_environment_starts_nothing(tmp_path: Path, server: Path) -> None:
    environ = {"TEMPORAL_SQL_PORT": "x", "TEMPORAL_SERVICES": "histroy"}
    log = tmp_path / "server.log"
    collected = {**environ, "TEMPORAL_LOG_FILE": str(log)}
    with started(tmp_path, collected, "--server", str(server)) as process:
        out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    faults = [json.loads(one) for one in out.splitlines()]
    assert {fault["variable"] for fault in faults} == set(environ)
    assert {fault["level"] for fault in faults} == {"error"}
    assert (err, log.read_text()) == ("", out)
    assert not (tmp_path / "config").exists()


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with started(tmp_path, {}, "--server", "/nowhere/temporal-server") as process:
        assert line(process)["program"] == "/nowhere/temporal-server"
        assert process.wait(timeout=30) == 3


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, server: Path) -> None:
    (tmp_path / "config").write_text("a file")
    with started(tmp_path, {}, "--server", str(server)) as process:
        assert line(process)["folder"] == str(tmp_path / "config")
        assert process.wait(timeout=30) == 3


def test_a_log_file_begins_anew_at_the_end_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    log = LogFile(path, most=10)
    for part in (b"one\ntw", b"o\nthree\nfo", b"ur\n"):
        log.write(part)
    assert path.with_name("server.log.1").read_bytes() == b"one\ntwo\nthree\n"
    assert path.read_bytes() == b"four\n"


def test_a_log_file_that_cannot_be_written_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    log = LogFile(blocked / "server.log")
    log.write(b"one\n")
    log.write(b"two\n")
    assert capsys.readouterr().err.count("gets no more lines") == 1
    blocked.unlink()
    log.write(b"three\n")
    assert (blocked / "server.log").read_bytes() == b"three\n"
