"""Comparing two benchmarks: what counts as a difference, and what as noise."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from statistics import NormalDist, fmean
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from temporal_dsql_deploy.bench import compare
from temporal_dsql_deploy.bench.compare import BETTER, NOTHING, TOO_FEW, UNSEEN, WORSE
from temporal_dsql_deploy.bench.results import BenchResult, Iteration
from tests.support.bench_results import Load, result

FIGURES = [
    *["throughput", "success rate", "p50 latency", "p95 latency", "p99 latency"],
    *["p99 start latency", "generator and worker CPU per workflow"],
    *["server CPU per workflow", "state transitions"],
]
VALUES = st.floats(0.5, 500, allow_nan=False)
SAMPLES = st.lists(VALUES, min_size=1, max_size=6)
NOISY = st.lists(VALUES, min_size=2, max_size=6)


@cache
def base() -> BenchResult:
    return result(Load(seconds=3, rate=5.0))


def iteration(value: float) -> Iteration:
    """One whose figures all follow from one value."""
    one = base().iterations[0]
    latency = replace(one.latency, p50=value, p95=2 * value, p99=3 * value)
    return replace(
        one,
        throughput=value,
        success_rate=value / 1000,
        latency=latency,
        start_latency=replace(latency, p99=value / 2),
        series=[
            replace(second, generator_cpu=value / 100, worker_cpu=value / 50, server_cpu=value / 20)
            for second in one.series
        ],
        state_transitions_per_second=3 * value,
    )


def run(values: Sequence[float], **config: Any) -> BenchResult:
    one = base()
    options = {**one.config.options, **config}
    return replace(
        one,
        iterations=[iteration(value) for value in values],
        config=replace(one.config, options=options, workflow_type=options["workload"]),
    )


def verdicts(a: BenchResult, b: BenchResult) -> dict[str, str]:
    return {one.name: one.verdict for one in compare.compare(a, b).metrics}


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [
        (1, 12.7062047364),
        (2, 4.30265272991),
        (3, 3.18244630528),
        (5, 2.57058183661),
        (10, 2.22813885196),
        (30, 2.04227245630),
        (100, 1.98397151845),
    ],
)
def test_quantiles_of_t_are_those_of_the_tables(freedom: int, quantile: float) -> None:
    assert compare.student_t(0.975, freedom) == pytest.approx(quantile, rel=1e-9)


@given(st.floats(0.5, 0.9999))
def test_t_is_known_in_closed_form_for_one_and_two_and_without_end(probability: float) -> None:
    of_one = math.tan(math.pi * (probability - 0.5))
    of_two = (2 * probability - 1) / math.sqrt(2 * probability * (1 - probability))
    assert compare.student_t(probability, 1) == pytest.approx(of_one, rel=1e-6, abs=1e-6)
    assert compare.student_t(probability, 2) == pytest.approx(of_two, rel=1e-6, abs=1e-6)
    normal = NormalDist().inv_cdf(probability)
    assert compare.student_t(probability, 1e7) == pytest.approx(normal, rel=1e-4, abs=1e-4)


@given(st.floats(1, 200), st.floats(1, 200))
def test_more_degrees_of_freedom_never_widen_the_bounds(one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert compare.student_t(0.975, less) >= compare.student_t(0.975, more) * (1 - 1e-9)


def test_welchs_bound_is_the_one_of_the_textbook() -> None:
    """Worked by hand: variances 2.5 and 3.6 of five each: u=0.5, w=0.72."""
    freedom = 1.22**2 / (0.5**2 / 4 + 0.72**2 / 4)
    expected = compare.student_t(0.975, freedom) * math.sqrt(1.22)
    assert compare.bound([10, 11, 12, 9, 8], [20, 21.2, 22.4, 18.8, 17.6]) == pytest.approx(
        expected
    )


@given(SAMPLES)
def test_a_benchmark_does_not_differ_from_itself(values: list[float]) -> None:
    same = run(values)
    found = compare.compare(same, same)
    expected = NOTHING if len(values) > 1 else TOO_FEW
    assert {one.name: one.verdict for one in found.metrics} == dict.fromkeys(FIGURES, expected)
    assert [one.difference for one in found.metrics] == [0.0] * len(FIGURES)
    assert found.same_load
    assert not found.settings


@given(SAMPLES, SAMPLES)
def test_the_other_way_round_is_the_reverse(a: list[float], b: list[float]) -> None:
    there, back = compare.compare(run(a), run(b)), compare.compare(run(b), run(a))
    reverse = {BETTER: WORSE, WORSE: BETTER}
    for one, other in zip(there.metrics, back.metrics, strict=True):
        assert one.difference is not None
        assert other.difference == -one.difference
        assert other.noise == one.noise
        assert other.verdict == reverse.get(one.verdict, one.verdict)


def noisier(values: Sequence[float], factor: float) -> list[float]:
    """The same mean, and deviations from it that many times as large."""
    mean = fmean(values)
    return [mean + factor * (value - mean) for value in values]


@given(NOISY, NOISY, st.floats(1, 50), st.floats(1, 50))
@example([100.0, 101.0], [100.0 + i / 1000 for i in range(6)], 1.0, 50.0)
@example([10.0, 11.0], [16.0, 16.0, 16.0, 16.0, 16.0, 16.0], 1.0, 9.0)
def test_more_noise_never_makes_a_difference(
    a: list[float], b: list[float], more_a: float, more_b: float
) -> None:
    """Also when one side alone gets noisier, where Welch's own bound can shrink."""
    before = verdicts(run(a), run(b))
    after = verdicts(run(noisier(a, more_a)), run(noisier(b, more_b)))
    shown = {name for name, verdict in after.items() if verdict != NOTHING}
    assert shown <= {name for name, verdict in before.items() if verdict != NOTHING}


