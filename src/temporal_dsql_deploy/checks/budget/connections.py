"""How many connections a cluster holds, and how fast it makes them."""

from collections.abc import Iterable, Iterator
from math import floor

from temporal_dsql_deploy.capacity.connections import (
    Cluster,
    Mode,
    Quotas,
    Scenario,
    connects,
    held,
    start_plan,
)
from temporal_dsql_deploy.checks.budget.family import (
    FAMILY,
    MEASURED,
    PLUGIN,
    QUOTAS,
    RATE_EXCEEDED,
)
from temporal_dsql_deploy.checks.budget.reading import Member, Reading, reading, summed
from temporal_dsql_deploy.checks.model import Finding, Said, Seen
from temporal_dsql_deploy.checks.subject import Subject

RATE = "DSQL_CONNECTION_RATE_LIMIT"
BURST = "DSQL_CONNECTION_BURST_LIMIT"
GIVEN = 0.7
"""Part of DSQL's rates that a fix gives to the servers; tools and operators connect too."""
OPERATORS = 20
"""Connections that no server may have: each verb of this tool holds one, and a second where the
first has been interrupted (schema, membership, recover); the rest is for psql."""


@FAMILY.rule(
    "connections",
    holds="All processes together hold at most the connections that DSQL takes, 10,000 unless AWS "
    f"gave more, but {OPERATORS} that are left to this tool and to operators; also while every "
    "role is deployed at the same time.",
    symptom="DSQL refuses connects with `Unable to accept connection, too many open connections. "
    "(SQLSTATE 53300)`: new tasks exit 1 with `no usable database connection found`, and ECS "
    "starts them again.",
    fix="Lower maxConns, DSQL_RESERVOIR_TARGET_READY, the tasks, or the services' maximum percent.",
    source=f"{QUOTAS}; {MEASURED}: a process holds maxConns, twice that while it starts, and in "
    "reservoir mode 4 x TARGET_READY + maxConns",
    seeds=("S2-6a", "S3-17"),
)
def held_at_worst(subject: Subject) -> Iterator[Said]:
    """Cold start, deployment of all roles at once, and at rest."""
    found = reading(subject)
    cluster = found.cluster(sized=True)
    yield from found.unjudged
    quota = connection_quota(found)
    worst = max(
        (Scenario.COLD_START, Scenario.DEPLOYMENT), key=lambda scenario: held(cluster, scenario)
    )
    most = held(cluster, worst)
    if most > quota - OPERATORS:
        largest = max(found.members, key=lambda one: one.service.alive * one.service.pool.held)
        yield Finding(
            largest.address,
            largest.attribute(_size_variable(largest)),
            f"{worst}: {_processes(found.members, worst)}, DSQL takes {quota:,}, of which "
            f"{OPERATORS} are left to operators{said(found)}",
            fix=_smaller(largest, most, quota - OPERATORS),
        )
    yield Seen(f"{most:,} of {quota:,} connections, {OPERATORS} left to operators")


def connection_quota(found: Reading) -> int:
    """Connections that DSQL takes: more than the usual where the leases' limit says so."""
    stated = [one.settings.lease_limit for one in found.members if one.settings.lease]
    return max(Quotas().connections, *stated, 0)


def _processes(members: Iterable[Member], scenario: Scenario) -> str:
    deployed = scenario is Scenario.DEPLOYMENT
    return summed(
        members,
        lambda one: one.service.alive if deployed else one.service.at_rest,
        lambda one: one.service.pool.held_at_start,
    )


def _size_variable(member: Member) -> str:
    pool = member.service.pool
    if pool.mode is Mode.RESERVOIR and 4 * pool.target > pool.max_conns:
        return "DSQL_RESERVOIR_TARGET_READY"
    return "TEMPORAL_SQL_MAX_CONNS"


def _smaller(member: Member, most: int, quota: int) -> str:
    pool = member.service.pool
    each = pool.held_at_start
    fits = floor(each * quota / most)
    return (
        f"A process of {member.name} may take {each} connections; with {fits} in each process of "
        "every role all would fit. Lower maxConns or DSQL_RESERVOIR_TARGET_READY so far, run fewer "
        "tasks, or deploy one role after the other."
    )


