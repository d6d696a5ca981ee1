"""At rest, during a deployment, with an instance or a zone lost; and what would suffice."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from temporal_dsql_deploy.capacity import scenarios
from temporal_dsql_deploy.capacity.instances import Room, instance_types
from temporal_dsql_deploy.capacity.pool import Group, TaskKind
from temporal_dsql_deploy.capacity.scenarios import (
    AT_REST,
    Loss,
    Scenario,
    deployment,
    enough_instances,
    enough_type,
    judge,
    pools,
    possible,
)
from tests.unit.capacity.rooms import group, groups, kind, kinds

INSTANCE, ZONE = Scenario(loss=Loss.INSTANCE), Scenario(loss=Loss.ZONE)
TIED = [kind("matching"), kind("frontend"), kind("ui", 1, 256, 512), kind("grafana", 1, 256, 512)]
"""What the reference system ties to one node."""


def fits(kinds: list[TaskKind], there: Group, scenario: Scenario = AT_REST) -> bool:
    return judge(kinds, [there], [scenario])[scenario].fits


def test_four_services_on_a_node_with_two_interfaces() -> None:
    """One m7g.large carries two of them; a second one carries the rest, and no deployment."""
    outcome = judge(TIED, [group(1)])[AT_REST]
    assert not outcome.fits
    assert outcome.failed is not None
    assert outcome.failed.short == ("ENI",)
    assert possible(TIED, [group(1)]) is False
    assert fits(TIED, group(2))
    assert not fits(TIED, group(2), Scenario(surge="matching"))
    assert not fits(TIED, group(2), INSTANCE)
    trunked = instance_types()["m7g.large"].room(trunking=True)
    for scenario in (AT_REST, Scenario(surge="matching"), INSTANCE):
        assert fits(TIED, group(2, room=trunked), scenario)


def test_what_would_suffice() -> None:
    wanted = [AT_REST, Scenario(surge="matching"), INSTANCE]
    assert enough_instances(TIED, [group(2)], "main", wanted) == 3
    larger = {
        name: instance_types()[name].room(trunking=False) for name in ("m7g.xlarge", "m7g.4xlarge")
    }
    assert enough_type(TIED, [group(1)], "main", [AT_REST], larger) == "m7g.4xlarge"
    assert enough_type(TIED, [group(2)], "main", [AT_REST], larger) == "m7g.xlarge"
    huge = [kind("history", 1, 8192)]
    assert enough_instances(huge, [group(2)], "main", [AT_REST]) is None
    assert enough_type(huge, [group(2)], "main", [AT_REST], larger) == "m7g.4xlarge"


def test_what_fits_by_a_packer_need_not_fit_by_ecs() -> None:
    """Two small tasks that are spread leave no instance for a large one."""
    made = [kind("ui", 2, 256, 512), kind("history", 1, 2048, 4096)]
    outcome = judge(made, [group(2)])[AT_REST]
    assert not outcome.fits
    assert outcome.orders >= 1
    assert possible(made, [group(2)]) is True


def test_instances_that_run_are_not_the_limit_where_ecs_scales() -> None:
    assert fits([kind("history", 6)], group(3, count=1))
    assert not fits([kind("history", 6, scales=False)], group(3, count=1))


def test_a_lost_zone_moves_to_the_others_and_one_zone_moves_nowhere() -> None:
    made = [kind("history", 2), kind("matching", 2)]
    assert fits(made, group(2), ZONE)
    assert not fits(made, group(2, zones="a"), ZONE)
    tied = [replace(one, zones=frozenset("a")) for one in made]
    assert not fits(tied, group(4), ZONE)


def test_a_lost_instance_needs_one_to_spare() -> None:
    made = [kind("history", 4)]
    assert fits(made, group(2))
    assert not fits(made, group(2), INSTANCE)
    assert fits(made, group(3), INSTANCE)


@pytest.mark.parametrize(
    ("desired", "least", "most", "moves", "room"),
    [
        (1, 100, 200, True, True),
        (1, 100, 150, False, False),  # rounded down: no second task may run
        (1, 0, 100, True, False),
        (4, 75, 100, True, False),
        (3, 100, 150, True, True),
        (2, 50, 100, True, False),
        (2, 51, 100, False, False),  # rounded up: none may stop
        (3, 100, 100, False, False),
        (3, 1000, 2000, True, True),
        (3, 1000, 200, False, False),
        (4, 75, 10, False, False),
    ],
)
def test_rolling_deployments(
    desired: int, least: int, most: int, *, moves: bool, room: bool
) -> None:
    found = deployment(desired, least, most)
    assert (found.moves, found.needs_room) == (moves, room)


def test_groups_that_share_no_service_are_judged_apart() -> None:
    first, second = group(1), Group("other", Room(1024, 2048, 1), ("a",), 1, 1)
    alone, other = kind("history"), kind("ui", groups=frozenset({"other"}))
    both = kind("agent", groups=frozenset({"main", "other"}))
    apart = pools([alone, other], [first, second])
    assert apart == [([alone], [first]), ([other], [second])]
    (together,) = pools([alone, other, both], [first, second])
    assert set(together[0]) == {alone, other, both}
    assert together[1] == [first, second]


@settings(max_examples=100, deadline=None)
@given(kinds(), groups())
def test_a_verdict_is_the_same_whenever_it_is_asked_for(
    kinds: list[TaskKind], groups: list[Group]
) -> None:
    wanted = [AT_REST, Scenario(surge=kinds[0].name), INSTANCE, ZONE]
    first = judge(kinds, groups, wanted, orders=20)
    assert first == judge(kinds, groups, wanted, orders=20)
    assert set(first) == set(wanted)


@settings(max_examples=100, deadline=None)
@given(kinds(), groups())
def test_what_is_not_at_rest_fits_in_no_other_scenario(
    kinds: list[TaskKind], groups: list[Group]
) -> None:
    wanted = [AT_REST, INSTANCE, Scenario(surge=kinds[0].name)]
    found = judge(kinds, groups, wanted, orders=20)
    if not found[AT_REST].fits:
        assert not found[Scenario(surge=kinds[0].name)].fits


@settings(max_examples=100, deadline=None)
@given(kinds(), groups())
def test_as_many_as_are_said_to_suffice_do(kinds: list[TaskKind], groups: list[Group]) -> None:
    (there,) = groups
    number = enough_instances(kinds, groups, "main", [AT_REST])
    if number is not None:
        count = number if there.count == there.limit else there.count
        more = [replace(there, limit=number, count=count)]
        assert judge(kinds, more, orders=20)[AT_REST].fits


def test_of_very_many_tasks_fewer_orders_are_tried_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = [kind("history", 2), kind("matching", 2)]
    monkeypatch.setattr(scenarios, "_no_order_spoils", lambda *_: False)
    assert judge(made, [group(4)])[AT_REST].orders == scenarios.ORDERS == 1000
    monkeypatch.setattr(scenarios, "_STEPS", 100)
    assert judge(made, [group(4)])[AT_REST].orders == 25


def test_the_packer_does_not_look_for_room_for_thousands() -> None:
    assert possible([kind("history", 5000)], [group(3)]) is None
