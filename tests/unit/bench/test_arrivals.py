"""When workflows are due."""

import itertools
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from temporal_dsql_deploy.bench import arrivals, options
from temporal_dsql_deploy.bench.arrivals import Curve
from temporal_dsql_deploy.bench.generator import Task
from temporal_dsql_deploy.bench.option import Duration
from temporal_dsql_deploy.bench.options import Settings

RATES = st.floats(1, 1000)
RAMPS = st.integers(0, 600_000).map(lambda milliseconds: milliseconds / 1000)


def _settings(rate: float, duration: float, ramp_up: float, kind: str = "constant") -> Settings:
    given = {"rate": rate, "duration": Duration(duration), "ramp_up": Duration(ramp_up)}
    return options.settings({**given, "arrivals": kind}, now="now")


LOADS = st.builds(
    _settings,
    rate=st.floats(1, 40),
    duration=st.integers(10_000, 20_000).map(lambda milliseconds: milliseconds / 1000),
    ramp_up=st.integers(0, 9_000).map(lambda milliseconds: milliseconds / 1000),
    kind=st.sampled_from(["constant", "poisson"]),
)


@given(rate=RATES, ramp_up=RAMPS, seconds=st.lists(st.floats(0, 3600), min_size=2))
def test_the_rate_never_falls_and_ends_at_the_target(
    rate: float, ramp_up: float, seconds: list[float]
) -> None:
    """Feature: benchmark, Property 5: ramp-up monotone."""
    curve = Curve(rate, ramp_up)
    rates = [curve.rate_at(second) for second in sorted(seconds)]
    assert all(a <= b * (1 + 1e-12) for a, b in itertools.pairwise(rates))
    assert curve.rate_at(ramp_up) == rate
    assert curve.rate_at(0) == (max(rate / 10, 1) if ramp_up else rate)


@given(rate=RATES, ramp_up=RAMPS, second=st.floats(0, 3600))
@example(rate=1.0000000000000002, ramp_up=1.001, second=1.0)
def test_when_so_many_are_due_is_the_inverse_of_how_many_are_due(
    rate: float, ramp_up: float, second: float
) -> None:
    curve = Curve(rate, ramp_up)
    assert math.isclose(curve.second_of(curve.due_by(second)), second, rel_tol=1e-6, abs_tol=1e-6)


@given(settings=LOADS, seed=st.integers(0, 1000))
def test_as_many_are_due_as_the_rate_says(settings: Settings, seed: int) -> None:
    """Feature: benchmark, Property 3: rate within tolerance.

    Evenly spaced: to one workflow. Poisson: within six standard deviations, which one in a
    billion runs exceeds.
    """
    curve = Curve(settings.rate, settings.ramp_up.seconds)
    expected = curve.due_by(settings.duration.seconds)
    found = sum(1 for _ in arrivals.due(settings, seed=seed))
    slack = 1.0 if settings.arrivals == "constant" else 6 * math.sqrt(expected) + 1
    assert abs(found - expected) <= slack


@given(settings=LOADS, seed=st.integers(0, 1000))
def test_all_are_due_in_order_and_within_the_duration(settings: Settings, seed: int) -> None:
    """Feature: benchmark, Property 4: duration. What is due is due within it, and up to its end."""
    times = list(arrivals.due(settings, seed=seed))
    assert times == sorted(times)
    assert all(0 <= one < settings.duration.seconds for one in times)
    if settings.arrivals == "constant":
        assert settings.duration.seconds - times[-1] <= 1 / settings.rate + 1e-6


@given(settings=LOADS, seed=st.integers(0, 1000))
def test_a_seed_is_a_load(settings: Settings, seed: int) -> None:
    assert list(arrivals.due(settings, seed=seed)) == list(arrivals.due(settings, seed=seed))


def test_random_arrivals_are_as_random_as_poisson_ones() -> None:
    """Their gaps vary as much as they last: the coefficient of variation is 1."""
    settings = _settings(1000, 30, 0, "poisson")
    times = list(arrivals.due(settings, seed=7))
    gaps = [b - a for a, b in itertools.pairwise(times)]
    mean = sum(gaps) / len(gaps)
    deviation = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
    assert deviation / mean == pytest.approx(1, abs=0.02)


@given(settings=LOADS, generators=st.integers(1, 16), seed=st.integers(0, 100))
def test_generators_share_the_workflows_without_gap_or_overlap(
    settings: Settings, generators: int, seed: int
) -> None:
    from dataclasses import replace

    shared = replace(settings, generators=generators)
    tasks = [Task("", shared, "q", "p", seed, index) for index in range(generators)]
    taken = sorted(one for task in tasks for one in task.mine())
    assert [number for number, _, _ in taken] == list(range(len(taken)))
    assert [second for _, second, _ in taken] == list(arrivals.due(settings, seed=seed))
    sizes = [sum(1 for _ in task.mine()) for task in tasks]
    assert max(sizes) - min(sizes) <= 1
