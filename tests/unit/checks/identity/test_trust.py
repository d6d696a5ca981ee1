"""identity-trust and identity-shared-role: who may wear a role."""

from typing import Any

import pytest

from temporal_dsql_deploy.checks.identity import FAMILY
from temporal_dsql_deploy.checks.model import Outcome, Verdict
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import ACCOUNT, REGION
from tests.support.check_roles import allow, change, document, trust_statement, with_roles
from tests.support.draft import Draft, ng, only

UI = "aws_iam_role.ui"
TRUST = "assume_role_policy"
TASKS = "ecs-tasks.amazonaws.com"


def outcome(draft: Draft, rule: str = "identity-trust") -> Outcome:
    return draft.judged(FAMILY).of(rule)


def trusting(address: str, **changes: Any) -> Draft:
    """The draft after a role's trust policy was changed; None takes a part away."""

    def alter(given: list[dict[str, Any]]) -> None:
        for key, value in changes.items():
            if value is None:
                del given[0][key]
            else:
                given[0][key] = value

    return change(with_roles(), address, alter, TRUST)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Condition": None}, "whoever asks it"),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}}, "never true"),
        ({"Condition": {"StringNotEquals": {"aws:SourceAccount": ACCOUNT}}}, "never true"),
        ({"Condition": {"StringLike": {"aws:SourceAccount": "*"}}}, "whoever asks it"),
        ({"Condition": {"StringEquals": {"aws:Mystery": "1"}}}, "whoever asks it"),
        ({"Principal": {"Service": "ec2.amazonaws.com"}}, "does not trust"),
        ({"Principal": {"Service": [TASKS, "lambda.amazonaws.com"]}}, "lambda.amazonaws.com too"),
        ({"Principal": {"Service": TASKS, "AWS": f"arn:aws:iam::{ACCOUNT}:root"}}, ":root too"),
        ({"Principal": {"Service": TASKS, "AWS": "*"}}, "by everybody"),
        ({"Principal": "*"}, "by everybody"),
        ({"Principal": None, "NotPrincipal": {"AWS": "1"}}, "by everybody"),
        ({"Effect": "Deny"}, "denies"),
        ({"Action": "sts:*"}, "sts:*"),
        ({"Action": ["sts:AssumeRole", "sts:AssumeRoleWithSAML"]}, "sts:AssumeRoleWithSAML"),
        ({"Action": "sts:TagSession"}, "does not trust"),
        ({"Action": None, "NotAction": "iam:*"}, "all but"),
    ],
)
def test_what_is_wrong_with_a_trust_policy(changes: dict[str, Any], words: str) -> None:
    """Feature: temporal-ecs-fargate, Property 7: a role for one kind of wearer."""
    found = only(trusting(UI, **changes).judged(FAMILY), "identity-trust")
    assert {(one.resource, one.attribute) for one in found} == {(UI, TRUST)}
    assert any(words in one.evidence for one in found)


@pytest.mark.parametrize(
    "condition",
    [
        {"ArnLike": {"aws:SourceArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:*"}},
        {"ArnLike": {"aws:SourceArn": f"arn:aws:ecs:*:{ACCOUNT}:*"}},
        {"StringEqualsIfExists": {"aws:SourceAccount": [ACCOUNT]}},
    ],
)
def test_either_condition_binds(condition: dict[str, Any]) -> None:
    assert not outcome(trusting(UI, Condition=condition)).findings


def test_instances_need_no_condition() -> None:
    assert "Condition" not in trust_statement("ec2.amazonaws.com")
    assert outcome(with_roles()).verdict is Verdict.OK


def test_nobody_is_trusted_at_all() -> None:
    draft = with_roles()
    draft[UI][TRUST] = document([])
    assert ng(outcome(draft)) == [(UI, TRUST)]
    assert "unable to assume the role" in outcome(draft).findings[0].symptom


@pytest.mark.parametrize("value", [UNKNOWN, "no JSON"])
def test_what_cannot_be_read_is_not_judged(value: Any) -> None:
    draft = with_roles()
    draft[UI][TRUST] = value
    found = outcome(draft)
    assert found.verdict is Verdict.SKIP
    assert [one.resource for one in found.unjudged] == [UI]


def test_ui_in_the_role_of_history_may_connect_to_the_database() -> None:
    draft = with_roles()
    draft.task("ui")["task_role_arn"] = draft["aws_iam_role.history"]["arn"]
    found = outcome(draft, "identity-shared-role").findings
    assert [(one.resource, one.attribute) for one in found] == [
        ("aws_ecs_task_definition.ui", "task_role_arn")
    ]
    assert "dsql:DbConnectAdmin" in found[0].evidence


def test_the_four_roles_may_share_one() -> None:
    draft = with_roles()
    for role in ("matching", "frontend", "worker"):
        draft.task(role)["task_role_arn"] = draft["aws_iam_role.history"]["arn"]
        draft.without(f"aws_iam_role.{role}", f"aws_iam_role_policy.{role}")
    assert not draft.judged(FAMILY).findings


@pytest.mark.parametrize("other", ["execution", "instance"])
def test_a_task_in_a_role_that_is_not_for_tasks(other: str) -> None:
    draft = with_roles()
    draft.task("ui")["task_role_arn"] = draft[f"aws_iam_role.{other}"]["arn"]
    found = outcome(draft, "identity-shared-role").findings
    assert found
    assert all(f"shop-{other} is" in one.evidence for one in found)


def test_a_role_that_is_not_known_may_be_shared() -> None:
    draft = with_roles()
    draft.task("ui")["task_role_arn"] = UNKNOWN
    assert outcome(draft, "identity-shared-role").verdict is Verdict.SKIP


def test_nobody_wears_a_role() -> None:
    draft = Draft()
    draft.add("aws_vpc.main", id="vpc-1")
    assert outcome(draft, "identity-shared-role").verdict is Verdict.SKIP
    statements = [allow(["s3:GetObject"], "*")]
    draft.add("aws_iam_role.spare", name="spare", assume_role_policy=document(statements))
    assert outcome(draft).verdict is Verdict.SKIP
