"""Start a component detached from this command, and stop it again; never anybody else's process."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable, StartFailed, StopFailed
from temporal_dsql_deploy.platforms.processes import record as records
from temporal_dsql_deploy.platforms.processes.identity import ProcessIdentity
from temporal_dsql_deploy.platforms.processes.record import Record

LOG_LIMIT = 10 * 1024 * 1024
"""Bytes after which a component's log is rotated."""
LOG_KEEP = 5
"""Rotated logs that are kept."""
_PACKAGE_ROOT = Path(__file__).parents[3]
_KEEPER = "from temporal_dsql_deploy.platforms.processes.keeper import main; main()"
_POLL = 0.01
_KILL_GRACE = 5.0
_keepers: dict[int, subprocess.Popen[bytes]] = {}
"""Keepers that this very command started, by pid: its children, to be reaped by it."""


@dataclass(frozen=True, slots=True)
class Component:
    """What is to run."""

    name: str
    command: list[str]
    record: Path
    log: Path
    environment: dict[str, str]
    settings: dict[str, Any] = field(default_factory=dict)


def start(component: Component) -> Record:
    """Start `component` under a keeper and return its record once the program itself runs.

    Raises BinaryMissing or BinaryUnusable when the program cannot be executed, and StartFailed when
    the keeper ends without a word. An interruption leaves nothing running.
    """
    component.record.parent.mkdir(parents=True, exist_ok=True)
    component.log.parent.mkdir(parents=True, exist_ok=True)
    read_end, write_end = os.pipe()
    try:
        keeper = _start_keeper(component, write_end)
    finally:
        os.close(write_end)
    try:
        with os.fdopen(read_end) as handshake:
            answer = handshake.read()
    except BaseException:
        # The keeper stops what it has started, on this signal or when nobody reads its answer.
        keeper.terminate()
        keeper.wait()
        component.record.unlink(missing_ok=True)
        raise
    return _started(component, keeper, answer)


def _start_keeper(component: Component, handshake_fd: int) -> subprocess.Popen[bytes]:
    # -I and -S: the keeper needs nothing but the standard library, and starts in a few ms so.
    bootstrap = f"import sys; sys.path.insert(0, {str(_PACKAGE_ROOT)!r}); {_KEEPER}"
    task = {
        "component": component.name,
        "command": component.command,
        "directory": str(component.log.parent),
        "handshake_fd": handshake_fd,
        "log": str(component.log),
        "log_keep": LOG_KEEP,
        "log_limit": LOG_LIMIT,
        "record": str(component.record),
        "settings": component.settings,
    }
    keeper = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", bootstrap, component.name],
        cwd="/",
        env=component.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[handshake_fd],
        start_new_session=True,
    )
    assert keeper.stdin is not None  # noqa: S101 - a pipe was asked for
    with keeper.stdin as stdin:
        stdin.write(json.dumps(task).encode())
    return keeper


def _started(component: Component, keeper: subprocess.Popen[bytes], answer: str) -> Record:
    if not answer:
        keeper.wait()
        raise StartFailed(
            f"{component.name} could not be started",
            cause=f"its keeper process ended with code {keeper.returncode} before it was running",
            fix=f"check that {component.record.parent} can be written, then try again",
        )
    reply = json.loads(answer)
    if "error" in reply:
        keeper.wait()
        raise _cannot_execute(component.command[0], reply["error"])
    _keepers[keeper.pid] = keeper
    record = records.read(component.record)
    if record is None:
        raise StartFailed(
            f"{component.name} could not be started",
            cause=f"its record {component.record} cannot be read",
            fix="check that no other program changes files in that directory, then try again",
        )
    return record


def _cannot_execute(program: str, reason: str) -> Exception:
    if Path(program).exists():
        return BinaryUnusable(
            f"{program} cannot be run",
            cause=reason,
            fix="give another one with --temporal-binary, or make it executable for this machine",
        )
    return BinaryMissing(
        f"{program} does not exist", cause=reason, fix="give another one with --temporal-binary"
    )


def stop(path: Path, *, grace: float) -> bool:
    """Stop the component whose record is in `path`: SIGTERM, after `grace` seconds SIGKILL.

    Returns whether it had to be killed. The record goes once the process is gone; a record of a
    process that no longer runs is only removed. Raises StopFailed when even SIGKILL does not help.
    """
    record = records.read(path)
    killed = False
    if record is not None and record.alive():
        _signal(record.process, signal.SIGTERM)
        if not _gone(record.process, grace):
            killed = True
            _signal(record.process, signal.SIGKILL)
            if not _gone(record.process, _KILL_GRACE):
                raise StopFailed(
                    f"{record.component} (pid {record.process.pid}) does not end",
                    cause="it is still there after SIGKILL, so the kernel is waiting for something",
                    fix=f"look at its state with: ps -o pid,stat,wchan -p {record.process.pid}",
                )
    path.unlink(missing_ok=True)
    if record is not None and _gone(record.keeper, _KILL_GRACE):
        _reap(record.keeper.pid)
    return killed


def _signal(process: ProcessIdentity, number: signal.Signals) -> None:
    if process.alive():
        os.kill(process.pid, number)


def _gone(process: ProcessIdentity, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while process.alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True


def _reap(pid: int) -> None:
    if keeper := _keepers.pop(pid, None):
        keeper.wait()
