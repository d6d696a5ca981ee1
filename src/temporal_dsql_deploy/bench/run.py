"""A whole benchmark: namespace, workers, iterations, what they have shown, and cleaning up."""

import asyncio
import contextlib
import os
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from statistics import fmean
from typing import Protocol

from temporalio.api.workflowservice.v1 import GetClusterInfoRequest
from temporalio.client import Client

from temporal_dsql_deploy.bench import namespace, results, summary, thresholds, worker
from temporal_dsql_deploy.bench.iteration import Iteration, Live, look_at_queue, report
from temporal_dsql_deploy.bench.options import Settings
from temporal_dsql_deploy.bench.processes import Child, ChildFailed
from temporal_dsql_deploy.bench.recorder import merged
from temporal_dsql_deploy.bench.servers import Watch
from temporal_dsql_deploy.errors import BenchmarkFailed
from temporal_dsql_deploy.platforms.protocol import Report
from temporal_dsql_deploy.platforms.temporal_api import CallFailed, call, runtime

TASK_QUEUE = "benchmark"
_POLLERS = 60.0
_APART = 600.0
"""Seconds to wait for workers that are started elsewhere: instances may have to boot first."""
_BETWEEN = 120.0
"""Seconds that an iteration takes at most beside starting and ending its workflows."""
_POLL = 0.2
_GRACE = 15.0


@dataclass(frozen=True, slots=True)
class Target:
    """The cluster to be measured."""

    address: str
    """host:port of its frontend."""
    environment: str = ""
    """Name of the environment; empty for a cluster that has none."""
    services: Callable[[], dict[str, int]] = dict
    """How many there are of each component, as far as that is seen."""
    pids: Callable[[], Iterable[int]] = tuple
    """The processes of its servers on this machine."""
    pages: Sequence[str] = ()
    """Their Prometheus pages."""


class Told(Protocol):
    """Who is told what happens."""

    def progress(self, line: str) -> None:
        """A line of what goes on."""

    def live(self, live: Live) -> None:
        """One more second of an iteration."""

    def pages(self, pages: dict[str, str]) -> None:
        """The SDK's Prometheus pages of the worker processes, by their identity."""

    def iteration(self, iteration: results.Iteration) -> None:
        """An iteration is done."""


def run(
    target: Target,
    settings: Settings,
    *,
    prove: Callable[[], None],
    tell: Told,
) -> results.BenchResult:
    """Run a benchmark. Raises BenchmarkFailed, ResidueFound; cleans up in any case.

    `prove` sees, before anything is measured, that the cluster works.
    """
    loop = asyncio.new_event_loop()
    task = loop.create_task(_run(target, settings, prove, tell))
    try:
        return loop.run_until_complete(task)
    except KeyboardInterrupt:
        tell.progress("interrupted")
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        raise


async def _run(
    target: Target, settings: Settings, prove: Callable[[], None], tell: Told
) -> results.BenchResult:
    began = datetime.now(UTC)
    client = await connect(target.address, settings.namespace)
    service = client.service_client
    await namespace.refuse_residue(service, settings.namespace)
    if await namespace.make(service, settings.namespace):
        tell.progress(f"made namespace {settings.namespace}")
    children: list[Child] = []
    done: list[results.Iteration] = []
    warnings: list[str] = []
    try:
        await namespace.mark(service, settings.namespace, _at_most(settings))
        tell.progress("probing the cluster from end to end")
        await asyncio.to_thread(prove)
        if not settings.generator_only:
            children, pages = await start_workers(target.address, settings)
            tell.pages(pages)
        await _until_polled(client, settings, tell.progress)
        for number in range(1, settings.iterations + 1):
            tell.progress(f"iteration {number} of {settings.iterations}: {_what(settings)}")
            raw = await Iteration(
                client,
                settings,
                number=number,
                task_queue=TASK_QUEUE,
                watch=Watch(target.pages, target.pids),
                on_live=tell.live,
            ).run()
            done.append(summary.iteration(raw, settings))
            tell.iteration(done[-1])
            warnings += await _ended(children, number)
            if number < settings.iterations:
                await namespace.empty(service, settings.namespace, unmark=False)
    finally:
        wrong = await asyncio.shield(_clean_up(client, settings, children, tell.progress))
        if wrong:
            warnings.append(wrong)
            tell.progress(wrong)
    return await _result(target, settings, began, done, warnings)


def _at_most(settings: Settings) -> timedelta:
    """How long the whole benchmark can take."""
    one = settings.duration.seconds + settings.completion_timeout.seconds + _BETWEEN
    return timedelta(seconds=settings.iterations * one + _APART)


async def _ended(children: list[Child], number: int) -> list[str]:
    """A warning for each worker process that is not there any more."""
    return [
        f"a worker process ended in iteration {number}: {await child.said()}"
        for child in children
        if child.code is not None
    ]


async def connect(address: str, name: str) -> Client:
    """A client of a namespace. Raises BenchmarkFailed."""
    try:
        async with asyncio.timeout(_POLLERS):
            return await Client.connect(address, namespace=name, runtime=runtime())
    except (RuntimeError, TimeoutError) as error:
        raise BenchmarkFailed(
            f"no frontend answers at {address}",
            cause=str(error) or f"no answer within {_POLLERS:g} s",
            fix="look whether it runs: dsql-deploy status ENV",
        ) from error


