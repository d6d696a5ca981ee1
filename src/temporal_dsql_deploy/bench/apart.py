"""Workers alone: as a process or container of their own, for a generator that runs elsewhere."""

import asyncio
import contextlib
import time
from typing import Any

from temporalio.client import Client

from temporal_dsql_deploy import interrupts
from temporal_dsql_deploy.bench import failed, namespace, pollers, run
from temporal_dsql_deploy.bench.options import Settings
from temporal_dsql_deploy.bench.processes import Child
from temporal_dsql_deploy.errors import BenchmarkFailed
from temporal_dsql_deploy.platforms.temporal_api import CallFailed

_GRACE = 15.0
_LOOK = 10.0


def work(
    address: str,
    settings: Settings,
    tell: run.Told,
) -> None:
    """Run the workers until the generator is done with them. Raises BenchmarkFailed."""
    interrupts.run(_work(address, settings, tell))


async def _work(address: str, settings: Settings, tell: run.Told) -> None:
    client = await run.connect(address, settings.namespace)
    if await namespace.make(client.service_client, settings.namespace):
        tell.progress(f"made namespace {settings.namespace}")
    children, pages = await pollers.start(address, settings)
    tell.pages(pages)
    tell.progress(f"polling in namespace {settings.namespace}, workers: {len(children)}")
    idle = asyncio.create_task(_until_idle(client, settings))
    ended = asyncio.gather(*(child.wait() for child in children))
    try:
        either: set[asyncio.Future[Any]] = {idle, ended}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        codes = ended.result() if ended.done() else []
    finally:
        idle.cancel()
        await asyncio.gather(*(child.stop(grace=_GRACE) for child in children))
    if any(codes):
        raise failed.cluster("a worker process failed", await _said(children))
    if not codes:
        raise BenchmarkFailed(
            f"no benchmark has come to namespace {settings.namespace}",
            cause=f"waited for {settings.idle_timeout}",
            fix="start one there with --generator-only, or wait longer with --idle-timeout",
        )
    tell.progress("the generator is done")


async def _until_idle(client: Client, settings: Settings) -> None:
    """Return when no benchmark has run for as long as the workers are to wait for one."""
    last = time.monotonic()
    while time.monotonic() < last + settings.idle_timeout.seconds:
        with contextlib.suppress(CallFailed):
            if await namespace.is_marked(client.service_client, settings.namespace):
                last = time.monotonic()
        await asyncio.sleep(min(_LOOK, settings.idle_timeout.seconds / 4))


async def _said(children: list[Child]) -> str:
    said = await asyncio.gather(*(child.said() for child in children))
    return "; ".join(one for one in said if one)
