"""kill -9 of the server with 200 workflows in flight, then `up`: nothing acknowledged is lost."""

import asyncio
import os
import signal

import pytest
from temporalio.client import Client

from tests.support.deploy import Deploy
from tests.support.oracle import Oracle

ROUNDS = 3
WORKFLOWS = 200
RECOVERY = 90.0
"""Seconds within which all of them must be Completed after the server was killed."""


@pytest.mark.timeout(900)
def test_three_rounds_of_kill_9_lose_no_acknowledged_workflow(deploy: Deploy) -> None:
    deploy.run("up")
    asyncio.run(_rounds(deploy))


async def _rounds(deploy: Deploy) -> None:
    client = await Client.connect(deploy.address)
    for number in range(ROUNDS):
        oracle = Oracle(client, deploy.folder / f"acknowledged-{number}")
        async with oracle.worker():
            await oracle.start(f"round-{number}", WORKFLOWS, hold=True)
            assert len(oracle.acknowledged()) == WORKFLOWS
            # Visibility is written a moment after the start has been acknowledged.
            async with asyncio.timeout(60):
                while await oracle.open_now(f"round-{number}") != WORKFLOWS:
                    await asyncio.sleep(0.1)
            killed = deploy.record()
            os.kill(killed.process.pid, signal.SIGKILL)
            again = await asyncio.to_thread(deploy.json, "up")
            assert [change["action"] for change in again["changes"]] == ["start"]
            assert deploy.record().process != killed.process
            await oracle.release()
            assert await oracle.losses(seconds=RECOVERY) == []
