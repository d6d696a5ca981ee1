"""What is wrong with the membership that was seen: arithmetic over a Look, nothing is asked."""

import ipaddress
from collections.abc import Collection, Iterator

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.operations.membership import kinds
from temporal_dsql_deploy.operations.membership.kinds import Kind
from temporal_dsql_deploy.operations.membership.look import HISTORY, membership_address
from temporal_dsql_deploy.operations.membership.result import (
    DoctorResult,
    Finding,
    Look,
    Port,
    Row,
)
from temporal_dsql_deploy.platforms.ring import host_and_port, reachable

CLOCK_SKEW = 5.0
"""Seconds that the server allows for (common/membership/ringpop/monitor.go)."""


def judge(seen: Look) -> DoctorResult:
    """All findings, those that harm first."""
    found = [
        Finding(
            code=kind.code,
            problem=kind.problem,
            summary=kind.text,
            evidence=evidence,
            fix=kind.fix,
        )
        for kind, evidence in _evidence(seen)
        if evidence
    ]
    return DoctorResult(
        environment=seen.environment,
        ok=not any(one.problem for one in found),
        at=seen.at,
        members=len(seen.members()),
        rows=len(seen.rows),
        findings=sorted(found, key=lambda one: not one.problem),
    )


def _evidence(seen: Look) -> Iterator[tuple[Kind, list[str]]]:
    """Each kind with what speaks for it; nothing where it does not hold."""
    fresh = [row for row in seen.rows if row.age <= window()]
    yield kinds.NO_DATABASE, [seen.database_error] if seen.database_error else []
    yield kinds.EMPTY_RING, list(_empty(seen))
    yield kinds.ROLE_MISSING, list(_missing(seen))
    yield kinds.NOT_JOINED, list(_outside(seen))
    yield kinds.SPLIT_RING, list(_split(seen))
    yield kinds.OTHER_ADDRESS, list(_elsewhere(seen))
    yield kinds.LOOPBACK_ADDRESS, _loopback(fresh)
    yield kinds.UNROUTABLE_ADDRESS, [_said(row) for row in fresh if _unroutable(row.address)]
    yield kinds.SILENT_ROW, [_said(row) for row in fresh if not _listens(seen, row.address)]
    yield kinds.HEARTBEAT_FROZEN, [] if seen.database_error else list(_frozen(seen))
    yield kinds.NO_SHARDS, list(_idle(seen))
    yield kinds.CLOCK_AHEAD, [_said(row) for row in seen.rows if row.age < -CLOCK_SKEW]
    yield kinds.STALE_ROW, [_said(row) for row in seen.rows if _stale(row, seen)]


def window() -> float:
    """Seconds for which a row counts for those who start."""
    return topology.parse_duration(topology.load().membership.heartbeat_window)


def _said(row: Row) -> str:
    return f"{row.role} {row.address}, heartbeat {row.age:.0f} s ago, host id {row.host_id}"


def _listens(seen: Look, address: str) -> bool:
    port = seen.port(address)
    return port is not None and port.listens


def _joined(seen: Look) -> list[Port]:
    return [port for port in seen.ports if port.joined]


def _empty(seen: Look) -> Iterator[str]:
    if seen.members():
        return
    yield f"{len(seen.running)} processes run"
    for port in seen.ports:
        if port.listens:
            yield f"{port.address}: {port.error or 'has not joined'}"


def _missing(seen: Look) -> Iterator[str]:
    """Roles without a member; nothing where the ring is empty, which is a finding of its own."""
    there = {one.role for one in seen.members().values()}
    for role in topology.load().roles if there else ():
        if role in there:
            continue
        rows = [row for row in seen.rows if row.role == role]
        last = min(rows, key=lambda row: row.age, default=None)
        none = "its rows are not known" if seen.database_error else "it has no row"
        yield f"{role}: {f'the last was at {_said(last)}' if last else none}"


def _outside(seen: Look) -> Iterator[str]:
    members = seen.members()
    running = {membership_address(one): f"{one.role} " for one in seen.running}
    listening = {port.address: "" for port in seen.ports if port.listens}
    for address, role in sorted((listening | running).items()):
        port = seen.port(address)
        if address in members or (port and port.seen is not None and port.own is None):
            continue
        yield f"{role}{address}: {port.error if port and port.error else 'it has not joined yet'}"


def _split(seen: Look) -> Iterator[str]:
    """Members that joined, and that another one that joined does not hold reachable."""
    joined = _joined(seen)
    found = parts(joined)
    if len(found) > 1:
        yield "parts: " + "; ".join(", ".join(sorted(part)) for part in found)
    for port in joined:
        states = {one.address: one.status for one in port.seen or []}
        held = reachable(port.seen or [])
        for other in joined:
            if other.address not in held:
                how = states.get(other.address, "unknown to it")
                yield f"{port.address} has {other.address} as {how}"


def parts(joined: Collection[Port]) -> list[set[str]]:
    """The members by who holds whom reachable, directly or through others, both ways at once."""
    left = {port.address: reachable(port.seen or []) for port in joined}
    found = []
    while left:
        first = next(iter(left))
        part, grown = {first}, [first]
        while grown:
            one = grown.pop()
            mutual = {a for a, held in left.items() if a in left[one] and one in held} - part
            part |= mutual
            grown += mutual
        found.append(part)
        left = {address: held for address, held in left.items() if address not in part}
    return found


def _elsewhere(seen: Look) -> Iterator[str]:
    for port in seen.ports:
        if port.seen and port.own is None:
            names = ", ".join(sorted(reachable(port.seen)))
            yield f"{port.address} is not in its own view, which has {names}"


def _loopback(fresh: Collection[Row]) -> list[str]:
    loop = [row for row in fresh if _is(row.address, "is_loopback")]
    return [_said(row) for row in loop] if len(loop) < len(fresh) else []


def _unroutable(address: str) -> bool:
    return any(_is(address, kind) for kind in ("is_unspecified", "is_link_local", "is_multicast"))


def _is(address: str, kind: str) -> bool:
    try:
        return bool(getattr(ipaddress.ip_address(host_and_port(address)[0]), kind))
    except ValueError:
        # A host name: the ring takes none.
        return kind == "is_unspecified"


def _frozen(seen: Look) -> Iterator[str]:
    for port in _joined(seen):
        role = port.own.role if port.own else ""
        ages = [row.age for row in seen.rows if row.address == port.address]
        if not ages:
            yield f"{role} {port.address}: it has no row"
        elif min(ages) > window():
            yield f"{role} {port.address}: its last heartbeat is {min(ages):.0f} s old"


def _idle(seen: Look) -> Iterator[str]:
    if not seen.shards:
        return
    for one in seen.members().values():
        if one.role == HISTORY and one.grpc not in seen.shards:
            count, owners = sum(seen.shards.values()), ", ".join(sorted(seen.shards))
            yield f"{one.grpc}: all {count} shards were taken by {owners}"


def _stale(row: Row, seen: Look) -> bool:
    """Whether a row is none that anybody reads, of an owner that is gone or has a newer one."""
    if row.age <= window():
        return False
    newer = any(other.address == row.address and other.age < row.age for other in seen.rows)
    return newer or not (_listens(seen, row.address) or seen.holders(row.address))
