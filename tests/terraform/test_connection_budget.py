"""How DSQL's connects are shared out: hundreds of clusters in one run of Terraform.

The properties are tried on a model in Python, where Hypothesis shrinks what fails, and on what
Terraform works out for a sample of clusters, which has to be what the model says too.
"""

import json
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy.terraform import commands, find
from temporal_dsql_deploy.terraform.run import Terraform
from tests.terraform.readme import ROOT

MODULE = ROOT / "terraform" / "modules" / "connection-budget"
QUOTAS = {"connection_rate_limit": 100, "connection_burst_limit": 1000}
WEIGHTS = {"history": 15, "matching": 8, "frontend": 5, "worker": 3}
SURGES = {"matching", "frontend"}
EXAMPLES = 300
ROOT_MODULE = f"""
variable "clusters" {{
  type = any
}}

module "budget" {{
  source   = "{MODULE}"
  for_each = var.clusters

  roles      = each.value.roles
  rate_share = each.value.percent / 100
}}

output "budgets" {{
  value = module.budget
}}
"""
Cluster = dict[str, Any]
Budget = Mapping[str, Any]


@st.composite
def clusters(draw: st.DrawFn) -> Cluster:
    """Replicas of each role and the percentage that servers get, 70 for the most part."""
    replicas = st.one_of(st.integers(0, 12), st.integers(0, 120))
    roles = {role: {"replicas": draw(replicas)} for role in WEIGHTS}
    percent = draw(st.one_of(st.just(70), st.integers(1, 100)))
    return {"roles": roles, "percent": percent}


def model(cluster: Cluster) -> Budget:
    """What the module should work out, in another way: the lightest get one until that suffices."""
    roles = {}
    for name, role in cluster["roles"].items():
        count = role["replicas"]
        if count <= 1:
            low, high = 100, 200
        elif name in SURGES:
            low, high = 100, 150
        else:
            low, high = 100 - ceil(Fraction(100, count)), 100
        roles[name] = {
            "minimum_healthy_percent": low,
            "maximum_percent": high,
            "max_concurrent_tasks": max(1, count, count * high // 100),
        }
    tasks = {name: role["max_concurrent_tasks"] for name, role in roles.items()}
    for field, quota in QUOTAS.items():
        for name, limit in _limits(tasks, quota * cluster["percent"] // 100).items():
            roles[name][field] = limit
    return {
        "roles": roles,
        "connects_per_second": sum(
            tasks[name] * role["connection_rate_limit"] for name, role in roles.items()
        ),
        "connects_per_second_quota": 100,
        "connects_per_second_given": cluster["percent"],
    }


def _limits(tasks: Mapping[str, int], given_to_all: int) -> dict[str, int]:
    ones: set[str] = set()
    while True:
        sharing = set(tasks) - ones
        if not sharing:
            return dict.fromkeys(tasks, 1)
        left = given_to_all - sum(tasks[name] for name in ones)
        unit = Fraction(left, sum(tasks[name] * WEIGHTS[name] for name in sharing))
        lightest = min(sharing, key=lambda name: WEIGHTS[name])
        if unit * WEIGHTS[lightest] >= 1:
            return {name: 1 if name in ones else floor(unit * WEIGHTS[name]) for name in tasks}
        ones.add(lightest)


def holds(cluster: Cluster, budget: Budget) -> None:
    """The properties, whoever worked it out."""
    roles = budget["roles"]
    tasks = {name: role["max_concurrent_tasks"] for name, role in roles.items()}
    for field, quota in QUOTAS.items():
        given_to_all = quota * cluster["percent"] // 100
        limits = {name: role[field] for name, role in roles.items()}
        assert min(limits.values()) >= 1
        everyone = sum(limits[name] * tasks[name] for name in roles)
        # Where each task can have one within what is given, all together stay within it.
        assert everyone <= max(given_to_all, sum(tasks.values()))
        heaviest_first = sorted(WEIGHTS, key=lambda name: -WEIGHTS[name])
        assert all(limits[heavy] >= limits[light] for heavy, light in pairwise(heaviest_first))
    for name, role in roles.items():
        count = cluster["roles"][name]["replicas"]
        most = count * role["maximum_percent"] // 100
        least = ceil(Fraction(count * role["minimum_healthy_percent"], 100))
        assert 0 <= role["minimum_healthy_percent"] <= 100 <= role["maximum_percent"]
        assert most <= tasks[name]
        assert count <= tasks[name]
        # Room to start one before another stops, or to stop one first.
        assert count == 0 or most > least


@given(clusters())
def test_the_model_keeps_within_what_is_given(cluster: Cluster) -> None:
    holds(cluster, model(cluster))


def sample() -> dict[str, Cluster]:
    """Clusters that Hypothesis draws, the same in every run, simplest first."""
    drawn: dict[str, Cluster] = {}

    @settings(max_examples=EXAMPLES, derandomize=True, database=None, phases=[Phase.generate])
    @given(clusters())
    def draw(cluster: Cluster) -> None:
        drawn[json.dumps(cluster, sort_keys=True)] = cluster

    draw()
    size = {
        key: sum(role["replicas"] for role in cluster["roles"].values())
        for key, cluster in drawn.items()
    }
    return {key: drawn[key] for key in sorted(drawn, key=lambda key: (size[key], key))}


def worked_out(directory: Path, cases: Mapping[str, Cluster]) -> dict[str, Budget]:
    """What Terraform works out, in one plan."""
    (directory / "main.tf").write_text(ROOT_MODULE)
    numbered = {f"{index:04}": cluster for index, cluster in enumerate(cases.values())}
    values = directory / "values.tfvars.json"
    values.write_text(json.dumps({"clusters": numbered}))
    terraform = Terraform(find.find(), directory)
    terraform.run(commands.init())
    plan = directory / "plan"
    terraform.run(commands.plan(out=plan, var_files=[values]))
    outputs = terraform.document(commands.show(plan))["planned_values"]["outputs"]
    budgets = outputs["budgets"]["value"]
    return {key: budgets[number] for key, number in zip(cases, numbered, strict=True)}


@pytest.mark.needs("terraform")
def test_terraform_works_out_what_the_model_says(tmp_path: Path) -> None:
    cases = sample()
    assert len(cases) >= 100
    # The simplest one that is wrong is the first.
    for key, budget in worked_out(tmp_path, cases).items():
        holds(cases[key], budget)
        assert budget == model(cases[key]), key


@pytest.mark.needs("terraform")
def test_what_is_set_by_hand_is_left_alone(tmp_path: Path) -> None:
    sizes: dict[str, dict[str, int]] = {name: {"replicas": 2} for name in WEIGHTS}
    sizes["worker"] |= {"connection_rate_limit": 4, "connection_burst_limit": 5}
    sizes["matching"] |= {"minimum_healthy_percent": 0, "maximum_percent": 300}
    by_hand = {"by hand": {"roles": sizes, "percent": 70}}
    roles = worked_out(tmp_path, by_hand)["by hand"]["roles"]
    assert roles["worker"]["connection_rate_limit"] == 4
    assert roles["worker"]["connection_burst_limit"] == 5
    assert roles["matching"]["minimum_healthy_percent"] == 0
    assert roles["matching"]["max_concurrent_tasks"] == 6
