"""Look at a cluster in trouble: everything side by side, with short deadlines."""

from concurrent.futures import ThreadPoolExecutor

from temporal_dsql_deploy.errors import NotRunning
from temporal_dsql_deploy.operations.membership import doctor
from temporal_dsql_deploy.operations.membership.clean import decide as fates
from temporal_dsql_deploy.operations.membership.look import (
    HISTORY,
    grpc_address,
    look,
    membership_address,
)
from temporal_dsql_deploy.operations.membership.result import Look
from temporal_dsql_deploy.operations.recover.result import Seen
from temporal_dsql_deploy.persistence.membership import PROVEN_GONE
from temporal_dsql_deploy.platforms.protocol import Instance, Member, Platform, State, Status

SILENT_FOR = {"cluster": 0.0}
"""Seconds without a heartbeat that prove, with everything else, that the owner of a row is gone; by
platform. On this machine the tool has started every process, and sees whether it runs."""


def silent_for(platform: Platform) -> float:
    """Those of a platform."""
    return SILENT_FOR.get(platform.name, PROVEN_GONE)


def see(platform: Platform) -> Seen:
    """What is there now. Raises NotRunning where the cluster was never started."""
    instances = platform.instances()
    with ThreadPoolExecutor(2) as pool:
        status = pool.submit(platform.status)
        looked = pool.submit(_look, platform)
        return _seen(platform, instances, status.result(), looked.result())


def _look(platform: Platform) -> Look | None:
    try:
        return look(platform, "", report=lambda _: None)
    except NotRunning:
        return None


def _seen(
    platform: Platform, instances: list[Instance], status: Status, looked: Look | None
) -> Seen:
    states = {part.instance or part.name: part.state for part in status.components}
    running = {one.name for one in instances if one.running}
    serving = frozenset(name for name in running if states.get(name) is State.SERVING)
    starting = frozenset(name for name in running if states.get(name) is State.STARTING)
    if looked is None:
        return Seen(instances, serving=serving, starting=starting)
    gone = {
        one.host_id
        for one in fates(looked, silent_for=silent_for(platform))
        if not one.kept_because
    }
    return Seen(
        instances,
        serving=serving,
        starting=starting,
        joined=frozenset(one.name for one in looked.running if _joined(one, looked)),
        findings=doctor.judge(looked).findings,
        gone=frozenset(gone),
        fresh=any(row.age <= doctor.window() for row in looked.rows if row.host_id in gone),
        frozen=frozenset(one.name for one in looked.running if _is_frozen(one, looked)),
        apart=_apart(looked),
        orphans=_orphans(looked),
    )


def _joined(member: Member, looked: Look) -> bool:
    port = looked.port(membership_address(member))
    return port is not None and port.joined


def _is_frozen(member: Member, looked: Look) -> bool:
    """Whether it is in the ring and writes no heartbeat."""
    address = membership_address(member)
    ages = [row.age for row in looked.rows if row.address == address]
    if looked.database_error or not _joined(member, looked):
        return False
    return min(ages, default=doctor.window() + 1) > doctor.window()


def _apart(looked: Look) -> frozenset[str]:
    found = doctor.parts([port for port in looked.ports if port.joined])
    largest = max(found, key=len, default=set())
    away = {address for part in found for address in part - largest}
    return frozenset(one.name for one in looked.running if membership_address(one) in away)


def _orphans(looked: Look) -> int:
    living = {grpc_address(one) for one in looked.running if one.role == HISTORY}
    return sum(count for owner, count in (looked.shards or {}).items() if owner not in living)
