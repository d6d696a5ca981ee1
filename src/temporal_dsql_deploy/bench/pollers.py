"""The workers of a benchmark, wherever they run: found, asked and ended through Temporal alone."""

import asyncio
import base64
import contextlib
import json
import time
import uuid
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.exceptions import TemporalError

from temporal_dsql_deploy.bench import children, failed, worker
from temporal_dsql_deploy.bench.options import Settings
from temporal_dsql_deploy.bench.processes import Child, ChildFailed
from temporal_dsql_deploy.errors import BenchmarkFailed
from temporal_dsql_deploy.platforms.protocol import Report
from temporal_dsql_deploy.platforms.temporal_api import CallFailed, call

TASK_QUEUE = "benchmark"
_HERE = 60.0
_APART = 600.0
"""Seconds to wait for workers that are started elsewhere: instances may have to boot first."""
_ALIVE = timedelta(seconds=75)
"""A worker polls again after a minute at most; matching remembers it for five."""
_ANSWER = 20.0
_ASKED = timedelta(seconds=30)
"""What becomes of a question that nobody answers."""
_POLL = 0.2


@dataclass(slots=True)
class Queue:
    """The task queue at one moment."""

    waiting_workflow_tasks: int
    waiting_activity_tasks: int
    workers: set[str]
    """Identities of those that have polled it lately."""


async def look(client: Client) -> Queue:
    """What waits in the task queue, and who polls it. Raises CallFailed."""
    kinds = (
        TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    )
    requests = [
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=TASK_QUEUE),
            task_queue_type=kind,
            report_stats=True,
            report_pollers=True,
        )
        for kind in kinds
    ]
    tasks, activities = await asyncio.gather(
        *(call(client.workflow_service.describe_task_queue(one)) for one in requests)
    )
    polled = {one.identity: one.last_access_time.ToNanoseconds() for one in tasks.pollers}
    # Compared with one another: the server's clock is not this machine's.
    since = max(polled.values(), default=0) - _ALIVE.total_seconds() * 1e9
    return Queue(
        waiting_workflow_tasks=tasks.stats.approximate_backlog_count,
        waiting_activity_tasks=activities.stats.approximate_backlog_count,
        workers={identity for identity, at in polled.items() if at >= since},
    )


async def ask(
    client: Client, identity: str, *, since: float, stop: bool = False
) -> Mapping[str, Any] | None:
    """What one worker has measured since a Unix time; None when it does not answer."""
    try:
        async with asyncio.timeout(_ANSWER):
            packed: str = await client.execute_workflow(
                worker.REPORT,
                args=[since, stop],
                # Not of those that are looked for as residue: it ends by itself in half a minute.
                id=f"dsql-deploy-ask-{uuid.uuid4().hex}",
                task_queue=identity,
                execution_timeout=_ASKED,
            )
    except (TimeoutError, TemporalError, RuntimeError):
        return None
    answer: Mapping[str, Any] = json.loads(zlib.decompress(base64.b64decode(packed)))
    return answer


async def ask_all(
    client: Client, *, since: float, stop: bool = False
) -> dict[str, Mapping[str, Any]]:
    """The answers of all workers that poll, by identity; one that is gone says nothing."""
    try:
        workers = sorted((await look(client)).workers)
    except CallFailed:
        return {}
    answers = await asyncio.gather(
        *(ask(client, identity, since=since, stop=stop) for identity in workers)
    )
    return {
        identity: one for identity, one in zip(workers, answers, strict=True) if one is not None
    }


async def start(address: str, settings: Settings) -> tuple[list[Child], dict[str, str]]:
    """Worker processes of one's own, and their SDK's pages by identity. Raises BenchmarkFailed."""
    task = children.Task(address, settings, TASK_QUEUE).to_json()
    started = await asyncio.gather(*(Child.start("worker", task) for _ in range(settings.workers)))
    try:
        async with asyncio.timeout(_HERE):
            lines = await asyncio.gather(*(child.line() for child in started))
    except BaseException as error:
        await asyncio.gather(*(child.stop(grace=1) for child in started))
        if not isinstance(error, (ChildFailed, TimeoutError)):
            raise
        raise _no_worker("a worker process did not start", str(error)) from error
    return list(started), {line["identity"]: line["page"] for line in lines}


async def wait_for(
    client: Client, settings: Settings, own: Iterable[Child], progress: Report
) -> None:
    """Wait until all workers answer. Raises BenchmarkFailed."""
    patience = _APART if settings.generator_only else _HERE
    deadline = time.monotonic() + patience
    told = -1
    answered: set[str] = set()
    while True:
        with contextlib.suppress(CallFailed):
            new = sorted((await look(client)).workers - answered)
            answers = await asyncio.gather(
                *(ask(client, identity, since=time.time()) for identity in new)
            )
            answered.update(
                identity for identity, one in zip(new, answers, strict=True) if one is not None
            )
        found = len(answered)
        if found >= settings.workers:
            return
        if found != told:
            told = found
            progress(f"{found} of {settings.workers} workers are there")
        if ended := [child for child in own if child.code is not None]:
            raise _no_worker("a worker process has ended", await ended[0].said())
        if time.monotonic() > deadline:
            address = client.service_client.config.target_host
            raise BenchmarkFailed(
                f"{found} of {settings.workers} workers poll the task queue {TASK_QUEUE} "
                f"of namespace {settings.namespace}",
                cause=f"waited for {patience:g} s",
                fix="start workers there: dsql-deploy bench run --worker-only "
                f"--namespace {settings.namespace} --address {address}",
            )
        await asyncio.sleep(_POLL)


async def stop(client: Client, own: Sequence[Child], *, grace: float) -> None:
    """End all workers that poll, and the processes that are one's own."""
    await ask_all(client, since=time.time(), stop=True)
    await asyncio.gather(*(child.stop(grace=grace) for child in own))


def _no_worker(message: str, cause: str) -> BenchmarkFailed:
    return failed.cluster(message, cause or f"it said nothing for {_HERE:g} s")
