"""A whole benchmark: namespace, workers, iterations, what they have shown, and cleaning up."""

import asyncio
import platform
import re
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

from temporalio.api.workflowservice.v1 import GetClusterInfoRequest
from temporalio.client import Client

from temporal_dsql_deploy import interrupts
from temporal_dsql_deploy.bench import document, machine, namespace, pollers, results, summary
from temporal_dsql_deploy.bench.iteration import Iteration
from temporal_dsql_deploy.bench.options import Settings
from temporal_dsql_deploy.bench.raw import Live
from temporal_dsql_deploy.bench.servers import Watch
from temporal_dsql_deploy.errors import BenchmarkFailed
from temporal_dsql_deploy.platforms.temporal_api import CallFailed, call, runtime

if TYPE_CHECKING:
    from temporal_dsql_deploy.bench.processes import Child

_CONNECT = 60.0
_GRACE = 15.0
_BETWEEN = 120.0
"""Seconds that an iteration takes at most beside starting and ending its workflows."""
_BEFORE = 660.0
"""Seconds that may pass before the first of them: workers may have to be started elsewhere."""


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
    target: Target, settings: Settings, *, prove: Callable[[], None], tell: Told
) -> results.BenchResult:
    """Run a benchmark. Raises BenchmarkFailed, ResidueFound; cleans up in any case.

    `prove` sees, before anything is measured, that the cluster works. Iterations that were run to
    their ends are a result, with a warning, whatever became of those after them.
    """
    benchmark = _Benchmark(target, settings, tell)
    interrupts.run(benchmark.run(prove), benchmark.interrupt)
    if not benchmark.interrupted:
        return benchmark.result()
    if benchmark.has_result():
        raise Interrupted(benchmark)
    raise KeyboardInterrupt


class Interrupted(KeyboardInterrupt):
    """The user has interrupted a benchmark of which some iterations had come to their ends."""

    def __init__(self, benchmark: "_Benchmark") -> None:
        super().__init__()
        self._benchmark = benchmark

    def result(self) -> results.BenchResult:
        """Those iterations."""
        return self._benchmark.result()


