"""What ECS says of a whole cluster at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.platforms.ecs import definitions, services, tasks
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
from temporal_dsql_deploy.platforms.ecs.services import Service
from temporal_dsql_deploy.platforms.ecs.slots import Slots
from temporal_dsql_deploy.platforms.ecs.tasks import Task
from temporal_dsql_deploy.platforms.protocol import Instance, Member, State


@dataclass(frozen=True, slots=True)
class Place:
    """A place for a task, and the task in it."""

    name: str
    """Such as `history-2`; the component where there is one only."""
    component: str
    task: Task | None
    checked: bool
    """Whether its task has a health check."""

    @property
    def running(self) -> bool:
        """Whether its containers run."""
        return self.task is not None and self.task.status == "RUNNING"

    @property
    def state(self) -> State:
        """By the task's own health check, which asks a role's named gRPC health service."""
        if self.task is None:
            return State.STOPPED
        if self.task.status in {"PROVISIONING", "PENDING", "ACTIVATING"}:
            return State.STARTING
        if self.task.status != "RUNNING":
            return State.STOPPED
        if self.task.health == "HEALTHY" or not self.checked:
            return State.SERVING
        return State.NOT_SERVING if self.task.health == "UNHEALTHY" else State.STARTING


@dataclass(frozen=True, slots=True)
class Seen:
    """The services of a cluster, and a place for each task that they want or have."""

    services: Mapping[str, Service]
    places: list[Place]

    def of(self, component: str) -> list[Place]:
        """The places of a component."""
        return [one for one in self.places if one.component == component]

    def instances(self) -> list[Instance]:
        """As the protocol has them; a place that is empty is an instance that does not run."""
        return [
            Instance(
                name=one.name,
                component=one.component,
                running=one.running,
                since=None if one.task is None else one.task.started,
                note="" if one.running else _note(one, self.services.get(one.component)),
            )
            for one in self.places
        ]

    def members(self) -> list[Member]:
        """The tasks of Temporal's roles that run and have an address."""
        roles = topology.load().roles
        return [
            Member(
                role=one.component,
                address=one.task.address,
                membership_port=roles[one.component].ports["membership"],
                grpc_port=roles[one.component].ports["grpc"],
                name=one.name,
            )
            for one in self.places
            if one.component in roles and one.running and one.task and one.task.address
        ]


def look(deployed: Deployed, clients: Clients, slots: Slots) -> Seen:
    """Ask ECS; the components in their order of start.

    Raises NotApplied, and what `aws.told` makes of a refusal.
    """
    found = services.look(deployed, clients)
    there = tasks.look(list(found.values()), clients)
    places = []
    for component, service in found.items():
        checked = definitions.is_checked(service.task_definition, clients)
        # One that is to have tasks and is scaled to none has an empty place.
        wanted = service.desired or min(1, deployed.service(component)["replicas"])
        for name, task in slots.fill(component, there[component], wanted).items():
            places.append(Place(name, component, task, checked))
    return Seen(found, places)


def _note(place: Place, service: Service | None) -> str:
    """Why it does not run."""
    if place.task is not None:
        return f"its task {place.task.id} is {place.task.status}"
    if service is not None and not service.desired:
        return "no task of it is wanted"
    if service is None or not service.events:
        return "ECS has no task for it"
    return f"ECS has no task for it; it says: {service.events[0].message}"
