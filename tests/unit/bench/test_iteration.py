"""When the generators begin."""

import asyncio
import time
from typing import Any, cast

import pytest
from temporalio.client import Client

from temporal_dsql_deploy.bench import options
from temporal_dsql_deploy.bench.iteration import Iteration
from temporal_dsql_deploy.bench.processes import Child
from temporal_dsql_deploy.bench.servers import Watch


class Slow:
    """A generator process that is ready when it is told to be."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.epoch = 0.0

    async def line(self) -> dict[str, Any]:
        await self.ready.wait()
        return {"ready": True}

    def send(self, line: str) -> None:
        self.epoch = float(line)


def test_all_begin_together_when_the_last_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is due while a process still loads would be dropped by it."""

    async def begin() -> tuple[float, list[Slow]]:
        slow = [Slow() for _ in range(3)]
        waiting = iter(slow)

        async def start(module: str, task: str) -> Child:
            return cast("Child", next(waiting))

        monkeypatch.setattr(Child, "start", start)
        settings = options.settings({"generators": 3}, now="now")
        one = Iteration(
            _client(), settings, number=1, prefix="p", watch=Watch([], list, 0.0), on_live=print
        )
        starting = asyncio.create_task(one._generators())
        for each in slow[:2]:
            each.ready.set()
        await asyncio.sleep(0)
        assert not starting.done()
        slow[2].ready.set()
        last = time.time()
        await starting
        return last, slow

    last, slow = asyncio.run(begin())
    (epoch,) = {one.epoch for one in slow}
    assert last < epoch < last + 10
    # A whole second: what others measure by the second of Unix time fits to it.
    assert epoch == int(epoch)


def _client() -> Client:
    class Config:
        target_host = "127.0.0.1:1"

    class Service:
        config = Config()

    class Fake:
        service_client = Service()

    return cast("Client", Fake())
