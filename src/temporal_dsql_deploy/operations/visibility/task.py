"""Let the one-off task of the Terraform make the index: it stands where the domain is reached."""

from temporal_dsql_deploy.operations.visibility.result import TaskResult, VisibilityPlan
from temporal_dsql_deploy.platforms.ecs import one_off
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
from temporal_dsql_deploy.platforms.ecs.one_off import OneOff
from temporal_dsql_deploy.platforms.protocol import Report

OUTPUT = "opensearch_setup"


def found(deployed: Deployed) -> OneOff:
    """The task, as the outputs tell it. Raises NotApplied."""
    return OneOff.of(deployed, OUTPUT)


def plan(deployed: Deployed) -> VisibilityPlan:
    """What `run` would do. Raises NotApplied."""
    call = one_off.shown(found(deployed))
    return VisibilityPlan(deployed.environment, [call], findings=[], steps=[])


def run(deployed: Deployed, report: Report, *, limit: float) -> TaskResult:
    """Run it, and wait until it has ended. Raises NotApplied, and what one_off.run does."""
    task = found(deployed)
    ended = one_off.run(task, Clients.of(deployed.region), report, limit=limit)
    return TaskResult(deployed.environment, ended.task, ended.exit_code, ended.log)
