"""From whatever is there to a running, probed cluster."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from temporal_dsql_deploy import interrupts
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import NotReady
from temporal_dsql_deploy.operations.probe.result import ProbeResult
from temporal_dsql_deploy.operations.prove import Proof, prove
from temporal_dsql_deploy.operations.undone import undone_on_failure
from temporal_dsql_deploy.platforms.protocol import Change, Platform, Report, Result, Status


@dataclass(frozen=True, slots=True)
class UpResult(Result):
    """What `up` found, did and proved."""

    environment: str
    changes: list[Change]
    """Empty when everything was as it should be."""
    warnings: list[str]
    """Settings that the server has not taken."""
    status: Status
    probe: ProbeResult


@dataclass(frozen=True, slots=True)
class UpPlan(Result):
    """What `up` would do."""

    environment: str
    changes: list[Change]


def up(
    platform: Platform, environment: Environment, *, deadline: float, report: Report
) -> UpResult:
    """Start and reconcile the cluster, wait for it, probe it.

    What this call starts it also stops again when it fails or is interrupted before the cluster is
    ready; a failed probe leaves everything standing, to be looked at.
    """
    with platform.lock("up", report):
        with undone_on_failure(platform, report) as starting:
            if platform.running() and platform.plan():
                from temporal_dsql_deploy.operations.settle import plan as plan_settling

                # What the server cannot change is refused before it is restarted for the rest.
                with suppress(NotReady):
                    plan_settling(platform, environment)
            changes = platform.start(starting)
            for change in changes:
                report(f"{change.action} {change.what}")
            # The SDK takes as long to import as the server to start: it is imported meanwhile.
            import temporal_dsql_deploy.operations.probe.cluster  # noqa: F401
            from temporal_dsql_deploy.operations.settle import settle

            changes += interrupts.run(settle(platform, environment, report))
            _until_joined(platform, changes)
        # All paths are tried here: better found now than by users. Where nothing is changed now, an
        # earlier verb may have done it just before: after a matching has gone a system workflow
        # hung for more than 15 s, twice in 20 (measured).
        proof = Proof(deadline, harmless=False)
        result = prove(platform, environment, proof, report)
        return UpResult(
            environment=environment.name,
            changes=changes,
            warnings=platform.warnings(),
            status=platform.status(),
            probe=result,
        )


def _until_joined(platform: Platform, changes: Collection[Change]) -> None:
    """Wait for the ring too: while rows of the dead are fresh a role may serve and not be in it."""
    from temporal_dsql_deploy.operations.probe.cluster import one_process

    if one_process(platform):
        return
    from temporal_dsql_deploy.operations.joined import until_joined

    started = {change.what for change in changes if change.action in {"start", "restart"}}
    names = started & {member.name for member in platform.members()}
    if names:
        until_joined(platform, names, None)


def plan(platform: Platform, environment: Environment) -> UpPlan:
    """What `up` would change; it changes nothing."""
    from temporal_dsql_deploy.operations import settle

    changes = platform.plan() + settle.plan(platform, environment)
    return UpPlan(environment=environment.name, changes=changes)
