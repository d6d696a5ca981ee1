"""What all processes of a cluster connect and hold together, beside what DSQL takes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, floor, inf

from temporal_dsql_deploy.capacity.connections.pool import RECONNECTS_IN_AN_OUTAGE, Mode, Pool

HEALTHY_SECONDS = 5.0
"""Least from a task's start until it is healthy: Docker asks no earlier, engine of 25 on, start
interval of a health check."""
NEVER = 86_400
"""Seconds that stand for ever, where a limit lets nothing through."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """What a DSQL cluster takes. Source: Aurora DSQL user guide, quotas."""

    connections: int = 10_000
    """At one time (53300 above); AWS raises it on request."""
    per_second: int = 100
    """Connects (53400 above); nobody raises it."""
    at_once: int = 1_000
    """Connects at once, refilled by `per_second`; nobody raises it."""


@dataclass(frozen=True, slots=True)
class Limiter:
    """The plugin's limiter in DynamoDB: connects of the cluster in each second of the clock."""

    per_second: int = 100
    max_wait: float = 30.0
    """Seconds after which a connect that still waits is given up."""


@dataclass(frozen=True, slots=True)
class Service:
    """One role: how many processes, and how ECS replaces them."""

    name: str
    pool: Pool
    tasks: int
    """In a running cluster; none counts as one, with which its scaling begins."""
    minimum_percent: int = 100
    maximum_percent: int = 200
    stop_seconds: float = 30.0
    """Most from SIGTERM to SIGKILL; the default is ECS's."""

    @property
    def at_rest(self) -> int:
        """Tasks of a running cluster."""
        return max(1, self.tasks)

    @property
    def at_once(self) -> int:
        """Most tasks that ECS lets run or start at one time."""
        return max(self.at_rest, floor(self.tasks * self.maximum_percent / 100))

    @property
    def alive(self) -> int:
        """Most processes of a deployment that hold connections at one time.

        A task that was told to stop counts no longer for ECS's maximum, and holds its connections
        until it has ended. Whatever room the percentages leave is used again as soon as a new task
        is healthy; but each old and each new task lives once. Source: ECS developer guide, task
        lifecycle and deployment configuration.
        """
        room = max(0, self.at_once - ceil(self.tasks * self.minimum_percent / 100))
        stopping = room * (floor(self.stop_seconds / HEALTHY_SECONDS) + 1)
        return max(self.at_once, min(2 * self.at_rest, self.at_once + stopping))


@dataclass(frozen=True, slots=True)
class Cluster:
    """All that connects to one DSQL cluster."""

    services: tuple[Service, ...]
    limiter: Limiter | None = None
    quotas: Quotas = Quotas()


class Scenario(StrEnum):
    """What happens to a cluster."""

    REST = "at rest"
    COLD_START = "cold start"
    """All tasks start at the same time."""
    DEPLOYMENT = "deployment"
    """ECS replaces all tasks of some services, or of all."""
    RECYCLING = "recycling"
    """All connections reach their age in the same moment."""
    OUTAGE = "outage"
    """All connections died, and the database takes new ones again."""


@dataclass(frozen=True, slots=True)
class Connects:
    """Bounds on the connects of a scenario."""

    total: int
    busiest_second: int
    """In any second, wherever it begins."""
    at_once: int
    """What DSQL's bucket has to hold so that it refuses none of them."""
    seconds: float
    """Until all are made, if the limits alone slow them down."""


@dataclass(frozen=True, slots=True)
class StartPlan:
    """How many tasks of a service may be started in one go."""

    tasks: int
    """0 where already one alone is refused connects."""
    seconds: int
    """To wait before the next so many: until DSQL's bucket, or the limiter, has room for them."""


def held(cluster: Cluster, scenario: Scenario, roles: Iterable[str] | None = None) -> int:
    """Most connections open at one time.

    `roles` are the services that are deployed at the same time, in a deployment; None for all.
    """
    deployed = {one.name for one in cluster.services} if roles is None else set(roles)
    return sum(
        _held(one, scenario if one.name in deployed else Scenario.REST) for one in cluster.services
    )


def _held(service: Service, scenario: Scenario) -> int:
    pool = service.pool
    match scenario:
        case Scenario.REST | Scenario.RECYCLING:
            return service.at_rest * pool.held
        case Scenario.COLD_START:
            return service.at_rest * pool.held_at_start
        case Scenario.DEPLOYMENT:
            return service.alive * pool.held_at_start
        case Scenario.OUTAGE:
            return service.at_rest * pool.held_after(RECONNECTS_IN_AN_OUTAGE)


def connects(cluster: Cluster, scenario: Scenario, roles: Iterable[str] | None = None) -> Connects:
    """Bounds on the connects of a scenario; see `held` for `roles`."""
    deployed = {one.name for one in cluster.services} if roles is None else set(roles)
    batches = [
        _Batch(one.pool, one.at_rest, opened)
        for one in cluster.services
        if (opened := _opened(one.pool, scenario)) and one.name in deployed
    ]
    return _bounds(batches, cluster)


