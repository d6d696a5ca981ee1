"""The tasks of the services: started in order, each waited for; stopped in the reverse of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.errors import NotApplied
from temporal_dsql_deploy.operations.staged.steps import Doing, Seen, Step
from temporal_dsql_deploy.operations.staged.work import Work
from temporal_dsql_deploy.platforms.clock import REAL, Clock
from temporal_dsql_deploy.platforms.ecs import rollout, services
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
from temporal_dsql_deploy.platforms.ecs.rollout import Wanted
from temporal_dsql_deploy.platforms.ecs.services import Service

CLIENTS = ("ui",)
"""Components that find the frontend by its name of Service Connect; a test reads the HCL."""
_FRONTEND = "frontend"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where services are changed, and how long each may take."""

    deployed: Deployed
    clients: Clients
    limit: float
    """Seconds."""
    clock: Clock = REAL

    @classmethod
    def of(cls, work: Work) -> Self:
        """The cluster of a run. Raises NotApplied, and what Terraform and AWS raise."""
        deployed = work.deployed()
        return cls(deployed, Clients.of(deployed.region), work.how.wait)

    def definition(self, component: str) -> str:
        """ARN of the task definition that was applied."""
        return str(self.deployed.service(component)["task_definition_arn"])


@dataclass(frozen=True, slots=True)
class Start:
    """What a service needs to run as it is written; with nothing given it is only waited for."""

    service: Service
    desired: int | None = None
    """Tasks, where none are wanted yet."""
    task_definition: str | None = None
    """ARN, where ECS has another."""
    anew: bool = False
    """Whether the deployment has to be a new one."""

    @property
    def changes(self) -> bool:
        """Whether ECS has to be asked for something."""
        return self.desired is not None or self.task_definition is not None or self.anew

    def told(self) -> str:
        """For a sentence."""
        service = self.service
        if self.desired is not None:
            return f"{service.component}: none of {self.desired} tasks run"
        if self.task_definition is not None:
            return f"{service.component}: another task definition is deployed than the one applied"
        if self.anew:
            return f"{service.component}: its deployment has failed"
        return f"{service.component}: {service.running} of {service.desired} tasks run"


def start(work: Work) -> Step:
    """Start what does not run, in the order of start."""
    return Step(
        "services",
        "all services run, started one after the other",
        lambda: look(Cluster.of(work)),
        lambda doing: start_all(Cluster.of(work), doing),
    )


def look(cluster: Cluster) -> Seen:
    """Whether all services run. Raises NotApplied for one that ECS does not have."""
    there = _there(cluster)
    needed = [one for name in there if (one := need(there[name], cluster.deployed.service(name)))]
    if needed:
        return Seen(False, "; ".join(one.told() for one in needed))
    return Seen(True, "; ".join([f"{', '.join(there)} run", *_scaled(cluster.deployed, there)]))


def _there(cluster: Cluster) -> dict[str, Service]:
    """All services that are to run tasks."""
    deployed = cluster.deployed
    found = services.look(deployed, cluster.clients)
    lacking = [name for name in deployed.components if name not in found]
    if lacking:
        raise NotApplied(
            f"ECS has no service of {', '.join(lacking)}",
            cause="the outputs of the Terraform name it, and somebody has deleted it",
            fix="run the same command again without --from and --only: the apply makes it anew",
        )
    return {name: one for name, one in found.items() if deployed.service(name)["replicas"]}


def _scaled(deployed: Deployed, there: Mapping[str, Service]) -> list[str]:
    """What runs in another number than is written, which is left so."""
    return [
        f"{name} runs {one.desired}, and the Terraform says {deployed.service(name)['replicas']}"
        for name, one in there.items()
        if one.desired != deployed.service(name)["replicas"]
    ]


