"""When the counter of leases is proven wrong, and what may be taken from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.cli.lease import reset as command
from temporal_dsql_deploy.operations.lease.proof import (
    FACTOR,
    LATE_MINUTES,
    LEAST_MINUTES,
    Proof,
    Sample,
    Verdict,
    weigh,
)

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STEP = 10
"""Seconds of a step of the world."""
A_MINUTE = 60 // STEP


def at(minutes: float) -> datetime:
    return START + MINUTE * minutes


def steady(active: int, until: int, *, since: int = 0) -> list[Sample]:
    """Two samples a minute of a counter that changes all the time."""
    return [
        Sample(at(since + half / 2), active, at(since + half / 2))
        for half in range(2 * (until - since) + 1)
    ]


def counted(opened: Sequence[int], since: int = 0) -> dict[datetime, int]:
    return {at(since + number): one for number, one in enumerate(opened)}


def test_ten_minutes_of_too_much_are_a_proof_and_nine_are_none() -> None:
    ten = weigh(steady(235, 10), counted([109] * 10), at(10), 10)
    assert (ten.verdict, ten.leaked) == (Verdict.WRONG, 126)
    assert ten.right(235, 0) == 109
    nine = weigh(steady(235, 10), counted([109] * 9), at(10), 10)
    assert (nine.verdict, nine.leaked) == (Verdict.SUSPECT, 126)
    assert "known for 9 whole minutes" in nine.why
    assert nine.right(235, 0) == 235


def test_one_minute_that_speaks_against_it_is_enough() -> None:
    opened = [109] * 10
    opened[3] = 200
    proof = weigh(steady(235, 10), counted(opened), at(10), 10)
    assert proof.verdict is Verdict.SUSPECT
    assert "at 12:03 UTC it said 235, and 200 were open" in proof.why
    opened[9] = 230
    assert weigh(steady(235, 10), counted(opened), at(10), 10).verdict is Verdict.RIGHT


@pytest.mark.parametrize("gap", range(10))
def test_a_minute_without_a_figure_is_no_proof(gap: int) -> None:
    points = counted([109] * 10)
    del points[at(gap)]
    assert weigh(steady(235, 10), points, at(10), 10).verdict is not Verdict.WRONG
    samples = [one for one in steady(235, 10) if not at(gap) <= one.at < at(gap + 1)]
    proof = weigh(samples, counted([109] * 10), at(10), 10)
    assert proof.verdict is not Verdict.WRONG


def test_the_limit_itself_is_no_proof() -> None:
    assert weigh(steady(120, 10), counted([100] * 10), at(10), 10).verdict is Verdict.RIGHT
    assert weigh(steady(121, 10), counted([100] * 10), at(10), 10).verdict is Verdict.WRONG


def test_a_counter_that_has_not_changed_needs_no_watching() -> None:
    """As after all tasks were killed: at its limit nobody can change it."""
    one = [Sample(at(20), 235, at(5))]
    proof = weigh(one, counted([0] * 19), at(20), 10)
    assert (proof.verdict, proof.leaked) == (Verdict.WRONG, 235)
    # A minute for the clock of the process, and the rest is no proof.
    changed = [Sample(at(20), 235, at(8.5))]
    assert weigh(changed, counted([0] * 19), at(20), 10).verdict is Verdict.SUSPECT


def test_what_it_said_before_it_changed_is_not_known() -> None:
    """The first of the two has said the same for long; then a reset, or a storm, came."""
    samples = [Sample(at(9.5), 235, at(0)), Sample(at(20), 235, at(19.9))]
    proof = weigh(samples, counted([100] * 20), at(20), 10)
    assert proof.verdict is not Verdict.WRONG


def test_without_any_figure_nothing_is_known() -> None:
    """Roles off ECS may hold connections that only CloudWatch would count."""
    for samples in (steady(80, 10), [Sample(at(20), 80, at(-20))]):
        proof = weigh(samples, {}, samples[-1].at, 10)
        assert (proof.verdict, proof.leaked) == (Verdict.UNKNOWN, 0)
        assert proof.right(80, 3) == 80


def test_figures_that_are_old_say_nothing() -> None:
    late = LATE_MINUTES + 11
    unchanged = [Sample(at(late), 235, at(-20))]
    proof = weigh(unchanged, counted([0] * 10), at(late), 10)
    assert proof.verdict is Verdict.UNKNOWN
    assert "minutes ago" in proof.why
    assert weigh([Sample(at(late), 235, at(late))], {}, at(late), 10).verdict is Verdict.UNKNOWN


def test_a_first_look_guesses_and_says_so() -> None:
    fresh = [Sample(at(10), 235, at(10))]
    guess = weigh(fresh, counted([109] * 8), at(10), 10)
    assert (guess.verdict, guess.leaked, guess.right(235, 0)) == (Verdict.SUSPECT, 126, 235)
    assert weigh(fresh, counted([230] * 8), at(10), 10).verdict is Verdict.RIGHT


def test_leases_of_late_stay_counted() -> None:
    """Among them are those of connections that are just being opened."""
    proof = weigh(steady(40, 10), counted([0] * 10), at(10), 10)
    assert [proof.right(40, alive) for alive in (0, 30, 40, 100)] == [0, 30, 40, 40]


def test_help_and_arithmetic_agree() -> None:
    assert command.LEAST_MINUTES == LEAST_MINUTES


@dataclass(frozen=True)
class World:
    """What was open and what had leaked at each step, and what was seen of it."""

    opened: list[int]
    leaked: list[int]
    samples: list[Sample]
    points: dict[datetime, int]
    now: int
    """Step."""

    @property
    def counter(self) -> int:
        return self.opened[self.now] + self.leaked[self.now]


def world(random: Random) -> World:
    """Connections come and go, crashes leak, CloudWatch is late and may miss a minute."""
    minutes = random.randint(8, 40)
    steps = minutes * A_MINUTE + random.randrange(A_MINUTE)
    opened, leaked = [random.randrange(200)], [random.choice([0, 10, 50, 300])]
    swing = random.choice([0, 0, 2, 20, 100])
    crash = random.choice([0.0, 0.0, 0.01, 0.1])
    for _ in range(steps):
        now = max(0, opened[-1] + random.randint(-swing, swing))
        gone = random.randint(0, now) if random.random() < crash else 0
        opened.append(now - gone)
        leaked.append(leaked[-1] + gone)
    every, first = random.choice([1, 3, 5]), random.randrange(steps)
    if random.random() < 0.5:
        first = 0
    looks = [*range(first, steps, every), steps]
    seen = [
        Sample(
            START + timedelta(seconds=STEP * step),
            opened[step] + leaked[step],
            START + timedelta(seconds=STEP * changed(opened, leaked, step)),
        )
        for step in looks
    ]
    late, missing = random.randrange(6), random.choice([0.0, 0.0, 0.05])
    points = {
        at(minute): max(opened[minute * A_MINUTE : (minute + 1) * A_MINUTE])
        for minute in range(max(0, minutes - late))
        if random.random() >= missing
    }
    return World(opened, leaked, seen, points, steps)


def changed(opened: list[int], leaked: list[int], step: int) -> int:
    """The step at which the counter was changed last."""
    while step and opened[step] + leaked[step] == opened[step - 1] + leaked[step - 1]:
        step -= 1
    return step


def judge(one: World, minutes: int) -> Proof:
    return weigh(one.samples, one.points, one.samples[-1].at, minutes)


@given(seed=st.integers(0, 2**32), minutes=st.integers(10, 20), alive=st.integers(0, 50))
def test_a_reset_is_never_below_what_is_open(seed: int, minutes: int, alive: int) -> None:
    one = world(Random(seed))  # noqa: S311 - a world of its own for each seed
    proof = judge(one, minutes)
    right = proof.right(one.counter, alive)
    assert one.opened[one.now] <= right <= one.counter
    if proof.verdict is not Verdict.WRONG:
        assert right == one.counter
        return
    assert 0 < proof.leaked <= one.leaked[one.now]
    # Neither is it what comes later: open and close what they may meanwhile.
    assert proof.right(one.leaked[one.now] + 500, 0) >= 500


@given(seed=st.integers(0, 2**32), minutes=st.integers(10, 20))
def test_no_proof_has_a_minute_that_speaks_against_it(seed: int, minutes: int) -> None:
    one = world(Random(seed))  # noqa: S311
    proof = judge(one, minutes)
    if proof.verdict is not Verdict.WRONG:
        return
    assert len(proof.minutes) == minutes
    assert all(
        b.at - a.at == MINUTE for a, b in zip(proof.minutes, proof.minutes[1:], strict=False)
    )
    for minute in proof.minutes:
        assert minute.at in one.points
        inside = [s.active for s in one.samples if minute.at <= s.at < minute.at + MINUTE]
        assert all(active > FACTOR * one.points[minute.at] for active in inside)


@given(opened=st.integers(0, 5000), leaked=st.integers(1, 5000), minutes=st.integers(10, 30))
def test_what_has_leaked_for_long_is_proven_to_the_last_lease(
    opened: int, leaked: int, minutes: int
) -> None:
    samples = steady(opened + leaked, minutes)
    proof = weigh(samples, counted([opened] * minutes), at(minutes), minutes)
    if opened + leaked > FACTOR * opened:
        assert (proof.verdict, proof.right(opened + leaked, 0)) == (Verdict.WRONG, opened)
    else:
        assert proof.verdict is Verdict.RIGHT


def test_the_worlds_have_both() -> None:
    """Else the two properties would say nothing."""
    verdicts = {judge(world(Random(seed)), 10).verdict for seed in range(400)}  # noqa: S311
    assert {Verdict.WRONG, Verdict.SUSPECT, Verdict.RIGHT} <= verdicts
