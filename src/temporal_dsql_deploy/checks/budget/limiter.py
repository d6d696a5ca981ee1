"""The limiter in DynamoDB: one count of connects for the whole cluster."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import ceil

from temporal_dsql_deploy.capacity.connections import Mode, Quotas
from temporal_dsql_deploy.checks.budget import tables
from temporal_dsql_deploy.checks.budget.family import FAMILY, MEASURED, QUOTAS, RATE_EXCEEDED
from temporal_dsql_deploy.checks.budget.reading import Member, Reading, odd_ones, reading
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen
from temporal_dsql_deploy.checks.subject import Subject

ENABLED = "DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED"
TABLE = "DSQL_DISTRIBUTED_RATE_LIMITER_TABLE"
LIMIT = "DSQL_DISTRIBUTED_RATE_LIMITER_LIMIT"
MAX_WAIT = "DSQL_DISTRIBUTED_RATE_LIMITER_MAX_WAIT"
_OPENERS = {Mode.LEGACY: 1, Mode.RESERVOIR: 4}
"""Connects of a process that wait at one time: one in a warm-up, one in each refiller."""


@FAMILY.rule(
    "limiter",
    holds="Where the limiter in DynamoDB is on, it is on in every role with one table, one cluster "
    "endpoint and one limit of at most 100 connects per second, and waits long enough; the table "
    "has partition key pk (S), TTL on ttl_epoch, and enough write capacity.",
    symptom="Roles that count elsewhere, or alone, connect on top of the others' limit. "
    + RATE_EXCEEDED,
    fix="Give every role the same DSQL_DISTRIBUTED_RATE_LIMITER_* variables and CLUSTER_ENDPOINT.",
    source=f"{tables.SOURCE}; {QUOTAS}; {MEASURED}",
    seeds=("S2-6a",),
)
def limiter(subject: Subject) -> Iterator[Said]:
    """Everything that the limiter needs in order to count."""
    found = reading(subject)
    counted = [one for one in found.members if one.settings.limiter]
    if not counted:
        raise CannotJudge("no role has the limiter in DynamoDB on")
    yield from found.unjudged
    yield from _agreement(found, counted)
    for one in counted:
        yield from _limit(one)
        yield from _wait(one, counted)
    limit = max(one.settings.limiter_limit for one in counted)
    named = names(found)
    for name in sorted({one.settings.limiter_table for one in counted} - {""}):
        yield from tables.problems(subject, name, limit, named)
    yield Seen(f"{limit} connects per second, counted for {len(counted)} roles")


def names(found: Reading) -> set[str]:
    """Tables that roles name, for connects or for leases."""
    counted = {one.settings.limiter_table for one in found.members if one.settings.limiter}
    leased = {one.settings.lease_table for one in found.members if one.settings.lease}
    return (counted | leased) - {""}


def _agreement(found: Reading, counted: list[Member]) -> Iterator[Finding]:
    for one in found.members:
        if one not in counted:
            counts = f"{one.service.pool.rate} connects per second in each process"
            evidence = f"{one.name} has it off, and the others on: it counts alone, {counts}"
            yield Finding(one.address, one.attribute(ENABLED), evidence + one.said)
    for one in counted:
        if not one.settings.limiter_table:
            yield Finding(
                one.address,
                one.attribute(TABLE),
                f"{one.name} has the limiter on and no table",
                "The server logs `DSQL_DISTRIBUTED_RATE_LIMITER_TABLE not set, falling back to "
                "local rate limiter` and starts: its processes count alone.",
                f"Set {TABLE}.",
            )
    yield from differing(
        counted,
        {
            TABLE: lambda one: one.settings.limiter_table,
            LIMIT: lambda one: one.settings.limiter_limit,
            # The key that is counted under has the endpoint in it, in lower case.
            "CLUSTER_ENDPOINT": lambda one: one.settings.endpoint.lower(),
        },
    )


def differing(
    members: Iterable[Member], of: Mapping[str, Callable[[Member], object]]
) -> Iterator[Finding]:
    """Members with another value than most have, by variable; those without one are left out."""
    for variable, value in of.items():
        stating = [one for one in members if value(one)]
        for one, its, usual in odd_ones(stating, value):
            evidence = f"{one.name} has {its}, the others {usual}{one.said}"
            yield Finding(one.address, one.attribute(variable), evidence)


def _limit(member: Member) -> Iterator[Finding]:
    quota = Quotas().per_second
    if member.settings.limiter_limit > quota:
        evidence = f"{member.settings.limiter_limit} per second, DSQL takes {quota}"
        fix = f"Set {LIMIT} to {quota} at most; 70 leaves a part for tools and operators."
        yield Finding(member.address, member.attribute(LIMIT), evidence, RATE_EXCEEDED, fix)


def _wait(member: Member, counted: list[Member]) -> Iterator[Finding]:
    waiting = sum(_OPENERS[one.service.pool.mode] * one.service.at_once for one in counted)
    # A connect that comes late in a second waits for the next one.
    needed = ceil(waiting / member.settings.limiter_limit) + 1
    if member.settings.limiter_max_wait < needed:
        yield Finding(
            member.address,
            member.attribute(MAX_WAIT),
            f"{waiting} connects wait at one time, {member.settings.limiter_limit} pass per "
            f"second, and one is given up after {member.settings.limiter_max_wait:g} s"
            f"{member.said}",
            "Connects fail with `connection rate limit exceeded` while the cluster starts.",
            f"Set {MAX_WAIT} to {needed}s at least, or leave it out: 30s.",
        )
