"""Look at the membership of a cluster: the rows, and the ring as each member sees it."""

from collections import Counter
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from temporal_dsql_deploy.errors import DatabaseUnusable, NotRunning
from temporal_dsql_deploy.operations.membership.result import Look, Port, Row
from temporal_dsql_deploy.persistence import membership, shards
from temporal_dsql_deploy.persistence.database import connect
from temporal_dsql_deploy.platforms import ring
from temporal_dsql_deploy.platforms.protocol import Member, Platform, Report
from temporal_dsql_deploy.runtime.values import join_host_port

HISTORY = "history"
SECONDS = 2.0
"""How long a member may take to answer; one that lives takes milliseconds."""
_AT_ONCE = 64


def look(platform: Platform, environment: str, *, report: Report) -> Look:
    """Everything at one moment. A database that cannot be used is part of what is seen.

    Raises NotForPlatform, and NotRunning where neither the database nor any role runs.
    """
    running = platform.members()
    rows, owned, error = _stored(platform, running)
    report(error or f"{len(rows)} rows in cluster_membership, {len(running)} processes run")
    known = {row.address for row in rows} | {membership_address(one) for one in running}
    ports = ask(known, report)
    others = {one.address for port in ports for one in port.seen or [] if one.reachable} - known
    return Look(
        environment=environment,
        at=datetime.now(UTC),
        rows=rows,
        ports=ports + ask(others, report),
        running=running,
        shards=owned,
        database_error=error,
    )


def membership_address(member: Member) -> str:
    """host:port of its membership port."""
    return join_host_port(member.address, member.membership_port)


def grpc_address(member: Member) -> str:
    """host:port of its gRPC, as a history writes it into the shards that it takes."""
    return join_host_port(member.address, member.grpc_port)


def ask(addresses: Collection[str], report: Report) -> list[Port]:
    """The ports with these addresses, by address, asked side by side."""
    if not addresses:
        return []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        ports = list(pool.map(_ask, sorted(addresses)))
    said = sum(port.seen is not None for port in ports)
    report(f"{said} of {len(ports)} membership ports say what they see")
    return ports


def _ask(address: str) -> Port:
    host, port = ring.host_and_port(address)
    try:
        seen = ring.view(host, port, seconds=SECONDS)
    except ring.NoView as error:
        return Port(address=address, listens=error.connected, seen=None, error=str(error))
    return Port(address=address, listens=True, seen=seen)


def _stored(
    platform: Platform, running: Collection[Member]
) -> tuple[list[Row], dict[str, int] | None, str]:
    """The rows, the number of shards of each history, and why there are none of both."""
    try:
        with connect(platform.database()) as connection:
            rows = [_row(row) for row in membership.rows(connection)]
            owned = Counter(shards.owners(connection).values())
    except DatabaseUnusable as error:
        return [], None, f"{error.message}: {error.cause}"
    except NotRunning as error:
        if not running:
            raise
        return [], None, error.cause
    return rows, dict(owned), ""


def _row(row: membership.Row) -> Row:
    return Row(
        role=row.role,
        address=join_host_port(row.address, row.port),
        host_id=row.host_id,
        age=row.age,
        started=row.started,
        heartbeat=row.heartbeat,
        expiry=row.expiry,
    )
