"""Bounds of placement: what no order can spoil, and what no order can mend."""

from collections.abc import Sequence

from temporal_dsql_deploy.capacity.blocking import blocked_at_most, blocked_exactly
from temporal_dsql_deploy.capacity.pool import Group, TaskKind, holds, most

_NODES = 20_000
_State = tuple[int, int, int, str, str, tuple[int, ...]]
"""Left of CPU, memory and interfaces; group and zone; which distinct kinds are there."""


def always_fits(
    kinds: Sequence[TaskKind], groups: Sequence[Group], *, counted: bool = True
) -> bool:
    """Whether every task finds room wherever the others are, so that no order has to be tried.

    It finds none only where the others block every instance. Unless `counted`, how many they can
    block is a quick bound, and more is asked for than must be.
    """
    wanted = [kind for kind in kinds if kind.count]
    return all(
        any(_open(kind, wanted, group, counted=counted) for group in groups) for kind in wanted
    )


def _open(kind: TaskKind, kinds: Sequence[TaskKind], group: Group, *, counted: bool) -> bool:
    """Whether some instance of the group is never blocked for this kind."""
    if group.name not in kind.groups or not holds(group.room, kind):
        return False
    instances = most(group, kind)
    if instances > blocked_at_most(kind, kinds, group):
        return True
    blocked = blocked_exactly(kind, kinds, group) if counted else None
    return blocked is not None and instances > blocked


def packs(kinds: Sequence[TaskKind], groups: Sequence[Group]) -> bool | None:
    """Whether some placement of all tasks exists on the most instances that there may be.

    None where the search was given up after 20,000 steps. Where it is False, no order of ECS fits.
    """
    search = _Search(kinds)
    instances = [
        (group.room.cpu, group.room.memory_mib, group.room.interfaces, group.name, zone, ())
        for group in groups
        for zone in zones(group, group.limit)
    ]
    try:
        return search.place(0, tuple(sorted(instances)))
    except _GivenUp:
        return None


def zones(group: Group, count: int) -> list[str]:
    """The zone of each of this many instances, as even as Auto Scaling keeps them."""
    return (
        [group.zones[number % len(group.zones)] for number in range(count)] if group.zones else []
    )


class _GivenUp(Exception):
    pass


class _Search:
    """Branch and bound, the largest tasks first; instances that are alike are one choice."""

    def __init__(self, kinds: Sequence[TaskKind]) -> None:
        self.kinds = kinds
        ranked = sorted(
            range(len(kinds)), key=lambda i: (kinds[i].cpu, kinds[i].memory_mib), reverse=True
        )
        self.tasks = [index for index in ranked for _ in range(kinds[index].count)]
        self.failed: set[tuple[int, tuple[_State, ...]]] = set()
        self.nodes = 0

    def place(self, at: int, instances: tuple[_State, ...]) -> bool:
        """Whether the tasks from this one on find room."""
        if at == len(self.tasks):
            return True
        if (at, instances) in self.failed or not self._volume(at, instances):
            return False
        self.nodes += 1
        if self.nodes > _NODES:
            raise _GivenUp
        before: _State | None = None
        for number, instance in enumerate(instances):
            if instance == before:
                continue
            before = instance
            after = self._with(instance, self.tasks[at])
            if after is None:
                continue
            rest = (*instances[:number], *instances[number + 1 :], after)
            if self.place(at + 1, tuple(sorted(rest))):
                return True
        self.failed.add((at, instances))
        return False

    def _with(self, instance: _State, index: int) -> _State | None:
        kind = self.kinds[index]
        cpu, memory, interfaces, group, zone, there = instance
        if group not in kind.groups or (kind.zones is not None and zone not in kind.zones):
            return None
        if kind.distinct and index in there:
            return None
        left = (cpu - kind.cpu, memory - kind.memory_mib, interfaces - kind.interfaces)
        if min(left) < 0:
            return None
        return (*left, group, zone, (*there, index) if kind.distinct else there)

    def _volume(self, at: int, instances: tuple[_State, ...]) -> bool:
        rest = [self.kinds[index] for index in self.tasks[at:]]
        return (
            sum(kind.cpu for kind in rest) <= sum(each[0] for each in instances)
            and sum(kind.memory_mib for kind in rest) <= sum(each[1] for each in instances)
            and sum(kind.interfaces for kind in rest) <= sum(each[2] for each in instances)
        )
