"""One iteration: the generators run, everything is watched, the workflows end or time out."""

import asyncio
import contextlib
import time
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from temporal_dsql_deploy.bench import arrivals, generator, namespace, outcome
from temporal_dsql_deploy.bench.answers import Answers
from temporal_dsql_deploy.bench.numbers import Numbers
from temporal_dsql_deploy.bench.options import Settings
from temporal_dsql_deploy.bench.outcome import Outcome
from temporal_dsql_deploy.bench.processes import Child, ChildFailed
from temporal_dsql_deploy.bench.recorder import Histogram
from temporal_dsql_deploy.bench.servers import Watch
from temporal_dsql_deploy.bench.worker import REPORT
from temporal_dsql_deploy.errors import BenchmarkFailed
from temporal_dsql_deploy.platforms.temporal_api import CallFailed, call

_LEAD = 1.0
"""Seconds from starting the generators to their second 0: they have connected by then."""
_LEAST_BETWEEN_QUERIES = 1.0
_QUERY_SHARE = 20
"""A visibility query of t seconds is asked again after 20 t: it must not be the load."""
_GRACE = 5.0
_REPORT = 20.0


@dataclass(frozen=True, slots=True)
class Live:
    """Where an iteration is; totals since its beginning."""

    number: int
    second: int
    target: float
    due: int
    dropped: int
    accepted: int
    rejected: int
    completed: int
    """As visibility shows it, which may be behind."""
    start_p99: float
    """Milliseconds, of the last second."""
    lag_p99: float


@dataclass(slots=True)
class Queue:
    """The task queue at one moment."""

    waiting_workflow_tasks: int
    waiting_activity_tasks: int
    workers: set[str]
    """Identities of those that poll it."""


