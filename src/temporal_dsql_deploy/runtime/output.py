"""The server's output for a collector that tails a file: copied as it comes, the file rotated."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

MOST = 50 * 1024 * 1024
"""Bytes of a file: a volume of a task is on the instance's disk. One older file is kept."""
_CHUNK = 64 * 1024
_FORWARDED = ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")


class LogFile:
    """A file that begins anew at a line's end once it is too large.

    What cannot be written is left out and said once on stderr: a full disk must not stop a server.
    """

    def __init__(self, path: Path, most: int = MOST) -> None:
        self._path = path
        self._most = most
        self._descriptor: int | None = None
        self._size = 0
        self._failed = False

    def write(self, data: bytes) -> None:
        """Append bytes; raises nothing."""
        try:
            self._write(data)
            self._failed = False
        except OSError as error:
            self._close()
            if not self._failed:
                self._failed = True
                sys.stderr.write(
                    f"{self._path} gets no more lines: {error.strerror}; stdout has them\n"
                )

    def _write(self, data: bytes) -> None:
        descriptor = self._open()
        end = data.rfind(b"\n") + 1
        if self._size + len(data) > self._most and end:
            self._all(descriptor, data[:end])
            self._close()
            # The collector reads the renamed file to its end, then the new one.
            self._path.replace(self._path.with_name(self._path.name + ".1"))
            descriptor, data = self._open(), data[end:]
        self._all(descriptor, data)

    def _open(self) -> int:
        if self._descriptor is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._descriptor = os.open(self._path, flags, 0o644)
            self._size = os.fstat(self._descriptor).st_size
        return self._descriptor

    def _all(self, descriptor: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = os.write(descriptor, view)
            self._size += written
            view = view[written:]

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def run(command: Sequence[str], environ: Mapping[str, str], file: LogFile) -> int:
    """Run the server as a child, copy what it says, pass on every signal; its exit code.

    A child, and not the other way round: a container ends with the process that it was started
    with, and the last lines, which say why, would be lost with who copies them.
    Raises OSError where the command cannot be started.
    """
    reading, writing = os.pipe()
    child: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def forward(number: int, _: Any) -> None:
        if child is None:
            early.append(number)
        else:
            child.send_signal(number)

    for name in _FORWARDED:
        signal.signal(getattr(signal, name), forward)
    child = subprocess.Popen(list(command), env=dict(environ), stdout=writing, stderr=writing)
    os.close(writing)
    for number in early:
        child.send_signal(number)
    _copy(reading, file)
    code = child.wait()
    return 128 - code if code < 0 else code


def _copy(reading: int, file: LogFile) -> None:
    """Until the last process that holds the other end has closed it."""
    while True:
        data = os.read(reading, _CHUNK)
        if not data:
            return
        _to_stdout(data)
        file.write(data)


def _to_stdout(data: bytes) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(1, view) :]
    except OSError:
        return  # Nobody reads it any more; the file still gets the lines.
