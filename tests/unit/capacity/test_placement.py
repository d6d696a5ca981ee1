"""ECS's placement: which instance a task gets, and when it gets none."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy.capacity.placement import Cluster
from temporal_dsql_deploy.capacity.pool import Group, TaskKind
from tests.unit.capacity.rooms import LARGE, SPREAD, group, groups, kind, kinds, seeded


def cluster(kinds: list[TaskKind], limit: int, count: int | None = None, seed: int = 0) -> Cluster:
    return Cluster(kinds, [group(limit, count)], seeded(seed))


def test_spread_takes_the_zone_and_then_the_instance_with_fewest_of_the_service() -> None:
    for seed in range(20):
        placed = cluster([kind("history", 4, interfaces=0)], 4, seed=seed)
        assert placed.start_all([0] * 4) is None
        assert [each.running for each in placed.instances] == [[1], [1], [1], [1]]


def test_binpack_fills_an_instance_first() -> None:
    packed = kind("history", 3, interfaces=0, strategies=(("binpack", "memory"),))
    placed = cluster([packed], 4)
    assert placed.start_all([0] * 3) is None
    assert sorted(each.running[0] for each in placed.instances) == [0, 0, 0, 3]


def test_the_second_strategy_decides_among_equals_of_the_first() -> None:
    other = kind("ui", 1, interfaces=0)
    packed = kind("worker", 1, interfaces=0, strategies=(SPREAD[0], ("binpack", "cpu")))
    for seed in range(20):
        placed = cluster([other, packed], 2, seed=seed)
        placed.start_all([0, 1])
        assert sorted(each.running for each in placed.instances) == [[0, 0], [1, 1]]


def test_ecs_adds_an_instance_where_auto_scaling_has_fewest_until_the_limit() -> None:
    placed = cluster([kind("history", 5)], 2, count=0)
    failed = placed.start_all([0] * 5)
    assert Counter(each.zone for each in placed.instances) == {"a": 1, "b": 1}
    assert failed is not None
    assert (failed.kind.name, failed.short, failed.instances) == ("history", ("ENI",), 2)


def test_nothing_is_added_for_tasks_without_capacity_provider() -> None:
    placed = cluster([kind("history", 3, scales=False)], 4, count=1)
    assert placed.start_all([0, 0]) is None
    assert placed.start(0) is not None


def test_a_task_goes_only_where_its_group_zones_and_itself_allow() -> None:
    alone = kind("history", 2, zones=frozenset("a"), distinct=True)
    placed = cluster([alone], 4)
    assert placed.start_all([0, 0]) is None
    assert {each.zone for each in placed.instances if each.running[0]} == {"a"}
    failed = placed.start(0)
    assert failed is not None
    assert failed.short == ()
    elsewhere = cluster([kind("ui", groups=frozenset({"other"}))], 2)
    assert elsewhere.start(0) is not None


def test_a_lost_instance_still_counts_and_a_lost_zone_does_not() -> None:
    placed = cluster([kind("history", 4)], 2)
    assert placed.start_all([0] * 4) is None
    again = placed.lose_instance(placed.instances[0])
    assert again == [0, 0]
    assert placed.start(0) is not None
    placed = cluster([kind("history", 4)], 2)
    placed.start_all([0] * 4)
    assert placed.start_all(placed.lose_zone("a")) is None
    assert {each.zone for each in placed.instances} == {"b"}


def test_a_copy_leaves_what_it_was_made_of_alone() -> None:
    placed = cluster([kind("history", 1)], 1)
    other = placed.copy()
    other.start(0)
    assert [each.running for each in placed.instances] == [[0]]


@settings(max_examples=100, deadline=None)
@given(kinds(), groups(), st.integers(0, 2**16))
def test_no_instance_is_ever_given_more_than_it_has(
    kinds: list[TaskKind], groups: list[Group], seed: int
) -> None:
    placed = Cluster(kinds, groups, seeded(seed))
    placed.start_all([index for index, one in enumerate(kinds) for _ in range(one.count)])
    (there,) = groups
    assert len(placed.instances) <= there.limit
    for each in placed.instances:
        assert each.zone in there.zones
        for left, room, taken in (
            (each.cpu, there.room.cpu, [one.cpu for one in kinds]),
            (each.memory_mib, there.room.memory_mib, [one.memory_mib for one in kinds]),
            (each.interfaces, there.room.interfaces, [one.interfaces for one in kinds]),
        ):
            assert left >= 0
            used = sum(size * many for size, many in zip(taken, each.running, strict=True))
            assert left == room - used
        for one, many in zip(kinds, each.running, strict=True):
            assert many <= 1 or not one.distinct
            assert not many or one.zones is None or each.zone in one.zones


@settings(max_examples=100, deadline=None)
@given(kinds(), groups(), st.integers(0, 2**16))
def test_the_same_seed_places_the_same(
    kinds: list[TaskKind], groups: list[Group], seed: int
) -> None:
    order = [index for index, one in enumerate(kinds) for _ in range(one.count)]
    made = [Cluster(kinds, groups, seeded(seed)) for _ in range(2)]
    first, second = (each.start_all(order) for each in made)
    assert first == second
    assert made[0].instances == made[1].instances


def test_an_m7g_large_takes_two_tasks_without_a_trunk() -> None:
    placed = cluster([kind("history", 3)], 1)
    assert LARGE.interfaces == 2
    assert placed.start_all([0, 0]) is None
    assert placed.start(0) is not None
