"""What pools do by themselves: replace old connections, and fill up again after an outage."""

from collections.abc import Iterator

from temporal_dsql_deploy.capacity.connections import Mode, Quotas, Scenario, held
from temporal_dsql_deploy.capacity.connections.settings import MAX_CONN_LIFETIME
from temporal_dsql_deploy.checks.budget.connections import connection_quota, said
from temporal_dsql_deploy.checks.budget.family import FAMILY, MEASURED, PLUGIN, QUOTAS
from temporal_dsql_deploy.checks.budget.reading import Member, reading, summed
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
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
    members = [one for one in found.members if one.service.pool.mode is Mode.RESERVOIR]
    if not members:
        raise CannotJudge("no role has reservoir mode on")
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
