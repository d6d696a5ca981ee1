"""A Terraform that outlives the one who started it: it ends what it has begun, and writes its state.

Who is killed (SIGKILL, out of memory) can hand nothing on. Without this Terraform would die of the
pipe that nobody reads, in the midst of a call: what that makes would be in no state.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

LOCKING = ("apply", "destroy", "plan")
"""Subcommands that lock the state: what they say goes to a file, which needs no reader."""
_PR_SET_PDEATHSIG = 1
_LOOK_SECONDS = 0.05
_CHUNK = 1 << 16
_PATIENCE = 300.0
"""Seconds that one which was told to stop may take: it waits for the calls it has begun."""


def told_of_death() -> Callable[[], None] | None:
    """For the new process, before it is Terraform: it is interrupted when its parent dies.

    Linux alone has this (prctl(2)); elsewhere it goes on to its end.
    """
    if sys.platform != "linux":
        return None
    # Looked up here: after the fork other threads hold what they held.
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def in_child() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT))
        if os.getppid() != parent:
            os._exit(1)

    return in_child


def lines(process: "subprocess.Popen[str]", written: IO[bytes]) -> Iterator[str]:
    """The lines that a process writes to a file, as they come, until it has ended."""
    position, rest = 0, b""
    while True:
        # Before the file is read: what was written at the end is in it then.
        is_over = process.poll() is not None
        while part := os.pread(written.fileno(), _CHUNK, position):
            position += len(part)
            *whole, rest = (rest + part).split(b"\n")
            yield from (line.decode(errors="replace") for line in whole)
        if is_over:
            break
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LOOK_SECONDS)
    if rest:
        yield rest.decode(errors="replace")


def wait_for_others(
    directory: Path, report: Callable[[str], None], seconds: float = _PATIENCE
) -> bool:
    """Wait until no Terraform of this user works in a folder; whether that is so.

    One that was started by somebody who was killed goes on until its calls are answered, and has
    the state locked so long.
    """
    end = time.monotonic() + seconds
    is_told = False
    while found := _working(directory):
        if not is_told:
            report(
                f"waiting for the Terraform of an earlier command, process {found[0]}: it ends "
                "what it has begun"
            )
            is_told = True
        if time.monotonic() > end:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def _working(directory: Path) -> list[int]:
    """Process ids."""
    import psutil

    where = str(directory.resolve())
    found = []
    for process in psutil.process_iter(["name"]):
        if not str(process.info["name"]).startswith("terraform"):
            continue
        with suppress(psutil.Error):
            if process.cwd() == where and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return sorted(found)
