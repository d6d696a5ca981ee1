"""A process that starts workflows when they are due: `python -m ….bench.generator < task.json`.

It writes one line of JSON for each second, and one at its end. It never waits for a workflow: its
end is read from the server afterwards. Every two seconds one is awaited, to see it as a client.
"""

import asyncio
import os
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from temporalio.api.common.v1 import Payloads, WorkflowType
from temporalio.api.enums.v1 import (
    HistoryEventFilterType,
    ResourceExhaustedCause,
    WorkflowIdReusePolicy,
)
from temporalio.api.errordetails.v1 import ResourceExhaustedFailure
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    GetWorkflowExecutionHistoryRequest,
    StartWorkflowExecutionRequest,
)
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode, ServiceClient

from temporal_dsql_deploy.bench import arrivals, children, workloads
from temporal_dsql_deploy.bench.numbers import Numbers
from temporal_dsql_deploy.bench.recorder import Histogram
from temporal_dsql_deploy.platforms.temporal_api import proto_duration

_FINAL = {
    RPCStatusCode.INVALID_ARGUMENT,
    RPCStatusCode.PERMISSION_DENIED,
    RPCStatusCode.UNAUTHENTICATED,
    RPCStatusCode.UNIMPLEMENTED,
    RPCStatusCode.FAILED_PRECONDITION,
}
"""Errors that no second try changes."""
_ATTEMPT = timedelta(seconds=5)
_MARGIN = timedelta(minutes=1)
"""By how much a workflow may outlive the benchmark, which judges it as unfinished before."""
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0
_SAMPLE_EVERY = 2.0
"""Seconds between two workflows that are awaited: few, as a server allows ten visibility queries a
second (frontend.namespaceRPS.visibility)."""
_FIRST_LOOK = 0.05
_LONGEST_LOOK = 1.0


@dataclass(frozen=True, slots=True)
class Task(children.Task):
    """What one generator process has to do."""

    prefix: str
    """Of every workflow id; what follows is the workflow's number."""
    seed: int
    index: int
    """Which of the generator processes this is: every `settings.generators`th start is its own."""

    def mine(self) -> Iterator[tuple[int, float, str]]:
        """Number, due second and kind of the workflows that this process starts."""
        due = arrivals.due(self.settings, seed=self.seed)
        kinds = workloads.parse(self.settings.workload).kinds(seed=self.seed)
        for number, (second, kind) in enumerate(zip(due, kinds, strict=False)):
            if number % self.settings.generators == self.index:
                yield number, second, kind


@dataclass(slots=True)
class Tally:
    """What happened in one second."""

    due: int = 0
    dropped: int = 0
    dropped_unanswered: int = 0
    """Of those, the ones for which too many starts were unanswered."""
    sent: int = 0
    accepted: int = 0
    rejected: int = 0
    cpu: float = 0.0
    """Seconds of CPU time."""
    start: Histogram = field(default_factory=Histogram)
    lag: Histogram = field(default_factory=Histogram)

    def to_json(self) -> dict[str, Any]:
        """Plain data, histograms encoded."""
        plain = {name: getattr(self, name) for name in _COUNTS}
        return {**plain, "start": self.start.encode(), "lag": self.lag.encode()}


_COUNTS = ("due", "dropped", "dropped_unanswered", "sent", "accepted", "rejected", "cpu")


