"""Other numbers of instances, without an interruption."""

from collections.abc import Mapping
from dataclasses import dataclass

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import RestartNeeded
from temporal_dsql_deploy.operations.joined import taken_now, until_joined
from temporal_dsql_deploy.operations.membership.look import HISTORY
from temporal_dsql_deploy.operations.probe.result import ProbeResult
from temporal_dsql_deploy.operations.prove import Proof, prove
from temporal_dsql_deploy.operations.undone import undone_on_failure
from temporal_dsql_deploy.persistence.shards import Taken
from temporal_dsql_deploy.platforms.protocol import Change, Platform, Report, Result, Status


@dataclass(frozen=True, slots=True)
class ScaleResult(Result):
    """What `scale` did and proved."""

    environment: str
    changes: list[Change]
    """Empty when there were so many already."""
    warnings: list[str]
    """What `up` would change back."""
    status: Status
    probe: ProbeResult


@dataclass(frozen=True, slots=True)
class ScalePlan(Result):
    """What `scale` would do."""

    environment: str
    changes: list[Change]
    warnings: list[str]


def plan(platform: Platform, environment: Environment, replicas: Mapping[str, int]) -> ScalePlan:
    """What `scale` would do; it changes nothing. Raises as `scale` does."""
    _refuse_stopped(platform)
    changes = _planned(platform, replicas)
    return ScalePlan(environment.name, changes, _warnings(environment, replicas))


def scale(
    platform: Platform,
    environment: Environment,
    replicas: Mapping[str, int],
    *,
    deadline: float,
    report: Report,
) -> ScaleResult:
    """Run so many instances of these roles, wait until all have their place, and probe.

    `deadline` is in seconds, for each check of the probe. What this call has changed is undone when
    it fails or is interrupted before. Raises NotRunning, NotForPlatform, InvalidSetting,
    RestartNeeded, StartFailed, NotReady.
    """
    with platform.lock("scale", report):
        _refuse_stopped(platform)
        _planned(platform, replicas)
        with undone_on_failure(platform, report) as starting:
            before = taken_now(platform)
            changes = platform.scale(
                replicas, starting, lambda changes: _until_settled(platform, changes, before)
            )
            for change in changes:
                report(f"{change.action} {change.what}")
            if any(change.action == "stop" for change in changes):
                _until_settled(platform, changes, before)
        result = prove(platform, environment, Proof(deadline, changed=bool(changes)), report)
        return ScaleResult(
            environment=environment.name,
            changes=changes,
            warnings=_warnings(environment, replicas),
            status=platform.status(),
            probe=result,
        )


def _until_settled(
    platform: Platform, changes: list[Change], before: dict[int, Taken] | None
) -> None:
    """Until what is new is in every ring, and each shard has a history that runs."""
    components = {one.name: one.component for one in platform.instances()}
    roles = topology.load().roles
    begun = [one.what for one in changes if one.action == "start"]
    moved = any(one.what.startswith(HISTORY) and one.action != "update" for one in changes)
    names = [name for name in begun if components.get(name) in roles]
    until_joined(platform, names, before if moved else None)


def _planned(platform: Platform, replicas: Mapping[str, int]) -> list[Change]:
    """What it would do. Raises RestartNeeded: it would stop all of a role at once."""
    changes = platform.plan_scale(replicas)
    others = [one for one in changes if one.action == "restart"]
    if others:
        raise RestartNeeded(
            f"nothing is scaled while {', '.join(one.what for one in others)} "
            "would be restarted with it, all at once",
            cause=f"started with other settings than now, as before an update of dsql-deploy: "
            f"{others[0].what}: {others[0].detail}",
            fix="first, one by one: dsql-deploy restart ENV, or all at once: dsql-deploy up ENV",
        )
    return changes


def _refuse_stopped(platform: Platform) -> None:
    if not platform.running():
        platform.frontend()


def _warnings(environment: Environment, replicas: Mapping[str, int]) -> list[str]:
    return [
        f"the environment's file says {role} = {environment.replicas[role]}: `up` goes back to it"
        for role, count in replicas.items()
        if environment.replicas.get(role, count) != count
    ]
