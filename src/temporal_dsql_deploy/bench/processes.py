"""The generator and worker processes of a benchmark, from the side of who starts them."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

_LINE = 1 << 26
"""Bytes that a line may have: the last one of a generator has a bit for each workflow."""


class ChildFailed(Exception):
    """A process has ended before it was done; the message is what it said last."""


class Child:
    """One process: its task is given on stdin, its lines are read from stdout."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, module: str, task: str) -> "Child":
        """Start a module of this package. It is out of reach of the terminal's Ctrl-C: `stop`."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", f"{__package__}.{module}"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LINE,
            start_new_session=True,
        )
        assert process.stdin is not None  # noqa: S101 - for the type checker: it is a pipe
        with contextlib.suppress(ConnectionError):
            process.stdin.write(task.encode() + b"\n")
            await process.stdin.drain()
        return cls(process)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, line: str) -> None:
        """One more line on its stdin."""
        assert self._process.stdin is not None  # noqa: S101 - for the type checker
        self._process.stdin.write(line.encode() + b"\n")

    async def lines(self) -> AsyncIterator[dict[str, Any]]:
        """What it tells, until it ends. Raises ChildFailed when that is with an error."""
        assert self._process.stdout is not None  # noqa: S101 - for the type checker
        async for line in self._process.stdout:
            yield json.loads(line)
        if await self._process.wait():
            raise ChildFailed(await self.said())

    async def line(self) -> dict[str, Any]:
        """Its next line. Raises ChildFailed when it ends instead."""
        async for line in self.lines():
            return line
        raise ChildFailed("it has ended")

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Its exit code, when it has ended."""
        return await self._process.wait()

    async def stop(self, *, grace: float) -> None:
        """End it: by its stdin, and after `grace` seconds by force."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(grace):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def said(self) -> str:
        """What it said last on stderr, when it has ended with an error."""
        assert self._process.stderr is not None  # noqa: S101 - for the type checker
        said = (await self._process.stderr.read()).decode(errors="replace").strip().splitlines()
        return said[-1] if said else f"it ended with exit code {self._process.returncode}"
