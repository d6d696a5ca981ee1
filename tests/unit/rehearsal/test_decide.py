"""The service scheduler: what it does next, and what it never does."""

from dataclasses import dataclass, field, replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy.rehearsal.ecs.decide import (
    COMPLETED,
    FAILED,
    IN_PROGRESS,
    Actions,
    Aim,
    Rollout,
    Seen,
    decide,
    threshold,
)

NEW, OLD = Rollout("new"), Rollout("old", COMPLETED)


def old(count: int, *, healthy: bool = True) -> list[Seen]:
    return [Seen(f"o{number}", "old", healthy=healthy) for number in range(count)]


def new(count: int, *, healthy: bool = True) -> list[Seen]:
    return [Seen(f"n{number}", "new", healthy=healthy) for number in range(count)]


def test_an_empty_service_starts_all_and_ends_when_they_are_ready() -> None:
    assert decide(Aim(3, NEW), 0).start == 3
    waiting = decide(Aim(3, NEW, tasks=new(3, healthy=False)), 0)
    assert waiting == Actions()
    ready = decide(Aim(3, NEW, tasks=new(3)), 0)
    assert ready.complete
    assert ready.steady


def test_a_service_of_no_tasks_is_done_at_once() -> None:
    assert decide(Aim(0, NEW), 0).complete


def test_one_that_is_single_is_stopped_before_its_successor_starts() -> None:
    aim = Aim(1, NEW, [OLD], old(1), minimum_percent=0, maximum_percent=100)
    first = decide(aim, 0)
    assert (first.start, first.stop) == (0, ("o0",))
    stopping = replace(aim, tasks=[Seen("o0", "old", stops=True)])
    assert decide(stopping, 0).start == 0
    assert decide(replace(aim, tasks=[]), 0).start == 1


def test_twice_as_many_run_before_the_old_ones_go() -> None:
    aim = Aim(2, NEW, [OLD], old(2))
    assert (decide(aim, 0).start, decide(aim, 0).stop) == (2, ())
    half = replace(aim, tasks=[*old(2), *new(1), Seen("n1", "new")])
    assert decide(half, 0).stop == ("o0",)
    all_there = replace(aim, tasks=[*old(2), *new(2)])
    assert decide(all_there, 0).stop == ("o0", "o1")


def test_percentages_that_leave_no_room_are_told() -> None:
    aim = Aim(1, NEW, [OLD], old(1), minimum_percent=50, maximum_percent=150)
    assert decide(aim, 0).stuck


def test_fewer_are_wanted_and_those_that_are_not_ready_go_first() -> None:
    aim = Aim(1, COMPLETED_NEW, tasks=[*new(1), Seen("late", "new")])
    assert decide(aim, 0).stop == ("late",)


COMPLETED_NEW = Rollout("new", COMPLETED)


def test_one_whose_health_check_failed_is_replaced() -> None:
    tasks = [*new(1), Seen("ill", "new", unhealthy=True)]
    actions = decide(Aim(2, COMPLETED_NEW, tasks=tasks), 0)
    assert (actions.replace, actions.start, actions.stop) == (("ill",), 1, ())
    assert not actions.steady


def test_the_breaker_ends_a_deployment_and_goes_back() -> None:
    broken = Rollout("new", failures=3)
    aim = Aim(2, broken, [OLD], old(2), breaker=True, roll_back=True, last_completed="old")
    assert decide(aim, 0) == Actions(fail=True, roll_back_to="old")
    assert decide(replace(aim, roll_back=False), 0) == Actions(fail=True)
    assert decide(replace(aim, breaker=False), 10).start == 2
    assert not decide(replace(aim, primary=Rollout("new", COMPLETED, 9)), 0).fail


def test_a_failed_deployment_starts_no_more() -> None:
    aim = Aim(2, Rollout("new", FAILED, 3), [OLD], old(2))
    actions = decide(aim, 0)
    assert (actions.start, actions.stop, actions.complete) == (0, (), False)


