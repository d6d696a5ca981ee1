"""One run of the probe: its client, its names, and what it started."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

T = TypeVar("T")
_PAUSE = 0.5
_PASSING = (
    RPCStatusCode.CANCELLED,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.UNAVAILABLE,
)
POLL = 0.05
"""Seconds between two looks at what ought to change soon."""


class Unexpected(Exception):
    """The cluster answered, with something else than it should have."""


class LeftOut(Exception):
    """The cluster answered that it does not do this, or not now: that is no failure."""


def expect(got: object, wanted: object) -> None:
    """Raise Unexpected unless both are the same."""
    if got != wanted:
        raise Unexpected(f"the answer was {got!r}, not {wanted!r}")


@dataclass
class Trial:
    """One run of the probe."""

    client: Client
    prefix: str
    """Of every workflow id and schedule id; also the task queue."""
    limit: timedelta
    """How long a workflow may live: whatever becomes of the probe, none stays open for longer."""
    unfinished: set[str] = field(default_factory=set)
    """Ids of workflows that may still be open."""
    undo: list[Callable[[], Awaitable[Any]]] = field(default_factory=list)
    """What is to be called when all checks have ended: what was made and has no end of its own."""
    until: float = 0.0
    """When the checks have to be done, by the monotonic clock."""

    @property
    def unattended(self) -> str:
        """A task queue without a worker."""
        return f"{self.prefix}-unattended"

    def left(self) -> float:
        """Seconds until the checks have to be done."""
        return self.until - time.monotonic()

    async def persist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer to a call, asked again as long as it is refused for the moment.

        The SDK would ask again by itself, and forget why it had to. Raises the last RPCError when
        the time is up.
        """
        while True:
            try:
                return await ask()
            except RPCError as error:
                if error.status not in _PASSING or self.left() < 3 * _PAUSE:
                    raise
            await asyncio.sleep(_PAUSE)

    async def start(
        self, workflow: Callable[..., Awaitable[Any]], name: str, *arguments: str
    ) -> WorkflowHandle[Any, Any]:
        """Start a workflow of this run, noted so that it can be cleaned up."""
        identifier = f"{self.prefix}-{name}"
        self.unfinished.add(identifier)
        return await self.client.start_workflow(
            workflow,
            args=arguments,
            id=identifier,
            task_queue=self.prefix,
            execution_timeout=self.limit,
        )

    async def finished(self, handle: WorkflowHandle[Any, Any], wanted: str) -> None:
        """Wait for a workflow's end. Raises Unexpected when its result is not the wanted one."""
        self.unfinished.add(handle.id)
        expect(await handle.result(), wanted)
        self.unfinished.discard(handle.id)
