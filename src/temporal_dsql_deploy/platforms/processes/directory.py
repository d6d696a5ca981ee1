"""The directory of an environment on this machine: its data, logs, run records, lock."""

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from temporal_dsql_deploy.errors import DirectoryUnusable, ForeignDirectory, Locked, NotRunning
from temporal_dsql_deploy.platforms.protocol import Report, Stored

LEAST_FREE = 64 * 1024 * 1024
"""Bytes that must be free before anything is started: a database that is full stops a cluster."""
_MARKER = "environment.json"
_POLL = 0.05


class Directory:
    """All that an environment leaves on this machine is under `root`, and nothing else is."""

    def __init__(self, root: Path, environment: str, data: Sequence[str]) -> None:
        self.root = root
        self.environment = environment
        self.logs = root / "logs"
        self.run = root / "run"
        self._data = tuple(data)
        """Names, or patterns with *, of what else is made here."""
        self._lock = self.run / "lock"
        self._marker = root / _MARKER

    def log(self, component: str) -> Path:
        """The log of a component."""
        return self.logs / f"{component}.log"

    def record(self, component: str) -> Path:
        """The run record of a component."""
        return self.run / f"{component}.json"

    def prepare(self) -> None:
        """Make the directory if need be.

        Raises DirectoryUnusable when it cannot be written or is full, ForeignDirectory when it
        holds something else.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            if self._check_owner() is None:
                self._claim()
            for folder in (self.logs, self.run):
                folder.mkdir(exist_ok=True)
                _check_writable(folder)
            self._check_space(self.root)
        except OSError as error:
            raise self.unusable(error) from error

    def check(self) -> str:
        """What `prepare` would find, for a sentence; nothing is made. Raises as `prepare` does."""
        try:
            existing = next(path for path in (self.root, *self.root.parents) if path.exists())
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

    def not_running(self, cause: str) -> NotRunning:
        """The error for what only a running environment can do."""
        return NotRunning(
            f"environment {self.environment} is not running",
            cause=cause,
            fix="start it with: dsql-deploy up ENV",
        )

    def _claim(self) -> None:
        # In one step: an empty marker would make this directory nobody's.
        whole = self._marker.with_suffix(".new")
        whole.write_text(json.dumps({"environment": self.environment}) + "\n")
        whole.replace(self._marker)

    def refuse_foreign(self) -> None:
        """Raises ForeignDirectory when this is another environment's, DirectoryUnusable."""
        try:
            if self.root.exists():
                self._check_owner()
        except OSError as error:
            raise self.unusable(error) from error

    def _check_owner(self) -> str | None:
        """The environment that this directory belongs to. Raises ForeignDirectory, OSError."""
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
        return owner

    def stored(self) -> list[Stored]:
        """What this tool made here, largest first. Raises DirectoryUnusable."""
        try:
            made = [path for pattern in self._data for path in self.root.glob(pattern)]
            made += [self.logs, self.run]
            entries = [Stored(path=path, bytes=_size(path)) for path in made if path.exists()]
        except OSError as error:
            raise self.unusable(error) from error
        return sorted(entries, key=lambda entry: -entry.bytes)

    def remove(self) -> None:
        """Delete what this tool made here, and the directory itself if that leaves it empty."""
        for entry in self.stored():
            if entry.path.is_dir():
                shutil.rmtree(entry.path)
            else:
                entry.path.unlink(missing_ok=True)
        self._marker.unlink(missing_ok=True)
        if self.root.is_dir() and not any(self.root.iterdir()):
            self.root.rmdir()

    @contextmanager
    def lock(self, verb: str, waiting: Report, *, patience: float) -> Iterator[None]:
        """Hold the lock of this directory; wait `patience` seconds for one who has it.

        The kernel drops the lock with its process, so a killed command never leaves one behind.
        Raises Locked, DirectoryUnusable, ForeignDirectory.
        """
        self.refuse_foreign()
        try:
            descriptor = self._acquire(waiting, patience)
        except OSError as error:
            raise self.unusable(error) from error
        try:
            holder = {"pid": os.getpid(), "verb": verb, "since": _now()}
            # Only for people to read: on a full disk the lock holds all the same.
            with contextlib.suppress(OSError):
                os.truncate(descriptor, 0)
                os.pwrite(descriptor, json.dumps(holder).encode(), 0)
            yield
        finally:
            os.close(descriptor)

    def _acquire(self, waiting: Report, patience: float) -> int:
        deadline = time.monotonic() + patience
        told = False
        while True:
            descriptor = self._try_lock()
            if isinstance(descriptor, int):
                return descriptor
            if time.monotonic() > deadline:
                raise Locked(
                    f"environment {self.environment} is being changed by another command",
                    cause=descriptor.said,
                    fix="wait until it has finished, or stop it with Ctrl-C there",
                )
            if not told:
                waiting(f"waiting for {descriptor.said}")
                told = True
            time.sleep(_POLL)

    def _try_lock(self) -> "int | _Holder":
        """The descriptor that holds the lock, or who holds it."""
        while True:
            self._lock.parent.mkdir(parents=True, exist_ok=True)
            try:
                descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o644)
            except FileNotFoundError:
                # `destroy` has deleted the folder since it was made.
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = _Holder(_holder(descriptor))
                os.close(descriptor)
                return holder
            # `destroy` may have deleted the file between the open and the lock.
            if _same_file(descriptor, self._lock):
                return descriptor
            os.close(descriptor)


@dataclass(frozen=True, slots=True)
class _Holder:
    """Who holds a lock."""

    said: str


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
    """Bytes of a file or of all files of a folder; a running server may delete some meanwhile."""
    total = 0
    for file in [path, *path.rglob("*")] if path.is_dir() else [path]:
        with contextlib.suppress(FileNotFoundError):
            total += file.stat().st_size if file.is_file() else 0
    return total


def _now() -> str:
    return datetime.now().astimezone().strftime("%H:%M:%S")
