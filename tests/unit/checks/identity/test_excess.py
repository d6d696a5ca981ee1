"""identity-excess, -wildcard-action and -resource-scope: what nobody needs."""

from typing import Any

import pytest

from temporal_dsql_deploy.checks.identity import FAMILY
from temporal_dsql_deploy.checks.model import Finding, Outcome, Verdict
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import KEY, arn
from tests.support.check_roles import (
    DATABASE,
    DOMAIN,
    MANAGED,
    TASK,
    add_role,
    allow,
    attach,
    change,
    statements_of,
    with_roles,
)
from tests.support.draft import Draft, ng

HISTORY = "aws_iam_role_policy.history"
UI = "aws_iam_role_policy.ui"
EXECUTION = "aws_iam_role_policy.execution"
POLICIES = (HISTORY, UI, "aws_iam_role_policy.grafana", "aws_iam_role_policy.setup", EXECUTION)


def outcome(draft: Draft, rule: str) -> Outcome:
    return draft.judged(FAMILY).of(rule)


def the_finding(draft: Draft, rule: str, address: str) -> Finding:
    """The one finding of a rule, where the other two of this file have none."""
    for other in ("identity-excess", "identity-wildcard-action", "identity-resource-scope"):
        assert rule == other or not outcome(draft, other).findings, other
    (found,) = outcome(draft, rule).findings
    assert (found.resource, found.attribute) == (address, "policy")
    return found


def more(address: str, *statements: dict[str, Any]) -> Draft:
    return change(with_roles(), address, lambda given: [*given, *statements])


@pytest.mark.parametrize(
    ("address", "sid"),
    [(address, one["Sid"]) for address in POLICIES for one in statements_of(with_roles(), address)],
)
def test_an_action_more_in_any_statement_is_too_much(address: str, sid: str) -> None:
    """Feature: temporal-ecs-fargate, Property 7: nothing more than is needed."""

    def add(given: list[dict[str, Any]]) -> None:
        next(one for one in given if one["Sid"] == sid)["Action"].append("iam:PassRole")

    draft = change(with_roles(), address, add)
    found = outcome(draft, "identity-excess").findings
    assert [(one.resource, one.attribute) for one in found] == [(address, "policy")]
    assert "iam:PassRole" in found[0].evidence
    assert sid in found[0].fix


@pytest.mark.parametrize(
    ("address", "action", "resource"),
    [
        (UI, "dsql:DbConnectAdmin", DATABASE),
        (HISTORY, "dsql:DbConnect", DATABASE),
        (HISTORY, "dsql:DeleteCluster", DATABASE),
        (HISTORY, "dynamodb:UpdateItem", arn("dynamodb", "table/shop-leases")),
        ("aws_iam_role_policy.grafana", "aps:RemoteWrite", arn("aps", "workspace/ws-shop")),
        ("aws_iam_role_policy.setup", "aps:RemoteWrite", arn("aps", "workspace/ws-shop")),
        (EXECUTION, "logs:CreateLogGroup", arn("logs", "log-group:/shop/*")),
        (EXECUTION, "ssmmessages:OpenDataChannel", "*"),
        (HISTORY, "es:ESHttpPatch", f"{DOMAIN}/*"),
    ],
)
def test_the_right_of_somebody_else_is_too_much(address: str, action: str, resource: str) -> None:
    found = the_finding(more(address, allow([action], resource)), "identity-excess", address)
    assert action in found.evidence


def test_without_a_shell_its_rights_are_too_much() -> None:
    draft = with_roles()
    draft.service("ui")["enable_execute_command"] = False
    assert ng(outcome(draft, "identity-excess")) == [(UI, "policy")] * 8


def test_case_and_known_families_of_actions_do_not_matter() -> None:
    def widen(given: list[dict[str, Any]]) -> None:
        for one in given:
            one["Action"] = [each.upper() for each in one["Action"]]
            if one["Sid"] == "Index":
                one["Action"] = ["es:ESHttp*"]

    assert not change(with_roles(), HISTORY, widen).judged(FAMILY).findings


def test_a_pattern_holds_more_than_is_needed() -> None:
    draft = more(HISTORY, allow(["dsql:Db*"], DATABASE))
    assert "dsql:Db*" in the_finding(draft, "identity-excess", HISTORY).evidence


@pytest.mark.parametrize("action", ["*", "*:*", "dsql:*", "dsql:**"])
def test_a_whole_service_is_never_right(action: str) -> None:
    draft = more(HISTORY, allow([action], DATABASE))
    found = outcome(draft, "identity-wildcard-action").findings
    assert [(one.resource, one.attribute) for one in found] == [(HISTORY, "policy")]
    assert action in found[0].evidence


def test_everything_but_something_is_never_right() -> None:
    draft = more(HISTORY, {"Effect": "Allow", "NotAction": ["iam:*"], "Resource": DATABASE})
    found = the_finding(draft, "identity-wildcard-action", HISTORY)
    assert "everything but iam:*" in found.evidence
    draft = more(HISTORY, {"Effect": "Allow", "Action": [], "NotResource": [DATABASE]})
    assert "everything but" in the_finding(draft, "identity-resource-scope", HISTORY).evidence


@pytest.mark.parametrize("name", ["AdministratorAccess", "PowerUserAccess", "AmazonS3FullAccess"])
def test_policies_of_aws_that_are_far_too_much(name: str) -> None:
    draft = with_roles()
    address = attach(draft, "ui", name)
    found = outcome(draft, "identity-wildcard-action").findings
    assert [(one.resource, one.attribute) for one in found] == [(address, "policy_arn")]
    assert name in found[0].evidence


