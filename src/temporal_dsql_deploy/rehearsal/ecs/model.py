"""What the emulated ECS knows: services, deployments, tasks, container instances."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from temporal_dsql_deploy.capacity.instances import Room
from temporal_dsql_deploy.rehearsal.ecs import health
from temporal_dsql_deploy.rehearsal.ecs.decide import IN_PROGRESS
from temporal_dsql_deploy.rehearsal.ecs.definition import Definition, Part

PRIMARY, ACTIVE, DRAINING, INACTIVE = "PRIMARY", "ACTIVE", "DRAINING", "INACTIVE"
PROVISIONING, PENDING, ACTIVATING, RUNNING = "PROVISIONING", "PENDING", "ACTIVATING", "RUNNING"
DEACTIVATING, STOPPING, DEPROVISIONING, STOPPED = (
    "DEACTIVATING",
    "STOPPING",
    "DEPROVISIONING",
    "STOPPED",
)
EC2, FARGATE = "EC2", "FARGATE"
FAILED_TO_START, EXITED, BY_USER, BY_SERVICE, LOST = (
    "TaskFailedToStart",
    "EssentialContainerExited",
    "UserInitiated",
    "ServiceSchedulerInitiated",
    "TerminationNotice",
)
_EVENTS_KEPT = 100
"""As DescribeServices shows them (ECS developer guide, service-event-messages)."""


def new_id() -> str:
    """As tasks and container instances have it."""
    return secrets.token_hex(16)


def new_deployment_id() -> str:
    """As deployments have it."""
    return f"ecs-svc/{secrets.randbelow(10**19):019d}"


@dataclass(slots=True)
class Container:
    """One container of a task."""

    part: Part
    arn: str
    status: str = PENDING
    runtime_id: str = ""
    """Docker's id of it."""
    digest: str = ""
    exit_code: int | None = None
    reason: str = ""
    checked: health.Health | None = None
    started: float = 0.0
    token: str = ""
    """Names it at the task metadata endpoint."""

    @property
    def health(self) -> str:
        """As its health check says."""
        return self.checked.status if self.checked else health.UNKNOWN


@dataclass(slots=True)
class Task:
    """A task; times are seconds of the epoch."""

    id: str
    arn: str
    cluster: str
    """ARN."""
    definition: Definition
    containers: list[Container]
    launch: str
    group: str
    """`service:NAME` or `family:NAME`."""
    network: Mapping[str, Any]
    """awsvpcConfiguration; empty without."""
    service: str = ""
    """ARN; empty for one that no service has started."""
    deployment: str = ""
    started_by: str = ""
    providers: Sequence[str] = ()
    """Capacity providers of its strategy; empty for any instance."""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    tags: Sequence[Mapping[str, str]] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    """Of every container, above that of the definition."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What Service Connect adds to its hosts: addresses of loopback by name."""
    status: str = PROVISIONING
    desired: str = RUNNING
    instance: str = ""
    """ARN of the container instance."""
    provider: str = ""
    subnet: str = ""
    zone: str = ""
    address: str = ""
    interface: str = field(default_factory=lambda: f"eni-{secrets.token_hex(8)}1")
    created: float = field(default_factory=time.time)
    started: float | None = None
    stopping: float | None = None
    stopped: float | None = None
    stop_code: str = ""
    stopped_reason: str = ""
    been_ready: bool = False
    """Whether it has been as well as a deployment wants it."""

    @property
    def health(self) -> str:
        """That of its essential containers with health checks, taken together."""
        # By their names: a placeholder plays another part than the definition has.
        names = {part.name for part in self.definition.checked}
        return health.together([one.health for one in self.containers if one.part.name in names])

    @property
    def ready(self) -> bool:
        """RUNNING, and HEALTHY where it has a health check."""
        if self.status != RUNNING or self.desired != RUNNING:
            return False
        return not self.definition.checked or self.health == health.HEALTHY

    def stop(self, code: str, reason: str) -> None:
        """It is to stop; the first reason counts."""
        if self.desired == STOPPED:
            return
        self.desired = STOPPED
        self.stop_code, self.stopped_reason = code, reason
        self.stopping = time.time()


@dataclass(slots=True)
class Deployment:
    """A deployment of a service."""

    id: str
    definition: Definition
    asked: Mapping[str, Any]
    """What of the service's settings its tasks run with, as the API names it."""
    names: Mapping[str, "Alias"] = field(default_factory=dict)
    """Names of Service Connect that were there when it was made."""
    status: str = PRIMARY
    state: str = IN_PROGRESS
    reason: str = ""
    failures: int = 0
    """One after the other."""
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)

    @property
    def network(self) -> Mapping[str, Any]:
        """awsvpcConfiguration."""
        said = self.asked.get("networkConfiguration") or {}
        found: Mapping[str, Any] = said.get("awsvpcConfiguration") or {}
        return found


@dataclass(frozen=True, slots=True)
class Alias:
    """A name of a Service Connect namespace, and the port of the service that it leads to."""

    host: str
    port: int
    service: str
    """ARN."""
    target: int
    """Container port."""


@dataclass(slots=True)
class Service:
    """A service, beside what moto keeps of it."""

    arn: str
    name: str
    cluster: str
    """ARN."""
    desired: int
    deployments: list[Deployment]
    asked: Mapping[str, Any]
    """Of the API: percentages, circuit breaker, strategies, constraints, registries."""
    status: str = ACTIVE
    events: list[dict[str, Any]] = field(default_factory=list)
    """Newest first, as the API words them."""
    last_completed: Deployment | None = None
    last_failure: float = 0.0
    was_steady: bool = False
    said: set[str] = field(default_factory=set)
    """Messages of a trouble that lasts: ECS does not repeat them."""

    @property
    def primary(self) -> Deployment:
        """The deployment that is wanted."""
        return next(one for one in self.deployments if one.status == PRIMARY)

    def tell(self, message: str, *, lasts: bool = False) -> None:
        """Write an event; one of a trouble that lasts only once until all is well again."""
        if lasts and message in self.said:
            return
        if lasts:
            self.said.add(message)
        from datetime import UTC, datetime
        from uuid import uuid4

        event = {"id": str(uuid4()), "createdAt": datetime.now(UTC), "message": message}
        self.events[:] = [event, *self.events][:_EVENTS_KEPT]


@dataclass(slots=True)
class Instance:
    """A container instance."""

    arn: str
    id: str
    """Of EC2."""
    cluster: str
    group: str
    """Auto Scaling group."""
    type: str
    zone: str
    room: Room
    """Registered."""
    attributes: Mapping[str, str]
    provider: str = ""
    registered: float = field(default_factory=time.time)
    status: str = ACTIVE
