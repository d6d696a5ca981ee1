"""The end of every verb that changes what runs: a probe, which says whether the cluster works."""

import time
from dataclasses import dataclass

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.operations.probe.result import ProbeResult
from temporal_dsql_deploy.platforms.protocol import Platform, Report

SETTLING = 20.0
"""Seconds after a change in which a failed probe is not believed yet. Once the database is back
calls fail for up to ten (`shard status unknown`), and whoever has dialled an instance that was away
waits some seconds before it dials again: both were measured, and both end by themselves."""


@dataclass(frozen=True, slots=True)
class Proof:
    """How a probe is to be made."""

    deadline: float
    """Seconds, for each check."""
    changed: bool = True
    """Whether something was started or stopped just now: then a probe that fails is repeated as
    long as that may be why."""
    harmless: bool = True
    """Whether to leave out what does harm where a path is closed, as a canary does."""


def prove(
    platform: Platform, environment: Environment, proof: Proof, report: Report
) -> ProbeResult:
    """Probe the cluster that a verb has made ready; what is interrupted here leaves it standing."""
    from temporal_dsql_deploy.operations.probe import checks
    from temporal_dsql_deploy.operations.probe.cluster import one_process, probe_platform

    # What else it tries are the paths between processes, and inside one process is none.
    alone = one_process(platform)
    believed = time.monotonic() + (SETTLING if proof.changed else 0.0)
    try:
        while True:
            result = probe_platform(
                platform,
                environment.probe_namespace,
                deadline=proof.deadline,
                report=lambda line: report(f"probe: {line}"),
                thorough=not alone,
                left_out=checks.harmful() if proof.harmless and not alone else {},
            )
            if result.ok or time.monotonic() >= believed:
                return result
            failed = ", ".join(check.name for check in result.checks if not check.ok)
            report(f"probe: once more, since a change may be why there failed: {failed}")
    except KeyboardInterrupt:
        report("the cluster is ready and stays; only its probe was cut off")
        raise
