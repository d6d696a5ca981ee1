"""The log of a container, read as a file's is."""

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from temporal_dsql_deploy.platforms.cluster.containers.engine import Engine

if TYPE_CHECKING:
    import subprocess

_AGAIN = 1.0
"""Seconds until the log of a container is asked for again that does not run."""
_CHUNK = 65536
_MORE = 4
"""Lines that are looked at for each that is wanted, before all are."""
T = TypeVar("T")


class ContainerLog(Generic[T]):
    """What one container has said and says, on stdout and stderr."""

    def __init__(self, engine: Engine, container: str, parse: Callable[[str], T | None]) -> None:
        """`parse` gets a line without its newline, and returns None for one that is not wanted."""
        self._engine = engine
        self._container = container
        self._parse = parse
        self._seen = ""
        """The engine's time of the last line."""
        self._rest = b""
        self._following: subprocess.Popen[bytes] | None = None
        self._next = 0.0

    def last(self, count: int) -> list[T]:
        """The last `count` wanted lines, oldest first; once, and before `added`."""
        lines = self._ends(_MORE * count + _MORE)
        found = self._taken(lines)
        if len(found) < count and len(lines) > _MORE * count:
            # Those that are wanted are rare among the others.
            self._seen = ""
            found = self._taken(self._ends(None))
        return found[len(found) - min(count, len(found)) :]

    def _ends(self, count: int | None) -> list[str]:
        said = self._engine.logged(self._container, times=True, tail=count)
        return said.split("\n")

    def added(self) -> list[T]:
        """The wanted lines that are new; none while there are none."""
        if self._following is None:
            self._follow()
        return self._taken(self._read())

    def close(self) -> None:
        """Follow no more."""
        if self._following is None:
            return
        self._following.kill()
        self._following.wait()
        if self._following.stdout is not None:
            self._following.stdout.close()
        self._following = None

    def _follow(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _AGAIN
        self._following = self._engine.follow(self._container, since=self._seen)
        assert self._following.stdout is not None  # noqa: S101 - it was asked for
        os.set_blocking(self._following.stdout.fileno(), False)

    def _read(self) -> list[str]:
        """Whole lines that have come since."""
        if self._following is None or self._following.stdout is None:
            return []
        try:
            got = os.read(self._following.stdout.fileno(), _CHUNK)
        except BlockingIOError:
            return []
        if not got:
            # Its container has ended; it may be started again.
            self.close()
        *lines, self._rest = (self._rest + got).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def _taken(self, lines: list[str]) -> list[T]:
        found = []
        for line in lines:
            at, space, text = line.partition(" ")
            # What is no line of the log is the client's own, such as that there is no container.
            if not space or not at[:4].isdecimal() or at <= self._seen:
                continue
            self._seen = at
            parsed = self._parse(text.rstrip("\r"))
            if parsed is not None:
                found.append(parsed)
        return found
