"""One round of faults: a seeded fault in the middle of a load, then `up`, then the oracle."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client

from temporal_dsql_deploy.platforms.temporal_api import runtime
from tests.support.deploy import Deploy
from tests.support.oracle import Oracle

RECOVERY = 120.0
"""Seconds within which every acknowledged workflow must be Completed after `up`."""
_STOPPED = 1.5


@dataclass(frozen=True, slots=True)
class Round:
    """What happened in one round."""

    seed: int
    fault: str
    after: float
    """Seconds from the start of the load to the fault."""
    acknowledged: int
    recovered: float
    """Seconds from the fault until every acknowledged workflow was Completed."""
    losses: list[str]
    """Also an `up` that did not succeed after the fault."""


async def kill_server(deploy: Deploy, _: random.Random) -> None:
    """kill -9 of the server."""
    os.kill(deploy.record().process.pid, signal.SIGKILL)


async def kill_keeper(deploy: Deploy, _: random.Random) -> None:
    """kill -9 of its keeper, with which the server goes."""
    run = deploy.record()
    os.kill(run.keeper.pid, signal.SIGKILL)
    while run.process.alive():
        await asyncio.sleep(0.01)


async def kill_both(deploy: Deploy, _: random.Random) -> None:
    """kill -9 of server and keeper."""
    run = deploy.record()
    os.kill(run.process.pid, signal.SIGKILL)
    os.kill(run.keeper.pid, signal.SIGKILL)


async def freeze(deploy: Deploy, chance: random.Random) -> None:
    """The server stands still for some seconds, as on a suspended laptop."""
    pid = deploy.record().process.pid
    os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(chance.uniform(0.5, 2 * _STOPPED))
    os.kill(pid, signal.SIGCONT)


async def down(deploy: Deploy, _: random.Random) -> None:
    """A graceful stop."""
    await asyncio.to_thread(deploy.run, "down")


async def down_without_grace(deploy: Deploy, _: random.Random) -> None:
    """A stop that does not wait."""
    await asyncio.to_thread(deploy.run, "down", "--grace", "0")


async def restart_by_setting(deploy: Deploy, chance: random.Random) -> None:
    """A changed setting, for which `up` restarts the server."""
    value = f"limit.maxIDLength={chance.randrange(200, 1000)}"
    await asyncio.to_thread(deploy.run, "up", "--dynamic-config-value", value)


async def kill_up(deploy: Deploy, chance: random.Random) -> None:
    """kill -9 of the server, and of the `up` that starts it again, at a random moment."""
    await kill_server(deploy, chance)
    up = deploy.start("up")
    await asyncio.sleep(chance.uniform(0, 1.5))
    up.kill()
    await asyncio.to_thread(up.communicate)


Fault = Callable[[Deploy, random.Random], Awaitable[None]]
FAULTS: list[Fault] = [
    *[kill_server, kill_keeper, kill_both, freeze, down, down_without_grace, restart_by_setting],
    kill_up,
]


async def run_round(deploy: Deploy, seed: int, folder: Path, *, workflows: int) -> Round:
    """Run the round of this seed; the cluster of `deploy` must be up, and is up afterwards."""
    chance = random.Random(seed)  # noqa: S311 - a seed is what makes a round repeatable
    fault = chance.choice(FAULTS)
    after = chance.uniform(0, 6)
    file = folder / f"acknowledged-{seed}"
    file.unlink(missing_ok=True)
    client = await Client.connect(deploy.address, runtime=runtime())
    oracle = Oracle(client, file)
    async with oracle.worker():
        load = asyncio.create_task(oracle.start(f"seed-{seed}-{time.time_ns()}", workflows))
        await asyncio.sleep(after)
        began = time.monotonic()
        await fault(deploy, chance)
        again = await asyncio.to_thread(deploy.run, "up", check=False)
        await load
        losses = await oracle.losses(seconds=RECOVERY)
    if again.returncode:
        losses.append(f"up ended with {again.returncode}: {again.stdout}{again.stderr}")
    return Round(
        seed=seed,
        fault=fault.__name__.replace("_", " "),
        after=round(after, 2),
        acknowledged=len(oracle.acknowledged()),
        recovered=round(time.monotonic() - began, 1),
        losses=losses,
    )
