"""A TCP balancer before several frontends, as Service Connect or a load balancer is on ECS.

Each connection goes to the next address that accepts it, and lasts until one of its ends closes it.
Requests of a client can so go on with another frontend, as soon as its connection is closed.
"""

import asyncio
import contextlib
import threading
from collections.abc import Sequence
from itertools import count
from types import TracebackType
from typing import Self

_DIAL = 1.0
"""Seconds in which an address must accept."""
_CHUNK = 65536


class Balancer:
    """Listens on 127.0.0.1 while its `with` block lasts, in a thread of its own."""

    def __init__(self, targets: Sequence[str]) -> None:
        self._targets = [
            (host, int(port)) for host, _, port in (t.rpartition(":") for t in targets)
        ]
        self._turn = count()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="balancer")
        self._connections: set[asyncio.Task[None]] = set()
        self.dialled: list[str] = []
        """The address of each connection that was made."""
        self.address = ""
        """host:port."""

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.address = f"{host}:{port}"

    async def _close(self) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = self._loop.create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            found = await self._dial()
            if found is None:
                return
            from_target, to_target = found
            with contextlib.closing(to_target):
                ways = [
                    asyncio.ensure_future(_copy(reader, to_target)),
                    asyncio.ensure_future(_copy(from_target, writer)),
                ]
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for way in ways:
                        way.cancel()
                    await asyncio.gather(*ways, return_exceptions=True)

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        first = next(self._turn)
        for number in range(len(self._targets)):
            host, port = self._targets[(first + number) % len(self._targets)]
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(_DIAL):
                    found = await asyncio.open_connection(host, port)
                self.dialled.append(f"{host}:{port}")
                return found
        return None


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
