"""ECS's placement of tasks, one after the other, as its service scheduler does it.

ECS takes the instances that have room (CPU, memory, network interface, constraints), then applies
the placement strategies in their order; what is still equal is decided by chance, here by a seed
(ECS developer guide, task-placement-strategies). Where no instance has room, a capacity provider
with managed scaling adds one, until the group's limit, and Auto Scaling puts it in the zone that
has fewest (managed-scaling-behavior).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from temporal_dsql_deploy.capacity.pool import ZONE, Group, TaskKind, holds

RESOURCES = ("CPU", "MEMORY", "ENI")
"""As ECS names what is short: `RESOURCE:ENI`."""


@dataclass(slots=True)
class Placed:
    """One instance with what is left on it."""

    group: str
    zone: str
    cpu: int
    memory_mib: int
    interfaces: int
    running: list[int]
    """Tasks by kind."""


@dataclass(frozen=True, slots=True)
class NoRoom:
    """A task that found no instance."""

    kind: TaskKind
    short: tuple[str, ...]
    """What is short on some instance where it may run, most frequent first; empty where there is
    no instance for it at all."""
    instances: int
    """Instances on which it could have run, had they room."""


@dataclass(slots=True)
class Cluster:
    """Instances that fill with tasks."""

    kinds: Sequence[TaskKind]
    groups: Sequence[Group]
    random: Random
    lost_zone: str = ""
    """A zone in which nothing starts."""
    instances: list[Placed] = field(default_factory=list)
    lame: str = ""
    """A group with a lost instance that still counts against its limit."""

    def __post_init__(self) -> None:
        for group in self.groups:
            for _ in range(group.count):
                self._add(group)

    def copy(self) -> "Cluster":
        """Another one with the same tasks on the same instances."""
        made = Cluster(self.kinds, (), self.random, self.lost_zone, lame=self.lame)
        made.groups = self.groups
        made.instances = [replace(each, running=[*each.running]) for each in self.instances]
        return made

    def start(self, index: int) -> NoRoom | None:
        """Place a task of a kind; None where it found room."""
        while not (able := self._able(index)):
            if not self._grow(index):
                return self._no_room(index)
        chosen = self._chosen(able, index)
        kind = self.kinds[index]
        chosen.cpu -= kind.cpu
        chosen.memory_mib -= kind.memory_mib
        chosen.interfaces -= kind.interfaces
        chosen.running[index] += 1
        return None

    def start_all(self, order: Iterable[int]) -> NoRoom | None:
        """Place tasks in this order of kinds; the first that found no room."""
        for index in order:
            failed = self.start(index)
            if failed:
                return failed
        return None

    def lose_instance(self, lost: Placed) -> list[int]:
        """One is gone and not replaced; the kinds of the tasks that ran on it."""
        self.lame = lost.group
        return self._lose([lost])

    def lose_zone(self, zone: str) -> list[int]:
        """All of a zone are gone; Auto Scaling starts as many in the other zones of each group."""
        self.lost_zone = zone
        lost = [each for each in self.instances if each.zone == zone]
        tasks = self._lose(lost)
        for group in self.groups:
            for _ in range(sum(each.group == group.name for each in lost)):
                self._add(group)
        return tasks

    def _lose(self, lost: Sequence[Placed]) -> list[int]:
        gone = {id(each) for each in lost}
        self.instances = [each for each in self.instances if id(each) not in gone]
        return [
            index for each in lost for index, count in enumerate(each.running) for _ in range(count)
        ]

    def _able(self, index: int) -> list[Placed]:
        kind = self.kinds[index]
        cpu, memory, interfaces = kind.cpu, kind.memory_mib, kind.interfaces
        groups, zones, distinct = kind.groups, kind.zones, kind.distinct
        return [
            each
            for each in self.instances
            if each.cpu >= cpu
            and each.memory_mib >= memory
            and each.interfaces >= interfaces
            and each.group in groups
            and (zones is None or each.zone in zones)
            and not (distinct and each.running[index])
        ]

    def _chosen(self, able: list[Placed], index: int) -> Placed:
        for how, what in self.kinds[index].strategies:
            if len(able) == 1:
                break
            able = self._best(able, index, how, what)
        return able[0] if len(able) == 1 else self.random.choice(able)

    def _best(self, able: list[Placed], index: int, how: str, what: str) -> list[Placed]:
        if how == "spread" and what == ZONE:
            zones: dict[str, int] = {}
            for each in self.instances:
                zones[each.zone] = zones.get(each.zone, 0) + each.running[index]
            ranks = [zones[each.zone] for each in able]
        elif how == "spread" and what in {"instanceId", "host"}:
            ranks = [each.running[index] for each in able]
        elif how == "binpack":
            ranks = [each.cpu if what.lower() == "cpu" else each.memory_mib for each in able]
        else:
            # By chance, or by an attribute of which nothing is known: all are equal.
            return able
        least = min(ranks)
        return [each for each, rank in zip(able, ranks, strict=True) if rank == least]

    def _grow(self, index: int) -> bool:
        """One more instance that could take this kind; False where no group may grow."""
        kind = self.kinds[index]
        if not kind.scales:
            return False
        for group in self.groups:
            if group.name not in kind.groups or not holds(group.room, kind):
                continue
            there = sum(each.group == group.name for each in self.instances)
            if there + (group.name == self.lame) < group.limit and self._add(group):
                return True
        return False

    def _add(self, group: Group) -> bool:
        zones = [zone for zone in group.zones if zone != self.lost_zone]
        if not zones:
            return False
        there = dict.fromkeys(zones, 0)
        for each in self.instances:
            if each.group == group.name and each.zone in there:
                there[each.zone] += 1
        least = min(there.values())
        zone = self.random.choice([zone for zone in zones if there[zone] == least])
        room = group.room
        self.instances.append(
            Placed(
                group.name,
                zone,
                room.cpu,
                room.memory_mib,
                room.interfaces,
                [0] * len(self.kinds),
            )
        )
        return True

    def _no_room(self, index: int) -> NoRoom:
        kind = self.kinds[index]
        candidates = [
            each
            for each in self.instances
            if each.group in kind.groups and (kind.zones is None or each.zone in kind.zones)
        ]
        short = {
            "CPU": sum(each.cpu < kind.cpu for each in candidates),
            "MEMORY": sum(each.memory_mib < kind.memory_mib for each in candidates),
            "ENI": sum(each.interfaces < kind.interfaces for each in candidates),
        }
        named = sorted((name for name in RESOURCES if short[name]), key=lambda n: -short[n])
        return NoRoom(kind, tuple(named), len(candidates))
