"""Processes of a cluster that open connections, second by second: a simulation, seeded.

It does what the Temporal-DSQL server was seen to do (pools one after the other, one connect after
the other in each, a token bucket in each process or one count for all) and knows nothing of the
bounds in `capacity.connections`, which are held against it.
"""

import heapq
import random
from bisect import bisect_right
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from temporal_dsql_deploy.capacity.connections import Cluster, Mode, Pool, Service

POOLS = 4
Step = Generator[float, None, None]
"""What a process does; each value is a number of seconds that it waits."""


@dataclass(slots=True)
class Trace:
    """What was seen."""

    connects: list[float] = field(default_factory=list)
    """Times of the connects that DSQL took."""
    refused: int = 0
    """53400."""
    peak: int = 0
    """Most connections open at one time."""
    ready: list[float] = field(default_factory=list)
    """Times at which processes had what their starts wait for."""

    @property
    def busiest_second(self) -> int:
        """Most connects in one second, wherever it begins."""
        times = sorted(self.connects)
        return max(
            (bisect_right(times, start + 1.0) - at for at, start in enumerate(times)), default=0
        )


class Simulation:
    """A cluster's clock, its limits, and DSQL."""

    def __init__(self, cluster: Cluster, seed: int = 0) -> None:
        self.cluster = cluster
        self.random = random.Random(seed)  # noqa: S311 - a simulation
        self.trace = Trace()
        self.now = 0.0
        self.open = 0
        self._waiting: list[tuple[float, int, Step]] = []
        self._number = 0
        self._tokens = Bucket(cluster.quotas.per_second, cluster.quotas.at_once)
        self._counted: dict[int, int] = {}

    def add(self, process: Step, at: float = 0.0) -> None:
        """Let a process begin."""
        self._number += 1
        heapq.heappush(self._waiting, (at, self._number, process))

    def run(self, until: float = 10_000.0) -> Trace:
        """Run until nothing happens any more, or until a time."""
        while self._waiting and self._waiting[0][0] <= until:
            self.now, _, process = heapq.heappop(self._waiting)
            wait = next(process, None)
            if wait is not None:
                self.add(process, self.now + wait)
        return self.trace

    def connect(self, bucket: "Bucket") -> Step:
        """One connection, however long it takes: what is refused is tried again."""
        while True:
            yield from self._limited(bucket)
            if self._tokens.take(self.now) == 0.0:
                break
            self.trace.refused += 1
            yield 0.25
        self.trace.connects.append(self.now)
        self.open += 1
        self.trace.peak = max(self.trace.peak, self.open)
        yield self.random.uniform(0.0, 0.03)

    def close(self, connections: int) -> None:
        self.open -= connections

    def _limited(self, bucket: "Bucket") -> Step:
        limiter = self.cluster.limiter
        if limiter is None:
            while (wait := bucket.take(self.now)) > 0.0:
                yield wait
            return
        while self._counted.get(int(self.now), 0) >= limiter.per_second:
            yield self.random.uniform(0.025, 0.2)
        self._counted[int(self.now)] = self._counted.get(int(self.now), 0) + 1


class Bucket:
    """Tokens that flow in evenly, up to a number."""

    def __init__(self, rate: float, size: float) -> None:
        self.rate, self.size = rate, size
        self.level, self.since = float(size), 0.0

    def take(self, now: float) -> float:
        """0 where a token was there and is taken, else seconds until there is one."""
        self.level = min(self.size, self.level + self.rate * (now - self.since))
        self.since = now
        if self.level >= 1.0 - 1e-9:
            self.level -= 1.0
            return 0.0
        return (1.0 - self.level) / self.rate + 1e-9


def start(simulation: Simulation, pool: Pool) -> Step:
    """A process from its start until its role has all that it takes under load."""
    bucket = Bucket(pool.rate, pool.burst)
    bucket.since = simulation.now
    yield simulation.random.uniform(0.0, pool.stagger)
    run = _legacy if pool.mode is Mode.LEGACY else _reservoirs
    yield from run(simulation, pool, bucket)


