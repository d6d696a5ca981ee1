"""Folders for what is thrown away after a run, such as plans, which hold what is secret.

Who is killed (SIGKILL, out of memory) removes nothing: the next command does it for them.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "dsql-deploy-run-"
_HELD = "held"
"""Locked by whoever works in the folder; the system gives back the lock of one that is killed."""


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for this user alone, as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name:
        made = Path(name)
        begun = made / "begun"
        with begun.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever finds it under this name finds it locked.
            begun.rename(made / _HELD)
            _remove_left(made.parent)
            yield made


def _remove_left(parent: Path) -> None:
    """Remove the folders that nobody works in any more; one that cannot be stays."""
    for other in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if other.lstat().st_uid == os.getuid():
                _remove(other)


def _remove(other: Path) -> None:
    """Raises OSError where somebody works in it, or has only begun to."""
    with (other / _HELD).open() as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(other)
