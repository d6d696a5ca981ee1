"""Leases: one count of open connections for the whole cluster, which leaks."""

from collections.abc import Iterator
from math import ceil, floor

from temporal_dsql_deploy.capacity.connections import Mode, Quotas, Scenario, held
from temporal_dsql_deploy.checks.budget import tables
from temporal_dsql_deploy.checks.budget.connections import said
from temporal_dsql_deploy.checks.budget.family import FAMILY, MEASURED
from temporal_dsql_deploy.checks.budget.limiter import names
from temporal_dsql_deploy.checks.budget.reading import Member, Reading, reading, summed
from temporal_dsql_deploy.checks.model import Finding, Said, Seen, SwitchedOff
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.values import UNKNOWN

TABLE = "DSQL_DISTRIBUTED_CONN_LEASE_TABLE"
LIMIT = "DSQL_DISTRIBUTED_CONN_LIMIT"
_WRITES_PER_CONNECT = 4
"""Counter and lease in one transaction, each of two write units. Source: DynamoDB developer guide,
capacity of transactions."""
_NO_LIMIT = "the server starts and counts nothing: "
_HOUR = 3600.0
_EXHAUSTED = (
    "No further lease is given: reservoirs stay empty, a role that starts exits 1 after 91 to 96 s "
    "with `failed to ping DSQL (reservoir): driver: bad connection`, does not react to SIGTERM "
    "meanwhile, and is started again for ever. Only resetting the counter in DynamoDB helps: "
    "`dsql-deploy lease reset ENV`."
)


@FAMILY.rule(
    "lease",
    holds="Where leases are on, they have reservoir mode, AWS_REGION, CLUSTER_ENDPOINT, a table "
    "with partition key pk (S), TTL on ttl_epoch and enough write capacity, and a limit that is at "
    "least what all processes hold during a deployment.",
    symptom="The server starts, logs `proceeding without global conn count limiting`, and no "
    "connection is counted.",
    fix="Give every role DSQL_RESERVOIR_ENABLED=true, CLUSTER_ENDPOINT, AWS_REGION and the same "
    "DSQL_DISTRIBUTED_CONN_* variables.",
    source=f"{tables.SOURCE}; {MEASURED}",
    seeds=("S3-17",),
    meaning="With the seed's variables alone a lease counts nothing: it takes the endpoint from "
    "CLUSTER_ENDPOINT only. So what it needs is proven, and that the limit is never met.",
)
def lease(subject: Subject) -> Iterator[Said]:
    """What a lease needs, and a limit that is never met; that roles agree is the contract's."""
    found, leasing = _leasing(subject)
    cluster = found.cluster(sized=True)
    yield from found.unjudged
    for one in leasing:
        yield from _needs(one)
    connects = min(
        Quotas().per_second, sum(one.service.at_once * one.service.pool.rate for one in leasing)
    )
    for name in sorted({one.settings.lease_table for one in leasing} - {""}):
        yield from tables.problems(subject, name, connects * _WRITES_PER_CONNECT, names(found))
    limit = min(one.settings.lease_limit for one in leasing)
    most = held(cluster, Scenario.DEPLOYMENT)
    if most > limit:
        yield _too_low(found, leasing, limit, most)
    yield Seen(f"{most:,} of {limit:,} leases in a deployment")


def _leasing(subject: Subject) -> tuple[Reading, list[Member]]:
    found = reading(subject)
    leasing = [one for one in found.members if one.settings.lease]
    if not leasing:
        raise SwitchedOff("no role has leases on")
    return found, leasing


def _needs(member: Member) -> Iterator[Finding]:
    settings = member.settings
    if member.service.pool.mode is not Mode.RESERVOIR:
        yield _without(member, "DSQL_RESERVOIR_ENABLED", "reservoir mode", "legacy mode has none.")
    if not settings.lease_table:
        yield _without(
            member, TABLE, "a table", f"`{TABLE} not set; proceeding without global conn count…`."
        )
    if not settings.endpoint:
        yield _without(
            member,
            "CLUSTER_ENDPOINT",
            "CLUSTER_ENDPOINT",
            "`Failed to initialize distributed conn leases; proceeding without global conn count "
            "limiting` with `endpoint is empty`, though connectAddr has the host.",
        )
    if not settings.region:
        yield Finding(
            member.address,
            member.attribute("AWS_REGION"),
            f"{member.name} has leases on and no AWS_REGION, the only region that they read",
            "No lease is given, and the role exits 1 after 91 s.",
            "Set AWS_REGION.",
        )


