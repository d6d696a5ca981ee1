"""Which rows of cluster_membership may go: those whose owner is proven gone, and no others."""

from collections.abc import Collection, Iterator

from temporal_dsql_deploy.errors import DatabaseUnusable
from temporal_dsql_deploy.operations.membership.look import look, membership_address
from temporal_dsql_deploy.operations.membership.result import CleanResult, Fate, Look, Row
from temporal_dsql_deploy.persistence import membership
from temporal_dsql_deploy.persistence.database import connect
from temporal_dsql_deploy.persistence.membership import PROVEN_GONE
from temporal_dsql_deploy.platforms.protocol import Platform, Report


def clean(platform: Platform, environment: str, *, dry_run: bool, report: Report) -> CleanResult:
    """Delete the rows whose owner is proven gone; with `dry_run` only say which these are.

    Raises DatabaseUnusable, NotForPlatform, NotRunning, Locked.
    """
    if dry_run:
        return _clean(platform, environment, report, dry_run=True)
    with platform.lock("membership clean", report):
        return _clean(platform, environment, report, dry_run=False)


def _clean(platform: Platform, environment: str, report: Report, *, dry_run: bool) -> CleanResult:
    seen = look(platform, environment, report=report)
    if seen.database_error:
        raise DatabaseUnusable(
            "the rows of cluster_membership cannot be read",
            cause=seen.database_error,
            fix="see whether the database runs, and whether this machine may reach it",
        )
    fates = decide(seen)
    gone = [fate for fate in fates if not fate.kept_because]
    kept = [fate for fate in fates if fate.kept_because]
    if gone and not dry_run:
        deleted = delete(platform, seen)
        kept += [
            _fate(fate, "a heartbeat came in meanwhile")
            for fate in gone
            if fate.host_id not in deleted
        ]
        gone = [fate for fate in gone if fate.host_id in deleted]
    return CleanResult(environment=environment, dry_run=dry_run, deleted=gone, kept=kept)


def delete(platform: Platform, seen: Look, *, silent_for: float = PROVEN_GONE) -> set[str]:
    """Delete the rows that `decide` lets go; host ids of those that went.

    Raises DatabaseUnusable, NotRunning.
    """
    gone = {one.host_id for one in decide(seen, silent_for=silent_for) if not one.kept_because}
    with connect(platform.database()) as connection:
        return membership.delete(connection, gone, silent_for=silent_for)


def decide(seen: Look, *, silent_for: float = PROVEN_GONE) -> list[Fate]:
    """What becomes of each row.

    A row goes when all of these say that its owner is gone: no heartbeat for `silent_for` seconds
    by the database's clock; no process of the platform has its address; nothing listens there; and
    no member holds it reachable, each that may be alive having shown its ring.
    """
    hidden = sorted(_may_be_alive(seen, silent_for) - _shown(seen))
    return [_fate(row, _sign_of_life(row, seen, silent_for, hidden)) for row in seen.rows]


def _fate(of: Row | Fate, reason: str) -> Fate:
    return Fate(
        role=of.role, address=of.address, host_id=of.host_id, age=of.age, kept_because=reason
    )


def _sign_of_life(row: Row, seen: Look, silent_for: float, hidden: Collection[str]) -> str:
    """Why the row must stay, empty where nothing says that its owner lives."""
    return next(_signs_of_life(row, seen, silent_for, hidden), "")


def _signs_of_life(
    row: Row, seen: Look, silent_for: float, hidden: Collection[str]
) -> Iterator[str]:
    if row.age <= silent_for:
        yield f"its last heartbeat is not {silent_for:g} s old"
    if row.address in {membership_address(one) for one in seen.running}:
        yield "a process runs that has its address"
    port = seen.port(row.address)
    if port is None or port.listens:
        yield "something listens at its address"
    if holders := seen.holders(row.address):
        yield f"{holders[0]} holds it reachable"
    if hidden:
        yield f"not proven: {', '.join(hidden)} may be alive and did not show its ring"


def _may_be_alive(seen: Look, silent_for: float) -> set[str]:
    young = {row.address for row in seen.rows if row.age <= silent_for}
    running = {membership_address(one) for one in seen.running}
    listening = {port.address for port in seen.ports if port.listens}
    return young | running | listening | set(seen.members())


def _shown(seen: Look) -> set[str]:
    return {port.address for port in seen.ports if port.seen is not None}
