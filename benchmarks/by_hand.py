"""What one does without the tool: start the bare server, and run one workflow with the SDK.

The server boots while the SDK is imported, so this is about as fast as it can be by hand.
Arguments: database file, gRPC port, Web UI port. Prints one line when the workflow has completed.
"""

import asyncio
import subprocess
import sys
from pathlib import Path

database, port, ui = sys.argv[1:]
server = subprocess.Popen(
    [
        *[
            str(Path(sys.executable).parent / "temporal"),
            "server",
            "start-dev",
            "--ip",
            "127.0.0.1",
        ],
        *["--db-filename", database, "--port", port, "--ui-port", ui, "--log-level", "error"],
    ],
    stdout=subprocess.DEVNULL,
)

from datetime import timedelta  # noqa: E402 - the server boots meanwhile

from temporalio import activity, workflow  # noqa: E402
from temporalio.client import Client  # noqa: E402
from temporalio.worker import UnsandboxedWorkflowRunner, Worker  # noqa: E402


@activity.defn
async def greet(name: str) -> str:
    """An activity."""
    return f"Hello, {name}"


@workflow.defn
class Greeting:
    """A workflow with one activity."""

    @workflow.run
    async def run(self, name: str) -> str:
        """Greet."""
        return await workflow.execute_activity(
            greet, name, start_to_close_timeout=timedelta(seconds=10)
        )


async def connect() -> Client:
    """A client, as soon as the server answers."""
    while True:
        try:
            return await Client.connect(f"127.0.0.1:{port}")
        except RuntimeError:
            await asyncio.sleep(0.02)


async def main() -> None:
    """Run the workflow."""
    client = await connect()
    worker = Worker(
        client,
        task_queue="by-hand",
        workflows=[Greeting],
        activities=[greet],
        workflow_runner=UnsandboxedWorkflowRunner(),
        build_id="by hand",
    )
    async with worker:
        await client.execute_workflow(Greeting.run, "Temporal", id="by-hand", task_queue="by-hand")
        print("completed", flush=True)


asyncio.run(main())
server.terminate()
server.wait()
