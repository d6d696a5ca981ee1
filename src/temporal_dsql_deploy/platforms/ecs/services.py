"""The services of a cluster, as ECS says they are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.platforms.ecs.clients import Clients, batches
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed

_AT_ONCE = 10
"""Services that one DescribeServices takes (ECS API reference)."""
_GONE = "INACTIVE"
"""A service that was deleted is described for a while."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One of a service's deployments."""

    id: str
    """ecs-svc/NUMBER; a task says it in `startedBy`."""
    status: str
    """PRIMARY is the newest, ACTIVE one that it takes the place of, INACTIVE one that is over."""
    task_definition: str
    """ARN."""
    rollout: str
    """COMPLETED, IN_PROGRESS or FAILED, where the deployment circuit breaker has judged."""
    reason: str = ""
    """Of the rollout's state."""
    desired: int = 0
    running: int = 0
    pending: int = 0
    failed: int = 0
    """Tasks that did not start, or were not healthy."""
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What ECS says has happened to a service; it keeps the last hundred."""

    at: datetime
    message: str


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a cluster."""

    component: str
    """Role, `ui`, `grafana` and so on."""
    name: str
    arn: str
    cluster: str
    """ARN of its cluster."""
    desired: int
    running: int
    pending: int
    task_definition: str
    """ARN of that which it is to run."""
    deployments: Sequence[Deployment] = ()
    events: Sequence[Event] = ()
    """The newest first."""
    capacity_provider: str = ""
    security_groups: Sequence[str] = ()
    """Ids of those that its tasks wear."""
    circuit_breaker: bool = True
    """Whether ECS gives a deployment up whose tasks fail; without it, it starts more for ever."""

    @property
    def primary(self) -> Deployment | None:
        """The deployment that counts."""
        return next((one for one in self.deployments if one.status == "PRIMARY"), None)


def look(
    deployed: Deployed, clients: Clients, components: Sequence[str] | None = None
) -> dict[str, Service]:
    """The services of these components, all where None, in their order of start.

    One that ECS does not have is not there. Raises NotApplied, and what `aws.told` makes of a
    refusal.
    """
    wanted = deployed.components if components is None else components
    names = {deployed.service(one)["service_name"]: one for one in wanted}
    return described(deployed.cluster, names, clients)


def described(cluster: str, names: Mapping[str, str], clients: Clients) -> dict[str, Service]:
    """Services by component; `names` has the component of each service's name."""
    found = {one.component: one for one in _described(cluster, names, clients)}
    return {one: found[one] for one in names.values() if one in found}


def _described(cluster: str, names: Mapping[str, str], clients: Clients) -> Iterator[Service]:
    for some in batches(list(names), _AT_ONCE):
        with aws.calling("see what runs (ecs:DescribeServices)"):
            said = clients.ecs.describe_services(cluster=cluster, services=some)
        for one in said["services"]:
            if one.get("status") != _GONE:
                yield parse(names[one["serviceName"]], one)


def parse(component: str, said: Mapping[str, Any]) -> Service:
    """A service of the ECS API."""
    strategy = said.get("capacityProviderStrategy") or [{}]
    network = said.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    return Service(
        component=component,
        name=said["serviceName"],
        arn=said["serviceArn"],
        cluster=said["clusterArn"],
        desired=said["desiredCount"],
        running=said["runningCount"],
        pending=said["pendingCount"],
        task_definition=said["taskDefinition"],
        deployments=[_deployment(one) for one in said.get("deployments", [])],
        events=[_event(one) for one in said.get("events", [])],
        capacity_provider=strategy[0].get("capacityProvider", ""),
        security_groups=tuple(network.get("securityGroups", ())),
        circuit_breaker=_has_circuit_breaker(said),
    )


def _has_circuit_breaker(said: Mapping[str, Any]) -> bool:
    configuration = said.get("deploymentConfiguration")
    if configuration is None:
        return True
    return bool(configuration.get("deploymentCircuitBreaker", {}).get("enable"))


def _deployment(said: Mapping[str, Any]) -> Deployment:
    created = said.get("createdAt")
    return Deployment(
        id=said["id"],
        status=said["status"],
        task_definition=said["taskDefinition"],
        rollout=said.get("rolloutState", ""),
        reason=said.get("rolloutStateReason", ""),
        desired=said.get("desiredCount", 0),
        running=said.get("runningCount", 0),
        pending=said.get("pendingCount", 0),
        failed=said.get("failedTasks", 0),
        created=None if created is None else created.astimezone(UTC),
    )


def _event(said: Mapping[str, Any]) -> Event:
    return Event(said["createdAt"].astimezone(UTC), said["message"])
