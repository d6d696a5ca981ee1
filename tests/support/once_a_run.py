"""What is made once in a run of pytest, also where several processes run its tests side by side."""

import fcntl
import os
import pickle
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Made = TypeVar("Made")
_RUN = "PYTEST_XDIST_TESTRUNUID"
"""The same in all processes of a run; pytest-xdist sets it."""


def once_a_run(name: str, make: Callable[[], Made]) -> Made:
    """What `make` makes, by the first process that asks; what others are given can be pickled."""
    run = os.environ.get(_RUN)
    if run is None:
        return make()
    folder = _folder(run)
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = folder / name
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept.exists():
            found: Made = pickle.loads(kept.read_bytes())  # noqa: S301 - written by this run
            return found
        made = make()
        kept.write_bytes(pickle.dumps(made))
    return made


def forget(run: str) -> None:
    """Remove what was made in a run."""
    shutil.rmtree(_folder(run), ignore_errors=True)


def _folder(run: str) -> Path:
    return Path(tempfile.gettempdir()) / f"dsql-deploy-tests-{os.getuid()}-{run}"
