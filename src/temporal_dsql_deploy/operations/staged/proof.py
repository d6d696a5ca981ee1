"""The probe of a cluster on ECS, from wherever it can be made."""

from temporal_dsql_deploy.operations.on_ecs.prove import prove
from temporal_dsql_deploy.operations.probe.result import ProbeResult
from temporal_dsql_deploy.operations.prove import Proof
from temporal_dsql_deploy.operations.staged.up import Probe
from temporal_dsql_deploy.operations.staged.work import Work
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.platform import EcsPlatform
from temporal_dsql_deploy.platforms.protocol import Report


def of(deadline: float, report: Report, *, direct: bool) -> Probe:
    """Probe with so many seconds for each check; if direct, from here."""

    def probe(work: Work, changed: bool) -> ProbeResult:  # noqa: FBT001 - it has one meaning
        deployed = work.deployed()
        platform = EcsPlatform(
            work.environment, deployed, Clients.of(deployed.region), direct=direct, report=report
        )
        return prove(platform, work.environment, Proof(deadline, changed=changed), report)

    return probe
