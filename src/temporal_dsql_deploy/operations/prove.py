"""The end of every verb that changes what runs: a probe, which says whether the cluster works."""

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.operations.probe.result import ProbeResult
from temporal_dsql_deploy.platforms.protocol import Platform, Report


def prove(
    platform: Platform, environment: Environment, *, deadline: float, report: Report
) -> ProbeResult:
    """Probe the cluster that a verb has made ready; what is interrupted here leaves it standing."""
    from temporal_dsql_deploy.operations.probe.cluster import one_process, probe_platform

    try:
        return probe_platform(
            platform,
            environment.probe_namespace,
            deadline=deadline,
            report=lambda line: report(f"probe: {line}"),
            # What else it tries are the paths between processes.
            thorough=not one_process(platform),
        )
    except KeyboardInterrupt:
        report("the cluster is ready and stays; only its probe was cut off")
        raise
