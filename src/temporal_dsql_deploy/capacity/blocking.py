"""How many instances the tasks of a group can block for one more, wherever they are put.

An instance is blocked for a task where the tasks on it leave too little of some resource.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from math import prod

from temporal_dsql_deploy.capacity.pool import Group, TaskKind

_WORK = 20_000
_DEEPEST = 400
"""Tasks, each of which may be a call inside of another."""
_Size = tuple[int, int, int, bool]
"""CPU units, MiB, interfaces, and whether one of these alone blocks."""
_Counts = tuple[int, ...]


def blocked_at_most(kind: TaskKind, kinds: Sequence[TaskKind], group: Group) -> int:
    """Most instances that all other tasks can block at once for one task of this kind.

    It fits on an empty instance; the caller has looked.
    """
    there = _sizes(kind, kinds, group)
    needed = (
        group.room.cpu - kind.cpu + 1 if kind.cpu else 0,
        group.room.memory_mib - kind.memory_mib + 1 if kind.memory_mib else 0,
        group.room.interfaces - kind.interfaces + 1 if kind.interfaces else 0,
    )
    # What is on a blocked instance adds up to one share at least.
    return int(sum(_share(size, needed) * count for size, count in there.items()))


def blocked_exactly(kind: TaskKind, kinds: Sequence[TaskKind], group: Group) -> int | None:
    """The same, counted; None where that takes too long.

    It is the most sets of tasks, none in two of them, of which each fits on an instance and
    leaves too little there.
    """
    there = _sizes(kind, kinds, group)
    sizes, counts = tuple(there), tuple(there.values())
    if sum(counts) > _DEEPEST or prod(count + 1 for count in counts) > _WORK:
        return None
    sets = list(_blocking(kind, sizes, counts, group))
    if prod(count + 1 for count in counts) * len(sets) > _WORK:
        return None

    @cache
    def most(left: _Counts) -> int:
        best = 0
        for each in sets:
            rest = tuple(have - take for have, take in zip(left, each, strict=True))
            if min(rest) >= 0:
                best = max(best, 1 + most(rest))
        return best

    return most(counts)


def _sizes(kind: TaskKind, kinds: Sequence[TaskKind], group: Group) -> Counter[_Size]:
    """All other tasks that may run in the group, by what they take."""
    found: Counter[_Size] = Counter()
    for other in kinds:
        if group.name in other.groups:
            alone = kind.distinct and other is kind
            size = (other.cpu, other.memory_mib, other.interfaces, alone)
            found[size] += other.count - (other is kind)
    return +found


def _share(size: _Size, needed: tuple[int, int, int]) -> Fraction:
    if size[3]:
        return Fraction(1)
    parts = (Fraction(have, limit) for have, limit in zip(size[:3], needed, strict=True) if limit)
    return min(max(parts, default=Fraction(0)), Fraction(1))


def _blocking(
    kind: TaskKind, sizes: Sequence[_Size], counts: _Counts, group: Group
) -> Iterator[_Counts]:
    """Every smallest set of tasks that fits on an instance and blocks it."""
    room = (group.room.cpu, group.room.memory_mib, group.room.interfaces)
    wanted = (kind.cpu, kind.memory_mib, kind.interfaces)

    def left(chosen: Iterable[int]) -> list[int]:
        taken = list(chosen)
        return [
            room[at] - sum(sizes[number][at] * many for number, many in enumerate(taken))
            for at in range(3)
        ]

    def blocks(chosen: Sequence[int]) -> bool:
        short = any(want > have for want, have in zip(wanted, left(chosen), strict=True))
        return short or any(many and sizes[number][3] for number, many in enumerate(chosen))

    def extended(chosen: _Counts, start: int) -> Iterator[_Counts]:
        for number in range(start, len(sizes)):
            more = (*chosen[:number], chosen[number] + 1, *chosen[number + 1 :])
            if more[number] > counts[number] or min(left(more)) < 0:
                continue
            if not blocks(more):
                yield from extended(more, number)
            else:
                yield more

    return extended((0,) * len(sizes), 0)
