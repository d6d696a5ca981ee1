"""Run the probe's checks against a cluster, each within its deadline, and clean up after them."""

import asyncio
import contextlib
import time
import uuid
from datetime import UTC, datetime, timedelta

from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from temporal_dsql_deploy.operations.probe import checks, workflows
from temporal_dsql_deploy.operations.probe.checks import Check, Trial
from temporal_dsql_deploy.operations.probe.result import CheckResult, ProbeResult
from temporal_dsql_deploy.platforms.protocol import Report
from temporal_dsql_deploy.platforms.temporal_api import CallFailed, call, runtime

_CLEAN_UP = 5.0


def probe(address: str, namespace: str, *, deadline: float, report: Report) -> ProbeResult:
    """Try everything once. A cluster that does not answer at all gives failed checks, not an error.

    `report` is told of each check as it ends; `deadline` is in seconds, for each check.
    """
    # Not asyncio.run, which waits for the SDK's tasks: with a server that does not answer they take
    # half a minute to end.
    loop = asyncio.new_event_loop()
    task = loop.create_task(_probe(address, namespace, deadline, report))
    try:
        return loop.run_until_complete(task)
    except KeyboardInterrupt:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        raise


async def _probe(address: str, namespace: str, deadline: float, report: Report) -> ProbeResult:
    began = time.monotonic()
    prefix = f"dsql-deploy-probe-{uuid.uuid4().hex[:12]}"
    try:
        async with asyncio.timeout(deadline):
            client = await Client.connect(address, namespace=namespace, runtime=runtime())
        results = await _with_worker(client, prefix, deadline, report)
    except (RuntimeError, TimeoutError) as error:
        results = _no_worker(address, error, deadline, time.monotonic() - began, report)
    return ProbeResult(
        address=address,
        namespace=namespace,
        task_queue=prefix,
        ok=all(result.ok for result in results),
        at=datetime.now(UTC),
        seconds=round(time.monotonic() - began, 3),
        checks=results,
    )


async def _with_worker(
    client: Client, prefix: str, deadline: float, report: Report
) -> list[CheckResult]:
    trial = Trial(client, prefix, limit=timedelta(seconds=6 * deadline))
    worker = Worker(
        client,
        task_queue=prefix,
        workflows=workflows.ALL,
        activities=[workflows.greet],
        # The probe's own workflows are known to be deterministic, and start at once without it.
        workflow_runner=UnsandboxedWorkflowRunner(),
        identity="dsql-deploy probe",
        # The default one is a digest of all code that is loaded, which takes 0.4 s.
        build_id="dsql-deploy probe",
    )
    # Not the worker's own context manager, which cancels this task when the worker fails, and can
    # then wait for ever.
    running = asyncio.create_task(worker.run())
    trying = asyncio.create_task(_try_all(trial, deadline, report))
    try:
        await asyncio.wait({running, trying}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running
        return await trying
    finally:
        trying.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLEAN_UP):
                await _clean_up(trial, worker)


async def _try_all(trial: Trial, deadline: float, report: Report) -> list[CheckResult]:
    first = await _run(checks.FIRST, trial, deadline, report)
    others = (_run(check, trial, deadline, report) for check in checks.OTHERS)
    return [first, *await asyncio.gather(*others)]


async def _clean_up(trial: Trial, worker: Worker) -> None:
    """End the worker, and what may be open; a workflow's own limit does that otherwise."""
    for identifier in trial.unfinished:
        with contextlib.suppress(CallFailed):
            await call(trial.client.get_workflow_handle(identifier).terminate("probe ended"))
    if worker.is_running:
        await worker.shutdown()


async def _run(check: Check, trial: Trial, deadline: float, report: Report) -> CheckResult:
    began = time.monotonic()
    error = ""
    try:
        async with asyncio.timeout(deadline):
            await check.run(trial)
    except TimeoutError:
        error = f"not done after {deadline:g} s"
    except RPCError as failure:
        error = f"{failure.status.name}: {failure.message}"
    except Exception as failure:
        error = f"{type(failure).__name__}: {failure.__cause__ or failure}"
    seconds = round(time.monotonic() - began, 3)
    report(f"{check.name} {f'failed: {error}' if error else f'{seconds * 1000:.0f} ms'}")
    return CheckResult(
        name=check.name,
        ok=not error,
        seconds=seconds,
        error=error,
        meaning=check.meaning if error else "",
    )


def _no_worker(
    address: str, error: Exception, deadline: float, seconds: float, report: Report
) -> list[CheckResult]:
    """All checks failed: a worker could not even connect, or not to this namespace."""
    said = str(error) or f"no answer within {deadline:g} s"
    # The SDK appends the status of the gRPC call, which says the same once more.
    reason = f"no worker can run at {address}: {said.partition(': Status {')[0]}"
    report(reason)
    return [
        CheckResult(
            name=check.name,
            ok=False,
            seconds=round(seconds, 3),
            error=reason,
            meaning="nothing works: look whether its frontend runs and has the namespace",
        )
        for check in [checks.FIRST, *checks.OTHERS]
    ]
