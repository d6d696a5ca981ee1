"""Wait until instances that were started do their part: in every ring, and with their shards."""

import time
from collections.abc import Collection, Iterator, Mapping

from temporal_dsql_deploy.errors import (
    DatabaseUnusable,
    NotForPlatform,
    NotReady,
    NotRunning,
    StartFailed,
)
from temporal_dsql_deploy.operations.membership.look import (
    HISTORY,
    ask,
    grpc_address,
    membership_address,
)
from temporal_dsql_deploy.operations.membership.result import Port
from temporal_dsql_deploy.persistence import shards
from temporal_dsql_deploy.persistence.database import connect
from temporal_dsql_deploy.persistence.shards import Taken
from temporal_dsql_deploy.platforms.protocol import Platform
from temporal_dsql_deploy.platforms.ring import Seen

SECONDS = 60.0
"""As long as a role may take to join by itself (topology.json, start_limit)."""
_POLL = 0.1
_QUIET = 0.5
"""Seconds in which no shard has changed hands, before all count as having found theirs."""


def taken_now(platform: Platform) -> dict[int, Taken] | None:
    """Who took each shard last; None on a platform whose shards the tool never reads.

    Raises NotRunning, DatabaseUnusable.
    """
    try:
        with connect(platform.database()) as connection:
            return shards.taken(connection)
    except NotForPlatform:
        return None


def until_joined(
    platform: Platform, names: Collection[str], before: Mapping[int, Taken] | None
) -> None:
    """Wait until these instances are in the ring of every member that answers, and it in theirs.

    With `before`, which `taken_now` told before histories were started or stopped, also until every
    shard has been taken by one that runs, and those that these own have been taken since.
    Raises StartFailed, NotReady.
    """
    deadline = time.monotonic() + SECONDS
    while True:
        _refuse_dead(platform, names)
        missing = _missing(platform, names, before)
        if not missing:
            return
        if time.monotonic() > deadline:
            raise NotReady(
                f"{', '.join(names) or 'shards'} did not find their place within {SECONDS:g} s",
                cause="; ".join(missing[:5]),
                fix="what is wrong with the ring: dsql-deploy membership doctor ENV",
            )
        time.sleep(_POLL)


def _refuse_dead(platform: Platform, names: Collection[str]) -> None:
    for instance in platform.instances():
        if instance.name in names and not instance.running:
            raise StartFailed(
                f"{instance.name} {instance.note} before it had found its place",
                cause="it served and ended again",
                fix=f"its log: dsql-deploy logs ENV --component {instance.name}",
            )


def _missing(
    platform: Platform, names: Collection[str], before: Mapping[int, Taken] | None
) -> list[str]:
    members = platform.members()
    if gone := sorted(set(names) - {member.name for member in members}):
        return [f"{name} does not run" for name in gone]
    addresses = {membership_address(member) for member in members if member.name in names}
    ports = ask({membership_address(member) for member in members}, lambda _: None)
    if found := list(outside(ports, addresses)):
        return found
    histories = {one.name: grpc_address(one) for one in members if one.role == HISTORY}
    restarted = {address for name, address in histories.items() if name in names}
    if before is None:
        return []
    try:
        return _moving(platform, before, set(histories.values()), restarted)
    except (NotRunning, DatabaseUnusable) as error:
        return [f"the shards cannot be read: {error.message}: {error.cause}"]


def _moving(
    platform: Platform,
    before: Mapping[int, Taken],
    living: Collection[str],
    restarted: Collection[str],
) -> list[str]:
    now = taken_now(platform) or {}
    if found := list(untaken(before, now, living, restarted)):
        return found
    time.sleep(_QUIET)
    return [] if taken_now(platform) == now else ["shards change hands"]


def outside(ports: Collection[Port], addresses: Collection[str]) -> Iterator[str]:
    """What says that members with these membership addresses are not in every ring yet."""
    joined = [port for port in ports if port.joined]
    for address in sorted(set(addresses) - {port.address for port in joined}):
        yield f"{address} has not joined"
    for port in joined:
        held = _held(port.seen or [])
        for other in joined:
            if other.address not in held and {port.address, other.address} & set(addresses):
                yield f"{port.address} does not hold {other.address} yet"


def _held(seen: Collection[Seen]) -> set[str]:
    """Those to whom requests go: who has joined has a role, and the others know it."""
    return {one.address for one in seen if one.reachable and one.role}


def untaken(
    before: Mapping[int, Taken],
    now: Mapping[int, Taken],
    living: Collection[str],
    restarted: Collection[str],
) -> Iterator[str]:
    """Shards that nobody serves yet: of one that is gone, or of one that has not taken them again.

    Histories are given by host:port of their gRPC.
    """
    for shard, one in now.items():
        old = before.get(shard)
        if one.owner not in living:
            yield f"shard {shard} was taken last by {one.owner or 'nobody'}, which does not run"
        elif one.owner in restarted and old is not None and one.range_id <= old.range_id:
            yield f"shard {shard} has not been taken again by {one.owner}"
