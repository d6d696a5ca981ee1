"""Take from a process what it needs, from outside, until stdin ends: `python -m … pause 0.02 …`.

It is a process of its own, so that whoever measures is not slowed by it.
"""

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LONGEST = 120.0
"""Seconds after which it ends in any case."""
_BUSY = 10.0


class Starving:
    """A running one; `end` gives everything back."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, *arguments], cwd=ROOT, stdin=subprocess.PIPE
        )

    def end(self) -> None:
        """Stop it, and wait until it has."""
        self._process.communicate()


def pause(paused: float, running: float, pids: Sequence[int]) -> list[str]:
    """Arguments for: let the processes run for so many seconds, then none for so many."""
    return ["pause", str(paused), str(running), *map(str, pids)]


def lock(database: Path, locked: float, free: float) -> list[str]:
    """Arguments for: nobody else reads or writes an SQLite file for so many seconds, then all."""
    return ["lock", str(locked), str(free), str(database)]


def _pause(paused: float, running: float, pids: Sequence[int], ended: threading.Event) -> None:
    try:
        while not ended.is_set():
            _signal(pids, signal.SIGSTOP)
            time.sleep(paused)
            _signal(pids, signal.SIGCONT)
            time.sleep(_about(running))
    finally:
        _signal(pids, signal.SIGCONT)


def _about(seconds: float) -> float:
    """Something around it, so that nothing falls into step."""
    return seconds * random.uniform(0.5, 1.5)  # noqa: S311 - no secret


def _signal(pids: Sequence[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _lock(locked: float, free: float, database: str, ended: threading.Event) -> None:
    connection = sqlite3.connect(database, isolation_level=None, timeout=_BUSY)
    with contextlib.closing(connection):
        while not ended.is_set():
            # Who comes too late to a lock that others want too waits for the next turn.
            with contextlib.suppress(sqlite3.OperationalError):
                connection.execute("BEGIN EXCLUSIVE")
                time.sleep(locked)
                connection.execute("ROLLBACK")
            time.sleep(_about(free))


def _wait(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def main() -> None:
    """Starve, as the arguments say."""
    ended = threading.Event()
    threading.Thread(target=_wait, args=[ended], daemon=True).start()
    limit = threading.Timer(_LONGEST, ended.set)
    limit.daemon = True
    limit.start()
    how, first, second, *rest = sys.argv[1:]
    if how == "lock":
        _lock(float(first), float(second), rest[0], ended)
    else:
        _pause(float(first), float(second), [int(pid) for pid in rest], ended)


if __name__ == "__main__":
    main()
