"""A log file that is renamed when it is full: server.log, server.log.1, server.log.2 ..."""

from pathlib import Path
from typing import BinaryIO


class RotatingLog:
    """Appends bytes to `path` and keeps at most `keep` full files of about `limit` bytes beside it.

    Rotation happens between lines, so no line is split over two files. A write that fails (a full
    disk) is dropped and counted, never raised: losing log lines must not stop a server.
    """

    def __init__(self, path: Path, *, limit: int, keep: int) -> None:
        self._path = path
        self._limit = limit
        self._keep = keep
        self._file: BinaryIO | None = None
        self._size = 0
        self._lost = 0

    def write(self, lines: bytes) -> None:
        """Append whole lines."""
        try:
            self._write(lines)
        except OSError:
            self._lost += len(lines)

    def _write(self, lines: bytes) -> None:
        if self._file is None:
            self._open()
        if self._size and self._size + len(lines) > self._limit:
            self._rotate()
        if self._lost:
            notice = b"dsql-deploy: %d bytes of this log could not be written\n" % self._lost
            self._lost = 0
            self._append(notice)
        self._append(lines)

    def _append(self, data: bytes) -> None:
        assert self._file is not None  # noqa: S101 - opened by _write
        written = self._file.write(data)
        self._size += written
        self._lost += len(data) - written

    def _open(self) -> None:
        self._file = self._path.open("ab", buffering=0)
        self._size = self._path.stat().st_size

    def _rotate(self) -> None:
        self.close()
        for number in range(self._keep - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))
        self._path.replace(self._numbered(1))
        self._open()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def close(self) -> None:
        """Close the file; a later write opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None
