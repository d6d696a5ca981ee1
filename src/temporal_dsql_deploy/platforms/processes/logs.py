"""Read logs, rotated ones too: their last lines, then what is added to them."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, Protocol, TextIO, TypeVar

_POLL = 0.1
_BEGINNING = datetime.min.replace(tzinfo=UTC)
T = TypeVar("T")


class Source(Protocol[T]):
    """One log, read from its end."""

    def last(self, count: int) -> list[T]:
        """The last `count` wanted lines, oldest first; once, and before `added`."""

    def added(self) -> list[T]:
        """The wanted lines that are new; none while there are none, or no log yet."""

    def close(self) -> None:
        """Read no more."""


class Tail(Generic[T]):
    """One rotated log, read from its end: its last lines, then those that are added."""

    def __init__(self, path: Path, parse: Callable[[str], T | None]) -> None:
        """`parse` gets a line without its newline, and returns None for one that is not wanted."""
        self._path = path
        self._parse = parse
        self._log = _open(path)
        self._rest = ""

    def last(self, count: int) -> list[T]:
        """The last `count` wanted lines, oldest first; once, and before `added`.

        Rotated files are read only as far back as need be.
        """
        found: list[T] = []
        if self._log is not None:
            text = self._log.read()
            # A line that is still being written belongs to what follows.
            position = text.rfind("\n") + 1
            self._rest = text[position:]
            found = _parsed(text[:position], self._parse)
        for older in _rotated(self._path):
            if len(found) >= count:
                break
            if self._log is not None and _is_file(self._log, older):
                continue
            whole = older.read_text(encoding="utf-8", errors="replace")
            found = _parsed(whole, self._parse) + found
        return found[len(found) - min(count, len(found)) :]

    def added(self) -> list[T]:
        """The wanted lines that are new; none while there are none, or no log yet."""
        self._log = self._log or _open(self._path)
        if self._log is None:
            return []
        found = self._take(self._log.read())
        if not _is_file(self._log, self._path):
            # What was added between the last read and the rotation.
            found += self._take(self._log.read())
            self.close()
        return found

    def _take(self, added: str) -> list[T]:
        lines, newline, self._rest = (self._rest + added).rpartition("\n")
        return _parsed(lines + newline, self._parse)

    def close(self) -> None:
        """Close the file; `added` opens the one that is there then."""
        if self._log is not None:
            self._log.close()
            self._log = None


def read(
    tails: Sequence[Source[T]],
    *,
    count: int,
    follow: bool,
    time_of: Callable[[T], datetime | None] = lambda _: None,
) -> Iterator[T]:
    """The last `count` lines of all these logs, oldest first; then, to follow, all new ones.

    `time_of` says when a line of one of several logs was written; one without a time belongs to the
    one before it. To follow never ends, and waits for logs that do not exist yet.
    """
    try:
        found = _merged([tail.last(count) for tail in tails], time_of)
        yield from found[len(found) - min(count, len(found)) :]
        while follow:
            new = _merged([tail.added() for tail in tails], time_of)
            yield from new
            if not new:
                time.sleep(_POLL)
    finally:
        for tail in tails:
            tail.close()


def _merged(logs: Sequence[list[T]], time_of: Callable[[T], datetime | None]) -> list[T]:
    """The lines of all logs by their time; those of one log stay in their order."""
    timed = []
    for lines in logs:
        now = _BEGINNING
        for line in lines:
            now = max(now, time_of(line) or now)
            timed.append((now, line))
    return [line for _, line in sorted(timed, key=lambda pair: pair[0])]


def since(path: Path, start: int) -> str:
    """The current log from byte `start` on; all of it when it has been rotated since."""
    try:
        with path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(start if start <= size else 0)
            return log.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def _parsed(text: str, parse: Callable[[str], T | None]) -> list[T]:
    parsed = (parse(line) for line in text.split("\n")[:-1])
    return [line for line in parsed if line is not None]


def _rotated(path: Path) -> list[Path]:
    """Newest first: server.log.1, server.log.2 ..."""
    numbered = [file for file in path.parent.glob(f"{path.name}.*") if file.suffix[1:].isdigit()]
    return sorted(numbered, key=lambda file: int(file.suffix[1:]))


def _open(path: Path) -> TextIO | None:
    try:
        return path.open(encoding="utf-8", errors="replace", newline="\n")
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_file(log: TextIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(log.fileno()), path.stat())
    except FileNotFoundError:
        return False
