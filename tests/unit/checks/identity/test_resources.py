"""Policies of resources: the domain, keys, log groups, buckets, endpoints."""

import json
from typing import Any

import pytest

from temporal_dsql_deploy.checks.identity import FAMILY
from temporal_dsql_deploy.checks.model import Outcome, Verdict
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import ACCOUNT, REGION, ROLES, arn
from tests.support.check_roles import (
    BUCKET,
    DOMAIN,
    TASK,
    add_role,
    allow,
    change,
    document,
    index_statement,
    with_roles,
)
from tests.support.draft import Draft, ng

POLICY = "aws_opensearch_domain_policy.main"
LOGS = "aws_cloudwatch_log_resource_policy.main"
ENDPOINT = "aws_vpc_endpoint.main"
GROUP = arn("logs", "log-group:/shop/domain")
ROOT = f"arn:aws:iam::{ACCOUNT}:root"


def outcome(draft: Draft, rule: str) -> Outcome:
    return draft.judged(FAMILY).of(f"identity-{rule}")


def role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/shop-{name}"


def with_domain_policy() -> Draft:
    draft = with_roles()
    who = {"AWS": [role(name) for name in (*ROLES, "setup")]}
    statement = {**index_statement(), "Principal": who}
    draft.add(POLICY, domain_name="shop-visibility", access_policies=document([statement]))
    return draft


def test_a_domain_that_lets_in_those_who_ask_is_right() -> None:
    judged = with_domain_policy().judged(FAMILY)
    assert not judged.findings
    assert judged.of("identity-domain-policy").verdict is Verdict.OK


@pytest.mark.parametrize("left_out", [*ROLES, "setup"])
def test_a_role_that_the_domain_leaves_out_is_found(left_out: str) -> None:
    def leave_out(given: list[dict[str, Any]]) -> None:
        given[0]["Principal"]["AWS"].remove(role(left_out))

    draft = change(with_domain_policy(), POLICY, leave_out, "access_policies")
    found = outcome(draft, "domain-policy").findings
    assert [(one.resource, one.attribute) for one in found] == [(POLICY, "access_policies")]
    assert f"shop-{left_out}" in found[0].evidence


def test_a_role_that_says_a_part_of_it_is_found() -> None:
    def less(given: list[dict[str, Any]]) -> None:
        one = next(one for one in given if one["Sid"] == "Index")
        one["Action"].remove("es:ESHttpPost")

    draft = change(with_domain_policy(), "aws_iam_role_policy.history", less)
    # Within one account the domain's policy is enough, so nothing is missing.
    assert not outcome(draft, "missing").findings
    assert ng(outcome(draft, "domain-policy")) == [("aws_iam_role_policy.history", "policy")]
    assert not outcome(
        with_domain_policy().without("aws_iam_role_policy.setup"), "missing"
    ).findings


def test_a_deny_of_the_role_wins_over_the_domain() -> None:
    deny = {**index_statement(), "Effect": "Deny"}
    draft = change(with_domain_policy(), "aws_iam_role_policy.history", lambda now: [*now, deny])
    assert len(outcome(draft, "missing").findings) == 4


def test_a_policy_inside_the_domain_is_read_too() -> None:
    draft = with_roles()
    draft["aws_opensearch_domain.main"]["access_policies"] = document(
        [{**index_statement(), "Principal": {"AWS": role("history")}}]
    )
    found = outcome(draft, "domain-policy").findings
    assert {one.resource for one in found} == {"aws_opensearch_domain.main"}
    assert len(found) == 4


def test_an_unknown_policy_of_a_domain_is_not_judged() -> None:
    draft = with_domain_policy()
    draft[POLICY]["access_policies"] = UNKNOWN
    assert outcome(draft, "domain-policy").verdict is Verdict.SKIP
    assert outcome(draft, "open-policy").verdict is Verdict.SKIP
    assert outcome(Draft(), "domain-policy").verdict is Verdict.SKIP


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Principal": "*"}, "lets everybody in"),
        ({"Principal": {"AWS": "*"}}, "lets everybody in"),
        ({"Principal": {"AWS": role("ui")}, "Action": ["es:*"]}, "do es:*"),
        ({"Principal": {"AWS": role("ui")}, "Action": ["es:DeleteDomain"]}, "es:DeleteDomain"),
        (
            {"Principal": {"AWS": role("ui")}, "Action": [], "NotAction": ["iam:*"]},
            "everything but",
        ),
        ({"NotPrincipal": {"AWS": role("ui")}}, "everybody but"),
        ({"Principal": {"Service": "es.amazonaws.com"}}, "whoever asks it"),
    ],
)
def test_what_lets_in_too_many(changes: dict[str, Any], words: str) -> None:
    draft = with_domain_policy()
    change(draft, POLICY, lambda now: [*now, {**index_statement(), **changes}], "access_policies")
    found = outcome(draft, "open-policy").findings
    assert [(one.resource, one.attribute) for one in found] == [(POLICY, "access_policies")]
    assert words in found[0].evidence


