"""Listens where a data store should, and passes on to where it does.

`python -m temporal_dsql_deploy.rehearsal.relay 10.0.1.254:5432=127.0.0.1:40001 ...`: the store may
be started before its place in the VPC is known, and taken away without being stopped.
"""

import asyncio
import contextlib
import sys
from collections.abc import Iterable
from dataclasses import dataclass

_CHUNK = 65536


@dataclass(frozen=True, slots=True)
class Way:
    """One address that leads to another."""

    listens: tuple[str, int]
    leads_to: tuple[str, int]

    @classmethod
    def parse(cls, text: str) -> "Way":
        """Of HOST:PORT=HOST:PORT. Raises ValueError."""
        ends = []
        for end in text.split("=", 1):
            host, _, port = end.rpartition(":")
            ends.append((host, int(port)))
        return cls(ends[0], ends[1])

    def __str__(self) -> str:
        return "=".join(f"{host}:{port}" for host, port in (self.listens, self.leads_to))


async def serve(ways: Iterable[Way]) -> None:
    """Until it is cancelled. Raises OSError."""
    servers = [await asyncio.start_server(_passing_to(way.leads_to), *way.listens) for way in ways]
    await asyncio.gather(*(server.serve_forever() for server in servers))


def _passing_to(target: tuple[str, int]):  # type: ignore[no-untyped-def]
    async def passed(caller: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            store, there = await asyncio.open_connection(*target)
        except OSError:
            # As if nobody listened.
            back.transport.abort()
            return
        await asyncio.gather(_pass_on(caller, there), _pass_on(store, back))

    return passed


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while said := await source.read(_CHUNK):
            target.write(said)
            await target.drain()
    target.close()


def main() -> None:
    """Serve the ways of the command line."""
    import uvloop

    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve([Way.parse(text) for text in sys.argv[1:]]))


if __name__ == "__main__":
    main()
