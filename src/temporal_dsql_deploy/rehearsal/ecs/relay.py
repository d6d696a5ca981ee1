"""Stands for the Service Connect proxy in a task's network: a program of the standard library only.

Each line of its standard input is JSON: where connections to a local address lead, such as
{"127.255.0.1:7233": ["10.0.1.5:7233"]}. It ends when its standard input does. Connections are
balanced one by one, as with a port without appProtocol; one that cannot be made is tried with the
next task, and closed when none takes it.
"""

import asyncio
import json
import sys
from typing import Any

_PIECE = 65536
_SECONDS = 5.0


class Relay:
    """Where each local address leads now."""

    def __init__(self) -> None:
        self.targets: dict[str, list[str]] = {}
        self._servers: dict[str, asyncio.Server] = {}
        self._next = 0

    async def told(self, targets: dict[str, list[str]]) -> None:
        """Lead there from now on; connections that are open stay."""
        self.targets = targets
        for local in targets:
            if local not in self._servers:
                host, port = _parts(local)
                self._servers[local] = await asyncio.start_server(self._of(local), host, port)

    def _of(self, local: str) -> Any:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._serve(local, reader, writer)

        return serve

    async def _serve(
        self, local: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        listed = self.targets.get(local, [])
        self._next += 1
        for number in range(len(listed)):
            host, port = _parts(listed[(self._next + number) % len(listed)])
            try:
                other = await asyncio.wait_for(asyncio.open_connection(host, port), _SECONDS)
            except OSError:
                continue
            await asyncio.gather(_copy(reader, other[1]), _copy(other[0], writer))
            return
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.close()


def _parts(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)


async def main() -> None:
    """Relay until standard input ends."""
    relay = Relay()
    lines = asyncio.StreamReader(limit=2**20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        await relay.told(json.loads(line))


if __name__ == "__main__":
    asyncio.run(main())
