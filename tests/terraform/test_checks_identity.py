"""The family `identity` over our own plans: nothing to find, and every action that is gone is."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from temporal_dsql_deploy.checks import Judgement, Subject, judge
from temporal_dsql_deploy.checks.identity import FAMILY
from temporal_dsql_deploy.plan import Plan, Resource
from tests.support import plans
from tests.support.mutants.model import with_values

pytestmark = [pytest.mark.needs("terraform"), pytest.mark.timeout(600)]
everywhere = pytest.mark.parametrize("name", plans.ALL)
some = pytest.mark.parametrize("name", ["dev", "bench", "adot"])

# What is granted and not needed by what the plan shows: place (role, action), and why.
NOT_NEEDED = {
    r"grafana-execution (ecr:.*|ssm:GetParameters|kms:Decrypt)": "Grafana's own image is public, "
    "and its secret has AWS's own key: one list of statements serves both execution roles",
    r"((opensearch|schema)-setup|admin)-task (ssmmessages:.*|logs:.*)": "no service: it is "
    "started by hand, and the plan does not say whether with ECS Exec",
    r"grafana-task cloudwatch:.*": "the plan does not say whether Grafana asks CloudWatch",
    r".* aps:Get(Labels|MetricMetadata|Series)": "whoever writes metrics needs RemoteWrite alone",
    r"(temporal|benchmark)-task aps:RemoteWrite": "no collector stands beside the task (adot)",
    r"temporal-task dynamodb:GetItem": "operators read the counters, the server does not",
    r"temporal-task es:ESHttpHead": "the set-up task alone asks whether the index is there",
    r"opensearch-setup-task es:ESHttp(Delete|Post)": "the set-up task searches and deletes nothing",
}
# The domain's own policy lets the role in too: nothing is lacking, the two no longer say the same.
BY_THE_DOMAIN = r"(temporal|opensearch-setup)-task es:.*"
NEEDED_ALL_THE_SAME = {r"grafana-task aps:Get(Labels|MetricMetadata|Series)"}


def judged(plan: Plan, *suffixes: str) -> Judgement:
    """What the family says, or only these rules of it."""
    rules = [
        rule
        for rule in FAMILY.rules
        if not suffixes or rule.id.removeprefix("identity-") in suffixes
    ]
    return judge(Subject(plan), rules)


def policies(plan: Plan) -> Iterator[tuple[Resource, str, list[dict[str, Any]]]]:
    """Each inline policy, the role that has it by its short name, and its statements."""
    for policy in plan.of_type("aws_iam_role_policy"):
        role = str(policy["role"]).removeprefix(f"{plans.project(plan)}-")
        yield policy, role, json.loads(policy["policy"])["Statement"]


def with_statements(plan: Plan, policy: Resource, statements: list[dict[str, Any]]) -> Plan:
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    return with_values(plan, policy, {**policy.values, "policy": text})


@everywhere
def test_our_own_plans_have_no_finding(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 7: least privilege, by what each component does."""
    found = judged(plans.of(name)).findings
    assert not [(rule.id, one.resource, one.evidence) for rule, one in found]


def excused(role: str, action: str) -> bool:
    place = f"{role} {action}"
    if any(re.fullmatch(one, place) for one in NEEDED_ALL_THE_SAME):
        return False
    return any(re.fullmatch(one, place) for one in NOT_NEEDED)


def deleted(plan: Plan) -> Iterator[tuple[str, str, Resource, Plan]]:
    """Role, action, policy and plan without it: each action of each policy once."""
    for policy, role, statements in policies(plan):
        for number, one in enumerate(statements):
            for action in one["Action"]:
                left = {**one, "Action": [each for each in one["Action"] if each != action]}
                made = [*statements[:number], left, *statements[number + 1 :]]
                yield role, action, policy, with_statements(plan, policy, made)


@some
def test_each_action_that_is_gone_is_missed(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 7: each function has what it needs."""
    for role, action, policy, plan in deleted(plans.of(name)):
        place = f"{role} {action}"
        rules = ["missing"] if not re.fullmatch(BY_THE_DOMAIN, place) else ["domain-policy"]
        found = judged(plan, *rules).findings
        if not found:
            assert excused(role, action), place
            continue
        assert {(one.resource, one.attribute) for _, one in found} == {(policy.address, "policy")}
        assert all(action in one.evidence for _, one in found), place


def test_no_excuse_is_idle() -> None:
    """Each reason is about an action whose absence no rule sees in one of the plans."""
    idle = set(NOT_NEEDED)
    for name in ("dev", "bench", "adot"):
        for role, action, _, plan in deleted(plans.of(name)):
            place = f"{role} {action}"
            about = [one for one in idle if re.fullmatch(one, place)]
            if about and not judged(plan, "missing", "domain-policy").findings:
                idle -= set(about)
    assert not idle


@some
@pytest.mark.parametrize("more", ["iam:PassRole", "dsql:DeleteCluster"])
def test_each_statement_with_an_action_more_is_too_much(name: str, more: str) -> None:
    """Feature: temporal-ecs-fargate, Property 7: and nothing that it does not need."""
    plan = plans.of(name)
    for policy, _, statements in policies(plan):
        for number, one in enumerate(statements):
            made = [*statements]
            made[number] = {**one, "Action": [*one["Action"], more]}
            (found,) = judged(with_statements(plan, policy, made), "excess").findings
            assert (found[1].resource, found[1].attribute) == (policy.address, "policy")
            assert more in found[1].evidence


@some
def test_each_action_widened_to_its_service_is_found(name: str) -> None:
    plan = plans.of(name)
    for policy, role, statements in policies(plan):
        for number, one in enumerate(statements):
            wide = f"{one['Action'][0].partition(':')[0]}:*"
            made = [*statements]
            made[number] = {**one, "Action": [wide, *one["Action"][1:]]}
            (found,) = judged(with_statements(plan, policy, made), "wildcard-action").findings
            assert found[1].resource == policy.address, (role, wide)


@some
def test_each_resource_widened_is_found(name: str) -> None:
    """But where the action knows none: a list of log groups is a list of all."""
    plan = plans.of(name)
    for policy, role, statements in policies(plan):
        for number, one in enumerate(statements):
            if one["Resource"] == ["*"] or one["Action"] == ["logs:DescribeLogGroups"]:
                continue
            made = [*statements]
            made[number] = {**one, "Resource": ["*"]}
            (found,) = judged(with_statements(plan, policy, made), "resource-scope").findings
            assert found[1].resource == policy.address, (role, one)


def test_the_condition_that_binds_the_collector_to_its_cluster_is_missed() -> None:
    plan = plans.of("adot")
    (policy,) = (p for p, role, _ in policies(plan) if role == "adot-task")
    statements = json.loads(policy["policy"])["Statement"]
    loose = [{k: v for k, v in one.items() if k != "Condition"} for one in statements]
    found = judged(with_statements(plan, policy, loose), "resource-scope").findings
    assert [one.resource for _, one in found] == [policy.address]
    other = {"ArnEquals": {"ecs:cluster": f"arn:aws:ecs:{plans.REGION}:{plans.ACCOUNT}:cluster/x"}}
    bound = [{**one, "Condition": other} if "Condition" in one else one for one in statements]
    found = judged(with_statements(plan, policy, bound), "missing").findings
    assert {one.resource for _, one in found} == {policy.address}


def test_what_bounds_a_role_from_outside_the_plan_is_not_judged() -> None:
    outcome = judged(plans.of("brought")).of("identity-missing")
    assert outcome.unjudged
    assert all(plans.BOUNDARY in one.reason for one in outcome.unjudged)