class Generator:
    """The starts of one process."""

    def __init__(self, task: Task, client: ServiceClient, epoch: float) -> None:
        self._task = task
        self._epoch = epoch
        """Unix time, in seconds, of second 0."""
        self._service = client.workflow_service
        self._offset = time.time() - time.monotonic()
        self._tallies: dict[int, Tally] = {}
        self._told = -1
        self._cpu = time.process_time()
        self._starts: set[asyncio.Task[None]] = set()
        self._samples: set[asyncio.Task[None]] = set()
        self._sampled = -_SAMPLE_EVERY
        self._errors: Counter[str] = Counter()
        self._accepted = Numbers()
        self._clock: list[tuple[int, float, float]] = []
        self._client_latency = Histogram()
        self._listed = Histogram()
        self._requests = self._templates()

    async def run(self) -> None:
        """Start everything, then wait for what is unanswered, and tell."""
        telling = asyncio.create_task(self._tell())
        settings = self._task.settings
        for number, second, kind in self._task.mine():
            await self._wait(second)
            now = self._now()
            tally = self._tally(int(second))
            tally.due += 1
            lag = now - second
            unanswered = len(self._starts) >= settings.max_in_flight
            if unanswered or lag > settings.max_lag.seconds:
                tally.dropped += 1
                tally.dropped_unanswered += unanswered
                continue
            tally.sent += 1
            tally.lag.record(lag)
            start = asyncio.create_task(self._start(number, second, kind))
            self._starts.add(start)
            start.add_done_callback(self._starts.discard)
        await self._wait(settings.duration.seconds)
        while self._starts:
            await asyncio.wait(self._starts)
        telling.cancel()
        self._tell_seconds(up_to=int(self._now()) + 1)
        if samples := set(self._samples):
            _, open_still = await asyncio.wait(samples, timeout=settings.completion_timeout.seconds)
            for sample in open_still:
                sample.cancel()
            await asyncio.gather(*open_still, return_exceptions=True)
        children.tell({"end": self._end()})

    def _now(self) -> float:
        """Seconds since the epoch of the run; the clock does not jump."""
        return time.monotonic() + self._offset - self._epoch

    async def _wait(self, second: float) -> None:
        delay = second - self._now()
        # Also without a delay the event loop gets its turn, so that answers are read.
        await asyncio.sleep(max(0.0, delay))

    def _tally(self, second: int) -> Tally:
        # What is told is told: an answer to a start of then is one of now.
        return self._tallies.setdefault(max(second, self._told + 1), Tally())

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(1 - self._now() % 1)
            self._tell_seconds(up_to=int(self._now()))

    def _tell_seconds(self, *, up_to: int) -> None:
        """Tell of the seconds before `up_to` that have not been told."""
        for second in range(self._told + 1, up_to):
            tally = self._tallies.pop(second, None) or Tally()
            cpu = time.process_time()
            tally.cpu, self._cpu = cpu - self._cpu, cpu
            self._told = second
            children.tell({"second": second, **tally.to_json()})

    async def _start(self, number: int, due: float, kind: str) -> None:
        request = StartWorkflowExecutionRequest()
        request.CopyFrom(self._requests[kind])
        request.workflow_id = f"{self._task.prefix}-{number}"
        request.request_id = uuid.uuid4().hex
        sent = self._now()
        error = await self._call(request, sent + self._task.settings.start_timeout.seconds)
        now = self._now()
        tally = self._tally(int(now))
        if error:
            tally.rejected += 1
            return
        tally.accepted += 1
        tally.start.record(now - sent)
        self._accepted.add(number)
        if self._task.index == 0 and now >= self._sampled + _SAMPLE_EVERY:
            self._sampled = now
            self._clock.append((number, sent, now))
            sample = asyncio.create_task(self._sample(request.workflow_id, due))
            self._samples.add(sample)
            sample.add_done_callback(self._samples.discard)

    async def _call(self, request: StartWorkflowExecutionRequest, deadline: float) -> str:
        """Start, again after errors that may pass; the last error, or nothing.

        A second try has the request id of the first, so the server starts nothing twice.
        """
        pause = _FIRST_PAUSE
        while True:
            left = timedelta(seconds=max(0.1, deadline - self._now()))
            try:
                await self._service.start_workflow_execution(
                    request, retry=False, timeout=min(left, _ATTEMPT)
                )
                return ""
            except (RPCError, RuntimeError) as error:
                status = error.status if isinstance(error, RPCError) else None
                cause = cause_of(error)
            if status is RPCStatusCode.ALREADY_EXISTS:
                return ""
            self._errors[cause] += 1
            if status in _FINAL or self._now() + pause > deadline:
                return cause
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _sample(self, workflow_id: str, due: float) -> None:
        """Wait for one workflow as a client does, then until visibility shows that it is closed.

        One that is still awaited at the end counts with the time that it has been until then.
        """
        recorded, since = self._client_latency, due
        try:
            await self._closed(workflow_id)
            self._client_latency.record(self._now() - due)
            recorded, since = self._listed, self._now()
            await self._shown_closed(workflow_id)
            self._listed.record(self._now() - since)
        except asyncio.CancelledError:
            recorded.record(self._now() - since)
        except (RPCError, RuntimeError):
            # The server was away: a sample less, and how many there are is in the result.
            return

    async def _shown_closed(self, workflow_id: str) -> None:
        query = f"WorkflowId = '{workflow_id}' AND ExecutionStatus != 'Running'"
        request = CountWorkflowExecutionsRequest(
            namespace=self._task.settings.namespace, query=query
        )
        pause = _FIRST_LOOK
        while not (await self._service.count_workflow_executions(request, retry=True)).count:
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_LOOK)

    async def _closed(self, workflow_id: str) -> None:
        request = GetWorkflowExecutionHistoryRequest(
            namespace=self._task.settings.namespace,
            wait_new_event=True,
            history_event_filter_type=HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
        )
        request.execution.workflow_id = workflow_id
        while True:
            answer = await self._service.get_workflow_execution_history(
                request, retry=True, timeout=timedelta(seconds=70)
            )
            if answer.history.events:
                return
            request.next_page_token = answer.next_page_token

    def _end(self) -> dict[str, Any]:
        return {
            "accepted": self._accepted.encode(),
            "errors": dict(self._errors),
            "clock": self._clock,
            "client_latency": self._client_latency.encode(),
            "listed": self._listed.encode(),
        }

    def _templates(self) -> dict[str, StartWorkflowExecutionRequest]:
        """The request of each kind, which lacks the ids."""
        task = self._task
        settings = task.settings
        made = {}
        for kind in workloads.parse(settings.workload).weights:
            payloads = DataConverter.default.payload_converter.to_payloads(
                workloads.arguments(settings, kind)
            )
            limit = timedelta(
                seconds=settings.duration.seconds + settings.completion_timeout.seconds
            )
            made[kind] = StartWorkflowExecutionRequest(
                namespace=settings.namespace,
                workflow_type=WorkflowType(name=kind),
                task_queue=TaskQueue(name=task.task_queue),
                input=Payloads(payloads=payloads) if payloads else None,
                identity=f"{os.getpid()}@benchmark-generator",
                workflow_id_reuse_policy=WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
                # Whatever becomes of the benchmark, none stays open for long.
                workflow_execution_timeout=proto_duration(limit + _MARGIN),
            )
        return made


def cause_of(error: Exception) -> str:
    """The status of a failed call, and for RESOURCE_EXHAUSTED which limit it was."""
    if not isinstance(error, RPCError):
        return "not connected"
    if error.status is RPCStatusCode.CANCELLED:
        # So the SDK calls a call that it has given up itself.
        return "no answer in time"
    for detail in error.grpc_status.details:
        failure = ResourceExhaustedFailure()
        if detail.Unpack(failure):
            name = ResourceExhaustedCause.Name(failure.cause)
            return f"{error.status.name} {name.removeprefix('RESOURCE_EXHAUSTED_CAUSE_')}"
    return error.status.name


async def _work() -> None:
    task = Task.from_json(await children.given())
    client = await children.connect(task.address)
    # All generators begin together, when the last of them can.
    children.tell({"ready": True})
    epoch = float(await children.given())
    await Generator(task, client, epoch).run()


if __name__ == "__main__":
    children.run(children.while_wanted(_work()))