async def start_workers(address: str, settings: Settings) -> tuple[list[Child], dict[str, str]]:
    """The worker processes and their SDK's pages, all polling. Raises BenchmarkFailed."""
    task = worker.Task(address, settings, TASK_QUEUE).to_json()
    children = await asyncio.gather(*(Child.start("worker", task) for _ in range(settings.workers)))
    try:
        async with asyncio.timeout(_POLLERS):
            lines = await asyncio.gather(*(child.line() for child in children))
    except (ChildFailed, TimeoutError) as error:
        await asyncio.gather(*(child.stop(grace=1) for child in children))
        raise BenchmarkFailed(
            "a worker process did not start",
            cause=str(error) or f"it said nothing for {_POLLERS:g} s",
            fix="look at the cluster: dsql-deploy probe ENV",
        ) from error
    return list(children), {line["identity"]: line["page"] for line in lines}


async def _until_polled(client: Client, settings: Settings, progress: Report) -> None:
    """Wait for all workers. Raises BenchmarkFailed."""
    patience = _APART if settings.generator_only else _POLLERS
    deadline = time.monotonic() + patience
    told = -1
    while True:
        found = 0
        with contextlib.suppress(CallFailed):
            found = len((await look_at_queue(client, TASK_QUEUE)).workers)
        if found >= settings.workers:
            return
        if found != told:
            told = found
            progress(f"{found} of {settings.workers} workers poll")
        if time.monotonic() > deadline:
            raise BenchmarkFailed(
                f"{found} of {settings.workers} workers poll the task queue {TASK_QUEUE} "
                f"of namespace {settings.namespace}",
                cause=f"waited for {patience:g} s",
                fix="start workers there: dsql-deploy bench run --worker-only "
                f"--namespace {settings.namespace} "
                f"--address {client.service_client.config.target_host}",
            )
        await asyncio.sleep(_POLL)


async def _clean_up(
    client: Client, settings: Settings, children: list[Child], progress: Report
) -> str:
    """End the workers and whatever is open in the namespace; a sentence if that fails."""
    service = client.service_client
    progress("cleaning up")
    with contextlib.suppress(CallFailed):
        workers = (await look_at_queue(client, TASK_QUEUE)).workers
        await asyncio.gather(
            *(report(client, identity, since=time.time(), stop=True) for identity in workers)
        )
    await asyncio.gather(*(child.stop(grace=_GRACE) for child in children))
    wrong = await namespace.empty(service, settings.namespace, unmark=True)
    if not wrong:
        return ""
    by_hand = namespace.by_hand(settings.namespace)
    return f"namespace {settings.namespace} was not emptied: {wrong}; end it with: {by_hand}"


def _what(settings: Settings) -> str:
    return f"{settings.workload}, {settings.rate:g} a second for {settings.duration}"


async def _result(
    target: Target,
    settings: Settings,
    began: datetime,
    done: list[results.Iteration],
    warnings: list[str],
) -> results.BenchResult:
    system = await _system(target, settings)
    whole = together(done)
    asked = results.Thresholds(
        max_p99_latency_ms=settings.max_p99.seconds * 1000,
        min_throughput=settings.min_throughput,
        min_success_rate=settings.min_success_rate,
    )
    reasons = thresholds.missed(asked, whole, [one.counts for one in done])
    return results.BenchResult(
        schema_version=results.SCHEMA_VERSION,
        id=f"{settings.namespace}-{began:%H%M%S}"
        if not settings.namespace.startswith("benchmark-")
        else settings.namespace,
        timestamp=began,
        config=results.Config(
            workflow_type=settings.workload,
            target_rate=settings.rate,
            duration=str(settings.duration),
            ramp_up_duration=str(settings.ramp_up),
            worker_count=settings.workers,
            iterations=settings.iterations,
            namespace=settings.namespace,
            activity_count=settings.activity_count,
            timer_duration=str(settings.timer_duration),
            child_count=settings.child_count,
            options=settings.to_json(),
        ),
        results=whole,
        system=system,
        thresholds=asked,
        passed=not reasons,
        failure_reasons=reasons,
        iterations=done,
        warnings=warnings,
    )


async def _system(target: Target, settings: Settings) -> results.System:
    client = await connect(target.address, settings.namespace)
    info = await call(
        client.workflow_service.get_cluster_info(GetClusterInfoRequest()), seconds=_GRACE
    )
    return results.System(
        instance_type=f"{platform.machine()}, {os.cpu_count()} cores",
        history_shards=info.history_shard_count,
        services=await asyncio.to_thread(target.services),
        server_version=info.server_version,
        address=target.address,
        environment=target.environment,
        tool_version=version("temporal-dsql-deploy"),
        python=platform.python_version(),
    )


def together(done: Sequence[results.Iteration]) -> results.Results:
    """All iterations as one: counts added, histograms merged, never a mean of percentiles."""
    due = sum(one.counts.due for one in done)
    completed = sum(one.counts.completed for one in done)
    return results.Results(
        workflows_started=sum(one.counts.accepted + one.counts.unconfirmed for one in done),
        workflows_completed=completed,
        workflows_failed=due - completed,
        actual_rate=round(fmean(one.throughput for one in done), 3),
        latency=results.Latency.of(merged(one.latency.histogram for one in done)),
        state_transitions=sum(one.state_transitions for one in done),
        success_rate=round(completed / due, 6) if due else 0.0,
    )
