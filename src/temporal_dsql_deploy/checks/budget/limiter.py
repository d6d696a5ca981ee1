"""The limiter in DynamoDB: one count of connects for the whole cluster."""

from collections.abc import Iterator
from math import ceil

from temporal_dsql_deploy.capacity.connections import Mode, Quotas
from temporal_dsql_deploy.checks.budget import tables
from temporal_dsql_deploy.checks.budget.family import FAMILY, MEASURED, QUOTAS, RATE_EXCEEDED
from temporal_dsql_deploy.checks.budget.reading import Member, Reading, reading
from temporal_dsql_deploy.checks.model import Finding, Said, Seen, SwitchedOff
from temporal_dsql_deploy.checks.subject import Subject

TABLE = "DSQL_DISTRIBUTED_RATE_LIMITER_TABLE"
LIMIT = "DSQL_DISTRIBUTED_RATE_LIMITER_LIMIT"
MAX_WAIT = "DSQL_DISTRIBUTED_RATE_LIMITER_MAX_WAIT"
_OPENERS = {Mode.LEGACY: 1, Mode.RESERVOIR: 4}
"""Connects of a process that wait at one time: one in a warm-up, one in each refiller."""


@FAMILY.rule(
    "limiter",
    holds="Where the limiter in DynamoDB is on, it has a table with partition key pk (S), TTL on "
    "ttl_epoch and enough write capacity, a limit of at most 100 connects per second, and waits "
    "long enough.",
    symptom="Connects are not counted, or too many are let through. " + RATE_EXCEEDED,
    fix="Give every role the same DSQL_DISTRIBUTED_RATE_LIMITER_* variables.",
    source=f"{tables.SOURCE}; {QUOTAS}; {MEASURED}",
    seeds=("S2-6a",),
)
def limiter(subject: Subject) -> Iterator[Said]:
    """Everything that the limiter needs in order to count; that roles agree is the contract's."""
    found = reading(subject)
    counted = [one for one in found.members if one.settings.limiter]
    if not counted:
        raise SwitchedOff("no role has the limiter in DynamoDB on")
    yield from found.unjudged
    for one in counted:
        yield from _table(one)
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


def _table(member: Member) -> Iterator[Finding]:
    if not member.settings.limiter_table:
        yield Finding(
            member.address,
            member.attribute(TABLE),
            f"{member.name} has the limiter on and no table",
            "The server logs `DSQL_DISTRIBUTED_RATE_LIMITER_TABLE not set, falling back to local "
            "rate limiter` and starts: its processes count alone.",
            f"Set {TABLE}.",
        )


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