def need(service: Service, written: Mapping[str, Any]) -> Start | None:
    """What a service needs; None where it runs. `written` is what the outputs say of it.

    A number of tasks that is not none is left: `scale` may have set it.
    """
    primary = service.primary
    wanted = written["task_definition_arn"]
    desired = written["replicas"] if service.desired == 0 else None
    deployed = service.task_definition if primary is None else primary.task_definition
    other = wanted if deployed != wanted else None
    failed = primary is not None and primary.rollout == "FAILED"
    # Nothing of a client runs, so a new deployment costs nothing, and knows every name there is.
    anew = failed or (desired is not None and service.component in CLIENTS)
    if desired is not None or other or failed:
        return Start(service, desired, other, anew)
    settled = primary is not None and primary.rollout == "COMPLETED"
    if settled and service.running == service.desired and not service.pending:
        return None
    return Start(service)


def start_all(cluster: Cluster, doing: Doing) -> str:
    """Start what does not run, each when those before it do; which."""
    started = []
    for name in _there(cluster):
        # Looked at anew: what was before it may have taken minutes.
        now = services.look(cluster.deployed, cluster.clients, [name])[name]
        needed = need(now, cluster.deployed.service(name))
        if needed is not None:
            bring(needed, cluster, doing)
            started.append(name)
    return f"{', '.join(started)} run"


def bring(needed: Start, cluster: Cluster, doing: Doing) -> None:
    """Ask for what is needed, and wait until it is so.

    Raises RolledBack and NotReady with evidence, and what AWS refuses.
    """
    service = needed.service
    primary = service.primary
    definition = cluster.definition(service.component)
    wanted = Wanted(service, service.desired, definition, primary.id if primary else "")
    if needed.changes:
        doing.changing()
        doing.report(f"services: {needed.told()}")
        wanted = rollout.ask(
            service,
            cluster.clients,
            desired=needed.desired,
            task_definition=needed.task_definition,
            force=needed.anew,
        )
    _wait(wanted, cluster, doing)


def _wait(wanted: Wanted, cluster: Cluster, doing: Doing) -> None:
    rollout.wait([wanted], cluster.clients, doing.report, limit=cluster.limit, clock=cluster.clock)


def clients(work: Work) -> Step:
    """Give those that do not know the frontend's name yet one new deployment."""
    return Step(
        "clients",
        "those that call the frontend by its Service Connect name know it",
        lambda: look_at_clients(Cluster.of(work)),
        lambda doing: deploy_clients(Cluster.of(work), doing),
    )


def look_at_clients(cluster: Cluster) -> Seen:
    """Whether all of them know the name."""
    old = _old_clients(cluster)
    if old:
        return Seen(False, f"deployed before the frontend had its name: {', '.join(old)}")
    return Seen(True, "their deployments are newer than the frontend's name")


def deploy_clients(cluster: Cluster, doing: Doing) -> str:
    """One new deployment for each that does not; which."""
    old = _old_clients(cluster)
    for service in old.values():
        bring(Start(service, anew=True), cluster, doing)
    return f"deployed anew: {', '.join(old)}"


def _old_clients(cluster: Cluster) -> dict[str, Service]:
    """Those whose tasks cannot see the name: ECS fixes the names that it knows per deployment.

    Source: Amazon ECS developer guide, "Service Connect components", deployment order.
    """
    names = [name for name in CLIENTS if name in cluster.deployed.components]
    since = _named_since(cluster) if names else None
    if since is None:
        return {}
    found = services.look(cluster.deployed, cluster.clients, names)
    return {name: one for name, one in found.items() if one.desired and _is_older(one, since)}


def _is_older(service: Service, since: datetime) -> bool:
    primary = service.primary
    return primary is not None and primary.created is not None and primary.created < since


def _named_since(cluster: Cluster) -> datetime | None:
    """When the frontend's service was made, and with it its name; None where ECS does not say."""
    name = cluster.deployed.service(_FRONTEND)["service_name"]
    with aws.calling("see since when the frontend has its name (ecs:DescribeServices)"):
        said = cluster.clients.ecs.describe_services(
            cluster=cluster.deployed.cluster, services=[name]
        )
    made: datetime | None = next((one.get("createdAt") for one in said["services"]), None)
    return made
