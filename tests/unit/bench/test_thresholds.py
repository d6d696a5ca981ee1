"""Thresholds decide whether a run has passed, and results are JSON that says what they say."""

import json
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from temporal_dsql_deploy.bench.results import BenchResult, Counts, Results, Thresholds
from temporal_dsql_deploy.bench.thresholds import missed
from tests.support.bench_results import Load, result

RESULT: TypeAdapter[BenchResult] = TypeAdapter(BenchResult)
LATENCIES = st.floats(0, 1e7)
RATES = st.floats(0, 2000)
SHARES = st.floats(0, 1)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PLAIN = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | FINITE | TEXT


@cache
def base() -> BenchResult:
    return result(Load(seconds=3, rate=5))


def results(p99: float, rate: float, success: float, *, count: int = 10) -> Results:
    whole = base().results
    return replace(
        whole,
        latency=replace(whole.latency, p99=p99, count=count),
        actual_rate=rate,
        success_rate=success,
    )


def counts(lost: int = 0) -> Counts:
    return replace(base().iterations[0].counts, lost=lost)


@given(
    st.tuples(LATENCIES, RATES, SHARES),
    st.builds(Thresholds, LATENCIES, RATES, SHARES),
    st.lists(st.integers(0, 5), max_size=4),
)
def test_a_run_fails_exactly_when_a_threshold_is_missed(
    measured: tuple[float, float, float], asked: Thresholds, lost: list[int]
) -> None:
    """Feature: benchmark, Property 10: threshold logic: a reason for each one, and for no other."""
    reasons = missed(asked, results(*measured), [counts(one) for one in lost])
    p99, rate, success = measured
    expected = [
        ("p99 latency", p99 > asked.max_p99_latency_ms),
        ("throughput", rate < asked.min_throughput),
        ("due completed", success < asked.min_success_rate),
        (f"{sum(lost)} workflows were confirmed", sum(lost) > 0),
    ]
    named = [part for part, is_missed in expected if is_missed]
    assert len(reasons) == len(named)
    assert all(part in reason for part, reason in zip(named, reasons, strict=True))


@given(LATENCIES, RATES, SHARES)
def test_what_is_just_met_is_met(p99: float, rate: float, success: float) -> None:
    """Feature: benchmark, Property 10: threshold logic: the bounds themselves are good enough."""
    assert not missed(Thresholds(p99, rate, success), results(p99, rate, success), [counts()])


@given(LATENCIES, RATES, SHARES, st.floats(1, 10), st.integers(0, 5))
def test_a_better_run_is_never_judged_worse(
    p99: float, rate: float, success: float, factor: float, lost: int
) -> None:
    """Feature: benchmark, Property 10: threshold logic: it is monotone in what was measured."""
    asked = Thresholds(5000, 50, 0.99)
    worse = missed(asked, results(p99, rate, success), [counts(lost)])
    better = results(p99 / factor, rate * factor, min(1, success * factor))
    assert len(missed(asked, better, [counts(0)])) <= len(worse)


@given(LATENCIES)
def test_a_run_without_any_completion_fails_whatever_is_asked(max_p99: float) -> None:
    """Feature: benchmark, Property 10: threshold logic: no latency is not a good latency."""
    nothing = results(0.0, 0.0, 0.0, count=0)
    assert missed(Thresholds(max_p99, 0, 0), nothing, [counts()]) == ["no workflow completed"]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (Thresholds(1999, 0, 0), "p99 latency 2000 ms is above 1999 ms"),
        (Thresholds(9999, 50, 0), "throughput 49.5/s is below 50/s"),
        (Thresholds(9999, 0, 0.99), "98.50% of the workflows that were due completed, not 99.00%"),
    ],
)
def test_a_reason_says_what_was_measured_and_what_was_asked(asked: Thresholds, reason: str) -> None:
    assert missed(asked, results(2000, 49.5, 0.985), [counts()]) == [reason]


@cache
def schema() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(RESULT.json_schema(by_alias=True, mode="serialization"))


def dumped(made: BenchResult) -> Any:
    return json.loads(RESULT.dump_json(made, by_alias=True))


def of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value that a field of a result may have by its type."""
    if isinstance(hint, type) and is_dataclass(hint):
        return st.builds(hint, **{name: of(kind) for name, kind in fields_of(hint)})
    arguments = get_args(hint)
    if get_origin(hint) is list:
        return st.lists(of(arguments[0]), max_size=2)
    if get_origin(hint) is dict:
        return st.dictionaries(TEXT, of(arguments[1]), max_size=3)
    if arguments:
        return st.one_of(*(of(one) for one in arguments))
    return PLAINLY[hint]


PLAINLY: dict[Any, st.SearchStrategy[Any]] = {
    Any: PLAIN,
    bool: st.booleans(),
    datetime: st.datetimes(timezones=st.just(UTC)),
    float: FINITE,
    int: st.integers(-(2**53), 2**53),
    str: TEXT,
    type(None): st.none(),
}


def fields_of(kind: Any) -> list[tuple[str, Any]]:
    hints = get_type_hints(kind)
    return [(one.name, hints[one.name]) for one in fields(kind)]


@given(of(BenchResult))
def test_any_result_is_json_of_its_own_schema_and_comes_back_the_same(made: BenchResult) -> None:
    """Feature: benchmark, Property 9: JSON validity: whatever the fields are."""
    document = dumped(made)
    schema().validate(document)
    assert RESULT.validate_python(document) == made


def test_a_result_is_json_of_its_own_schema() -> None:
    """Feature: benchmark, Property 9: JSON validity: of what a whole run gives."""
    made = result(Load(iterations=2, dropped=0.1, rejected=0.1, failed=0.1, lost=1, away=(8, 11)))
    document = dumped(made)
    schema().validate(document)
    assert RESULT.validate_python(document) == made
    assert {"actualRate", "stateTransitions"} <= document["results"].keys()
    assert document["results"]["latency"].keys() >= {"p50", "p95", "p99", "max"}