def _without(member: Member, variable: str, what: str, seen: str) -> Finding:
    evidence = f"{member.name} has leases on without {what}{member.said}"
    return Finding(member.address, member.attribute(variable), evidence, f"{_NO_LIMIT}{seen}")


def _too_low(found: Reading, leasing: list[Member], limit: int, most: int) -> Finding:
    lowest = min(leasing, key=lambda one: one.settings.lease_limit)
    sums = summed(
        found.members,
        lambda one: one.service.alive,
        lambda one: one.service.pool.held_at_start,
    )
    return Finding(
        lowest.address,
        lowest.attribute(LIMIT),
        f"in a deployment processes hold {sums} connections, {limit:,} may be leased{said(found)}",
        _EXHAUSTED,
        f"Set {LIMIT} to more than {most:,}, or lower DSQL_RESERVOIR_TARGET_READY.",
    )


@FAMILY.rule(
    "lease-leak",
    holds="Beside what is held, the leases' limit has room for what is leaked when every role of a "
    "bad deployment crashes until ECS gives up, or for an hour where nothing makes ECS give up.",
    symptom=_EXHAUSTED,
    fix="Turn on the services' deployment circuit breaker, lower DSQL_RESERVOIR_TARGET_READY, or "
    "raise the limit where AWS gave more connections; and watch the counter, as `dsql-deploy lease "
    "show ENV` tells it.",
    source=f"{MEASURED}: kill -9 of all roles left 235 leases of 0 connections; ECS API reference, "
    "DeploymentCircuitBreaker: half of the desired tasks, from 3 to 200, fail one after the other",
    seeds=("S3-17",),
    meaning="The seed's leases leak: a killed process keeps its part of the counter for ever. No "
    "plan can mend that, so the room for it is proven.",
)
def lease_leak(subject: Subject) -> Iterator[Said]:
    """What crashes leak, beside what the limit leaves."""
    found, leasing = _leasing(subject)
    cluster = found.cluster(sized=True)
    yield from found.unjudged
    crashes = {one.name: _crashes(one) for one in leasing}
    leaked = sum(crashes[one.name] * one.service.pool.held for one in leasing)
    limit = min(one.settings.lease_limit for one in leasing)
    room = limit - held(cluster, Scenario.DEPLOYMENT)
    each = max(one.service.pool.held for one in leasing)
    if leaked > room:
        worst = max(leasing, key=lambda one: crashes[one.name] * one.service.pool.held)
        sums = summed(leasing, lambda one: crashes[one.name], lambda one: one.service.pool.held)
        # What is responsible: nothing that ends the crashes, or else a limit that is too low.
        endless = not _breaker(worst) and worst.task.service is not None
        yield Finding(
            worst.task.service.address if endless and worst.task.service else worst.address,
            "deployment_circuit_breaker" if endless else worst.attribute(LIMIT),
            f"crashes leak {sums} leases, and a deployment leaves {room:,} of {limit:,}: "
            f"{max(0, floor(room / each))} crashes exhaust them{said(found)}",
        )
    yield Seen(f"{max(0, floor(room / each))} crashes exhaust the leases")


def _crashes(member: Member) -> int:
    """Processes of a bad deployment that are killed with what they hold."""
    service = member.service
    if _breaker(member):
        return min(200, max(3, ceil(service.at_rest / 2)))
    # Each start that finds no database ends by itself, or is killed, after so long.
    seconds = service.pool.last_start_seconds or 96.0
    at_once = service.at_once - ceil(service.tasks * service.minimum_percent / 100)
    return max(1, at_once) * ceil(_HOUR / seconds)


def _breaker(member: Member) -> bool:
    service = member.task.service
    value = service["deployment_circuit_breaker.0.enable"] if service else None
    return value is not UNKNOWN and value is True
