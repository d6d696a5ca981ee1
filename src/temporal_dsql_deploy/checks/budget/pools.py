"""What pools do by themselves: replace old connections, and fill up again after an outage."""

from collections.abc import Iterator

from temporal_dsql_deploy.capacity.connections import Mode, Quotas, Scenario, held
from temporal_dsql_deploy.capacity.connections.pool import POOLS
from temporal_dsql_deploy.capacity.connections.settings import MAX_CONN_LIFETIME
from temporal_dsql_deploy.checks.budget.connections import connection_quota, said
from temporal_dsql_deploy.checks.budget.family import FAMILY, MEASURED, PLUGIN, QUOTAS
from temporal_dsql_deploy.checks.budget.reading import Member, Reading, reading, summed
from temporal_dsql_deploy.checks.model import Finding, Said, Seen, SwitchedOff, Unjudged
from temporal_dsql_deploy.checks.subject import Subject

TARGET = "DSQL_RESERVOIR_TARGET_READY"


@FAMILY.rule(
    "recycling",
    holds="Old connections are replaced by fewer connects per second than a process and DSQL take.",
    symptom="Connections end faster than the limits let new ones come: pools run dry, calls wait, "
    "and `driver: bad connection` is logged. Above 100 per second DSQL refuses with 53400.",
    fix="Raise maxConnLifetime, or DSQL_RESERVOIR_BASE_LIFETIME, to some minutes; below 55.",
    source=f"{QUOTAS}; {PLUGIN}, reservoir_config.go",
    seeds=("S3-17",),
)
def recycling(subject: Subject) -> Iterator[Said]:
    """How old connections become is the contract's: `lifetime-before-cut`, `conn-lifetime`."""
    found = reading(subject)
    yield from found.unjudged
    total = 0.0
    for one in found.members:
        turnover = one.service.pool.recycled_per_second
        if turnover is None:
            yield Unjudged(
                one.address, "connections are as old as they may be when they are opened"
            )
            continue
        total += one.service.at_rest * turnover
        rate = one.service.pool.rate
        if one.settings.sized and not one.settings.limits_together and turnover > rate > 0:
            yield Finding(
                one.address,
                one.attribute(_lifetime_variable(one)),
                f"a process of {one.name} replaces {turnover:.1f} connections per second and may "
                f"make {rate}{one.said}",
            )
    quota = Quotas().per_second
    if total > quota:
        fastest = max(found.members, key=lambda one: one.service.pool.recycled_per_second or 0.0)
        yield Finding(
            fastest.address,
            fastest.attribute(_lifetime_variable(fastest)),
            f"{total:,.0f} connections are replaced per second, DSQL takes {quota}{said(found)}",
        )
    yield Seen(f"{total:.1f} connects per second replace old connections")


def _lifetime_variable(member: Member) -> str:
    if member.service.pool.mode is Mode.RESERVOIR:
        return "DSQL_RESERVOIR_BASE_LIFETIME"
    return next((one for one in MAX_CONN_LIFETIME if member.states(one)), MAX_CONN_LIFETIME[0])


@FAMILY.rule(
    "reservoir-size",
    holds="DSQL_RESERVOIR_TARGET_READY is at most maxConns.",
    symptom="A role never has more than maxConns connections in use, so what is ready beyond that "
    "is held for nothing, four times in each process, and each forced reconnect adds as much.",
    fix="Keep it small beside maxConns: a process holds 4 x TARGET_READY + maxConns.",
    source=f"{PLUGIN}, reservoir_config.go; {MEASURED}",
    seeds=("S3-17",),
)
def reservoir_size(subject: Subject) -> Iterator[Said]:
    """What is not stated at all is the contract's: `reservoir-explicit`."""
    found = reading(subject)
    found.cluster(sized=True)
    yield from found.unjudged
    members = _with_reservoirs(found)
    for one in members:
        pool = one.service.pool
        if pool.target > pool.max_conns:
            evidence = (
                f"each of four reservoirs of {one.name} keeps {pool.target}, the role uses "
                f"{pool.max_conns} at most, and a process holds up to {pool.held}{one.said}"
            )
            yield Finding(one.address, one.attribute(TARGET), evidence)
    yield Seen(", ".join(f"{one.name} {one.service.pool.held}" for one in members) + " a process")


