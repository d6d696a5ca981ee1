"""What is placed and where: kinds of tasks and groups of instances, as plain numbers."""

from dataclasses import dataclass

from temporal_dsql_deploy.capacity.instances import Room

Strategy = tuple[str, str]
"""Type and field of ECS's placement strategy: `("spread", "instanceId")`."""
ZONE = "attribute:ecs.availability-zone"
DEFAULT_STRATEGIES: tuple[Strategy, ...] = (("spread", ZONE), ("spread", "instanceId"))
"""Of a service that names none: over zones, and in a zone over instances with the fewest of its
tasks (ECS developer guide, task-placement-strategies and update-service-parameters)."""


@dataclass(frozen=True, slots=True)
class TaskKind:
    """Tasks that are alike: those of one service."""

    name: str
    cpu: int
    """ECS CPU units."""
    memory_mib: int
    count: int
    """How many run at rest."""
    groups: frozenset[str]
    """Names of the groups whose instances may carry it."""
    interfaces: int = 1
    """1 for network mode awsvpc, otherwise 0."""
    zones: frozenset[str] | None = None
    """Zones of its subnets; None for any."""
    strategies: tuple[Strategy, ...] = DEFAULT_STRATEGIES
    distinct: bool = False
    """Whether two of it never share an instance: `distinctInstance`, or the same host port."""
    scales: bool = True
    """Whether ECS adds instances for it: only for tasks of a capacity provider."""


@dataclass(frozen=True, slots=True)
class Group:
    """Instances that are alike: those of one Auto Scaling group."""

    name: str
    room: Room
    zones: tuple[str, ...]
    count: int
    """Instances at rest."""
    limit: int
    """Instances that there may be: the group's max_size where ECS scales it, else `count`."""


def holds(room: Room, kind: TaskKind) -> bool:
    """Whether an empty instance takes one task of this kind."""
    return (
        kind.cpu <= room.cpu
        and kind.memory_mib <= room.memory_mib
        and kind.interfaces <= room.interfaces
    )


def most(group: Group, kind: TaskKind) -> int:
    """Most instances of the group that there may be for this kind, in zones where it may run.

    Auto Scaling keeps zones even, so a kind that may run in some of them has their share only.
    """
    total = group.limit if kind.scales else group.count
    if kind.zones is None or not group.zones:
        return total
    usable = sum(zone in kind.zones for zone in group.zones)
    if usable == len(group.zones):
        return total
    return usable * (total // len(group.zones))