@FAMILY.rule(
    "connection-rate",
    holds="The limits of all processes, also those that a deployment adds, sum to at most 100 "
    "connects per second, unless the limiter in DynamoDB counts for all.",
    symptom=RATE_EXCEEDED + " After an outage, when every process connects again, the cluster "
    "refuses itself for as long as the storm lasts.",
    fix="Divide 100 per second by the most tasks that run at one time, or turn on the limiter in "
    "DynamoDB in every role.",
    source=QUOTAS,
    seeds=("S2-6a",),
    meaning="The seed's limits sum to exactly 100 per second with the fixed counts. A deployment "
    "at 200 percent doubles them, so the sum is taken over the most tasks that run at one time.",
)
def rates(subject: Subject) -> Iterator[Said]:
    """Rates of all tasks of a deployment."""
    found = reading(subject)
    yield from found.unjudged
    quota = Quotas().per_second
    counted, alone = _by_limiter(found)
    total = counted + sum(one.service.at_once * one.service.pool.rate for one in alone)
    if alone and total > quota:
        yield from _too_fast(found, alone, counted, quota)
    yield Seen(f"{total:,} of {quota:,} connects per second")


def _by_limiter(found: Reading) -> tuple[int, tuple[Member, ...]]:
    """Connects per second that the limiter lets through, and the members that it does not count."""
    together = [one for one in found.members if one.settings.limits_together]
    limit = max((one.settings.limiter_limit for one in together), default=0)
    return limit, tuple(one for one in found.members if not one.settings.limits_together)


def _too_fast(
    found: Reading, alone: tuple[Member, ...], counted: int, quota: int
) -> Iterator[Finding]:
    largest = max(alone, key=lambda one: one.service.at_once * one.service.pool.rate)
    rest = sum(one.service.at_rest * one.service.pool.rate for one in alone) + counted
    sums = summed(alone, lambda one: one.service.at_once, lambda one: one.service.pool.rate)
    limiter = f", and {counted} that the limiter lets through" if counted else ""
    yield Finding(
        largest.address,
        largest.attribute(RATE),
        f"in a deployment {sums} connects per second{limiter} ({rest} at rest), DSQL takes "
        f"{quota}{_unstated(alone, RATE)}{said(found)}",
        fix=f"{_shares(alone, RATE, quota - counted)} {how_to_start(found.cluster(), alone)}",
    )


@FAMILY.rule(
    "burst",
    holds="The bursts of all processes, also those that a deployment adds, sum to at most the "
    "1,000 connects that DSQL takes at once.",
    symptom=RATE_EXCEEDED,
    fix="Divide 1,000 by the most tasks that run at one time, or turn on the limiter in DynamoDB "
    "in every role.",
    source=QUOTAS,
    seeds=("S2-6a",),
    meaning="The seed's bursts use up the whole bucket with the fixed counts alone; the sum is "
    "taken over the most tasks that run at one time.",
)
def bursts(subject: Subject) -> Iterator[Said]:
    """Bursts of all tasks of a deployment."""
    found = reading(subject)
    yield from found.unjudged
    quota = Quotas().at_once
    _, alone = _by_limiter(found)
    total = sum(one.service.at_once * one.service.pool.burst for one in alone)
    if total > quota:
        largest = max(alone, key=lambda one: one.service.at_once * one.service.pool.burst)
        sums = summed(alone, lambda one: one.service.at_once, lambda one: one.service.pool.burst)
        yield Finding(
            largest.address,
            largest.attribute(BURST),
            f"in a deployment {sums} connects at once, DSQL takes {quota:,}"
            f"{_unstated(alone, BURST)}{said(found)}",
            fix=f"{_shares(alone, BURST, quota)} {how_to_start(found.cluster(), alone)}",
        )
    yield Seen(f"{total:,} of {quota:,} connects at once")


