"""Run the probe's checks against a cluster, each within its deadline, and clean up after them."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from temporal_dsql_deploy import interrupts
from temporal_dsql_deploy.operations.probe import checks, workflows
from temporal_dsql_deploy.operations.probe.checks import Check
from temporal_dsql_deploy.operations.probe.names import BASICS
from temporal_dsql_deploy.operations.probe.result import CheckResult, ProbeResult
from temporal_dsql_deploy.operations.probe.trial import LeftOut, Trial
from temporal_dsql_deploy.platforms.protocol import Report
from temporal_dsql_deploy.platforms.temporal_api import call, runtime

_CLEAN_UP = 5.0
_ALONE = 2.0
"""Seconds that the first check has for itself: the others wait for it no longer than that."""
_NO_ANSWER = (RPCStatusCode.CANCELLED, RPCStatusCode.DEADLINE_EXCEEDED)
NO_HOST = "Not enough hosts to serve the request"
"""What a role says in whose ring another has no member."""
_NO_PATH = ("connection error", NO_HOST)
"""What an UNAVAILABLE says that comes of a path; others come of what is at its end."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be tried, and where."""

    address: str
    """host:port of the frontend."""
    namespace: str
    deadline: float
    """Seconds, for each check."""
    report: Report
    """Is told of each check as it ends."""
    names: Collection[str] = BASICS
    """Of the checks."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """By the name of a check why it is not to be tried."""

    def chosen(self) -> list[Check]:
        """The first check and, of the others, those that are named."""
        return [checks.FIRST, *(check for check in checks.OTHERS if check.name in self.names)]


def probe(question: Question) -> ProbeResult:
    """Try everything once. A cluster that does not answer at all gives failed checks, no error."""
    # Not asyncio.run, which waits for the SDK's tasks: with a server that does not answer they take
    # half a minute to end.
    loop = asyncio.new_event_loop()
    return ask(loop, question)


def ask(loop: asyncio.AbstractEventLoop, question: Question) -> ProbeResult:
    """Try everything once, as `probe` does, on a loop that is given: for who asks repeatedly."""
    task = loop.create_task(_probe(question))
    with interrupts.told(loop, task):
        return loop.run_until_complete(task)


async def _probe(question: Question) -> ProbeResult:
    began = time.monotonic()
    prefix = f"dsql-deploy-probe-{uuid.uuid4().hex[:12]}"
    try:
        async with asyncio.timeout(question.deadline):
            client = await Client.connect(
                question.address, namespace=question.namespace, runtime=runtime()
            )
        results = await _with_worker(client, prefix, question)
    except (RuntimeError, TimeoutError) as error:
        results = _no_worker(question, error, time.monotonic() - began)
    return ProbeResult(
        address=question.address,
        namespace=question.namespace,
        task_queue=prefix,
        ok=all(result.ok for result in results),
        at=datetime.now(UTC),
        seconds=round(time.monotonic() - began, 3),
        checks=results,
    )


async def _with_worker(client: Client, prefix: str, question: Question) -> list[CheckResult]:
    trial = Trial(client, prefix, limit=timedelta(seconds=6 * question.deadline))
    with_nexus = any(check.name == "nexus" for check in question.chosen())
    worker = Worker(
        client,
        task_queue=prefix,
        workflows=workflows.ALL,
        activities=[workflows.greet],
        nexus_service_handlers=[workflows.GreeterHandler()] if with_nexus else [],
        # The probe's own workflows are known to be deterministic, and start at once without it.
        workflow_runner=UnsandboxedWorkflowRunner(),
        identity="dsql-deploy probe",
        # The default one is a digest of all code that is loaded, which takes 0.4 s.
        build_id="dsql-deploy probe",
    )
    # Not the worker's own context manager, which cancels this task when the worker fails, and can
    # then wait for ever.
    running = asyncio.create_task(worker.run())
    trying = asyncio.create_task(_try_all(trial, question))
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


async def _try_all(trial: Trial, question: Question) -> list[CheckResult]:
    one, *more = question.chosen()
    first = asyncio.create_task(_run(one, trial, question))
    await asyncio.wait({first}, timeout=_ALONE)
    trial.until = time.monotonic() + question.deadline
    return await asyncio.gather(first, *(_run(check, trial, question) for check in more))


async def _clean_up(trial: Trial, worker: Worker) -> None:
    """End the worker, and what may be open; a workflow's own limit does that otherwise."""
    await asyncio.gather(*(call(undo()) for undo in trial.undo), return_exceptions=True)
    handles = [trial.client.get_workflow_handle(identifier) for identifier in trial.unfinished]
    await asyncio.gather(
        *(call(handle.terminate("probe ended")) for handle in handles), return_exceptions=True
    )
    if worker.is_running:
        await worker.shutdown()


async def _run(check: Check, trial: Trial, question: Question) -> CheckResult:
    began = time.monotonic()
    error = left_out = ""
    silent = False
    try:
        async with asyncio.timeout(question.deadline):
            await _tried(check, trial, question)
    except TimeoutError:
        error, silent = f"not done after {question.deadline:g} s", True
    except RPCError as failure:
        error = f"{failure.status.name}: {failure.message}"
        silent = _is_silent(failure)
    except LeftOut as reason:
        left_out = str(reason)
    except Exception as failure:
        error = f"{type(failure).__name__}: {failure.__cause__ or failure}"
    seconds = round(time.monotonic() - began, 3)
    said = f"failed: {error}" if error else f"left out: {left_out}" if left_out else ""
    question.report(f"{check.name} {said or f'{seconds * 1000:.0f} ms'}")
    return CheckResult(
        name=check.name,
        ok=not error,
        seconds=seconds,
        error=error,
        meaning=check.meaning if error else "",
        silent=silent,
        left_out=left_out,
    )


async def _tried(check: Check, trial: Trial, question: Question) -> None:
    if reason := question.left_out.get(check.name):
        raise LeftOut(reason)
    await check.run(trial)


def _is_silent(failure: RPCError) -> bool:
    """Whether a call failed because of the way to who should have answered, not by an answer."""
    if failure.status is RPCStatusCode.UNAVAILABLE:
        return any(words in failure.message for words in _NO_PATH)
    return failure.status in _NO_ANSWER


def _no_worker(question: Question, error: Exception, seconds: float) -> list[CheckResult]:
    """All checks failed: a worker could not even connect, or not to this namespace."""
    said = str(error) or f"no answer within {question.deadline:g} s"
    # The SDK appends the status of the gRPC call, which says the same once more.
    reason = f"no worker can run at {question.address}: {said.partition(': Status {')[0]}"
    question.report(reason)
    return [
        CheckResult(
            name=check.name,
            ok=False,
            seconds=round(seconds, 3),
            error=reason,
            meaning="nothing works: look whether its frontend runs and has the namespace",
        )
        for check in question.chosen()
    ]
