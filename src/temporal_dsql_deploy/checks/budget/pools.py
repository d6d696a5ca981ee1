"""One process's connections: their age, and the sizes that the plugin makes of what is left out."""

from collections.abc import Iterator

from temporal_dsql_deploy.capacity.connections import Mode, Quotas, Scenario, held
from temporal_dsql_deploy.capacity.connections.settings import MAX_CONN_LIFETIME, MAX_CONNS
from temporal_dsql_deploy.checks.budget.connections import connection_quota, said
from temporal_dsql_deploy.checks.budget.family import FAMILY, MEASURED, PLUGIN, QUOTAS
from temporal_dsql_deploy.checks.budget.reading import Member, reading, summed
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject

OLDEST_SECONDS = 3300.0
"""DSQL's 60 minutes less its longest transaction, 5 minutes."""
TARGET = "DSQL_RESERVOIR_TARGET_READY"
WATERMARK = "DSQL_RESERVOIR_LOW_WATERMARK"
MAX_IDLE = ("TEMPORAL_SQL_MAX_IDLE_CONNS", "SQL_MAX_IDLE_CONNS")
DEFAULT_MAX_IDLE = 100
_IDLE_IN_A_RESERVOIR = (
    "Connections above it go back to the reservoir as soon as they are returned and are taken out "
    "again for the next call, with a log line each time."
)


@FAMILY.rule(
    "recycling",
    holds="Connections are replaced before DSQL closes them after 60 minutes, and by fewer "
    "connects per second than a process and DSQL allow.",
    symptom="DSQL closes every session after 60 minutes: calls that use one then fail and are "
    "retried, and every process reconnects at the same time. Where connections are replaced "
    "faster than the limits allow, pools run dry: `driver: bad connection`.",
    fix="Keep maxConnLifetime, or DSQL_RESERVOIR_BASE_LIFETIME and DSQL_RESERVOIR_LIFETIME_JITTER "
    "together, between some minutes and 55 minutes.",
    source=f"{QUOTAS}; {PLUGIN}, reservoir_config.go",
    seeds=("S3-17",),
)
def recycling(subject: Subject) -> Iterator[Said]:
    """Ages, and the connects by which old connections are replaced."""
    found = reading(subject)
    yield from found.unjudged
    total = 0.0
    for one in found.members:
        yield from _too_old(one)
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


def _too_old(member: Member) -> Iterator[Finding]:
    pool = member.service.pool
    reservoir = pool.mode is Mode.RESERVOIR
    oldest = pool.lifetime + (pool.jitter if reservoir else 0.0)
    if oldest <= OLDEST_SECONDS:
        return
    variable = _lifetime_variable(member)
    if reservoir and pool.lifetime <= OLDEST_SECONDS:
        variable = "DSQL_RESERVOIR_LIFETIME_JITTER"
    yield Finding(
        member.address,
        member.attribute(variable),
        f"connections of {member.name} become {oldest / 60:.0f} minutes old; DSQL closes them "
        f"after 60, and a transaction takes up to 5{member.said}",
    )


def _lifetime_variable(member: Member) -> str:
    if member.service.pool.mode is Mode.RESERVOIR:
        return "DSQL_RESERVOIR_BASE_LIFETIME"
    return next((one for one in MAX_CONN_LIFETIME if member.states(one)), MAX_CONN_LIFETIME[0])


@FAMILY.rule(
    "reservoir-size",
    holds="In reservoir mode DSQL_RESERVOIR_TARGET_READY is stated, at least "
    "DSQL_RESERVOIR_LOW_WATERMARK, and at most maxConns.",
    symptom="The server starts and says nothing: each of the four reservoirs of a process keeps as "
    "many connections as maxConns, or as the watermark, so that a process holds up to five times "
    "maxConns, and its start waits for all of them.",
    fix="State both, small beside maxConns: a process holds 4 x TARGET_READY + maxConns.",
    source=f"{PLUGIN}, reservoir_config.go; {MEASURED}",
    seeds=("S3-17",),
)
def reservoir_size(subject: Subject) -> Iterator[Said]:
    """The silent defaults of the reservoir's sizes."""
    found = reading(subject)
    yield from found.unjudged
    members = [one for one in found.members if one.service.pool.mode is Mode.RESERVOIR]
    if not members:
        raise CannotJudge("no role has reservoir mode on")
    for one in members:
        finding = _reservoir_size(one)
        if finding:
            yield finding
    yield Seen(", ".join(f"{one.name} {one.service.pool.held}" for one in members) + " connections")


def _reservoir_size(member: Member) -> Finding | None:
    pool = member.service.pool
    holds = f"so that a process holds up to {pool.held} connections{member.said}"
    if not member.states(TARGET):
        evidence = f"{member.name} states none, which is read as maxConns, {pool.target}, {holds}"
        return Finding(member.address, member.attribute(TARGET), evidence)
    stated = pool.target_ready or pool.max_conns
    if pool.watermark > stated:
        default = "" if member.states(WATERMARK) else ", for it is not stated and read as maxConns"
        evidence = f"{pool.watermark}{default}: it raises TARGET_READY from {stated}, {holds}"
        return Finding(member.address, member.attribute(WATERMARK), evidence)
    if member.settings.sized and stated > pool.max_conns:
        evidence = (
            f"{stated} are kept ready, four times, and a role may use {pool.max_conns}, {holds}"
        )
        return Finding(member.address, member.attribute(TARGET), evidence)
    return None


@FAMILY.rule(
    "idle",
    holds="maxIdleConns is not below maxConns.",
    symptom="Connections above it are closed as soon as they are returned and opened again for the "
    "next call: under load the process connects all the time, up to its limit, and calls wait.",
    fix="Give maxIdleConns the value of maxConns.",
    source=f"{PLUGIN}, session; Go database/sql, SetMaxIdleConns",
)
def idle(subject: Subject) -> Iterator[Said]:
    """Idle connections beside all connections."""
    found = reading(subject)
    found.cluster(sized=True)
    yield from found.unjudged
    for one in found.members:
        variable = next((name for name in MAX_IDLE if one.states(name)), None)
        text = one.container.environment.get(variable or "", "")
        most = int(text) if text.isascii() and text.isdigit() else DEFAULT_MAX_IDLE
        # 0 and less are read as the default.
        if 0 < most < one.service.pool.max_conns:
            yield Finding(
                one.address,
                one.attribute(variable or MAX_IDLE[0]),
                f"{one.name} keeps {most} of {one.service.pool.max_conns} connections when idle",
                symptom=_IDLE_IN_A_RESERVOIR if one.service.pool.mode is Mode.RESERVOIR else "",
            )
    yield Seen(f"{MAX_CONNS[0]} of {len(found.members)} roles")


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