class _Benchmark:
    """One benchmark, and what it has come to."""

    def __init__(self, target: Target, settings: Settings, tell: Told) -> None:
        self.tell = tell
        self._target = target
        self._settings = settings
        self._began = datetime.now(UTC)
        self._run = f"{document.stamp(self._began)}-{uuid.uuid4().hex[:6]}"
        self._client: Client | None = None
        self._children: list[Child] = []
        self._done: list[results.Iteration] = []
        self._warnings: list[str] = []
        self._system: results.System | None = None
        self._measuring: asyncio.Task[None] | None = None
        self._cleaning: asyncio.Task[None] | None = None
        self._listed = True
        """Whether visibility has shown the end of all that was sent, so that none can be open."""
        self._asked = False
        """Whether an interruption has been answered with the wish to go on cleaning up."""
        self.interrupted = False
        """Whether measuring was."""

    async def run(self, prove: Callable[[], None]) -> None:
        """Measure and clean up. Raises what measuring raised."""
        self._measuring = asyncio.create_task(self.measure(prove))
        await asyncio.wait({self._measuring})
        self._cleaning = asyncio.create_task(self.clean_up())
        await asyncio.wait({self._cleaning})
        if self._cleaning.cancelled():
            self.warn(f"cleaning up was interrupted; go on with: {self.by_hand()}")
        else:
            await self._cleaning
        if not self.interrupted:
            await self._measuring
        elif not self._measuring.cancelled():
            # It had failed by itself a moment before.
            self._measuring.exception()

    def interrupt(self) -> None:
        """Stop measuring; while cleaning up say so, and the next time leave it to the user."""
        if self._cleaning is None:
            if not self.interrupted and self._measuring is not None:
                self.interrupted = True
                self.tell.progress("interrupted: ending what is open")
                self._measuring.cancel()
        elif not self._asked:
            self._asked = True
            self.tell.progress("still cleaning up; interrupt again to leave that to you")
        else:
            self._cleaning.cancel()

    async def measure(self, prove: Callable[[], None]) -> None:
        """All iterations. Raises BenchmarkFailed when not even the first came to its end."""
        settings, tell, name = self._settings, self.tell, self._settings.namespace
        client = await connect(self._target.address, name)
        service = client.service_client
        await namespace.refuse_residue(service, name, self._target.address)
        if await namespace.make(service, name):
            tell.progress(f"made namespace {name}")
        self._client = client
        await namespace.mark(service, name, self._run, _at_most(settings))
        # Again, as two may have looked at the same time.
        await namespace.refuse_residue(service, name, self._target.address, self._run)
        tell.progress("probing the cluster from end to end")
        await asyncio.to_thread(prove)
        self._system = await self._look_at_system(client)
        if not settings.generator_only:
            self._children, pages = await pollers.start(self._target.address, settings)
            tell.pages(pages)
        await pollers.wait_for(client, settings, self._children, tell.progress)
        try:
            await self._iterate(client)
        except BenchmarkFailed as error:
            if not self._done:
                raise
            self.warn(f"{error.message}: {error.cause}")

    async def _iterate(self, client: Client) -> None:
        settings = self._settings
        for number in range(1, settings.iterations + 1):
            what = f"{settings.workload}, {settings.rate:g} a second for {settings.duration}"
            self.tell.progress(f"iteration {number} of {settings.iterations}: {what}")
            self._listed = False
            raw = await Iteration(
                client,
                settings,
                number=number,
                prefix=f"{namespace.ids_of(self._run)}{number}",
                watch=Watch(self._target.pages, self._target.pids, settings.duration.seconds),
                on_live=self.tell.live,
            ).run()
            self._done.append(summary.iteration(raw, settings))
            counts = self._done[-1].counts
            self._listed = counts.completed == counts.sent
            self.tell.iteration(self._done[-1])
            await self._warn_of_ended(number)
            if number == settings.iterations:
                return
            if self._listed:
                continue
            if wrong := await self._empty(but=namespace.mark_of(self._run)):
                raise BenchmarkFailed(
                    "the workflows of an iteration could not be ended",
                    cause=wrong,
                    fix=f"end them with: {self.by_hand()}",
                )

    async def _warn_of_ended(self, number: int) -> None:
        for child in self._children:
            if child.code is not None:
                self.warn(f"a worker process ended in iteration {number}: {await child.said()}")

    def warn(self, line: str) -> None:
        """Say it now, and in the result."""
        self._warnings.append(line)
        self.tell.progress(line)

    def by_hand(self) -> str:
        """The command that ends what this benchmark has open."""
        return namespace.by_hand(self._settings.namespace, self._target.address, self._run)

    async def clean_up(self) -> None:
        """End the workers and whatever is open; what fails is a warning."""
        if self._client is None:
            return
        self.tell.progress("cleaning up")
        _, wrong = await asyncio.gather(
            pollers.stop(self._client, self._children, grace=_GRACE), self._empty()
        )
        if wrong:
            self.warn(f"not everything was ended: {wrong}; go on with: {self.by_hand()}")

    async def _empty(self, *, but: str = "") -> str:
        assert self._client is not None  # noqa: S101 - for the type checker
        prefix = namespace.ids_of(self._run)
        return await namespace.empty(
            self._client.service_client,
            self._settings.namespace,
            prefix,
            but=but,
            listed=self._listed,
        )

    def has_result(self) -> bool:
        """Whether an iteration has come to its end."""
        return bool(self._done)

    def result(self) -> results.BenchResult:
        """The document."""
        assert self._system is not None  # noqa: S101 - for the type checker
        done = document.Done(self._began, self._done, self._warnings)
        return document.of(done, self._settings, self._system)

    async def _look_at_system(self, client: Client) -> results.System:
        request = GetClusterInfoRequest()
        try:
            info = await call(client.workflow_service.get_cluster_info(request), seconds=_GRACE)
        except CallFailed as error:
            raise BenchmarkFailed(
                "the cluster does not say what it is",
                cause=str(error),
                fix="look at it: dsql-deploy probe ENV",
            ) from error
        return results.System(
            instance_type=f"{platform.machine()}, {machine.cores()} cores",
            history_shards=info.history_shard_count,
            services=await asyncio.to_thread(self._target.services),
            server_version=info.server_version,
            address=self._target.address,
            environment=self._target.environment,
            tool_version=version("temporal-dsql-deploy"),
            python=platform.python_version(),
        )


def _at_most(settings: Settings) -> timedelta:
    """How long the whole benchmark can take."""
    one = settings.duration.seconds + settings.completion_timeout.seconds + _BETWEEN
    return timedelta(seconds=settings.iterations * one + _BEFORE)


async def connect(address: str, name: str) -> Client:
    """A client of a namespace. Raises BenchmarkFailed."""
    try:
        async with asyncio.timeout(_CONNECT):
            return await Client.connect(address, namespace=name, runtime=runtime())
    except (RuntimeError, TimeoutError) as error:
        raise BenchmarkFailed(
            f"no frontend answers at {address}",
            cause=_reason(str(error)) or f"no answer within {_CONNECT:g} s",
            fix="look whether it runs, and can be reached from here",
        ) from error


def _reason(said: str) -> str:
    """What an error of the SDK's core says in words: it is Rust's own notation of it."""
    words = re.findall(r'(?:message: |error: )?"([^"]{3,})"', said)
    return ": ".join(dict.fromkeys(words)) or said
