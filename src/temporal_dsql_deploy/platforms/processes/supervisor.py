"""Start a component detached from this command, and stop it again; never anybody else's process."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
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
    stop_signal: int = signal.SIGTERM
    """What asks it to end."""


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
        "stop_signal": int(component.stop_signal),
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
            fix="give another one, or make it executable for this machine; the options: "
            "dsql-deploy up --help",
        )
    return BinaryMissing(
        f"{program} does not exist",
        cause=reason,
        fix="give another one; the options: dsql-deploy up --help",
    )


def stop(path: Path, *, grace: float) -> bool:
    """Stop the component whose record is in `path`, as `stop_all` does; whether it was killed."""
    return bool(stop_all([path], grace=grace))


def stop_all(paths: Sequence[Path], *, grace: float) -> list[str]:
    """Stop the components whose records these are, all at once; the names of those killed.

    Each gets its stop signal, after `grace` seconds SIGKILL; both go to all of its processes. The
    records stay and say how they ended. Raises StopFailed when even SIGKILL does not help.
    """
    found = [record for path in paths if (record := records.read(path)) is not None]
    running = [record for record in found if _any_alive(record)]
    for record in running:
        _signal(record, record.stop_signal)
    deadline = time.monotonic() + grace
    killed = [record for record in running if not _ended(record, deadline)]
    for record in killed:
        _signal(record, signal.SIGKILL)
    deadline = time.monotonic() + _KILL_GRACE
    for record in killed:
        if not _ended(record, deadline):
            raise StopFailed(
                f"{record.component} (pid {record.process.pid}) does not end",
                cause="it is still there after SIGKILL, so the kernel is waiting for something",
                fix=f"look at its state with: ps -o pid,stat,wchan -p {record.process.pid}",
            )
    for record in found:
        if keeper := _keepers.pop(record.keeper.pid, None):
            keeper.wait()
    return [record.component for record in killed]


def _any_alive(record: Record) -> bool:
    """Whether the component runs, or something that it started: its keeper waits for both."""
    return record.process.alive() or record.keeper.alive()


def _signal(record: Record, number: int) -> None:
    # The component leads a group of its own. Its number cannot be anybody else's while it runs, nor
    # while its keeper does: that waits until the last process of the group has closed its output.
    if _any_alive(record):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(record.process.pid, number)


def _ended(record: Record, deadline: float) -> bool:
    while _any_alive(record):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True
