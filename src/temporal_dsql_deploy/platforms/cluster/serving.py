"""Wait until roles serve, by their own gRPC health."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from temporal_dsql_deploy import interrupts, topology
from temporal_dsql_deploy.errors import DeployError, NotReady, StartFailed
from temporal_dsql_deploy.platforms import temporal_api
from temporal_dsql_deploy.platforms.cluster import status
from temporal_dsql_deploy.platforms.cluster.run import Run
from temporal_dsql_deploy.platforms.protocol import State

SECONDS = 90.0
"""A role that cannot join by itself within 60 s ends (topology.json, start_limit). A history looks
whether it holds its shards when the ring changes, and after that once a minute only
(history.acquireShardInterval), and says SERVING 5 s later (temporal-server 1.32.2,
service/history/service.go and shard/controller_impl.go)."""
_POLL = 0.02
R = TypeVar("R", bound=Run)
Broken = Callable[[R], StartFailed | None]
"""Why one of these has ended; None while it runs."""


def until_serving(found: Sequence[R], broken: Broken[R]) -> None:
    """Wait until gRPC health of all these roles says SERVING. Raises StartFailed, NotReady."""
    interrupts.run(_until_serving(found, broken))


def not_serving(found: Sequence[R], broken: Broken[R]) -> dict[str, DeployError]:
    """Wait as `until_serving` does, for each of them; what is wrong, by the name of the role."""
    said = interrupts.run(_all_serving(found, broken))
    names = [run.component for run in found]
    return {name: error for name, error in zip(names, said, strict=True) if error is not None}


async def _all_serving(found: Sequence[R], broken: Broken[R]) -> list[DeployError | None]:
    return await asyncio.gather(*(_refusal(run, broken) for run in found))


async def _refusal(run: R, broken: Broken[R]) -> DeployError | None:
    try:
        await _serves(run, broken)
    except (StartFailed, NotReady) as error:
        return error
    return None


async def _until_serving(found: Sequence[R], broken: Broken[R]) -> None:
    waiting = [asyncio.create_task(_serves(run, broken)) for run in found]
    try:
        for task in asyncio.as_completed(waiting):
            await task
    finally:
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _serves(run: R, broken: Broken[R]) -> None:
    service = topology.load().roles[run.settings["component"]].health_service
    deadline = time.monotonic() + SECONDS
    while (state := await temporal_api.health(status.grpc(run), service)) is not State.SERVING:
        if error := broken(run):
            raise error
        if time.monotonic() > deadline:
            raise NotReady(
                f"{run.component} is {state} after {SECONDS:g} s",
                cause=f"gRPC health of {service} at {status.grpc(run)} never said SERVING",
                fix=f"read what it is doing: dsql-deploy logs ENV --component {run.component}",
            )
        await asyncio.sleep(_POLL)
