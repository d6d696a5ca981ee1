"""The two bounds: what no order can spoil, and what no order can mend."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy.capacity.blocking import blocked_at_most, blocked_exactly
from temporal_dsql_deploy.capacity.instances import Room
from temporal_dsql_deploy.capacity.packing import always_fits, packs, zones
from temporal_dsql_deploy.capacity.placement import Cluster
from temporal_dsql_deploy.capacity.pool import Group, TaskKind, holds
from tests.unit.capacity.rooms import group, groups, kind, kinds, seeded


def all_placed(kinds: list[TaskKind], groups: list[Group], seed: int) -> bool:
    """Whether ECS places all tasks in one order."""
    random = seeded(seed)
    order = [index for index, one in enumerate(kinds) for _ in range(one.count)]
    random.shuffle(order)
    return Cluster(kinds, groups, random).start_all(order) is None


@settings(max_examples=200, deadline=None)
@given(kinds(), groups(), st.lists(st.integers(0, 2**16), min_size=5, max_size=5))
def test_what_always_fits_is_placed_in_any_order(
    kinds: list[TaskKind], groups: list[Group], seeds: list[int]
) -> None:
    if always_fits(kinds, groups):
        assert all(all_placed(kinds, groups, seed) for seed in seeds)


@settings(max_examples=100, deadline=None)
@given(kinds(), groups(), st.integers(0, 2**16))
def test_where_ecs_finds_room_for_all_the_optimal_packer_does_too(
    kinds: list[TaskKind], groups: list[Group], seed: int
) -> None:
    # ECS starts instances as they are needed, and the packer has as many as there may be: where a
    # zone gets its share of them only in the end, the packer's zones are not ECS's.
    free = [replace(one, zones=None, scales=True) for one in kinds]
    if all_placed(free, groups, seed):
        assert packs(free, groups) is not False


@settings(max_examples=100, deadline=None)
@given(kinds(), groups())
def test_one_more_instance_never_spoils_an_optimal_packing(
    kinds: list[TaskKind], groups: list[Group]
) -> None:
    (there,) = groups
    if packs(kinds, groups):
        assert packs(kinds, [replace(there, limit=there.limit + 1)]) is not False


@settings(max_examples=100, deadline=None)
@given(kinds(), groups())
def test_what_is_counted_is_never_above_the_quick_bound(
    kinds: list[TaskKind], groups: list[Group]
) -> None:
    (there,) = groups
    for one in kinds:
        counted = blocked_exactly(one, kinds, there)
        if one.count and holds(there.room, one) and counted is not None:
            assert counted <= blocked_at_most(one, kinds, there)


@settings(max_examples=100, deadline=None)
@given(kinds(), groups())
def test_the_quick_bound_asks_for_more_than_the_counted_one(
    kinds: list[TaskKind], groups: list[Group]
) -> None:
    if always_fits(kinds, groups, counted=False):
        assert always_fits(kinds, groups)


def test_three_of_four_tasks_block_no_more_than_they_can_fill() -> None:
    """Two tasks of 4,096 MiB block an instance for one of 8,192, and seven of them three."""
    room = Room(4096, 15_156, 18)
    history = kind("history", 1, 2048, 8192)
    matching = kind("matching", 7, 1024, 4096)
    there = group(4, room=room)
    assert blocked_at_most(history, [history, matching], there) == 4
    assert blocked_exactly(history, [history, matching], there) == 3
    assert always_fits([history, matching], [there])
    assert not always_fits([history, matching], [group(3, room=room)])


@pytest.mark.parametrize(("limit", "fits"), [(3, False), (4, True)])
def test_seven_tasks_need_four_instances_with_two_interfaces(limit: int, *, fits: bool) -> None:
    assert packs([kind("history", 7)], [group(limit)]) is fits


def test_a_packing_minds_zones_and_tasks_that_stay_alone() -> None:
    assert packs([kind("history", 3, zones=frozenset("a"))], [group(2)]) is False
    assert packs([kind("history", 2, zones=frozenset("a"))], [group(2)]) is True
    assert packs([kind("history", 2, distinct=True)], [group(1)]) is False
    assert packs([kind("history", 2, distinct=True)], [group(2)]) is True


def test_the_packer_finds_what_a_greedy_one_does_not() -> None:
    """Sizes 6 5 5 4 4 4 on two instances of 14: the largest first on the fullest leaves one out."""
    room = Room(2800, 28_000, 9)
    sizes = [6, 5, 5, 4, 4, 4]
    made = [kind(f"k{n}", 1, size * 200, 1024) for n, size in enumerate(sizes)]
    assert packs(made, [group(2, room=room)]) is True
    assert packs([*made, kind("more", 1, 200)], [group(2, room=room)]) is False


def test_zones_are_kept_even() -> None:
    assert zones(group(5), 5) == ["a", "b", "a", "b", "a"]
    assert zones(group(5, zones=""), 5) == []
