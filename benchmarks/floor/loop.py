"""The least that a Python program can spend on workflows: the same as main.go, on temporalio.

python loop.py ADDRESS NAMESPACE RATE SECONDS
"""

import asyncio
import json
import os
import sys
import time

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

TASK_QUEUE = "floor-python"


@workflow.defn(name="simple")
class Simple:
    """Nothing."""

    @workflow.run
    async def run(self) -> None:
        """Return at once."""


async def one(client: Client, name: str) -> None:
    """Start a workflow and wait for its result."""
    await client.execute_workflow(
        Simple.run, id=f"floor-{os.getpid()}-{name}", task_queue=TASK_QUEUE
    )


async def load(client: Client, rate: float, seconds: float) -> int:
    """Start workflows when they are due; how many have completed in the end."""
    epoch = time.monotonic()
    running = []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, epoch + number / rate - time.monotonic()))
        running.append(asyncio.create_task(one(client, str(number))))
    done = await asyncio.gather(*running, return_exceptions=True)
    return sum(not isinstance(result, BaseException) for result in done)


async def main(address: str, namespace: str, rate: float, seconds: float) -> None:
    """Print how many have completed, and the CPU seconds from first start to last result."""
    client = await Client.connect(address, namespace=namespace)
    worker = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[Simple],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        await one(client, "warm")
        began = time.process_time()
        completed = await load(client, rate, seconds)
        print(json.dumps({"completed": completed, "cpu": time.process_time() - began}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])))
    # Python's own end may abort, while threads of the SDK still call into it.
    os._exit(0)