def _with_reservoirs(found: Reading) -> list[Member]:
    members = [one for one in found.members if one.service.pool.mode is Mode.RESERVOIR]
    if not members:
        raise SwitchedOff("no role has reservoir mode on")
    return members


@FAMILY.rule(
    "fill-time",
    holds="The limits of connects let each pool of a start reach DSQL_RESERVOIR_LOW_WATERMARK "
    "within DSQL_RESERVOIR_INITIAL_FILL_TIMEOUT, beside the refillers of the other three.",
    symptom="The server logs `Reservoir initial fill timeout - proceeding with partial fill`, for "
    "each pool in turn; where a pool has no connection at all by then, the role exits 1 with "
    "`failed to ping DSQL (reservoir): driver: bad connection`.",
    fix="Lower DSQL_RESERVOIR_LOW_WATERMARK, or raise the limits of connects or the time-out.",
    source=f"{PLUGIN}, plugin.go; {MEASURED}",
)
def fill_time(subject: Subject) -> Iterator[Said]:
    """The refillers of a process share its limit, and all processes the limiter's."""
    found = reading(subject)
    cluster = found.cluster(sized=True)
    yield from found.unjudged
    longest = 0.0
    for one in _with_reservoirs(found):
        pool = one.service.pool
        rate = float(pool.rate)
        if cluster.limiter:
            rate = cluster.limiter.per_second / sum(each.at_rest for each in cluster.services)
        elif pool.opens_before_healthy <= pool.burst:
            continue
        # A rate of 0 ends the process at once, which is the contract's: `rate-positive`.
        seconds = POOLS * pool.watermark / rate if rate > 0 else 0.0
        longest = max(longest, seconds)
        if seconds > pool.fill_timeout:
            evidence = (
                f"{POOLS} pools of {one.name} x {pool.watermark} connections at {rate:.3g} per "
                f"second take {seconds:.0f} s, {pool.fill_timeout:g} s are given{one.said}"
            )
            yield Finding(
                one.address, one.attribute("DSQL_RESERVOIR_INITIAL_FILL_TIMEOUT"), evidence
            )
    yield Seen(f"{longest:.0f} s until low watermarks are reached")


@FAMILY.rule(
    "reservoir-refill",
    holds="After an outage, in which forced reconnects add reservoirs that stay until the process "
    "ends, all processes together still hold at most the connections that DSQL takes, or that the "
    "leases allow.",
    symptom="The first outage of the network or of DSQL is survived, and leaves so many "
    "connections that new ones are refused (53300, or no lease is given) until roles restart.",
    fix="Lower DSQL_RESERVOIR_TARGET_READY: each reconnect adds that many to a process.",
    source=f"{MEASURED}: 30 s of refusal left two more reservoirs in history and in matching",
    seeds=("S3-17",),
)
def reservoir_refill(subject: Subject) -> Iterator[Said]:
    """Connections that an outage leaves behind."""
    found = reading(subject)
    cluster = found.cluster(sized=True)
    yield from found.unjudged
    members = _with_reservoirs(found)
    limits = [one.settings.lease_limit for one in members if one.settings.lease]
    limit = min([connection_quota(found), *limits])
    most = held(cluster, Scenario.OUTAGE)
    if most > limit:
        largest = max(members, key=lambda one: one.service.at_rest * one.service.pool.target)
        sums = summed(
            found.members,
            lambda one: one.service.at_rest,
            lambda one: one.service.pool.held_after(2),
        )
        yield Finding(
            largest.address,
            largest.attribute(TARGET),
            f"with two forced reconnects in each process {sums}, "
            f"{limit:,} are allowed{said(found)}",
        )
    yield Seen(f"{most:,} of {limit:,} connections after an outage")