def test_who_fails_again_and_again_has_to_wait() -> None:
    aim = Aim(1, Rollout("new", COMPLETED, failures=5), last_failure=100)
    assert decide(aim, 103).throttled
    assert decide(aim, 103).start == 0
    assert decide(aim, 104).start == 1


@given(st.integers(0, 1000))
def test_the_threshold_is_half_of_the_tasks_within_its_bounds(desired: int) -> None:
    found = threshold(desired)
    assert 3 <= found <= 200
    if 5 <= desired <= 400:
        assert desired / 2 <= found < desired / 2 + 1


aims = st.builds(
    Aim,
    desired=st.integers(0, 6),
    primary=st.builds(
        Rollout,
        st.just("new"),
        st.sampled_from([IN_PROGRESS, COMPLETED, FAILED]),
        st.integers(0, 6),
    ),
    others=st.just([OLD]),
    tasks=st.lists(
        st.builds(
            Seen,
            id=st.uuids().map(str),
            deployment=st.sampled_from(["new", "old"]),
            stops=st.booleans(),
            healthy=st.booleans(),
        ),
        max_size=12,
    ).map(lambda found: [replace(one, healthy=one.healthy and not one.stops) for one in found]),
    minimum_percent=st.integers(0, 100),
    maximum_percent=st.integers(100, 200),
    breaker=st.booleans(),
    roll_back=st.booleans(),
)


@settings(max_examples=500)
@given(aims)
def test_it_never_oversteps_its_bounds(aim: Aim) -> None:
    actions = decide(aim, 1e9)
    there = {task.id: task for task in aim.tasks}
    assert len(aim.tasks) + actions.start <= max(aim.most, len(aim.tasks))
    assert not {*actions.stop} & {*actions.replace}
    assert all(not there[one].stops for one in [*actions.stop, *actions.replace])
    healthy = sum(task.healthy for task in aim.tasks)
    stopped = sum(there[one].healthy for one in actions.stop)
    assert healthy - stopped >= min(aim.least, healthy)
    if aim.primary.state == FAILED:
        assert actions.start == 0


@dataclass(slots=True)
class World:
    """Tasks that start and stop in their own time."""

    aim: Aim
    chance: Random
    lowest: int = 10**9
    highest: int = 0
    made: int = 0
    done: list[Actions] = field(default_factory=list)

    def step(self) -> bool:
        """Do what is to be done, then let something happen; whether all is as it should be."""
        actions = decide(self.aim, 1e9)
        tasks = {task.id: task for task in self.aim.tasks}
        for one in [*actions.stop, *actions.replace]:
            tasks[one] = replace(tasks[one], stops=True, healthy=False)
        for _ in range(actions.start):
            self.made += 1
            tasks[f"n{self.made}"] = Seen(f"n{self.made}", "new")
        if actions.complete:
            self.aim = replace(self.aim, primary=Rollout("new", COMPLETED))
        self.highest = max(self.highest, len(tasks))
        self.lowest = min(self.lowest, sum(task.healthy for task in tasks.values()))
        for one in self.chance.sample(sorted(tasks), k=min(2, len(tasks))):
            if tasks[one].stops:
                del tasks[one]
            else:
                tasks[one] = replace(tasks[one], healthy=True)
        self.aim = replace(self.aim, tasks=list(tasks.values()))
        return actions.steady


@settings(max_examples=300)
@given(
    st.integers(0, 6),
    st.integers(0, 100),
    st.integers(100, 200),
    st.integers(0, 2**32),
)
def test_a_rollout_comes_to_its_end_within_its_bounds(
    desired: int, minimum: int, maximum: int, seed: int
) -> None:
    aim = Aim(desired, NEW, [OLD], old(desired), minimum, maximum)
    world = World(aim, Random(seed))  # noqa: S311 - of tasks, not of secrets
    if aim.most == desired and aim.least == desired and desired:
        assert decide(aim, 0).stuck
        return
    assert any(world.step() for _ in range(200))
    assert world.highest <= max(aim.most, desired)
    assert world.lowest >= min(aim.least, desired)
    assert {task.deployment for task in world.aim.tasks} <= {"new"}
    assert len(world.aim.tasks) == desired