def test_welchs_own_bound_does_shrink_with_more_noise() -> None:
    """Why the bound is more than Welch's: this is what would make noise into a difference."""
    a, b = [10.0, 11.0], [16.0 + 0.6 * (-1) ** index for index in range(100)]

    def welch(one: Sequence[float], other: Sequence[float]) -> float:
        u, w = (
            sum((x - fmean(it)) ** 2 for x in it) / (len(it) - 1) / len(it) for it in (one, other)
        )
        freedom = (u + w) ** 2 / (u**2 / (len(one) - 1) + w**2 / (len(other) - 1))
        return compare.student_t(0.975, freedom) * math.sqrt(u + w)

    assert welch(a, noisier(b, 9)) < welch(a, b)
    ours, noisy = compare.bound(a, b), compare.bound(a, noisier(b, 9))
    assert ours is not None
    assert noisy is not None
    assert noisy >= ours


def test_a_difference_beyond_the_noise_is_better_or_worse_by_what_is_good() -> None:
    found = compare.compare(run([100, 101, 99]), run([150, 151, 149]))
    assert {one.name: one.verdict for one in found.metrics} == {
        "throughput": BETTER,
        "success rate": BETTER,
        "p50 latency": WORSE,
        "p95 latency": WORSE,
        "p99 latency": WORSE,
        "p99 start latency": WORSE,
        "generator and worker CPU per workflow": WORSE,
        "server CPU per workflow": WORSE,
        "state transitions": BETTER,
    }
    first = found.metrics[0]
    assert (first.a, first.b, first.difference, first.percent) == (100, 150, 50, 50)
    assert first.noise == pytest.approx(compare.student_t(0.975, 2) * math.sqrt(1 / 3))
    assert "better in throughput (+50.0 %)" in found.sentence
    assert "worse in p50 latency (+50.0 %)" in found.sentence


def test_one_iteration_shows_nothing() -> None:
    found = compare.compare(run([100]), run([500, 501, 502]))
    assert {one.verdict for one in found.metrics} == {TOO_FEW}
    assert found.metrics[0].percent == pytest.approx(401)
    assert "--iterations" in found.sentence


def test_what_was_not_seen_is_not_judged() -> None:
    blind = run([100, 101, 99])
    series = [replace(one, server_cpu=None) for one in blind.iterations[0].series]
    blind = replace(blind, iterations=[replace(one, series=series) for one in blind.iterations])
    assert verdicts(run([100, 101, 99]), blind)["server CPU per workflow"] == UNSEEN


def test_a_run_that_completed_nothing_has_no_latency_to_be_better_with() -> None:
    dead = base().iterations[0]
    none = replace(dead.latency, count=0, p50=0, p95=0, p99=0)
    counts = replace(dead.counts, completed=0)
    dead = replace(dead, latency=none, start_latency=none, counts=counts, throughput=0)
    found = verdicts(run([100, 101]), replace(base(), iterations=[dead, dead]))
    assert [name for name in FIGURES if found[name] == UNSEEN] == FIGURES[2:8]


def test_another_load_is_said_to_be_one() -> None:
    same = run([100, 101, 99])
    found = compare.compare(same, run([100, 101, 99], rate=50.0, workflow_slots=20))
    assert not found.same_load
    assert [(one.name, one.b) for one in found.settings] == [
        ("--rate", 50),
        ("--workflow-slots", 20),
    ]
    assert found.cautions == ["they were not given the same load: --rate 5.0 and 50.0"]
    assert found.sentence.endswith("; but they were not given the same load.")


def test_another_server_is_named_and_is_no_other_load() -> None:
    one = run([100, 101, 99])
    system = replace(one.system, server_version="1.33.0", environment="dev")
    found = compare.compare(one, replace(one, system=system))
    assert {it.name: (it.a, it.b) for it in found.settings} == {
        "server_version": ("1.32.2", "1.33.0"),
        "environment": ("local", "dev"),
    }
    assert found.same_load


def test_an_option_that_the_workload_does_not_heed_is_no_other_load() -> None:
    a, b = run([100, 101], child_count=3), run([100, 101], child_count=5)
    assert compare.compare(a, b).same_load
    mix = "simple=3,child-workflow=1"
    a, b = (run([100, 101], workload=mix, child_count=count) for count in (3, 5))
    assert not compare.compare(a, b).same_load


def test_a_generator_that_could_not_follow_is_a_caution() -> None:
    one = run([100, 101])
    counts = replace(one.iterations[0].counts, due=100, dropped=7)
    late = replace(one, id="late", iterations=[replace(it, counts=counts) for it in one.iterations])
    (caution,) = compare.compare(one, late).cautions
    assert caution.startswith("late: its generator dropped 14 of 200 starts, so the cluster had")


def test_cpu_is_that_of_all_seconds_for_each_completed_workflow() -> None:
    one = run([100, 100])
    seconds, completed = len(one.iterations[0].series), one.iterations[0].counts.completed
    by_name = {it.name: it for it in compare.compare(one, one).metrics}
    client = by_name["generator and worker CPU per workflow"].a
    assert client == pytest.approx(1000 * seconds * (1 + 2) / completed)
    assert by_name["server CPU per workflow"].a == pytest.approx(1000 * seconds * 5 / completed)