def test_everybody_bound_by_who_asks_is_nobody_else() -> None:
    draft = with_domain_policy()
    bound = {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}
    more = {**index_statement(), "Principal": "*", "Condition": bound}
    change(draft, POLICY, lambda now: [*now, more], "access_policies")
    assert not outcome(draft, "open-policy").findings


def with_key_policy() -> Draft:
    draft = with_roles()
    logs = [
        "kms:Decrypt*",
        "kms:Describe*",
        "kms:Encrypt*",
        "kms:GenerateDataKey*",
        "kms:ReEncrypt*",
    ]
    groups = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:*"
    draft["aws_kms_key.main"]["policy"] = document(
        [
            {**allow(["kms:*"], "*"), "Principal": {"AWS": ROOT}},
            {
                **allow(logs, "*"),
                "Principal": {"Service": f"logs.{REGION}.amazonaws.com"},
                "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            },
        ]
    )
    return draft


def test_a_key_that_iam_and_logs_may_use_is_right() -> None:
    assert not with_key_policy().judged(FAMILY).findings
    assert outcome(with_key_policy(), "key-policy").verdict is Verdict.OK
    assert outcome(with_roles(), "key-policy").verdict is Verdict.SKIP


@pytest.mark.parametrize("action", range(5))
def test_each_action_that_logs_may_not_is_found(action: int) -> None:
    def take(now: list[dict[str, Any]]) -> None:
        del now[1]["Action"][action]

    draft = change(with_key_policy(), "aws_kms_key.main", take)
    assert ng(outcome(draft, "key-policy")) == [("aws_kms_key.main", "policy")]
    assert "CloudWatch Logs may not" in outcome(draft, "key-policy").findings[0].evidence


@pytest.mark.parametrize(
    "changes",
    [
        {"Action": ["kms:Decrypt"]},
        {"Effect": "Deny"},
        {"Principal": {"AWS": "arn:aws:iam::999999999999:root"}},
        {"Action": ["kms:PutKeyPolicy"]},
    ],
)
def test_a_key_about_which_iam_may_not_decide_is_found(changes: dict[str, Any]) -> None:
    draft = change(with_key_policy(), "aws_kms_key.main", lambda now: now[0].update(changes))
    found = outcome(draft, "key-policy").findings
    assert found[0].resource == "aws_kms_key.main"


@pytest.mark.parametrize("what", ["Condition", "Action"])
def test_logs_of_others_may_not_use_the_key(what: str) -> None:
    def loosen(now: list[dict[str, Any]]) -> None:
        now[1][what] = ["kms:*"] if what == "Action" else {}

    draft = change(with_key_policy(), "aws_kms_key.main", loosen)
    assert ng(outcome(draft, "open-policy")) == [("aws_kms_key.main", "policy")]


def with_domain_logs() -> Draft:
    draft = with_roles()
    draft["aws_opensearch_domain.main"]["log_publishing_options"] = [
        {"cloudwatch_log_group_arn": GROUP, "enabled": None, "log_type": "ES_APPLICATION_LOGS"}
    ]
    write = allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"{GROUP}:*")
    bound = {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": DOMAIN}}
    statement = {**write, "Principal": {"Service": "es.amazonaws.com"}, "Condition": bound}
    draft.add(LOGS, policy_document=document([statement]))
    return draft


def test_a_domain_that_may_log_is_right() -> None:
    assert not with_domain_logs().judged(FAMILY).findings
    assert outcome(with_domain_logs(), "log-policy").verdict is Verdict.OK
    assert outcome(with_roles(), "log-policy").verdict is Verdict.SKIP


@pytest.mark.parametrize(
    "changes",
    [
        {"Action": ["logs:CreateLogStream"]},
        {"Action": ["logs:PutLogEvents"]},
        {"Resource": f"{GROUP}-other:*"},
        {"Effect": "Deny"},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}},
        {"Principal": {"Service": "lambda.amazonaws.com"}},
    ],
)
def test_a_domain_that_may_not_log_is_found(changes: dict[str, Any]) -> None:
    draft = change(with_domain_logs(), LOGS, lambda now: now[0].update(changes), "policy_document")
    found = set(ng(outcome(draft, "log-policy")))
    assert found == {(LOGS, "policy_document")}


def test_without_any_policy_the_domain_is_named() -> None:
    draft = with_domain_logs().without(LOGS)
    assert set(ng(outcome(draft, "log-policy"))) == {("aws_opensearch_domain.main", "")}
    draft = with_domain_logs()
    draft[LOGS]["policy_document"] = UNKNOWN
    assert outcome(draft, "log-policy").verdict is Verdict.SKIP


def test_a_policy_for_every_log_group_is_open() -> None:
    def widen(now: list[dict[str, Any]]) -> None:
        now[0]["Resource"] = "*"

    draft = change(with_domain_logs(), LOGS, widen, "policy_document")
    assert ng(outcome(draft, "open-policy")) == [(LOGS, "policy_document")]


