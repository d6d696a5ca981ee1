"""Wait until a process of a rehearsal listens."""

import socket
import time
from pathlib import Path

from temporal_dsql_deploy.errors import NotReady, StartFailed
from temporal_dsql_deploy.platforms.processes import record as records

_SECONDS = 60.0
_POLL = 0.02
_LAST = 1500
"""Characters of a log that an error repeats."""


def until(address: tuple[str, int], record: Path) -> None:
    """Wait until somebody listens at an address. Raises StartFailed, NotReady.

    `record` is that of the process which is to.
    """
    deadline = time.monotonic() + _SECONDS
    while not _answers(address):
        run = records.read(record)
        if run is None or not run.alive():
            raise StartFailed(
                f"{record.stem} of the rehearsal has ended before it was ready",
                cause=_end_of(Path(run.log)) if run else "it has left no record",
                fix="see what it says, then try again",
            )
        if time.monotonic() > deadline:
            raise NotReady(
                f"{record.stem} of the rehearsal does not listen after {_SECONDS:g} s",
                cause=f"nobody answers at {address[0]}:{address[1]}",
                fix=f"its log: {run.log}",
            )
        time.sleep(_POLL)


def _answers(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True


def _end_of(log: Path) -> str:
    try:
        return log.read_text(errors="replace").strip()[-_LAST:] or "its log is empty"
    except OSError as error:
        return str(error)
