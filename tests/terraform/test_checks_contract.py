"""The family `contract` on our own plans, and on them with one variable gone."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from temporal_dsql_deploy.checks import Judgement, Subject, Verdict, judge
from temporal_dsql_deploy.checks.contract import FAMILY
from temporal_dsql_deploy.plan import Plan, Resource
from temporal_dsql_deploy.topology import load
from tests.support import plans

pytestmark = [pytest.mark.needs("terraform"), pytest.mark.timeout(600)]
SAME_WITHOUT = {
    "BIND_ON_IP": "the entrypoint listens on 0.0.0.0 by itself",
    "TEMPORAL_LOG_LEVEL": "info by itself",
    "REGION": "AWS_REGION is read in its place",
    "DSQL_STAGGERED_STARTUP": "true by itself",
    "DSQL_STAGGERED_STARTUP_MAX_DELAY": "5s by itself",
    "DSQL_RESERVOIR_BASE_LIFETIME": "11m by itself",
    "DSQL_RESERVOIR_LIFETIME_JITTER": "2m by itself",
    "DSQL_RESERVOIR_GUARD_WINDOW": "45s by itself",
    "DSQL_RESERVOIR_INITIAL_FILL_TIMEOUT": "30s by itself",
    "DSQL_DISTRIBUTED_CONN_LIMIT": "10000 by itself",
}
"""What a role does without a variable is what it does with ours."""
OF_THE_BUDGET = {"DSQL_CONNECTION_RATE_LIMIT", "DSQL_CONNECTION_BURST_LIMIT"}
"""Their defaults are right or wrong by the sum over all tasks."""


def judged(plan: Plan) -> Judgement:
    return judge(Subject(plan), FAMILY.rules)


@pytest.mark.parametrize("name", plans.ALL)
def test_our_own_plans_keep_the_contract(name: str) -> None:
    judgement = judged(plans.of(name))
    assert judgement.findings == ()
    variant = plans.VARIANTS[name]
    skipped = {each.rule.id.split("-")[1] for each in judgement.outcomes if _skipped(each.verdict)}
    # No plan of ours carries a configuration file: the image does.
    optional = {"config", "dynamic"}
    if not variant.benchmark:
        optional.add("benchmark")
    if not variant.ui:
        optional |= {"ui", "connect", "frontend"}
    if not variant.grafana:
        optional.add("grafana")
    if not variant.loki:
        optional.add("loki")
    if name == "brought":
        optional |= {"sql", "visibility"}
    assert skipped <= optional


def _skipped(verdict: Verdict) -> bool:
    return verdict is Verdict.SKIP


def _roles(plan: Plan) -> Iterator[tuple[str, Resource]]:
    tasks = plans.tasks(plan)
    for role in plans.ROLES:
        yield role, tasks[f"temporal-{role}"]


def _without(plan: Plan, task: Resource, variable: str) -> Plan:
    definitions = json.loads(task["container_definitions"])
    pairs = definitions[0]["environment"]
    definitions[0]["environment"] = [pair for pair in pairs if pair["name"] != variable]
    values = {**task.values, "container_definitions": json.dumps(definitions)}
    altered = replace(task, values=values)
    resources = tuple(altered if each is task else each for each in plan.resources)
    return replace(plan, resources=resources)


@pytest.mark.parametrize("name", ["dev", "isolated"])
def test_a_variable_that_is_gone_is_found(name: str) -> None:
    """Of each role and of each variable, but those without which all is as before."""
    plan = plans.of(name)
    unseen: set[str] = set()
    for role, task in _roles(plan):
        for variable in plans.main_container(task).environment:
            found = judged(_without(plan, task, variable)).findings
            if not found:
                unseen.add(variable)
            elif role != "history" or variable != "TEMPORAL_SERVICES":
                here = [each for _, each in found if each.resource == task.address]
                assert here, (role, variable)
    equivalent = {*SAME_WITHOUT, *OF_THE_BUDGET}
    present = set(plans.main_container(plans.tasks(plan)["temporal-history"]).environment)
    assert unseen == equivalent & present


def test_what_a_role_does_without_a_variable_is_what_the_contract_says() -> None:
    plugin, runtime = load().environment, load().runtime
    for variable, reason in SAME_WITHOUT.items():
        known = plugin.get(variable) or runtime[variable]
        default = known.default
        assert default is None or str(default).lower() in reason, variable
