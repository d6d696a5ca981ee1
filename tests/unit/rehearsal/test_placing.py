"""Places of tasks: what ECS would take, and what it says where there is none."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy.capacity.instances import Room, instance_types
from temporal_dsql_deploy.capacity.pool import Group
from temporal_dsql_deploy.rehearsal.ecs.placing import Host, Misfit, Wish, missing, place


def chance(seed: int) -> Random:
    """What is decided by chance, in the same way each time."""
    return Random(seed)  # noqa: S311 - of places, not of secrets


ZONE = "attribute:ecs.availability-zone"
SPREAD = (("spread", ZONE), ("spread", "instanceId"))


def host(number: int, room: Room, zone: str = "a", group: str = "main") -> Host:
    return Host(f"arn/host{number}", group, zone, room)


SMALL = Wish(Room(256, 512, 1))


@pytest.mark.parametrize(
    ("left", "short"),
    [
        (Room(128, 4096, 2), "CPU"),
        (Room(2048, 256, 2), "MEMORY"),
        (Room(2048, 4096, 0), "ENI"),
    ],
)
def test_what_is_short_is_told_of_the_closest(left: Room, short: str) -> None:
    worse = host(2, Room(0, 0, 0))
    assert place(SMALL, [worse, host(1, left)], chance(0)) == Misfit("host1", short)


def test_no_instance_at_all_is_no_lack_of_something() -> None:
    assert place(SMALL, [], chance(0)) == Misfit("", "")
    elsewhere = host(1, Room(2048, 4096, 2), group="other")
    assert place(replace(SMALL, groups=frozenset({"main"})), [elsewhere], chance(0)) == Misfit(
        "", ""
    )


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ("attribute:workload == main", True),
        ("attribute:workload == other", False),
        ("attribute:workload != other", True),
        ("attribute:workload in [main, other]", True),
        ("attribute:workload not_in [main]", False),
        ("attribute:workload =~ ma.*", True),
        ("attribute:workload exists", True),
        ("attribute:none exists", False),
        ("attribute:workload == main and attribute:ecs.availability-zone == b", False),
    ],
)
def test_constraints_hold(expression: str, fits: bool) -> None:  # noqa: FBT001
    there = replace(host(1, Room(2048, 4096, 2)), attributes=(("workload", "main"),))
    wish = replace(SMALL, constraints=(("memberOf", expression),))
    found = place(wish, [there], chance(0))
    assert found == (there if fits else Misfit("host1", "ATTRIBUTE"))


def test_two_that_may_not_share_do_not() -> None:
    one, two = host(1, Room(2048, 4096, 2)), host(2, Room(2048, 4096, 2))
    wish = replace(SMALL, constraints=(("distinctInstance", ""),))
    assert place(wish, [replace(one, same=1), two], chance(0)) == two
    assert place(wish, [replace(one, same=1)], chance(0)) == Misfit("host1", "ATTRIBUTE")


def test_trunking_makes_room_for_more_interfaces() -> None:
    kind = instance_types()["m7g.large"]
    assert filled(kind.room(trunking=False)) == 2
    assert filled(kind.room(trunking=True)) == 8, "then the CPU is what ends it"


def filled(room: Room) -> int:
    left, count = room, 0
    while isinstance(place(SMALL, [host(1, left)], chance(0)), Host):
        left = less(left, SMALL.room)
        count += 1
    return count


def less(left: Room, taken: Room) -> Room:
    return Room(
        left.cpu - taken.cpu, left.memory_mib - taken.memory_mib, left.interfaces - taken.interfaces
    )


rooms = st.builds(Room, st.integers(0, 2048), st.integers(0, 4096), st.integers(0, 3))
hosts = st.lists(st.tuples(rooms, st.sampled_from("ab")), max_size=5).map(
    lambda found: [host(number, room, zone) for number, (room, zone) in enumerate(found)]
)
wishes = st.lists(
    st.builds(
        Wish,
        st.builds(Room, st.integers(1, 1024), st.integers(1, 2048), st.integers(0, 1)),
        strategies=st.sampled_from([(), SPREAD, (("binpack", "memory"),), (("random", ""),)]),
    ),
    max_size=12,
)


@settings(max_examples=300)
@given(hosts, wishes, st.integers(0, 2**32))
def test_no_instance_is_ever_overfilled(there: list[Host], asked: list[Wish], seed: int) -> None:
    seeded = chance(seed)
    for wish in asked:
        found = place(wish, there, seeded)
        if isinstance(found, Misfit):
            assert all(min(parts(less(one.left, wish.room))) < 0 for one in there)
            continue
        at = there.index(found)
        there[at] = replace(found, left=less(found.left, wish.room), same=found.same + 1)
        assert min(parts(there[at].left)) >= 0


def parts(room: Room) -> tuple[int, int, int]:
    return room.cpu, room.memory_mib, room.interfaces


def test_zones_are_kept_even() -> None:
    there = [host(number, Room(4096, 8192, 9), zone) for number, zone in enumerate("aab")]
    wish = replace(SMALL, strategies=SPREAD)
    for _ in range(6):
        found = place(wish, there, chance(1))
        assert isinstance(found, Host)
        at = there.index(found)
        there[at] = replace(found, left=less(found.left, wish.room), same=found.same + 1)
    assert sum(one.same for one in there if one.zone == "b") == 3


def test_as_many_instances_are_missing_as_the_tasks_need() -> None:
    room = instance_types()["m7g.large"].room(trunking=False)
    group = Group("main", room, ("a", "b"), 0, 5)
    assert missing([SMALL] * 5, [], [group], chance(0)) == {"main": 3}
    assert missing([SMALL] * 2, [host(1, room)], [group], chance(0)) == {}
    assert missing([SMALL] * 99, [], [group], chance(0)) == {"main": 5}
    huge = Wish(Room(9999, 9999, 1))
    assert missing([huge], [], [group], chance(0)) == {}
