"""Workers alone: as a process or container of their own, for a generator that runs elsewhere."""

import asyncio
import contextlib

from temporal_dsql_deploy.bench import namespace, run
from temporal_dsql_deploy.bench.options import Settings
from temporal_dsql_deploy.bench.processes import Child
from temporal_dsql_deploy.errors import BenchmarkFailed

_GRACE = 15.0


def work(
    address: str,
    settings: Settings,
    tell: run.Told,
) -> None:
    """Run the workers until the generator is done with them. Raises BenchmarkFailed."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(_work(address, settings, tell))
    try:
        loop.run_until_complete(task)
    except KeyboardInterrupt:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        raise


async def _work(address: str, settings: Settings, tell: run.Told) -> None:
    client = await run.connect(address, settings.namespace)
    if await namespace.make(client.service_client, settings.namespace):
        tell.progress(f"made namespace {settings.namespace}")
    children, pages = await run.start_workers(address, settings)
    tell.pages(pages)
    tell.progress(f"{len(children)} workers poll in namespace {settings.namespace}")
    try:
        codes = await asyncio.gather(*(child.wait() for child in children))
    finally:
        await asyncio.gather(*(child.stop(grace=_GRACE) for child in children))
    if any(codes):
        raise BenchmarkFailed(
            "a worker process failed",
            cause=await _said(children),
            fix="look at the cluster: dsql-deploy probe ENV",
        )
    tell.progress("the generator is done")


async def _said(children: list[Child]) -> str:
    said = await asyncio.gather(*(child.said() for child in children))
    return "; ".join(one for one in said if one)
