"""A process that runs the workflows: `python -m ….bench.worker < task.json`.

Whoever benchmarks finds it through Temporal alone: its identity is a poller's of the task queue,
and on a task queue of that name it answers what it has measured.
"""

import asyncio
import base64
import json
import socket
import time
import uuid
import zlib
from datetime import timedelta
from statistics import fmean
from typing import Any

import uvloop
from temporalio import workflow
from temporalio.client import Client
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from temporal_dsql_deploy.bench import children, machine, sdk_page, workflows
from temporal_dsql_deploy.platforms.processes.ports import any_free

REPORT = "benchmark-report"
"""The workflow that a worker answers on its own task queue."""
IDENTITY = "benchmark-worker"
_GRACE = timedelta(seconds=10)
_PORTS = 20
_BEAT = 0.05


class Measured:
    """What this process has measured, second by second of Unix time."""

    def __init__(self, page: str, task_queue: str) -> None:
        self._page = page
        self._task_queue = task_queue
        self.seconds: dict[int, dict[str, float | None]] = {}
        self.done = asyncio.Event()
        self._late: list[float] = []

    async def beat(self) -> None:
        """Wake again and again, and see how late that is: what its tasks have to wait for."""
        while True:
            began = time.monotonic()
            await asyncio.sleep(_BEAT)
            self._late.append(time.monotonic() - began - _BEAT)

    async def watch(self) -> None:
        """Look once a second, until cancelled."""
        before = await self._look()
        cpu = time.process_time()
        while True:
            await asyncio.sleep(1 - time.time() % 1)
            now = await self._look()
            used, cpu = time.process_time() - cpu, time.process_time()
            self.seconds[int(time.time() - 0.5)] = {
                "cpu": used,
                "workflow_slots": now.workflow_slots,
                "activity_slots": now.activity_slots,
                "schedule_to_start": now.workflow_tasks.mean_since(before.workflow_tasks),
                "late": fmean(self._late) if self._late else None,
            }
            self._late.clear()
            before = now

    async def _look(self) -> sdk_page.Look:
        return await asyncio.to_thread(sdk_page.look, self._page, self._task_queue)

    def report(self, since: float) -> dict[str, Any]:
        """What came since that Unix time, and the totals of the SDK's histograms."""
        look = sdk_page.look(self._page, self._task_queue)
        return {
            "cores": machine.cores(),
            "seconds": {second: one for second, one in self.seconds.items() if second >= since - 1},
            "workflow_tasks": look.workflow_tasks.to_json(),
            "activities": look.activities.to_json(),
            "workflow_pollers": look.workflow_pollers,
            "sticky_pollers": look.sticky_pollers,
            "activity_pollers": look.activity_pollers,
        }


_MEASURED: list[Measured] = []
"""Of this process, for the workflow that reports it."""


@workflow.defn(name=REPORT, sandboxed=False)
class Report:
    """Answers what this worker has measured: not deterministic, and never replayed."""

    @workflow.run
    async def run(self, since: float, stop: bool) -> str:  # noqa: FBT001 - arguments are positional
        """What came since a Unix time; with `stop` the process ends afterwards.

        As JSON, compressed, base64: an hour is more than some databases take in a row.
        """
        (measured,) = _MEASURED
        if stop:
            measured.done.set()
        said = json.dumps(measured.report(since)).encode()
        return base64.b64encode(zlib.compress(said)).decode()


async def _work() -> None:
    task = children.Task.from_json(await children.given())
    runtime, page = _runtime()
    # Containers of one host may share its name and their process ids.
    identity = f"{IDENTITY}-{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
    await children.connect(task.address)
    client = await Client.connect(
        task.address, namespace=task.settings.namespace, runtime=runtime, identity=identity
    )
    measured = Measured(page, task.task_queue)
    _MEASURED.append(measured)
    settings = task.settings
    load = Worker(
        client,
        task_queue=task.task_queue,
        workflows=workflows.ALL,
        activities=[workflows.work],
        # Its workflows are known to be deterministic; the sandbox doubles what each costs here.
        workflow_runner=UnsandboxedWorkflowRunner(),
        # They never block either, so they need no thread apart from the loop and nobody who looks
        # whether they are stuck, which a process that was stopped for a while would be held for.
        debug_mode=True,
        max_concurrent_workflow_tasks=settings.workflow_slots,
        max_concurrent_activities=settings.activity_slots,
        max_concurrent_local_activities=settings.local_activity_slots,
        max_concurrent_workflow_task_polls=settings.workflow_pollers,
        max_concurrent_activity_task_polls=settings.activity_pollers,
        graceful_shutdown_timeout=_GRACE,
        build_id=IDENTITY,
    )
    control = Worker(
        client,
        task_queue=identity,
        workflows=[Report],
        max_cached_workflows=0,
        max_concurrent_workflow_task_polls=1,
        build_id=IDENTITY,
    )
    watching = asyncio.gather(measured.watch(), measured.beat())
    running = [asyncio.create_task(one.run()) for one in (load, control)]
    children.tell({"identity": identity, "page": page})
    ending = asyncio.create_task(measured.done.wait())
    try:
        parts: set[asyncio.Future[Any]] = {*running, ending, watching}
        done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        if ending not in done:
            await done.pop()
    finally:
        watching.cancel()
        # The answer to the one who has asked goes out first: the SDK finishes what it has begun.
        await asyncio.gather(load.shutdown(), control.shutdown())


def _runtime() -> tuple[Runtime, str]:
    """The SDK's runtime with its metrics on a port of this machine, and the page's URL."""
    for _ in range(_PORTS):
        port = any_free()
        config = PrometheusConfig(
            bind_address=f"127.0.0.1:{port}",
            counters_total_suffix=True,
            unit_suffix=True,
            durations_as_seconds=True,
            histogram_bucket_overrides=sdk_page.BUCKETS,
        )
        try:
            runtime = Runtime(telemetry=TelemetryConfig(metrics=config, logging=None))
        except ValueError:
            # Somebody else was given the port in between.
            continue
        return runtime, f"http://127.0.0.1:{port}/metrics"
    raise RuntimeError("no port is free for the metrics of the SDK")


if __name__ == "__main__":
    # Of the generator it would only make the clock coarser: its timers are of milliseconds.
    children.run(children.while_wanted(_work()), uvloop.new_event_loop)
