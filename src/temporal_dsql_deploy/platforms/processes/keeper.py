"""The small process that is the parent of one component: logs, records and reaps it.

A keeper is started detached by `supervisor.start`, so that a component outlives the command that
started it and still has a parent that notices its end. It imports the standard library only.

On Linux a component dies with its keeper (prctl(2), PR_SET_PDEATHSIG). Elsewhere a component whose
keeper was killed goes on, without its log, until `down` stops it by the identity in its record.
"""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from temporal_dsql_deploy.platforms.processes import record as records
from temporal_dsql_deploy.platforms.processes.identity import ProcessIdentity, identify
from temporal_dsql_deploy.platforms.processes.rotation import RotatingLog

_PR_SET_PDEATHSIG = 1
_CHUNK = 65536


def main() -> None:
    """Run the component that the JSON document on standard input describes."""
    task = json.load(sys.stdin)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    components: list[subprocess.Popen[bytes]] = []
    asked_to_stop = False

    def stop(*_: object) -> None:
        nonlocal asked_to_stop
        asked_to_stop = True
        for component in components:
            _terminate(component, task["stop_signal"])

    signal.signal(signal.SIGTERM, stop)
    try:
        component = _spawn(task)
    except OSError as error:
        _answer(task["handshake_fd"], {"program": str(error.strerror)})
        return
    components.append(component)
    path = Path(task["record"])
    record = _record(task, component.pid)
    problem = _write(path, record)
    if not _answer(task["handshake_fd"], problem) or problem or asked_to_stop:
        _terminate(component, task["stop_signal"])
    assert component.stdout is not None  # noqa: S101 - a pipe was asked for
    _copy(component.stdout, Path(task["log"]), task["log_limit"], task["log_keep"])
    code = component.wait()
    # What somebody has removed or replaced meanwhile must not come back.
    if records.read(path) == record:
        _write(path, replace(record, exit=records.Exit(code, _now())))


def _terminate(component: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(component.pid, number)


def _write(path: Path, record: records.Record) -> dict[str, str]:
    """Write the record; what was wrong with that, for the answer, {} when nothing was."""
    try:
        records.write(path, record)
    except OSError as error:
        return {"record": f"{error.filename or path}: {error.strerror}"}
    return {}


def _answer(fd: int, reply: dict[str, str]) -> bool:
    """Tell the command that started this keeper; False when it has ended meanwhile."""
    try:
        os.write(fd, json.dumps(reply).encode())
    except BrokenPipeError:
        return False
    finally:
        os.close(fd)
    return True


def _spawn(task: dict[str, Any]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        task["command"],
        cwd=task["directory"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        bufsize=0,
        start_new_session=True,
        preexec_fn=_die_with_keeper(task["stop_signal"]),  # noqa: PLW1509 - a keeper has one thread
    )


def _die_with_keeper(number: int) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    keeper = os.getpid()

    def in_component() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        libc.prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != keeper:
            os._exit(1)

    return in_component


def _record(task: dict[str, Any], pid: int) -> records.Record:
    # The component is this process's child and not yet waited for, so its pid is its own.
    return records.Record(
        component=task["component"],
        process=identify(pid) or ProcessIdentity(pid, "ended at once"),
        keeper=identify(os.getpid()) or ProcessIdentity(os.getpid(), "unknown"),
        command=task["command"],
        log=task["log"],
        log_start=_size(Path(task["log"])),
        started_at=_now(),
        settings=task["settings"],
        stop_signal=task["stop_signal"],
    )


def _copy(output: IO[bytes], path: Path, limit: int, keep: int) -> None:
    log = RotatingLog(path, limit=limit, keep=keep)
    rest = b""
    while chunk := output.read(_CHUNK):
        lines, newline, rest = (rest + chunk).rpartition(b"\n")
        if newline:
            log.write(lines + newline)
        elif len(rest) > _CHUNK:
            log.write(rest)
            rest = b""
    if rest:
        log.write(rest + b"\n")
    log.close()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


if __name__ == "__main__":
    main()
