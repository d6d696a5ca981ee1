"""Histograms: what goes in comes out, to three digits, from however many processes."""

import math

from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.bench.recorder import PERCENTILES, Histogram, merged
from temporal_dsql_deploy.bench.results import Latency

SECONDS = st.lists(st.floats(0.000_01, 3600), min_size=1, max_size=200)


def _of(seconds: list[float]) -> Histogram:
    made = Histogram()
    for one in seconds:
        made.record(one)
    return made


@given(seconds=SECONDS)
def test_percentiles_are_in_order(seconds: list[float]) -> None:
    """Feature: benchmark, Property 7: percentile order."""
    latency = Latency.of(_of(seconds))
    ordered = [latency.p50, latency.p90, latency.p95, latency.p99, latency.p999, latency.max]
    assert ordered == sorted(ordered)
    assert latency.count == len(seconds)


@given(seconds=SECONDS, percent=st.floats(0.1, 100))
def test_a_percentile_is_that_of_the_values_to_three_digits(
    seconds: list[float], percent: float
) -> None:
    exact = sorted(seconds)[max(0, math.ceil(len(seconds) * percent / 100) - 1)]
    found = _of(seconds).percentile(percent)
    # The histogram rounds the rank, so a percentile between two values may be either of them.
    near = sorted(seconds)
    candidates = [exact, *near[max(0, near.index(exact) - 1) : near.index(exact) + 2]]
    assert any(math.isclose(found, one, rel_tol=2e-3, abs_tol=2e-6) for one in candidates)


@given(parts=st.lists(SECONDS, min_size=1, max_size=6))
def test_merging_processes_is_as_recording_in_one(parts: list[list[float]]) -> None:
    whole = _of([one for part in parts for one in part])
    together = merged(_of(part).encode() for part in parts)
    assert together.percentiles(PERCENTILES) == whole.percentiles(PERCENTILES)
    assert together.count == whole.count
    assert math.isclose(together.mean, whole.mean)


@given(seconds=SECONDS)
def test_what_is_written_is_read(seconds: list[float]) -> None:
    made = _of(seconds)
    assert Histogram(made.encode()).encode() == made.encode()


def test_nothing_recorded_is_nothing() -> None:
    made = Histogram()
    assert made.encode() == ""
    assert Latency.of(made).max == Latency.of(made).p50 == 0
    made.record(5, times=0)
    assert made.max == 0


def test_what_is_out_of_range_counts_as_its_end() -> None:
    made = _of([-1, 1e9])
    assert made.count == 2
    assert made.percentile(1) < 0.000_01
    assert made.max > 7000


@given(seconds=SECONDS)
def test_the_mean_is_that_of_the_values(seconds: list[float]) -> None:
    assert math.isclose(_of(seconds).mean, sum(seconds) / len(seconds), rel_tol=2e-3, abs_tol=1e-6)
