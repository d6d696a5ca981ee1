"""What the reference system does: nodes by workload, and four services on one of them."""

import base64
from typing import Any

import pytest

from temporal_dsql_deploy.checks import Subject, judge
from temporal_dsql_deploy.checks.fit import FAMILY
from temporal_dsql_deploy.checks.model import Verdict
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import ECS_CLUSTER, good
from tests.support.draft import SERVICE, Draft, ng, only

GROUP = "aws_autoscaling_group.main"
TEMPLATE = "aws_launch_template.main"
PROVIDER = "aws_ecs_capacity_provider.main"
ATTACHED = "aws_ecs_cluster_capacity_providers.main"


def scripted(script: str) -> str:
    return base64.b64encode(script.encode()).decode()


def tied(limit: int) -> Draft:
    """Matching, frontend, UI and Grafana on a group of their own, of up to so many m7g.large."""
    draft = good()
    script = f"ECS_CLUSTER={ECS_CLUSTER}\n" + 'ECS_INSTANCE_ATTRIBUTES={"workload":"frontend"}\n'
    draft.add(
        "aws_launch_template.b",
        **{**draft[TEMPLATE], "id": "lt-b", "name": "shop-b", "user_data": scripted(script)},
    )
    draft.add(
        "aws_autoscaling_group.b",
        **{
            **draft[GROUP],
            "name": "shop-b",
            "arn": "arn:b",
            "desired_capacity": 1,
            "max_size": limit,
            "launch_template": [{"id": "lt-b", "name": None}],
        },
    )
    (scaled,) = draft[PROVIDER]["auto_scaling_group_provider"]
    draft.add(
        "aws_ecs_capacity_provider.b",
        name="shop-b",
        auto_scaling_group_provider=[{**scaled, "auto_scaling_group_arn": "arn:b"}],
    )
    draft[ATTACHED]["capacity_providers"].append("shop-b")
    for name in ("matching", "frontend", "ui", "grafana"):
        service = draft.service(name)
        service["capacity_provider_strategy"] = [{"capacity_provider": "shop-b", "weight": 1}]
        service["placement_constraints"] = [
            {"type": "memberOf", "expression": "attribute:workload == frontend"}
        ]
    return draft


def test_four_services_tied_to_a_node_with_two_interfaces_are_named() -> None:
    """Feature: temporal-ecs-fargate, S0-P3: node B gets four tasks, and has room for two."""
    (found,) = only(tied(1).judged(FAMILY), "fit-at-rest")
    assert (found.resource, found.attribute) == ("aws_autoscaling_group.b", "max_size")
    assert "2 tasks each without awsvpcTrunking" in found.evidence
    assert "RESOURCE:ENI" in found.evidence
    assert "RESOURCE:ENI" in found.symptom
    assert "awsvpcTrunking on before the instances start" in found.fix
    assert "max_size to 3" in found.fix


def test_with_a_second_node_they_run_and_no_deployment_goes_through() -> None:
    found = only(tied(2).judged(FAMILY), "fit-rolling-deployment")
    assert {one.resource for one in found} == {"aws_autoscaling_group.b"}
    assert len(found) == 4


def test_what_rests_on_a_trunk_only_when_something_is_lost_is_not_judged() -> None:
    outcome = tied(3).judged(FAMILY).of("fit-instance-lost")
    assert outcome.verdict is Verdict.OK
    outcome = tied(2).judged(FAMILY).of("fit-instance-lost")
    assert outcome.verdict is Verdict.SKIP
    assert "awsvpcTrunking" in outcome.unjudged[0].reason


@pytest.mark.parametrize(("value", "verdict"), [("enabled", Verdict.OK), ("disabled", Verdict.NG)])
def test_a_setting_in_the_plan_says_whether_there_is_a_trunk(value: str, verdict: Verdict) -> None:
    draft = tied(2)
    draft.add("aws_ecs_account_setting_default.trunk", name="awsvpcTrunking", value=value)
    judgement = draft.judged(FAMILY)
    assert judgement.of("fit-at-rest").verdict is Verdict.OK
    assert judgement.of("fit-rolling-deployment").verdict is verdict
    assert judgement.of("fit-instance-lost").verdict is verdict


@pytest.mark.parametrize(("told", "verdict"), [(True, Verdict.OK), (False, Verdict.NG)])
def test_whoever_judges_may_say_whether_the_account_has_trunks(told: Any, verdict: Verdict) -> None:
    subject = Subject(tied(2).plan(), trunking=told)
    judgement = judge(subject, FAMILY.rules)
    assert judgement.of("fit-rolling-deployment").verdict is verdict
    assert judgement.of("fit-instance-lost").verdict is verdict


def test_a_constraint_that_no_instance_satisfies_is_found() -> None:
    draft = tied(3)
    constraint = {"type": "memberOf", "expression": "attribute:workload == history"}
    draft.service("ui")["placement_constraints"] = [constraint]
    assert ng(draft.judged(FAMILY).of("fit-at-rest")) == [
        (f"{SERVICE}.ui", "placement_constraints")
    ]
    draft["aws_launch_template.b"]["user_data"] = UNKNOWN
    outcome = draft.judged(FAMILY).of("fit-at-rest")
    assert (outcome.verdict, outcome.findings) == (Verdict.SKIP, ())


@pytest.mark.parametrize(
    ("expression", "verdict"),
    [
        ("attribute:workload in [frontend, history]", Verdict.OK),
        ("attribute:workload != history", Verdict.OK),
        ("attribute:workload !in [frontend]", Verdict.NG),
        ("attribute:ecs.instance-type == m7g.large", Verdict.OK),
        ("attribute:ecs.instance-type == m7g.xlarge", Verdict.NG),
        ("attribute:ecs.ami-id == ami-1", Verdict.SKIP),
        ("task:group == service:ui", Verdict.SKIP),
    ],
)
def test_constraints_are_read(expression: str, verdict: Verdict) -> None:
    draft = tied(3)
    draft.service("ui")["placement_constraints"] = [{"type": "memberOf", "expression": expression}]
    assert draft.judged(FAMILY).of("fit-at-rest").verdict is verdict
