"""The relay before a data store."""

import asyncio
import socket

import pytest

from temporal_dsql_deploy.platforms.processes.ports import any_free
from temporal_dsql_deploy.rehearsal import relay
from temporal_dsql_deploy.rehearsal.relay import Way


def test_a_way_is_written_as_it_is_read() -> None:
    way = Way(("10.0.1.254", 5432), ("127.0.0.1", 40001))
    assert str(way) == "10.0.1.254:5432=127.0.0.1:40001"
    assert Way.parse(str(way)) == way


@pytest.mark.parametrize("wrong", ["", "10.0.0.1=127.0.0.1:1", "10.0.0.1:x=127.0.0.1:1"])
def test_what_is_no_way_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"invalid literal|not enough|out of range"):
        Way.parse(wrong)


async def _said(store: int | None, word: bytes) -> bytes:
    """What comes back of a word through a relay to a store that says it twice."""

    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = await reader.read(100)
        writer.write(said * 2)
        await writer.drain()
        writer.close()

    listens, leads_to = any_free(), store or any_free()
    way = Way(("127.0.0.1", listens), ("127.0.0.1", leads_to))
    serving = asyncio.create_task(relay.serve([way]))
    server = None if store is None else await asyncio.start_server(twice, "127.0.0.1", leads_to)
    try:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", listens)
                break
            except ConnectionRefusedError:
                await asyncio.sleep(0)
        writer.write(word)
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()
    finally:
        serving.cancel()
        if server is not None:
            server.close()


def test_both_ways_are_passed_on() -> None:
    assert asyncio.run(_said(any_free(), b"word")) == b"wordword"


def test_a_store_that_is_away_closes_the_connection() -> None:
    assert asyncio.run(_said(None, b"word")) == b""


def test_nobody_else_may_listen_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        way = Way(taken.getsockname(), ("127.0.0.1", 1))
        with pytest.raises(OSError, match="in use"):
            asyncio.run(relay.serve([way]))