def with_loki(condition: dict[str, Any]) -> Draft:
    draft = with_roles()
    task = {**draft.task("ui"), "family": "shop-loki", "task_role_arn": role("loki")}
    draft.containers["loki"] = json.loads(json.dumps(draft.containers["ui"]))
    draft.containers["loki"][0] |= {"name": "loki", "image": "grafana/loki:3.7.8"}
    draft.add("aws_ecs_task_definition.loki", **task)
    draft.task("loki")["arn"] = arn("ecs", "task-definition/shop-loki:1")
    draft.add("aws_s3_bucket.loki", bucket="shop-loki", id="shop-loki", arn=BUCKET)
    objects = [f"s3:{verb}Object" for verb in ("Delete", "Get", "Put")]
    rights = [allow(objects, f"{BUCKET}/*"), allow(["s3:ListBucket"], BUCKET)]
    add_role(draft, "loki", TASK, rights)
    deny: dict[str, Any] = {"Effect": "Deny", "Principal": "*", "Action": "s3:*"}
    deny |= {"Resource": [BUCKET, f"{BUCKET}/*"], "Condition": condition}
    draft.add("aws_s3_bucket_policy.loki", bucket="shop-loki", policy=document([deny]))
    return draft


def test_a_bucket_may_deny_plain_http_and_no_more() -> None:
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    assert not with_loki(plain).judged(FAMILY).findings
    assert outcome(with_loki(plain), "bucket-policy").verdict is Verdict.OK
    wrongs: list[dict[str, Any]] = [{}, {"Bool": {"aws:SecureTransport": "true"}}]
    for wrong in wrongs:
        found = outcome(with_loki(wrong), "bucket-policy")
        assert ng(found) == [("aws_s3_bucket_policy.loki", "policy")]
        assert "s3:PutObject" in found.findings[0].evidence
    assert outcome(with_roles(), "bucket-policy").verdict is Verdict.SKIP
    unknown = with_loki(plain)
    unknown["aws_s3_bucket_policy.loki"]["policy"] = UNKNOWN
    assert outcome(unknown, "bucket-policy").verdict is Verdict.SKIP


def with_endpoint(service: str, *statements: dict[str, Any]) -> Draft:
    draft = with_roles()
    name = f"com.amazonaws.{REGION}.{service}"
    draft.add(ENDPOINT, service_name=name, policy=document(list(statements)))
    return draft


def through(**changes: Any) -> dict[str, Any]:
    keys = {"aws:PrincipalAccount": ACCOUNT, "aws:ResourceAccount": [ACCOUNT]}
    given = {**allow(["*"], "*"), "Principal": "*", "Condition": {"StringEquals": keys}}
    return {**given, **changes}


def layers(*resources: str, action: str = "s3:GetObject") -> dict[str, Any]:
    bucket = f"arn:aws:s3:::prod-{REGION}-starport-layer-bucket/*"
    return {**allow([action], *(resources or (bucket,))), "Principal": "*"}


@pytest.mark.parametrize(
    "service", ["logs", "ecr.api", "ecr.dkr", "ssm", "secretsmanager", "ssmmessages"]
)
def test_an_endpoint_for_this_account_lets_everything_needed_through(service: str) -> None:
    assert outcome(with_endpoint(service, through()), "endpoint-policy").verdict is Verdict.OK
    keys = {"aws:PrincipalAccount": "999999999999"}
    for wrong in ({"Condition": {"StringEquals": keys}}, {"Action": ["x:Y"]}, {"Effect": "Deny"}):
        found = outcome(with_endpoint(service, through(**wrong)), "endpoint-policy")
        assert set(ng(found)) == {(ENDPOINT, "policy")}, wrong


def test_layers_of_images_come_from_a_bucket_of_aws() -> None:
    assert (
        outcome(with_endpoint("s3", through(), layers()), "endpoint-policy").verdict is Verdict.OK
    )
    found = outcome(with_endpoint("s3", through()), "endpoint-policy")
    assert "starport-layer-bucket" in found.findings[0].evidence


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (layers("*"), "leaves aws:PrincipalAccount, aws:ResourceAccount free"),
        (layers(action="s3:*"), "everybody do everything"),
    ],
)
def test_what_one_statement_binds_no_other_undoes(second: dict[str, Any], words: str) -> None:
    found = outcome(with_endpoint("s3", through(), second), "endpoint-policy").findings
    assert [(one.resource, one.attribute) for one in found] == [(ENDPOINT, "policy")]
    assert words in found[0].evidence


def test_an_endpoint_without_a_policy_of_its_own_lets_everything_through() -> None:
    draft = with_endpoint("logs")
    draft[ENDPOINT]["policy"] = UNKNOWN
    assert outcome(draft, "endpoint-policy").verdict is Verdict.SKIP
    draft[ENDPOINT]["policy"] = "no JSON"
    found = outcome(draft, "endpoint-policy")
    assert [one.resource for one in found.unjudged] == [ENDPOINT]
    everything = {**allow(["*"], "*"), "Principal": "*"}
    assert outcome(with_endpoint("logs", everything), "endpoint-policy").verdict is Verdict.OK
