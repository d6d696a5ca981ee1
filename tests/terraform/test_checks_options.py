"""Pairs of what a user may choose: a seeded sample is planned, and no rule has anything to say."""

from itertools import combinations
from pathlib import Path
from random import Random

import pytest

from temporal_dsql_deploy.checks import registry
from tests.campaign import options as campaign
from tests.support import options, plans
from tests.support.options import EXCLUDED, OPTIONS

SEED = 1
SAMPLE = 4
"""Of each environment."""


@pytest.mark.needs("terraform")
@pytest.mark.parametrize("environment", plans.ENVIRONMENTS)
def test_no_rule_finds_anything_in_what_a_user_may_choose(environment: str) -> None:
    cases = [one for one in options.covering(SEED).cases if one["environment"] == environment]
    chosen = Random(SEED).sample(cases, SAMPLE)  # noqa: S311 - a seed makes it repeatable
    results = campaign.judged(chosen)
    assert {one.name: (one.refused, one.findings) for one in results} == {
        one.name: ("", ()) for one in results
    }
    # And not because nothing was judged.
    assert all(len(one.skipped) < len(registry.rules()) / 2 for one in results)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_pair_of_choices_is_in_a_case_or_excluded_with_a_reason(seed: int) -> None:
    array = options.covering(seed)
    held = {pair for case in array.cases for pair in options.pairs(case)}
    wanted = {
        frozenset(((one, value), (other, more)))
        for one, other in combinations(OPTIONS, 2)
        for value in OPTIONS[one]
        for more in OPTIONS[other]
    }
    assert wanted - held == set(EXCLUDED)
    assert array.impossible == set(EXCLUDED)
    assert not held & set(EXCLUDED)


def test_a_covering_array_is_small_and_the_same_for_the_same_seed() -> None:
    one, again, other = (options.covering(seed) for seed in (1, 1, 2))
    assert one == again
    assert one != other
    most = sorted(len(values) for values in OPTIONS.values())[-2:]
    # No array can be smaller than the two largest options ask for.
    assert most[0] * most[1] <= len(one.cases) <= 2.5 * most[0] * most[1]


def test_every_variable_that_a_user_may_set_is_an_option() -> None:
    """All but names, accounts and places that stand in terraform.tfvars."""
    text = (plans.TERRAFORM / "envs" / "dev" / "variables.tf").read_text()
    declared = {line.split('"')[1] for line in text.splitlines() if line.startswith("variable ")}
    chosen = {
        name for values in OPTIONS.values() for variables in values.values() for name in variables
    }
    given = {"temporal_image", "temporal_admin_tools_image", "account_id"}
    names = {"project_name", "region", "opensearch_visibility_index", "tags"}
    assert declared - chosen == given | names


def test_variables_of_several_options_are_put_together() -> None:
    first = {option: next(iter(values)) for option, values in OPTIONS.items()}
    chosen = {**first, "limiter": "on", "connections": "20", "collector": "alloy"}
    made = options.variables(chosen)
    assert made["connections"] == {
        "rate_limiter_enabled": True,
        "max_conns": 20,
        "rate_share": 0.5,
    }
    assert made["telemetry"] == {"collector": "alloy"}


def test_cases_that_were_planned_are_not_planned_again(tmp_path: Path) -> None:
    done = [
        campaign.Result(dict(case), "", (), ("fit-rest",)) for case in options.covering(3).cases
    ]
    progress = tmp_path / "progress.jsonl"
    progress.write_text("".join(campaign.line(one) for one in done))
    assert campaign.run(progress, lambda _: None, seed=3) == done
    page = campaign.report(done, date="2026-11-21", seed=3)
    assert "**0 sets with a finding, 0 refused.**" in page
    bad = campaign.Result(done[0].chosen, "", ("fit-rest: x y: z",), ())
    assert "  - fit-rest: x y: z" in campaign.report([bad], date="2026-11-21", seed=3)