@FAMILY.rule(
    "stated",
    holds="Where one role states its limits of connects, every role does.",
    symptom="A process that states none takes 10 connects per second and 100 at once, whatever the "
    "others leave for it, and does so again in each task that is added: the sum breaks when the "
    "role is scaled.",
    fix="State both limits in every role, as a part of 100 per second and of 1,000 at once.",
    source=f"{PLUGIN}, connection_rate_limiter.go",
    seeds=("S2-6a",),
)
def stated(subject: Subject) -> Iterator[Said]:
    """Limits that are shared out to some roles only."""
    found = reading(subject)
    yield from found.unjudged
    _, alone = _by_limiter(found)
    for variable, default in ((RATE, "10 per second"), (BURST, "100 at once")):
        stating = [one for one in alone if one.states(variable)]
        for one in alone if stating else ():
            if one not in stating:
                others = ", ".join(each.name for each in stating)
                evidence = f"{others} state one and {one.name} does not: it takes {default}"
                yield Finding(one.address, one.attribute(variable), evidence)
    yield Seen(f"limits of {len(alone)} roles")


def _unstated(members: Iterable[Member], variable: str) -> str:
    names = [one.name for one in members if not one.states(variable)]
    default = "10" if variable == RATE else "100"
    return f"; {', '.join(names)} state no limit and take {default}" if names else ""


def _shares(members: Iterable[Member], variable: str, quota: int) -> str:
    """Limits that would do, in the proportion that there is."""
    rate = variable == RATE
    limits = {
        one.name: max(1, one.service.pool.rate if rate else one.service.pool.burst)
        for one in members
    }
    tasks = {one.name: one.service.at_once for one in members}
    given = floor(quota * GIVEN)
    total = sum(tasks[name] * limit for name, limit in limits.items())
    shares = {name: max(1, floor(limit * given / total)) for name, limit in limits.items()}
    if sum(tasks[name] * share for name, share in shares.items()) > quota:
        return (
            f"With {sum(tasks.values())} tasks no limits of single processes suffice: set "
            "DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED=true and its table in every role."
        )
    listed = ", ".join(f"{name} {share}" for name, share in shares.items())
    return (
        f"Set {variable} to {listed}, which leaves a part for tools and operators, or turn on the "
        "limiter in DynamoDB in every role."
    )


def how_to_start(cluster: Cluster, members: Iterable[Member]) -> str:
    """`Until then start at most 9 tasks of history per 38 s`, for each member."""
    answers = []
    for one in members:
        answer = start_plan(cluster, one.service)
        some = f"{answer.tasks} task{'' if answer.tasks == 1 else 's'} of {one.name}"
        answers.append(f"{some} per {answer.seconds} s" if answer.tasks else f"no {one.name}")
    return f"Until then start at most {', or '.join(answers)}."


@FAMILY.rule(
    "cold-start",
    holds="When all tasks start at the same time, DSQL's bucket of 1,000 connects, refilled by 100 "
    "per second, takes all their connects.",
    symptom=RATE_EXCEEDED,
    fix="Start fewer tasks at one time, or lower the limits or the pools.",
    source=f"{QUOTAS}; {MEASURED}: a start opens 4 x maxConns, in reservoir mode 4 x TARGET_READY "
    "+ maxConns",
    seeds=("S2-6a",),
)
def cold_start(subject: Subject) -> Iterator[Said]:
    """All connects of a start through all limits at once."""
    found = reading(subject)
    cluster = found.cluster(sized=True)
    yield from found.unjudged
    quotas, asked = cluster.quotas, connects(cluster, Scenario.COLD_START)
    if asked.at_once > quotas.at_once:
        largest = max(found.members, key=lambda one: one.service.at_rest * one.service.pool.opens)
        sums = summed(
            found.members, lambda one: one.service.at_rest, lambda one: one.service.pool.opens
        )
        yield Finding(
            largest.address,
            largest.attribute(BURST),
            f"{sums} connects, of which DSQL's bucket would have to hold {asked.at_once:,} and "
            f"holds {quotas.at_once:,}{said(found)}",
            fix=how_to_start(cluster, found.members),
        )
    plans = {one.name: start_plan(cluster, one.service) for one in found.members}
    fewest = min(plans, key=lambda name: plans[name].tasks)
    yield Seen(
        f"{asked.total:,} connects; start at most {plans[fewest].tasks} tasks of {fewest} "
        f"per {plans[fewest].seconds} s"
    )


def said(found: Reading) -> str:
    """What of the members' environments the plugin does not read."""
    return "".join(one.said for one in found.members)
