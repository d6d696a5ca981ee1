"""One iteration: the generators run, everything is watched, the workflows end or time out."""

import asyncio
import contextlib
import math
import time
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError

from temporal_dsql_deploy.bench import arrivals, failed, generator, namespace, outcome, pollers
from temporal_dsql_deploy.bench.options import Settings
from temporal_dsql_deploy.bench.outcome import Outcome
from temporal_dsql_deploy.bench.processes import Child, ChildFailed
from temporal_dsql_deploy.bench.raw import Live, Raw
from temporal_dsql_deploy.bench.recorder import Histogram
from temporal_dsql_deploy.bench.servers import Watch
from temporal_dsql_deploy.errors import BenchmarkFailed
from temporal_dsql_deploy.platforms.temporal_api import CallFailed

_LEAD = 0.5
"""Seconds from the last generator being ready to their second 0."""
_READY = 60.0
_LEAST_BETWEEN_QUERIES = 1.0
_QUERY_SHARE = 20
"""A visibility query of t seconds is asked again after 20 t: it must not be the load."""
_GRACE = 5.0
_BEHIND = 20.0
"""Seconds without any progress that visibility may be behind."""


class Iteration:
    """Runs one, on a cluster whose namespace and workers are there."""

    def __init__(  # noqa: PLR0913 - what an iteration is of
        self,
        client: Client,
        settings: Settings,
        *,
        number: int,
        prefix: str,
        watch: Watch,
        on_live: Callable[[Live], None],
    ) -> None:
        self._client = client
        self._settings = settings
        self._on_live = on_live
        self._seed = settings.seed * 1000 + number
        self._prefix = prefix
        due = array("d", arrivals.due(settings, seed=self._seed))
        self._raw = Raw(number=number, epoch=time.time(), due=due, watch=watch)
        self._totals: Counter[str] = Counter()
        self._completed = 0
        self._told = -1

    async def run(self) -> Raw:
        """Run to the end of the last workflow, or of the completion timeout.

        Raises BenchmarkFailed when a process of its own ended too early.
        """
        self._raw.before = await self._reports()
        try:
            children = await self._generators()
        except ChildFailed as error:
            raise _generator_ended(error) from error
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
            await self._generate(children)
            await self._drain()
        except ChildFailed as error:
            raise _generator_ended(error) from error
        finally:
            for one in watching:
                one.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
            await asyncio.gather(*(child.stop(grace=_GRACE) for child in children))
        self._raw.outcome = await self._outcome()
        self._raw.reports = await self._reports()
        return self._raw

    async def _generators(self) -> list[Child]:
        """The generator processes, all of them connected, and the moment at which they begin."""
        tasks = [
            generator.Task(
                address=self._client.service_client.config.target_host,
                settings=self._settings,
                prefix=self._prefix,
                task_queue=pollers.TASK_QUEUE,
                seed=self._seed,
                index=index,
            )
            for index in range(self._settings.generators)
        ]
        children = [await Child.start("generator", task.to_json()) for task in tasks]
        try:
            async with asyncio.timeout(_READY):
                await asyncio.gather(*(child.line() for child in children))
        except BaseException as error:
            await asyncio.gather(*(child.stop(grace=1) for child in children))
            if isinstance(error, TimeoutError):
                raise ChildFailed(f"it was not ready after {_READY:g} s") from error
            raise
        # A whole second: what others measure by the second of Unix time fits to it.
        self._raw.epoch = float(math.ceil(time.time() + _LEAD))
        for child in children:
            child.send(str(self._raw.epoch))
        return children

    async def _generate(self, children: Sequence[Child]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for child in children:
                    group.create_task(self._listen(child))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors

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
            name: max((Histogram(one[name]).percentile(99) for one in told), default=0.0) * 1000
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
        is_open = f"WorkflowId STARTS_WITH '{self._prefix}-' AND ExecutionStatus = 'Running'"
        closed = f"{self._roots()} AND ExecutionStatus != 'Running'"
        while time.time() < deadline:
            began = time.monotonic()
            with contextlib.suppress(CallFailed):
                # Not listed yet is not closed, so both are asked for.
                if not await self._count(is_open) and await self._count(closed) >= accepted:
                    return
            await _rest(time.monotonic() - began)
            self._told = self._second()
            self._tell([])

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
            await _rest(time.monotonic() - began)

    async def _watch_queue(self) -> None:
        """Ask once a second what waits in the task queue, and for whom."""
        while True:
            await asyncio.sleep(1 - (time.time() - self._raw.epoch) % 1)
            with contextlib.suppress(CallFailed):
                self._raw.queues[self._second() - 1] = await pollers.look(self._client)

    def _second(self) -> int:
        return int(time.time() - self._raw.epoch)

    def _roots(self) -> str:
        return f"WorkflowId STARTS_WITH '{self._prefix}-' AND WorkflowType != 'child'"

    async def _count(self, query: str) -> int:
        return await namespace.count(self._client.service_client, self._settings.namespace, query)

    async def _outcome(self) -> Outcome:
        """All workflows, when visibility has what was confirmed; history is asked for the rest.

        Raises BenchmarkFailed when visibility does not answer.
        """
        accepted = self._raw.accepted()
        timed = {number for end in self._raw.ends for number, _, _ in end["clock"]}
        service, name = self._client.service_client, self._settings.namespace
        found, missing = Outcome(), math.inf
        deadline = time.monotonic() + _BEHIND
        while True:
            try:
                found = await outcome.read(service, name, self._prefix, timed)
            except RPCError as error:
                if time.monotonic() > deadline:
                    raise BenchmarkFailed(
                        "the workflows of the benchmark could not be listed",
                        cause=f"{error.status.name}: {error.message}",
                        fix="look at the visibility store: dsql-deploy probe ENV",
                    ) from error
            else:
                now = accepted.missing_from(found.seen)
                if now < missing:
                    missing, deadline = now, time.monotonic() + _BEHIND
                if not now or time.monotonic() > deadline:
                    break
            await asyncio.sleep(_LEAST_BETWEEN_QUERIES)
        doubtful = [*accepted.without(found.seen), *found.running]
        await outcome.ask_history(service, name, self._prefix, doubtful, found)
        return found

    async def _reports(self) -> dict[str, Mapping[str, Any]]:
        return await pollers.ask_all(self._client, since=self._raw.epoch)


def _generator_ended(error: ChildFailed) -> BenchmarkFailed:
    return failed.cluster("a generator process ended before it was done", error)


async def _rest(took: float) -> None:
    """Until the next visibility query, after one that took so many seconds."""
    await asyncio.sleep(max(_LEAST_BETWEEN_QUERIES, _QUERY_SHARE * took))