def _opened(pool: Pool, scenario: Scenario) -> int:
    match scenario:
        case Scenario.REST:
            return 0
        # ECS starts the next task as soon as one is healthy, so that no pause between them is
        # certain: those of a deployment are taken as starting together.
        case Scenario.COLD_START | Scenario.DEPLOYMENT:
            return pool.opens
        case Scenario.RECYCLING:
            return pool.held
        case Scenario.OUTAGE:
            return pool.held_after(RECONNECTS_IN_AN_OUTAGE)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Processes that all have so many connects to make."""

    pool: Pool
    processes: int
    opens: int

    @property
    def total(self) -> int:
        return self.processes * self.opens

    @property
    def done(self) -> float:
        """Seconds until the local limit has let all through."""
        over = max(0, self.opens - max(0, self.pool.burst))
        return over / self.pool.rate if self.pool.rate > 0 else (inf if over else 0.0)

    def within(self, seconds: float) -> float:
        """Most connects in any stretch of so many seconds."""
        bucket = max(0, self.pool.burst) + max(0, self.pool.rate) * seconds
        return self.processes * min(self.opens, bucket)


def _bounds(batches: list[_Batch], cluster: Cluster) -> Connects:
    total = sum(batch.total for batch in batches)
    if cluster.limiter:
        limit = max(1, cluster.limiter.per_second)
        # It counts by the seconds of the clock: any other second may see two of them.
        busiest, seconds = min(total, 2 * limit), total / limit
        over = max(0, limit - cluster.quotas.per_second)
        return Connects(total, busiest, min(total, busiest + ceil(over * seconds)), seconds)
    return Connects(
        total,
        floor(sum(batch.within(1.0) for batch in batches)),
        _most_at_once(batches, cluster.quotas.per_second),
        max((batch.done for batch in batches), default=0.0),
    )


def _most_at_once(batches: list[_Batch], refill: float) -> int:
    """Height of the connects' bound over what flows into DSQL's bucket meanwhile.

    Both are concave beside straight: the greatest difference is where a limit has let all through.
    """
    moments = {0.0, *(batch.done for batch in batches if batch.done < inf)}
    return ceil(
        max(sum(batch.within(t) for batch in batches) - refill * t for t in sorted(moments))
    )


def per_second_by_limits(cluster: Cluster, tasks: Callable[[Service], int]) -> int:
    """Connects per second that the limits let through in the long run, with so many tasks."""
    if cluster.limiter:
        return cluster.limiter.per_second
    return sum(tasks(one) * max(0, one.pool.rate) for one in cluster.services)


def at_once_by_limits(cluster: Cluster, tasks: Callable[[Service], int]) -> int:
    """Connects at once that the limits let through, with so many tasks."""
    if cluster.limiter:
        return cluster.limiter.per_second
    return sum(tasks(one) * max(0, one.pool.burst) for one in cluster.services)


def recycled_per_second(cluster: Cluster) -> float:
    """Mean connects by which a cluster at rest replaces connections; infinite without an end."""
    rates = ((one.at_rest, one.pool.recycled_per_second) for one in cluster.services)
    return sum(inf if rate is None else tasks * rate for tasks, rate in rates)


def start_plan(cluster: Cluster, service: Service) -> StartPlan:
    """How many tasks of a service may start at once, and how long to wait before the next.

    Beside a cluster that replaces its old connections, with DSQL's bucket full at the beginning.
    """
    quotas, opens = cluster.quotas, service.pool.opens
    spare = quotas.per_second - min(recycled_per_second(cluster), quotas.per_second - 1)
    if cluster.limiter:
        # A connect that waits too long is given up, so no more than what gets through in that time.
        limit = max(1, min(cluster.limiter.per_second, quotas.per_second))
        tasks = max(1, floor(limit * cluster.limiter.max_wait / opens))
        return StartPlan(tasks, ceil(service.pool.stagger + tasks * opens / min(limit, spare)))

    def asked(tasks: int) -> int:
        return _most_at_once([_Batch(service.pool, tasks, opens)], spare)

    # Every task asks for its burst at least, so more than the bucket holds cannot be the answer.
    low, high = 0, quotas.at_once + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if asked(middle) <= quotas.at_once else (low, middle)
    tasks = max(low, 1)
    made = max(_Batch(service.pool, tasks, opens).done, tasks * opens / spare)
    # After the last connect, which may be made at that very moment.
    return StartPlan(low, floor(min(service.pool.stagger + made, NEVER)) + 1)


def first_healthy(cluster: Cluster, service: Service, starting: int | None = None) -> float:
    """Seconds until the start of so many tasks of a service has its connections; None for all.

    Stagger, the waits for the limiter, and DSQL's own rate once its bucket is empty; joining the
    ring comes on top. Infinite where a limit lets too little through.
    """
    pool = service.pool
    tasks = service.at_rest if starting is None else starting
    batch = _Batch(pool, 1, pool.opens_before_healthy)
    together = tasks * pool.opens
    if cluster.limiter:
        waits = together / max(1, cluster.limiter.per_second)
    else:
        waits = max(batch.done, (together - cluster.quotas.at_once) / cluster.quotas.per_second)
    spread = 4 * pool.warmup if pool.mode is Mode.LEGACY else 0.0
    return pool.stagger + max(waits, spread)
