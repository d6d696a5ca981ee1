"""Start a component detached from this command, and stop it again; never anybody else's process."""

import contextlib
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
    with os.fdopen(read_end) as handshake:
        try:
            keeper = _start_keeper(component, write_end)
        finally:
            os.close(write_end)
        try:
            answer = handshake.read()
            return _started(component, keeper, answer)
        except BaseException:
            # The keeper stops what it has started, and ends.
            keeper.terminate()
            keeper.wait()
            component.record.unlink(missing_ok=True)
            raise


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
    reply = json.loads(answer or '{"ended": true}')
    if "program" in reply:
        raise _cannot_execute(component.command[0], reply["program"])
    record = records.read(component.record)
    if reply or record is None:
        raise StartFailed(
            f"{component.name} could not be started",
            cause=reply.get("record") or f"its record {component.record} was not written",
            fix=f"check that {component.record.parent} can be written, then try again",
        )
    _keepers[keeper.pid] = keeper
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

    Both go to all processes of the component. Returns whether it had to be killed. The record stays
    and says how it ended. Raises StopFailed when even SIGKILL does not help.
    """
    record = records.read(path)
    killed = False
    if record is not None and _any_alive(record):
        _signal(record, signal.SIGTERM)
        if not _ended(record, grace):
            killed = True
            _signal(record, signal.SIGKILL)
            if not _ended(record, _KILL_GRACE):
                raise StopFailed(
                    f"{record.component} (pid {record.process.pid}) does not end",
                    cause="it is still there after SIGKILL, so the kernel is waiting for something",
                    fix=f"look at its state with: ps -o pid,stat,wchan -p {record.process.pid}",
                )
    if record is not None and (keeper := _keepers.pop(record.keeper.pid, None)):
        keeper.wait()
    return killed


def _any_alive(record: Record) -> bool:
    """Whether the component runs, or something that it started: its keeper waits for both."""
    return record.process.alive() or record.keeper.alive()


def _signal(record: Record, number: signal.Signals) -> None:
    # The component leads a group of its own. Its number cannot be anybody else's while it runs, nor
    # while its keeper does: that waits until the last process of the group has closed its output.
    if _any_alive(record):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(record.process.pid, number)


def _ended(record: Record, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while _any_alive(record):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True
