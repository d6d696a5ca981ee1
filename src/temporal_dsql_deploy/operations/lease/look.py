"""Everything that tells of the leases, asked at one moment or over a time."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any, Self

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.errors import NotApplied
from temporal_dsql_deploy.operations.lease import tasks
from temporal_dsql_deploy.operations.lease.proof import (
    LATE_MINUTES,
    LEAST_MINUTES,
    Minute,
    Proof,
    Sample,
    Verdict,
    weigh,
)
from temporal_dsql_deploy.operations.lease.tasks import Holders
from temporal_dsql_deploy.persistence.connection_count import ConnectionCount
from temporal_dsql_deploy.persistence.lease import Counter, Leases, Table
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
from temporal_dsql_deploy.platforms.protocol import Result

Clock = Callable[[], datetime]
_TABLES = "dynamodb_table_names"


@dataclass(frozen=True, slots=True)
class LeaseStatus(Result):
    """The counter of connection leases against what is open."""

    environment: str
    table: str
    endpoint: str
    """Of the DSQL cluster, as the counter's key has it."""
    at: datetime
    verdict: Verdict
    """`wrong` where it is proven, which is exit code 1."""
    why: str
    counter: int | None
    """Null where no process has taken a lease yet."""
    updated: datetime | None
    """When the counter was changed last, by the clock of who changed it."""
    limit: int | None
    """Leases that are given at most; null where no role takes any."""
    leaked: int
    """What is in the counter and in no connection: at least, where it is wrong; else a guess."""
    leases_alive: int
    """Items of leases that were given in the last three minutes."""
    leases_expired: int
    """Items that are older, which DynamoDB has yet to delete."""
    open: int | None
    """The connections that CloudWatch counts; null where it says nothing."""
    open_at: datetime | None
    """The minute that this is of."""
    tasks: int
    """Running tasks of roles that take leases."""
    tasks_hold: int
    """Connections that these hold at most."""
    needed_minutes: int
    """How long the counter has to be wrong to be proven so."""
    minutes: list[Minute]
    """Those that the verdict rests on, oldest first."""
    others: dict[str, int]
    """Counters of other clusters in the same table, by their endpoint."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Who is asked."""

    deployed: Deployed
    table: Table
    count: ConnectionCount
    ecs: Any
    """A client of ECS."""
    now: Clock = lambda: datetime.now(UTC)

    @classmethod
    def of(cls, deployed: Deployed) -> Self:
        """The table, CloudWatch and ECS of an environment.

        Raises NotApplied where leases are off.
        """
        names = deployed.output(_TABLES)
        name = names.get("conn_lease") if isinstance(names, Mapping) else None
        if not name:
            raise NotApplied(
                f"environment {deployed.environment} counts no connection leases",
                cause=f"{_TABLES}.conn_lease is null in its outputs: "
                "connections.distributed_conn_lease_enabled is false",
                fix="nothing has to be done: what is not counted cannot leak; to see the budget of "
                "connections: dsql-deploy check ENV",
            )
        return cls(
            deployed,
            Table.of(name, deployed.output("dsql_cluster_endpoint"), deployed.region),
            ConnectionCount.of(deployed.output("dsql_cluster_arn"), deployed.region),
            aws.client("ecs", deployed.region),
        )


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one moment, and before it where somebody watches."""

    leases: Leases
    holders: Holders
    counted: Mapping[datetime, int]
    """The most connections of each minute, by its start."""
    samples: tuple[Sample, ...]
    """Of the counter, oldest first; none where there is no counter."""
    proof: Proof
    minutes: int
    """How long the counter has to be wrong to be proven so."""
    at: datetime

    @property
    def known(self) -> bool:
        """Whether there is a counter."""
        return self.leases.counter is not None

    def status(self, sources: Sources) -> LeaseStatus:
        """The same, to be told."""
        counter = self.leases.counter
        newest = max(self.counted, default=None)
        return LeaseStatus(
            environment=sources.deployed.environment,
            table=sources.table.name,
            endpoint=sources.table.endpoint,
            at=self.at,
            verdict=self.proof.verdict,
            why=self.proof.why,
            counter=counter.active if counter else None,
            updated=counter.updated if counter else None,
            limit=self.holders.limit,
            leaked=self.proof.leaked,
            leases_alive=self.leases.alive,
            leases_expired=self.leases.expired,
            open=None if newest is None else self.counted[newest],
            open_at=newest,
            tasks=self.holders.running,
            tasks_hold=self.holders.held,
            needed_minutes=self.minutes,
            minutes=list(self.proof.minutes),
            others=dict(self.leases.others),
        )


def look(sources: Sources, before: "Look | None" = None, minutes: int = LEAST_MINUTES) -> Look:
    """Ask everybody; `before` is the look before, for who watches.

    `minutes` is how long the counter has to be wrong; longer where a reservoir keeps a connection
    that has died, and gives its lease back, later. Raises what AWS's refusals are told as.
    """
    now = sources.now()
    leases = sources.table.leases(now)
    holders = tasks.holders(sources.deployed, sources.ecs)
    needed = max(minutes, LEAST_MINUTES, ceil(holders.oldest / 60) + 1)
    counted = sources.count.read(now - timedelta(minutes=needed + LATE_MINUTES), now)
    counter = leases.counter
    if counter is None:
        why = "the table has no counter of this cluster: no process has taken a lease yet"
        return Look(leases, holders, counted, (), Proof(Verdict.UNKNOWN, why), needed, now)
    sample = Sample(now, counter.active, counter.updated)
    samples = (*_still_right(before, counter, now, needed), sample)
    proof = weigh(samples, counted, now, needed)
    return Look(leases, holders, counted, samples, proof, needed, now)


def _still_right(
    before: "Look | None", counter: Counter, now: datetime, minutes: int
) -> Iterator[Sample]:
    """The samples that still say something: a reset makes those before it worthless."""
    if before is None or before.leases.counter is None:
        return
    if before.leases.counter.reset != counter.reset:
        return
    oldest = now - timedelta(minutes=minutes + LATE_MINUTES + 1)
    yield from (one for one in before.samples if one.at >= oldest)
