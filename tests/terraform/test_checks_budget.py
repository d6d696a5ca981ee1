"""The family `budget` on our own plans, and beside what Terraform itself adds up."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given

from temporal_dsql_deploy.capacity.connections import (
    Cluster,
    Pool,
    Service,
    at_once_by_limits,
    per_second_by_limits,
)
from temporal_dsql_deploy.checks import Judgement, Subject, Verdict, judge
from temporal_dsql_deploy.checks.budget import FAMILY
from temporal_dsql_deploy.plan import Plan, Resource
from tests.support import plans
from tests.terraform import test_connection_budget as shares

pytestmark = pytest.mark.needs("terraform")
Environment = dict[str, str]


def judged(plan: Plan) -> Judgement:
    return judge(Subject(plan), FAMILY.rules)


@pytest.mark.parametrize("name", plans.ALL)
def test_our_own_plans_stay_within_the_budget(name: str) -> None:
    """S2-6a, S3-17: and everything that is there is judged."""
    judgement = judged(plans.of(name))
    assert judgement.findings == ()
    assert {each.verdict for each in judgement.outcomes} == {Verdict.OK}
    off = "no role has reservoir mode on" in judgement.of("budget-reservoir-refill").seen
    assert off is ("DSQL_RESERVOIR_ENABLED" not in environment(plans.of(name), "history"))


@pytest.mark.parametrize("name", plans.ALL)
def test_the_sum_is_that_of_terraform(name: str) -> None:
    plan = plans.of(name)
    (told,) = (one for one in plan.of_type("terraform_data") if one.name == "connection_budget")
    (seen,) = judged(plan).of("budget-connection-rate").seen
    limit = environment(plan, "history").get("DSQL_DISTRIBUTED_RATE_LIMITER_LIMIT")
    assert seen == f"{limit or told['input']} of 100 connects per second"


@given(shares.clusters())
def test_both_count_the_same(drawn: shares.Cluster) -> None:
    """Whatever the replicas: what Terraform shares out is what the check adds up."""
    roles = shares.model(drawn)["roles"]
    cluster = Cluster(
        tuple(
            Service(
                name,
                Pool(50, rate=role["connection_rate_limit"], burst=role["connection_burst_limit"]),
                drawn["roles"][name]["replicas"],
                role["minimum_healthy_percent"],
                role["maximum_percent"],
            )
            for name, role in roles.items()
        )
    )
    for service in cluster.services:
        assert service.at_once == roles[service.name]["max_concurrent_tasks"]
    total = shares.model(drawn)["connects_per_second"]
    assert per_second_by_limits(cluster, lambda one: one.at_once) == total
    bursts = at_once_by_limits(cluster, lambda one: one.at_once)
    assert bursts <= max(10 * drawn["percent"], sum(one.at_once for one in cluster.services))


def environment(plan: Plan, role: str) -> Environment:
    return dict(plans.main_container(plans.tasks(plan)[f"temporal-{role}"]).environment)


def altered(plan: Plan, change: Callable[[str, Environment], None]) -> Plan:
    """The plan with another environment in each role."""
    found = {task.address: role for role in shares.WEIGHTS for task in [of_role(plan, role)]}
    resources = []
    for resource in plan.resources:
        role = found.get(resource.address)
        if role:
            containers = json.loads(resource["container_definitions"])
            pairs = {pair["name"]: pair["value"] for pair in containers[0]["environment"]}
            change(role, pairs)
            containers[0]["environment"] = [{"name": n, "value": v} for n, v in pairs.items()]
            text = json.dumps(containers)
            values = {**resource.values, "container_definitions": text}
            resources.append(replace(resource, values=values))
        else:
            resources.append(resource)
    return replace(plan, resources=tuple(resources))


def of_role(plan: Plan, role: str) -> Resource:
    return plans.tasks(plan)[f"temporal-{role}"]


def test_the_reference_s_rates_with_the_counts_of_prod() -> None:
    """S2-6a: 15, 8, 5 and 3 per second are more than 100 when a deployment adds tasks."""
    rates = {"history": "15", "matching": "8", "frontend": "5", "worker": "3"}

    def change(role: str, pairs: Environment) -> None:
        pairs["DSQL_CONNECTION_RATE_LIMIT"] = rates[role]

    (found,) = judged(altered(plans.of("prod"), change)).of("budget-connection-rate").findings
    assert found.resource == of_role(plans.of("prod"), "history").address
    assert "history 4 x 15" in found.evidence
    assert "matching 4 x 8" in found.evidence


def test_the_reference_s_lease_without_an_endpoint() -> None:
    """S3-17: without CLUSTER_ENDPOINT a lease counts nothing, in prod as anywhere."""

    def change(role: str, pairs: Environment) -> None:
        del pairs["CLUSTER_ENDPOINT"]

    findings = judged(altered(plans.of("prod"), change)).of("budget-lease").findings
    assert len(findings) == 4
    assert all(found.attribute.endswith(".CLUSTER_ENDPOINT") for found in findings)
    assert "endpoint is empty" in findings[0].symptom