def _legacy(simulation: Simulation, pool: Pool, bucket: Bucket) -> Step:
    before = 0
    for number in range(POOLS):
        # The warm-up leaves one out, as often as not; the role's pool gets it back under load.
        last = number == POOLS - 1
        size = pool.max_conns if last else pool.max_conns - simulation.random.randint(0, 1)
        for _ in range(size):
            yield from simulation.connect(bucket)
        simulation.close(before)
        before = size
    simulation.trace.ready.append(simulation.now)


def _reservoirs(simulation: Simulation, pool: Pool, bucket: Bucket) -> Step:
    ready = [0] * POOLS

    def refill(number: int) -> Step:
        while ready[number] < pool.target:
            yield from simulation.connect(bucket)
            ready[number] += 1

    def more(number: int, connections: int) -> Step:
        for _ in range(connections):
            yield from simulation.connect(bucket)

    for number in range(POOLS):
        simulation.add(refill(number), simulation.now)
        while ready[number] < min(pool.watermark, pool.target):
            yield 0.1
    simulation.trace.ready.append(simulation.now)
    # The role takes its connections out of the last reservoir, which is filled again.
    yield from more(POOLS - 1, pool.max_conns)
    while min(ready) < pool.target:
        yield 0.1


def cold_start(cluster: Cluster, seed: int = 0) -> Trace:
    """All tasks start at the same time."""
    simulation = Simulation(cluster, seed)
    for service in cluster.services:
        for _ in range(service.at_rest):
            simulation.add(start(simulation, service.pool))
    return simulation.run()


def deployment(cluster: Cluster, roles: Sequence[str], seed: int = 0) -> Trace:
    """ECS replaces the tasks of some services: so many at one time as their percentages let it."""
    simulation = Simulation(cluster, seed)
    simulation.open = sum(one.at_rest * one.pool.held for one in cluster.services)
    for service in cluster.services:
        if service.name in roles and can_deploy(service):
            simulation.add(_replaced(simulation, service.name))
    return simulation.run()


def can_deploy(service: Service) -> bool:
    """Whether the percentages leave room to start a task before another stops, or the reverse."""
    return service.at_once > _least(service)


def _least(service: Service) -> int:
    return -(-service.tasks * service.minimum_percent // 100)


def _replaced(simulation: Simulation, name: str) -> Step:
    (service,) = (one for one in simulation.cluster.services if one.name == name)
    least = _least(service)
    old, healthy, started = service.at_rest, 0, 0

    def end() -> Step:
        # SIGTERM: it counts no longer, and still has what it had.
        yield simulation.random.uniform(0.0, service.stop_seconds)
        simulation.close(service.pool.held)

    def begin() -> Step:
        nonlocal healthy
        begun = simulation.now
        yield from start(simulation, service.pool)
        # Nobody asks earlier.
        yield max(0.0, begun + 5.0 - simulation.now)
        healthy += 1

    while healthy < service.at_rest:
        while old > 0 and old + healthy > least:
            old -= 1
            simulation.add(end(), simulation.now)
        while started < service.at_rest and old + started < service.at_once:
            started += 1
            simulation.add(begin(), simulation.now)
        yield 0.5
    for _ in range(old):
        simulation.add(end(), simulation.now)


def recycling(cluster: Cluster, seed: int = 0) -> Trace:
    """Everything was opened in the same moment, and is closed and opened again in the same one."""
    simulation = Simulation(cluster, seed)

    def again(pool: Pool) -> Step:
        bucket = Bucket(pool.rate, pool.burst)
        bucket.since = simulation.now
        for _ in range(pool.held):
            yield from simulation.connect(bucket)

    for service in cluster.services:
        for _ in range(service.at_rest):
            simulation.add(again(service.pool), simulation.random.uniform(0.0, 1.0))
    return simulation.run()


def batches(cluster: Cluster, pool: Pool, tasks: int, seconds: float, seed: int = 0) -> Trace:
    """So many tasks started, and again after so many seconds, three times."""
    simulation = Simulation(cluster, seed)
    for number in range(3):
        for _ in range(tasks):
            simulation.add(start(simulation, pool), number * seconds)
    return simulation.run()
