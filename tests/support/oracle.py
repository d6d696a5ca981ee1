"""No loss, measured one way: whatever a client was told had started is completed, exactly once.

The client writes (workflow id, run id) to disk after each start was acknowledged. After recovery
each of them must be Completed in that very run, with the expected result, within a stated time.
"""

import asyncio
import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

TASK_QUEUE = "oracle"
PAUSE = 2
"""Seconds that each workflow waits at least."""
_AGAIN = 0.5
"""Seconds until the server is asked again that gave no answer."""


@activity.defn
async def double(number: int) -> int:
    """The work of a step."""
    return 2 * number


@workflow.defn
class Steps:
    """Two activities with a timer between them, so that a crash finds it half way."""

    def __init__(self) -> None:
        self._released = False

    @workflow.run
    async def run(self, number: int, hold: bool) -> int:  # noqa: FBT001 - arguments are positional
        """Four times `number`; with `hold` not before `release`."""
        half = await self._double(number)
        await workflow.sleep(timedelta(seconds=PAUSE + number % 3))
        await workflow.wait_condition(lambda: self._released or not hold)
        return await self._double(half)

    @workflow.signal
    def release(self) -> None:
        """Let it complete; this may arrive before `run` has begun."""
        self._released = True

    async def _double(self, number: int) -> int:
        return await workflow.execute_activity(
            double, number, start_to_close_timeout=timedelta(seconds=5)
        )


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A start that the server has confirmed."""

    number: int
    workflow_id: str
    run_id: str


class Oracle:
    """Starts workflows, remembers on disk what was acknowledged, and judges."""

    def __init__(self, client: Client, file: Path) -> None:
        self._client = client
        self._file = file

    def worker(self) -> Worker:
        """A worker for the workflows, to be run as long as the test lasts."""
        return Worker(
            self._client,
            task_queue=TASK_QUEUE,
            workflows=[Steps],
            activities=[double],
            workflow_runner=UnsandboxedWorkflowRunner(),
        )

    async def start(self, prefix: str, count: int, *, hold: bool = False) -> None:
        """Start `count` workflows side by side; one that is not acknowledged is not remembered.

        With `hold` they stay open until `release`.
        """
        limit = asyncio.Semaphore(20)

        async def one(number: int) -> None:
            async with limit:
                identifier = f"{prefix}-{number}"
                try:
                    handle = await self._client.start_workflow(
                        Steps.run,
                        args=[number, hold],
                        id=identifier,
                        task_queue=TASK_QUEUE,
                        rpc_timeout=timedelta(seconds=2),
                    )
                except RPCError:
                    return
                self._remember(f"{number} {identifier} {handle.result_run_id}\n")

        await asyncio.gather(*(one(number) for number in range(count)))

    def _remember(self, line: str) -> None:
        with self._file.open("a") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    async def release(self) -> None:
        """Let all acknowledged workflows complete that were started with `hold`."""
        for start in self.acknowledged():
            handle = self._client.get_workflow_handle(start.workflow_id, run_id=start.run_id)
            await handle.signal(Steps.release)

    async def open_now(self, prefix: str) -> int:
        """How many workflows of a prefix the visibility store shows as running."""
        query = f"ExecutionStatus = 'Running' AND WorkflowId STARTS_WITH '{prefix}-'"
        return (await self._client.count_workflows(query)).count

    def acknowledged(self) -> list[Acknowledged]:
        """What is on disk."""
        if not self._file.exists():
            return []
        lines = (line.split() for line in self._file.read_text().splitlines())
        return [Acknowledged(int(number), *ids) for number, *ids in lines]

    async def losses(self, *, seconds: float) -> list[str]:
        """What is wrong with each acknowledged workflow, after at most `seconds`; [] is no loss."""
        limit = asyncio.Semaphore(20)

        async def judged(start: Acknowledged) -> str:
            async with limit:
                return await self._wrong(start)

        deadline = asyncio.get_running_loop().time() + seconds
        tasks = {asyncio.create_task(judged(start)): start for start in self.acknowledged()}
        if not tasks:
            return []
        done, late = await asyncio.wait(tasks, timeout=deadline - asyncio.get_running_loop().time())
        for task in late:
            task.cancel()
        wrong = [task.result() for task in done]
        wrong += [f"{tasks[task].workflow_id}: not completed within {seconds:g} s" for task in late]
        return [reason for reason in wrong if reason]

    async def _wrong(self, start: Acknowledged) -> str:
        while True:
            try:
                return await self._judged(start)
            except WorkflowFailureError as error:
                return f"{start.workflow_id}: {error.cause!r}"
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return f"{start.workflow_id}: it is not there: {error.message}"
                # A cluster that does not answer yet has time until the deadline of all.
                await asyncio.sleep(_AGAIN)

    async def _judged(self, start: Acknowledged) -> str:
        handle = self._client.get_workflow_handle(start.workflow_id, run_id=start.run_id)
        result = await handle.result(follow_runs=False)
        if result != 4 * start.number:
            return f"{start.workflow_id}: result {result}, not {4 * start.number}"
        ends = 0
        async for event in handle.fetch_history_events():
            ends += event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
        if ends != 1:
            return f"{start.workflow_id}: completed {ends} times"
        latest = await self._client.get_workflow_handle(start.workflow_id).describe()
        if latest.run_id != start.run_id:
            return f"{start.workflow_id}: ran again as {latest.run_id}"
        return ""