def test_a_policy_of_aws_is_right_for_the_kind_that_it_is_for() -> None:
    draft = with_roles().without(EXECUTION)
    attach(draft, "execution", "service-role/AmazonECSTaskExecutionRolePolicy")
    for rule in ("excess", "wildcard-action", "resource-scope"):
        assert outcome(draft, f"identity-{rule}").verdict is Verdict.OK
    # It has no right to read parameters, secrets and keys.
    assert outcome(draft, "identity-missing").verdict is Verdict.NG
    draft = with_roles()
    address = attach(draft, "ui", "service-role/AmazonEC2ContainerServiceforEC2Role")
    assert {one.resource for one in outcome(draft, "identity-excess").findings} == {address}


def test_a_policy_of_aws_that_is_not_known_is_not_judged() -> None:
    draft = with_roles()
    draft.add(
        "aws_iam_role_policy_attachment.ui", role="shop-ui", policy_arn=f"{MANAGED}/SomethingNew"
    )
    found = outcome(draft, "identity-excess")
    assert found.verdict is Verdict.SKIP
    assert "SomethingNew" in found.unjudged[0].reason


def _free(action: str) -> bool:
    return action.startswith(("ssmmessages:", "ecr:GetAuth", "logs:DescribeLogGroups"))


@pytest.mark.parametrize(
    ("address", "sid"),
    [
        (address, one["Sid"])
        for address in POLICIES
        for one in statements_of(with_roles(), address)
        if not all(map(_free, one["Action"]))
    ],
)
@pytest.mark.parametrize("wide", ["*", "kind"])
def test_a_wider_resource_is_found(address: str, sid: str, wide: str) -> None:
    """Feature: temporal-ecs-fargate, Property 7: on the resources of this cluster alone."""

    def widen(given: list[dict[str, Any]]) -> None:
        one = next(one for one in given if one["Sid"] == sid)
        head = ":".join(str(one["Resource"][0]).split(":")[:5])
        one["Resource"] = ["*" if wide == "*" else f"{head}:*"]

    found = the_finding(change(with_roles(), address, widen), "identity-resource-scope", address)
    assert sid in found.evidence


@pytest.mark.parametrize(
    ("address", "action", "resource"),
    [
        (HISTORY, "dsql:DbConnectAdmin", arn("dsql", "cluster/*")),
        (HISTORY, "es:ESHttpGet", arn("es", "domain/*")),
        (EXECUTION, "kms:Decrypt", arn("kms", "key/*")),
        (EXECUTION, "ecr:BatchGetImage", arn("ecr", "repository/*")),
        (EXECUTION, "ssm:GetParameters", arn("ssm", "parameter/*")),
        (EXECUTION, "logs:PutLogEvents", arn("logs", "log-group:*")),
        (EXECUTION, "secretsmanager:GetSecretValue", arn("secretsmanager", "secret:*")),
        (EXECUTION, "secretsmanager:GetSecretValue", arn("secretsmanager", "secret:other-AbCdEf")),
        (HISTORY, "dsql:DbConnectAdmin", f"{DATABASE[:-3]}zzz"),
    ],
)
def test_what_is_not_used_is_out_of_scope(address: str, action: str, resource: str) -> None:
    draft = more(address, allow([action], resource))
    found = the_finding(draft, "identity-resource-scope", address)
    assert resource in found.evidence


def test_names_of_this_project_may_be_wild() -> None:
    table = [
        allow(["kms:Decrypt"], KEY),
        allow(["ssm:GetParameters"], arn("ssm", "parameter/shop*")),
    ]
    assert not outcome(more(EXECUTION, *table), "identity-resource-scope").findings


def test_what_a_stranger_does_is_not_judged() -> None:
    draft = with_roles()
    container = {**draft.containers["ui"][0], "name": "cart", "image": "cart:1"}
    draft.containers["cart"] = [container]
    task = {
        **draft.task("ui"),
        "family": "shop-cart",
        "task_role_arn": arn("iam", "role/shop-cart"),
    }
    draft.add("aws_ecs_task_definition.cart", **task)
    draft.task("cart")["arn"] = arn("ecs", "task-definition/shop-cart:1")
    add_role(draft, "cart", TASK, [allow(["sqs:SendMessage"], "*")])
    draft.task("cart")["task_role_arn"] = draft["aws_iam_role.cart"]["arn"]
    found = outcome(draft, "identity-excess")
    assert found.verdict is Verdict.SKIP
    assert [one.resource for one in found.unjudged] == ["aws_iam_role.cart"]


def test_a_role_that_nobody_wears_is_not_judged() -> None:
    draft = with_roles()
    add_role(draft, "spare", TASK, [allow(["sqs:SendMessage"], "*")])
    assert outcome(draft, "identity-excess").verdict is Verdict.SKIP
    draft = with_roles()
    draft.task("ui")["task_role_arn"] = UNKNOWN
    assert outcome(draft, "identity-excess").verdict is Verdict.SKIP


def test_a_policy_that_is_not_known_is_not_judged() -> None:
    draft = with_roles()
    draft[UI]["policy"] = UNKNOWN
    found = outcome(draft, "identity-excess")
    assert found.verdict is Verdict.SKIP
    assert [one.resource for one in found.unjudged] == [UI]


@pytest.mark.parametrize("rule", ["excess", "wildcard-action", "resource-scope", "trust"])
def test_without_roles_there_is_nothing_to_judge(rule: str) -> None:
    draft = Draft()
    draft.add("aws_vpc.main", id="vpc-1")
    assert outcome(draft, f"identity-{rule}").verdict is Verdict.SKIP
