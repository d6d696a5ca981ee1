"""The directory of one local environment: database, logs, run records, lock."""

import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from temporal_dsql_deploy.errors import DirectoryUnusable, ForeignDirectory, Locked
from temporal_dsql_deploy.platforms.protocol import Report, Stored

LEAST_FREE = 64 * 1024 * 1024
"""Bytes that must be free before anything is started: a full SQLite database stops a cluster."""
_MARKER = "environment.json"
_POLL = 0.05


class Directory:
    """All that an environment leaves on this machine is under `root`, and nothing else is."""

    def __init__(self, root: Path, environment: str) -> None:
        self.root = root
        self.environment = environment
        self.database = root / "temporal.db"
        self.log = root / "logs" / "server.log"
        self.record = root / "run" / "server.json"
        self._lock = root / "run" / "lock"
        self._marker = root / _MARKER

    def prepare(self) -> None:
        """Make the directory if need be.

        Raises DirectoryUnusable when it cannot be written or is full, ForeignDirectory when it
        holds something else.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self._check_owner()
            self._marker.write_text(json.dumps({"environment": self.environment}) + "\n")
            for folder in (self.log.parent, self.record.parent):
                folder.mkdir(exist_ok=True)
                _check_writable(folder)
            self._check_space(self.root)
        except OSError as error:
            raise self.unusable(error) from error

    def check(self) -> str:
        """What `prepare` would find, for a sentence; nothing is made. Raises as `prepare` does."""
        existing = next(path for path in (self.root, *self.root.parents) if path.exists())
        try:
            if existing == self.root:
                self._check_owner()
            _check_writable(existing)
            free = self._check_space(existing)
        except OSError as error:
            raise self.unusable(error) from error
        return f"{self.root}, {free // 2**20} MiB free"

    def _check_space(self, folder: Path) -> int:
        free = shutil.disk_usage(folder).free
        if free < LEAST_FREE:
            raise DirectoryUnusable(
                f"the disk of {self.root} is full",
                cause=f"{free // 1024} KiB are free there, {LEAST_FREE // 1024} KiB are needed",
                fix="free some space, or keep the data elsewhere with --data-dir",
            )
        return free

    def unusable(self, error: OSError) -> DirectoryUnusable:
        """The error for a failed operation in this directory."""
        return DirectoryUnusable(
            f"{self.root} cannot be used to keep data",
            cause=f"{error.filename or self.root}: {error.strerror}",
            fix="choose a directory that you may write to, with --data-dir or XDG_STATE_HOME",
        )

    def _check_owner(self) -> None:
        owner = _owner(self._marker)
        strangers = sorted(path.name for path in self.root.iterdir() if path.name != "run")
        if owner is None and strangers:
            raise ForeignDirectory(
                f"{self.root} is not empty",
                cause=f"it holds {', '.join(strangers[:5])}, which this tool did not make",
                fix="choose an empty or new directory with --data-dir",
            )
        if owner is not None and owner != self.environment:
            raise ForeignDirectory(
                f"{self.root} belongs to environment {owner!r}",
                cause=f"its {_MARKER} says so, and this is {self.environment!r}",
                fix="choose another directory with --data-dir",
            )

    def stored(self) -> list[Stored]:
        """What this tool made here, largest first."""
        made = [*self.root.glob("temporal.db*"), self.root / "logs", self.root / "run"]
        entries = [Stored(path=path, bytes=_size(path)) for path in made if path.exists()]
        return sorted(entries, key=lambda entry: -entry.bytes)

    def remove(self) -> None:
        """Delete what this tool made here, and the directory itself if that leaves it empty."""
        for entry in self.stored():
            if entry.path.is_dir():
                shutil.rmtree(entry.path)
            else:
                entry.path.unlink()
        self._marker.unlink(missing_ok=True)
        if self.root.is_dir() and not any(self.root.iterdir()):
            self.root.rmdir()

    @contextmanager
    def lock(self, verb: str, waiting: Report, *, patience: float) -> Iterator[None]:
        """Hold the lock of this directory; wait `patience` seconds for one who has it.

        The kernel drops the lock with its process, so a killed command never leaves one behind.
        Raises Locked, DirectoryUnusable, ForeignDirectory.
        """
        try:
            if self.root.exists():
                self._check_owner()
            self._lock.parent.mkdir(parents=True, exist_ok=True)
            descriptor = self._acquire(waiting, patience)
        except OSError as error:
            raise self.unusable(error) from error
        try:
            holder = {"pid": os.getpid(), "verb": verb, "since": _now()}
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(holder).encode(), 0)
            yield
        finally:
            os.close(descriptor)

    def _acquire(self, waiting: Report, patience: float) -> int:
        deadline = time.monotonic() + patience
        told = False
        while True:
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = _holder(descriptor)
                os.close(descriptor)
                if time.monotonic() > deadline:
                    raise Locked(
                        f"environment {self.environment} is being changed by another command",
                        cause=holder,
                        fix="wait until it has finished, or stop it with Ctrl-C there",
                    ) from None
                if not told:
                    waiting(f"waiting for {holder}")
                    told = True
                time.sleep(_POLL)
                continue
            # `destroy` may have deleted the file between our open and our lock.
            if _same_file(descriptor, self._lock):
                return descriptor
            os.close(descriptor)
            self._lock.parent.mkdir(parents=True, exist_ok=True)


def _owner(marker: Path) -> str | None:
    try:
        return str(json.loads(marker.read_text())["environment"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _check_writable(folder: Path) -> None:
    descriptor, name = tempfile.mkstemp(dir=folder)
    os.close(descriptor)
    Path(name).unlink()


def _holder(descriptor: int) -> str:
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
        return f"`{holder['verb']}` of process {holder['pid']}, running since {holder['since']}"
    except (ValueError, KeyError):
        return "another command"


def _same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size


def _now() -> str:
    return datetime.now(UTC).strftime("%H:%M:%S UTC")
