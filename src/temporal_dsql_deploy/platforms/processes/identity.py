"""Which process a pid means: a pid alone may by now belong to another process."""

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A pid together with when that process started, which a recycled pid does not share."""

    pid: int
    start_time: str
    """Opaque, compared for equality: boot id and clock ticks on Linux, else what `ps` says."""

    def alive(self) -> bool:
        """Whether this very process still runs; a zombie has ended and does not count."""
        return start_time(self.pid) == self.start_time


def identify(pid: int) -> ProcessIdentity | None:
    """The identity of a running process, None when there is none or it has ended."""
    started = start_time(pid)
    return ProcessIdentity(pid, started) if started else None


def start_time(pid: int) -> str | None:
    """When `pid` started, as an opaque token; None when it does not run.

    Linux: field 22 of /proc/PID/stat (proc(5)), with the boot id, since ticks count from boot.
    """
    if sys.platform == "linux":
        return _linux_start_time(pid)
    return _ps_start_time(pid)


def _linux_start_time(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The second field, the command in parentheses, may itself hold spaces and parentheses.
    fields = stat.rpartition(")")[2].split()
    state, started = fields[0], fields[19]
    return None if state in "ZX" else f"{boot_id()}:{started}"


@cache
def boot_id() -> str:
    """Of this run of the kernel, random; containers share it. Raises OSError where not on Linux."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _ps_start_time(pid: int) -> str | None:
    # The time is written by zone and language, and must be the same text to whoever asks.
    result = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
    )
    state, _, started = result.stdout.strip().partition(" ")
    return started.strip() if started and not state.startswith("Z") else None
