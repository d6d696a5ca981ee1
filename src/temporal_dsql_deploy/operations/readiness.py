"""Wait until a cluster that has been started can be used: by its own truth, never by sleeping."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.errors import NotReady
from temporal_dsql_deploy.platforms import temporal_api, web
from temporal_dsql_deploy.platforms.protocol import Platform, State

_POLL = 0.02


async def wait_for_frontend(platform: Platform, *, seconds: float) -> None:
    """Until gRPC health of the frontend says SERVING.

    Raises StartFailed as soon as the cluster has ended, NotReady after `seconds`.
    """
    service = topology.load().roles["frontend"].health_service
    address = platform.frontend()
    state = State.UNREACHABLE

    async def serving() -> bool:
        nonlocal state
        state = await temporal_api.health(address, service)
        return state is State.SERVING

    if not await until(serving, platform, seconds):
        raise NotReady(
            f"the frontend at {address} is {state} after {seconds:g} s",
            cause=f"gRPC health of {service} never said SERVING",
            fix="read what it is doing with: dsql-deploy logs ENV --component frontend",
        )


async def wait_for_namespaces(platform: Platform, names: Iterable[str], *, seconds: float) -> None:
    """Until the frontend knows each namespace. Raises StartFailed, NotReady."""
    client = await temporal_api.connect(platform.frontend())
    missing = list(names)

    async def all_there() -> bool:
        nonlocal missing
        missing = [
            name for name in missing if not await temporal_api.namespace_exists(client, name)
        ]
        return not missing

    if not await until(all_there, platform, seconds):
        raise NotReady(
            f"namespace {missing[0]} does not exist after {seconds:g} s",
            cause="the server runs but has not made it",
            fix="look for it in: dsql-deploy logs ENV --level warn",
        )


async def wait_for_ui(platform: Platform, *, seconds: float) -> None:
    """Until the Web UI answers. Raises StartFailed, NotReady."""
    url = platform.pages()["ui"]

    async def answers() -> bool:
        return await asyncio.to_thread(web.answers, url)

    if not await until(answers, platform, seconds):
        raise NotReady(
            f"the Web UI at {url} does not answer after {seconds:g} s",
            cause="the frontend serves, the page does not",
            fix="read why with: dsql-deploy logs ENV",
        )


async def until(
    question: Callable[[], Awaitable[bool]],
    platform: Platform,
    seconds: float,
    *,
    every: float = _POLL,
) -> bool:
    """Ask until the answer is yes; whether it was within `seconds`. Raises what has broken."""
    deadline = time.monotonic() + seconds
    while not await question():
        if error := platform.broken():
            raise error
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(every)
    return True
