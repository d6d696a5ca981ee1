"""Read a rotated log: its last lines, then what is added to it."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO, TypeVar

_POLL = 0.1
T = TypeVar("T")


def read(path: Path, *, count: int, parse: Callable[[str], T | None], follow: bool) -> Iterator[T]:
    """The last `count` lines that `parse` accepts, oldest first; then, to follow, all new ones.

    `parse` gets a line without its newline and returns None for one that is not wanted. Rotated
    files are read only as far back as need be. To follow never ends, and waits for a log that does
    not exist yet.
    """
    current = _open(path)
    position = 0
    found: list[T] = []
    if current is not None:
        text = current.read()
        # A line that is still being written belongs to what follows.
        position = text.rfind("\n") + 1
        found = _parsed(text[:position], parse)
    for older in _rotated(path):
        if len(found) >= count:
            break
        if current is not None and _is_file(current, older):
            continue
        found = _parsed(older.read_text(encoding="utf-8", errors="replace"), parse) + found
    yield from found[len(found) - min(count, len(found)) :]
    if follow:
        rest = text[position:] if current is not None else ""
        yield from _follow(path, current, rest, parse)
    elif current is not None:
        current.close()


def since(path: Path, start: int) -> str:
    """The current log from byte `start` on; all of it when it has been rotated since."""
    try:
        with path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(start if start <= size else 0)
            return log.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def _follow(
    path: Path, log: TextIO | None, rest: str, parse: Callable[[str], T | None]
) -> Iterator[T]:
    try:
        while True:
            log = log or _open(path)
            added = log.read() if log else ""
            if added:
                lines, newline, rest = (rest + added).rpartition("\n")
                yield from _parsed(lines + newline, parse)
            elif log and not _is_file(log, path):
                # What was added between the last read and the rotation.
                lines, newline, rest = (rest + log.read()).rpartition("\n")
                yield from _parsed(lines + newline, parse)
                log.close()
                log = None
            else:
                time.sleep(_POLL)
    finally:
        if log:
            log.close()


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