@dataclass(slots=True)
class Raw:
    """Everything that was seen in one iteration, not yet made into a result."""

    number: int
    epoch: float
    due: "array[float]"
    seconds: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    """What the generators told, by second."""
    ends: list[dict[str, Any]] = field(default_factory=list)
    """What each of them told at its end."""
    queues: dict[int, Queue] = field(default_factory=dict)
    queries: Histogram = field(default_factory=Histogram)
    query_seconds: dict[int, float] = field(default_factory=dict)
    outcome: Outcome = field(default_factory=Outcome)
    reports: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Of each worker, by its identity."""
    before: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """The same at the beginning."""
    watch: Watch = field(default_factory=lambda: Watch([], list))
    answers: Answers = field(default_factory=Answers)

    def accepted(self) -> Numbers:
        """The numbers of all workflows whose start was confirmed."""
        return reduce(or_, (Numbers(end["accepted"]) for end in self.ends), Numbers())


class Iteration:
    """Runs one, on a cluster whose namespace and workers are there."""

    def __init__(  # noqa: PLR0913 - what an iteration is of
        self,
        client: Client,
        settings: Settings,
        *,
        number: int,
        task_queue: str,
        watch: Watch,
        on_live: Callable[[Live], None],
    ) -> None:
        self._client = client
        self._settings = settings
        self._task_queue = task_queue
        self._on_live = on_live
        self._seed = settings.seed * 1000 + number
        self._prefix = f"{settings.namespace}-{number}-{time.time_ns() // 1_000_000_000:x}"
        due = array("d", arrivals.due(settings, seed=self._seed))
        self._raw = Raw(number=number, epoch=time.time() + _LEAD, due=due, watch=watch)
        self._totals: Counter[str] = Counter()
        self._completed = 0
        self._told = -1

    async def run(self) -> Raw:
        """Run to the end of the last workflow, or of the completion timeout.

        Raises BenchmarkFailed when a process of its own ended too early.
        """
        self._raw.before = await self._worker_reports()
        self._raw.epoch = time.time() + _LEAD
        watching = [
            asyncio.create_task(one)
            for one in (
                self._raw.watch.run(),
                self._raw.answers.run(self._client),
                self._watch_queue(),
                self._watch_visibility(),
            )
        ]
        try:
            await self._generate()
            await self._drain()
        except ChildFailed as error:
            raise BenchmarkFailed(
                "a generator process ended before it was done",
                cause=str(error),
                fix="look at the cluster: dsql-deploy probe ENV",
            ) from error
        finally:
            for one in watching:
                one.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
        self._raw.outcome = await self._outcome()
        self._raw.reports = await self._worker_reports()
        return self._raw

    async def _generate(self) -> None:
        tasks = [
            generator.Task(
                address=self._client.service_client.config.target_host,
                settings=self._settings,
                prefix=self._prefix,
                task_queue=self._task_queue,
                seed=self._seed,
                index=index,
                epoch=self._raw.epoch,
            )
            for index in range(self._settings.generators)
        ]
        children = [await Child.start("generator", task.to_json()) for task in tasks]
        try:
            async with asyncio.TaskGroup() as group:
                for child in children:
                    group.create_task(self._listen(child))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed
        finally:
            await asyncio.gather(*(child.stop(grace=_GRACE) for child in children))

    async def _listen(self, child: Child) -> None:
        """Take what one generator tells, to its last line."""
        async for line in child.lines():
            if "end" in line:
                self._raw.ends.append(line["end"])
                return
            if "second" in line:
                self._take(line)
        raise ChildFailed("it ended without a result")

    def _take(self, line: dict[str, Any]) -> None:
        told = self._raw.seconds.setdefault(line["second"], [])
        told.append(line)
        self._totals.update(
            {name: line[name] for name in ("due", "dropped", "accepted", "rejected")}
        )
        if len(told) == self._settings.generators and line["second"] > self._told:
            self._told = line["second"]
            self._tell(told)

    def _tell(self, told: Sequence[Mapping[str, Any]]) -> None:
        settings = self._settings
        curve = arrivals.Curve(settings.rate, settings.ramp_up.seconds)
        over = self._told >= settings.duration.seconds
        p99 = {
            name: max(Histogram(one[name]).percentile(99) for one in told) * 1000
            for name in ("start", "lag")
        }
        self._on_live(
            Live(
                number=self._raw.number,
                second=self._told,
                target=0.0 if over else curve.rate_at(self._told + 0.5),
                due=self._totals["due"],
                dropped=self._totals["dropped"],
                accepted=self._totals["accepted"],
                rejected=self._totals["rejected"],
                completed=self._completed,
                start_p99=p99["start"],
                lag_p99=p99["lag"],
            )
        )

    async def _drain(self) -> None:
        """Wait until nothing is open, for the completion timeout at most."""
        deadline = self._raw.epoch + (
            self._settings.duration.seconds + self._settings.completion_timeout.seconds
        )
        accepted = self._totals["accepted"]
        while time.time() < deadline and self._completed < accepted:
            with contextlib.suppress(CallFailed):
                is_open = (
                    f"WorkflowId STARTS_WITH '{self._prefix}-' AND ExecutionStatus = 'Running'"
                )
                closed = f"{self._roots()} AND ExecutionStatus != 'Running'"
                if not await self._count(is_open) and await self._count(closed) >= accepted:
                    return
            await asyncio.sleep(_LEAST_BETWEEN_QUERIES / 4)

    async def _watch_visibility(self) -> None:
        """Ask how many have completed, again and again, and how long the answer takes."""
        query = f"{self._roots()} AND ExecutionStatus = 'Completed'"
        while True:
            began = time.monotonic()
            with contextlib.suppress(CallFailed):
                self._completed = await self._count(query)
                took = time.monotonic() - began
                self._raw.queries.record(took)
                self._raw.query_seconds[self._second()] = took
            took = time.monotonic() - began
            await asyncio.sleep(max(_LEAST_BETWEEN_QUERIES, _QUERY_SHARE * took))

    async def _watch_queue(self) -> None:
        """Ask once a second what waits in the task queue, and for whom."""
        while True:
            await asyncio.sleep(1 - (time.time() - self._raw.epoch) % 1)
            with contextlib.suppress(CallFailed):
                self._raw.queues[self._second() - 1] = await look_at_queue(
                    self._client, self._task_queue
                )

    def _second(self) -> int:
        return int(time.time() - self._raw.epoch)

    def _roots(self) -> str:
        return f"WorkflowId STARTS_WITH '{self._prefix}-' AND WorkflowType != 'child'"

    async def _count(self, query: str) -> int:
        return await namespace.count(self._client.service_client, self._settings.namespace, query)

    async def _outcome(self) -> Outcome:
        """All workflows, as soon as visibility has those that were confirmed."""
        accepted = self._raw.accepted()
        starts = {number for end in self._raw.ends for number, _, _ in end["clock"]}
        deadline = time.monotonic() + _REPORT
        while True:
            try:
                found = await outcome.read(
                    self._client.service_client, self._settings.namespace, self._prefix, starts
                )
            except RPCError as error:
                if time.monotonic() > deadline:
                    raise BenchmarkFailed(
                        "the workflows of the benchmark could not be listed",
                        cause=f"{error.status.name}: {error.message}",
                        fix="look at the visibility store: dsql-deploy probe ENV",
                    ) from error
            else:
                if not accepted.missing_from(found.seen) or time.monotonic() > deadline:
                    return found
            await asyncio.sleep(_LEAST_BETWEEN_QUERIES)

    async def _worker_reports(self) -> dict[str, Mapping[str, Any]]:
        """What each worker that polls has measured; one that is gone says nothing."""
        try:
            queue = await look_at_queue(self._client, self._task_queue)
        except CallFailed:
            return {}
        reports = await asyncio.gather(
            *(report(self._client, identity, since=self._raw.epoch) for identity in queue.workers)
        )
        return {
            identity: one
            for identity, one in zip(queue.workers, reports, strict=True)
            if one is not None
        }


async def look_at_queue(client: Client, task_queue: str) -> Queue:
    """What waits in the task queue, and who polls it. Raises CallFailed."""
    kinds = (
        TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    )
    answers = await asyncio.gather(
        *(
            call(
                client.workflow_service.describe_task_queue(
                    DescribeTaskQueueRequest(
                        namespace=client.namespace,
                        task_queue=TaskQueue(name=task_queue),
                        task_queue_type=kind,
                        report_stats=True,
                        report_pollers=True,
                    )
                )
            )
            for kind in kinds
        )
    )
    return Queue(
        waiting_workflow_tasks=answers[0].stats.approximate_backlog_count,
        waiting_activity_tasks=answers[1].stats.approximate_backlog_count,
        workers={poller.identity for poller in answers[0].pollers},
    )


async def report(
    client: Client, identity: str, *, since: float, stop: bool = False
) -> Mapping[str, Any] | None:
    """What one worker has measured; None when it does not answer."""
    try:
        async with asyncio.timeout(_REPORT):
            answer: Mapping[str, Any] = await client.execute_workflow(
                REPORT,
                args=[since, stop],
                id=f"{identity}-{time.time_ns()}",
                task_queue=identity,
            )
            return answer
    except (TimeoutError, RPCError, RuntimeError):
        return None
