"""Kinds of tasks and groups of instances for tests of placement."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from hypothesis import strategies as st

from temporal_dsql_deploy.capacity.instances import Room
from temporal_dsql_deploy.capacity.pool import DEFAULT_STRATEGIES, ZONE, Group, TaskKind

SPREAD = (("spread", ZONE), ("spread", "instanceId"))
LARGE = Room(cpu=2048, memory_mib=7578, interfaces=2)
"""An m7g.large without trunking."""


def seeded(seed: int) -> Random:
    """Chance that is the same each time."""
    return Random(seed)  # noqa: S311


def kind(name: str, count: int = 1, cpu: int = 512, memory: int = 1024, **rest: object) -> TaskKind:
    """Tasks that run in the group `main`."""
    made = TaskKind(name, cpu, memory, count, frozenset({"main"}), strategies=SPREAD)
    return replace(made, **rest)  # type: ignore[arg-type]


def group(limit: int, count: int | None = None, room: Room = LARGE, zones: str = "ab") -> Group:
    """The group `main`, in zones of one letter each."""
    return Group("main", room, tuple(zones), limit if count is None else count, limit)


strategies = st.sampled_from(
    [
        SPREAD,
        DEFAULT_STRATEGIES,
        (("binpack", "cpu"),),
        (("binpack", "memory"),),
        (("random", ""),),
        (("spread", "instanceId"),),
        (("spread", "attribute:rack"),),
    ]
)


@st.composite
def kinds(draw: st.DrawFn) -> list[TaskKind]:
    """Up to four kinds of tasks, each of up to four."""
    return [
        TaskKind(
            f"kind-{number}",
            draw(st.sampled_from([0, 256, 512, 1024, 2048])),
            draw(st.sampled_from([512, 1024, 2048, 4096])),
            draw(st.integers(0, 4)),
            frozenset({"main"}),
            interfaces=draw(st.integers(0, 1)),
            zones=draw(st.sampled_from([None, None, None, frozenset("a"), frozenset("ab")])),
            strategies=draw(strategies),
            distinct=draw(st.booleans()),
            scales=draw(st.booleans()),
        )
        for number in range(draw(st.integers(1, 4)))
    ]


@st.composite
def groups(draw: st.DrawFn) -> Sequence[Group]:
    """One group of up to six instances."""
    limit = draw(st.integers(1, 6))
    room = Room(
        draw(st.sampled_from([1024, 2048, 4096])),
        draw(st.sampled_from([3072, 7578])),
        draw(st.integers(1, 9)),
    )
    return [
        group(limit, draw(st.integers(0, limit)), room, draw(st.sampled_from(["a", "ab", "abc"])))
    ]
