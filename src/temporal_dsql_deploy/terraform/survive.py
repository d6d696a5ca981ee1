"""A Terraform that outlives the one who started it: it goes on to its end, and writes its state.

Who is killed (SIGKILL, out of memory) can hand nothing on. Without this Terraform would die of the
pipe that nobody reads, in the midst of a call: what that makes would be in no state. It is not
interrupted then: providers drop the calls that they wait for, whatever AWS makes of them.
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

LOCKING = ("apply", "destroy", "plan", "untaint")
"""Subcommands that lock the state: what they say goes to a file, which needs no reader."""
_LOOK_SECONDS = 0.05
_CHUNK = 1 << 16
_PATIENCE = 2400.0
"""Seconds; Terraform's own lock speaks afterwards. An OpenSearch domain alone takes 20 minutes."""


def lines(
    process: "subprocess.Popen[str]", written: IO[bytes], meanwhile: Callable[[], None]
) -> Iterator[str]:
    """The lines that a process writes to a file, as they come, until it has ended.

    `meanwhile` is called after each look at the file.
    """
    position, rest = 0, b""
    while True:
        # Before the file is read: what was written at the end is in it then.
        is_over = process.poll() is not None
        while part := os.pread(written.fileno(), _CHUNK, position):
            position += len(part)
            *whole, rest = (rest + part).split(b"\n")
            yield from (line.decode(errors="replace") for line in whole)
        meanwhile()
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

    One that was started by somebody who was killed goes on, and has the state locked so long.
    """
    end = time.monotonic() + seconds
    is_told = False
    while found := _working(directory):
        if not is_told:
            report(
                f"waiting for the Terraform of another command, process {found[0]}, which works in "
                f"{directory}"
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
        name = str(process.info["name"])
        # One with a version in its name, and its providers; no language server of an editor.
        if not name.startswith("terraform") or name.startswith("terraform-ls"):
            continue
        with suppress(psutil.Error):
            if process.cwd() == where and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return sorted(found)
