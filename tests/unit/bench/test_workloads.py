"""Kinds of workflows and mixes of them."""

from collections import Counter
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.bench import options, workflows, workloads
from temporal_dsql_deploy.bench.options import WORKLOADS
from temporal_dsql_deploy.errors import InvalidSetting

WEIGHTS = st.dictionaries(st.sampled_from(WORKLOADS), st.integers(1, 100), min_size=1)


@given(weights=WEIGHTS, seed=st.integers(0, 10_000))
def test_only_what_is_asked_for_is_run_in_about_the_asked_shares(
    weights: dict[str, int], seed: int
) -> None:
    """Feature: benchmark, Property 2: type isolation."""
    text = ",".join(f"{name}={weight}" for name, weight in weights.items())
    count = 1000
    run = Counter(islice(workloads.parse(text).kinds(seed=seed), count))
    assert set(run) <= set(weights)
    total = sum(weights.values())
    for name, weight in weights.items():
        share = weight / total
        # Six standard deviations of a draw.
        slack = 6 * (count * share * (1 - share)) ** 0.5 + 1
        assert abs(run[name] - count * share) <= slack


def test_a_mix_of_its_own_weight_is_just_that() -> None:
    assert workloads.parse("timer").weights == {"timer": 1}
    assert workloads.parse("simple=3, timer").weights == {"simple": 3, "timer": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "workload ''"),
        ("sample", "known: simple"),
        ("simple,simple=2", "twice"),
        ("simple=", "is no number"),
        ("simple=0", "not above 0"),
        ("simple=-1", "not above 0"),
        ("simple=inf", "not above 0"),
        ("simple=nan", "not above 0"),
    ],
)
def test_what_is_no_mix_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        workloads.parse(text)
    assert said in refused.value.cause


@pytest.mark.parametrize("kind", WORKLOADS)
def test_every_kind_has_a_workflow_and_its_arguments(kind: str) -> None:
    settings = options.settings({"activity_count": 7, "child_count": 4}, now="now")
    (made,) = [
        one
        for one in workflows.ALL
        if one.__temporal_workflow_definition.name == kind  # type: ignore[attr-defined]
    ]
    needed = made.run.__code__.co_argcount - 1  # type: ignore[attr-defined]
    assert len(workloads.arguments(settings, kind)) == needed
