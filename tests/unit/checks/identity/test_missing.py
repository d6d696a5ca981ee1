"""identity-missing: what components need and their roles do not allow."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy.checks.identity import FAMILY
from temporal_dsql_deploy.checks.model import Finding, Outcome, Verdict
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import ACCOUNT, KEY, REGION, ROLES, arn
from tests.support.check_roles import (
    BUCKET,
    DATABASE,
    TABLE,
    TASK,
    add_role,
    allow,
    change,
    document,
    exec_statements,
    statements_of,
    with_roles,
)
from tests.support.draft import Draft, ng

RULE = "identity-missing"
HISTORY = "aws_iam_role_policy.history"
EXECUTION = "aws_iam_role_policy.execution"


def outcome(draft: Draft, rule: str = RULE) -> Outcome:
    return draft.judged(FAMILY).of(rule)


def lacks(draft: Draft, address: str, action: str) -> Finding:
    """The one finding, which is about an action and stands in a policy."""
    (found,) = outcome(draft).findings
    assert (found.resource, found.attribute) == (address, "policy")
    assert action in found.evidence
    return found


def test_a_plan_with_every_right_has_no_finding() -> None:
    """Feature: temporal-ecs-fargate, Property 7: nothing is lacking."""
    judged = with_roles().judged(FAMILY)
    assert not judged.findings
    assert judged.of(RULE).verdict is Verdict.OK


def _single(address: str) -> list[str]:
    return [action for one in statements_of(with_roles(), address) for action in one["Action"]]


@pytest.mark.parametrize(
    ("address", "action"),
    [
        (address, action)
        for address in (HISTORY, "aws_iam_role_policy.ui", "aws_iam_role_policy.grafana", EXECUTION)
        for action in _single(address)
        if (address, action) != (HISTORY, "es:ESHttpHead")  # the set-up task alone asks with HEAD
    ],
)
def test_each_action_that_is_gone_is_missed(address: str, action: str) -> None:
    """Feature: temporal-ecs-fargate, Property 7: what a function needs is granted."""

    def gone(given_: list[dict[str, Any]]) -> None:
        for one in given_:
            one["Action"] = [each for each in one["Action"] if each != action]

    found = outcome(change(with_roles(), address, gone)).findings
    assert {(one.resource, one.attribute) for one in found} == {(address, "policy")}
    assert all(action in one.evidence for one in found)


def test_a_finding_says_what_would_be_seen_and_gives_the_statement() -> None:
    draft = change(
        with_roles(), HISTORY, lambda given_: [s for s in given_ if s["Sid"] != "Database"]
    )
    found = lacks(draft, HISTORY, "dsql:DbConnectAdmin")
    assert DATABASE in found.evidence
    assert "access denied" in found.symptom
    wanted = json.loads(found.fix[found.fix.index("{") :])
    assert wanted == {"Effect": "Allow", "Action": ["dsql:DbConnectAdmin"], "Resource": [DATABASE]}


def test_the_right_of_another_user_of_the_database_does_not_do() -> None:
    def other(given_: list[dict[str, Any]]) -> None:
        next(s for s in given_ if s["Sid"] == "Database")["Action"] = ["dsql:DbConnect"]

    lacks(change(with_roles(), HISTORY, other), HISTORY, "dsql:DbConnectAdmin")


def test_another_database_does_not_do() -> None:
    def other(given_: list[dict[str, Any]]) -> None:
        next(s for s in given_ if s["Sid"] == "Database")["Resource"] = f"{DATABASE[:-3]}zzz"

    lacks(change(with_roles(), HISTORY, other), HISTORY, "dsql:DbConnectAdmin")


def test_a_deny_wins() -> None:
    deny = {"Effect": "Deny", "Action": "dsql:*", "Resource": "*"}
    draft = change(with_roles(), HISTORY, lambda given_: [*given_, deny])
    assert "denies" in lacks(draft, HISTORY, "dsql:DbConnectAdmin").evidence


def test_a_condition_that_a_plan_cannot_decide_is_not_judged() -> None:
    def bind(given_: list[dict[str, Any]]) -> None:
        given_[-1]["Condition"] = {"StringEquals": {"aws:PrincipalTag/team": "shop"}}

    found = outcome(change(with_roles(), HISTORY, bind))
    assert found.verdict is Verdict.SKIP
    assert [one.resource for one in found.unjudged] == ["aws_iam_role.history"]


def _variables(draft: Draft, name: str, **values: str) -> None:
    given_ = draft.containers[name][0]["environment"]
    given_ += [{"name": key, "value": value} for key, value in values.items()]


@pytest.mark.parametrize(
    ("prefix", "actions"),
    [
        ("DSQL_DISTRIBUTED_RATE_LIMITER", {"dynamodb:UpdateItem"}),
        (
            "DSQL_DISTRIBUTED_CONN_LEASE",
            {"dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
        ),
    ],
)
def test_counting_connections_needs_the_table_and_its_key(prefix: str, actions: set[str]) -> None:
    draft = with_roles()
    _variables(draft, "history", **{f"{prefix}_ENABLED": "true", f"{prefix}_TABLE": "shop-leases"})
    encrypted = [{"enabled": True, "kms_key_arn": KEY}]
    draft.add(
        "aws_dynamodb_table.leases", name="shop-leases", arn=TABLE, server_side_encryption=encrypted
    )
    found = outcome(draft).findings
    assert ng(outcome(draft)) == [(HISTORY, "policy")] * (len(actions) + 1)
    for action in {*actions, "kms:Decrypt"}:
        assert [one for one in found if action in one.evidence], action
    grant = [allow(sorted(actions), TABLE), allow(["kms:Decrypt"], KEY)]
    assert not outcome(change(draft, HISTORY, lambda given_: [*given_, *grant])).findings


def test_a_right_named_after_the_transaction_is_none() -> None:
    draft = with_roles()
    prefix = "DSQL_DISTRIBUTED_CONN_LEASE"
    _variables(draft, "history", **{f"{prefix}_ENABLED": "true", f"{prefix}_TABLE": "shop-leases"})
    draft.add("aws_dynamodb_table.leases", name="shop-leases", arn=TABLE)
    given_right = allow(["dynamodb:TransactWriteItems"], TABLE)
    found = outcome(change(draft, HISTORY, lambda given_: [*given_, given_right])).findings
    assert len(found) == 3


def test_loki_needs_its_bucket_and_the_key_of_it() -> None:
    draft = with_roles()
    ui = json.loads(json.dumps(draft.containers["ui"]))
    ui[0] |= {"name": "loki", "image": "grafana/loki:3.7.8"}
    draft.containers["loki"] = ui
    role = f"arn:aws:iam::{ACCOUNT}:role/shop-loki"
    draft.add(
        "aws_ecs_task_definition.loki",
        **{**draft.task("ui"), "family": "shop-loki", "task_role_arn": role},
    )
    draft.task("loki")["arn"] = arn("ecs", "task-definition/shop-loki:1")
    draft.add("aws_s3_bucket.loki", bucket="shop-loki", id="shop-loki", arn=BUCKET)
    rule = {"kms_master_key_id": KEY, "sse_algorithm": "aws:kms"}
    draft.add(
        "aws_s3_bucket_server_side_encryption_configuration.loki",
        bucket="shop-loki",
        rule=[{"apply_server_side_encryption_by_default": [rule]}],
    )
    objects = [f"s3:{verb}Object" for verb in ("Delete", "Get", "Put")]
    keys = ["kms:Decrypt", "kms:GenerateDataKey"]
    add_role(draft, "loki", TASK, [allow(objects, f"{BUCKET}/*")])
    found = {word for one in outcome(draft).findings for word in one.evidence.split()}
    assert {"s3:ListBucket", *keys} <= found
    assert not found & set(objects)
    more = [allow(["s3:ListBucket"], BUCKET), allow(keys, KEY)]
    change(draft, "aws_iam_role_policy.loki", lambda given_: [*given_, *more])
    assert not outcome(draft).findings


def test_the_key_of_sessions_is_needed_where_the_cluster_has_one() -> None:
    draft = with_roles()
    configuration = draft["aws_ecs_cluster.main"]["configuration"][0]
    configuration["execute_command_configuration"][0]["kms_key_id"] = KEY
    found = outcome(draft).findings
    assert {one.resource for one in found} == {
        f"aws_iam_role_policy.{name}" for name in (*ROLES, "ui", "grafana")
    }
    assert all("kms:Decrypt" in one.evidence for one in found)


def test_without_exec_nothing_of_it_is_needed() -> None:
    draft = with_roles()
    draft.service("ui")["enable_execute_command"] = False
    assert not outcome(draft.without("aws_iam_role_policy.ui")).findings


def test_a_log_group_that_is_to_be_made_needs_its_right() -> None:
    draft = with_roles()
    draft.containers["ui"][0]["logConfiguration"]["options"]["awslogs-create-group"] = "true"
    lacks(draft, EXECUTION, "logs:CreateLogGroup")


def test_files_of_variables_and_credentials_of_registries_are_read() -> None:
    draft = with_roles()
    file = "arn:aws:s3:::shop-settings/ui.env"
    draft.containers["ui"][0]["environmentFiles"] = [{"value": file, "type": "s3"}]
    secret = arn("secretsmanager", "secret:elsewhere-AbCdEf")
    draft.containers["ui"][0]["repositoryCredentials"] = {"credentialsParameter": secret}
    evidence = " ".join(one.evidence for one in outcome(draft).findings)
    assert f"s3:GetObject on {file}" in evidence
    assert f"secretsmanager:GetSecretValue on {secret}" in evidence


def test_a_parameter_may_be_named_without_its_arn() -> None:
    draft = with_roles()
    draft.containers["ui"][0]["secrets"] = [{"name": "A", "valueFrom": "/other/parameter"}]
    found = lacks(draft, EXECUTION, "ssm:GetParameters")
    assert f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/other/parameter" in found.evidence


def test_a_task_without_a_role_lacks_everything() -> None:
    draft = with_roles()
    draft.task("history")["task_role_arn"] = None
    assert ng(outcome(draft)) == [("aws_ecs_task_definition.history", "task_role_arn")]
    draft = with_roles()
    draft.task("history")["execution_role_arn"] = ""
    assert ng(outcome(draft)) == [("aws_ecs_task_definition.history", "execution_role_arn")]


def test_what_names_no_role_is_a_finding() -> None:
    draft = with_roles()
    draft.task("ui")["task_role_arn"] = "arn:aws:iam::role/shop-ui"
    assert ng(outcome(draft)) == [("aws_ecs_task_definition.ui", "task_role_arn")]


def test_instances_without_the_agents_rights_never_join() -> None:
    draft = with_roles().without(
        "aws_iam_role_policy_attachment.instance-amazonec2containerserviceforec2role"
    )
    found = outcome(draft).findings
    assert {one.resource for one in found} == {"aws_iam_role.instance"}
    assert any("ecs:RegisterContainerInstance" in one.evidence for one in found)
    assert "never join" in found[0].symptom
    draft = with_roles()
    draft["aws_launch_template.main"]["iam_instance_profile"] = []
    assert ng(outcome(draft)) == [("aws_launch_template.main", "iam_instance_profile")]


def test_instances_of_something_else_are_left_alone() -> None:
    draft = with_roles()
    draft["aws_launch_template.main"]["user_data"] = None
    draft["aws_launch_template.main"]["iam_instance_profile"] = []
    assert not outcome(draft).findings


def test_flow_logs_need_their_group() -> None:
    draft = with_roles()
    role = f"arn:aws:iam::{ACCOUNT}:role/shop-flow"
    group = arn("logs", "log-group:/shop/flow")
    draft.add("aws_flow_log.main", iam_role_arn=role, log_destination=group)
    write = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    flow = [allow(["logs:DescribeLogGroups"], "*"), allow(write, f"{group}:*")]
    add_role(draft, "flow", "vpc-flow-logs.amazonaws.com", flow)
    assert not draft.judged(FAMILY).findings
    change(draft, "aws_iam_role_policy.flow", lambda given_: given_[:1])
    assert ng(outcome(draft)) == [("aws_iam_role_policy.flow", "policy")] * 3


def test_backups_need_the_right_to_copy() -> None:
    draft = with_roles()
    role = f"arn:aws:iam::{ACCOUNT}:role/shop-backup"
    draft.add("aws_backup_selection.main", iam_role_arn=role, resources=[DATABASE])
    add_role(draft, "backup", "backup.amazonaws.com", [])
    assert {one.resource for one in outcome(draft).findings} == {"aws_iam_role.backup"}
    draft.add(
        "aws_iam_role_policy_attachment.backup",
        role="shop-backup",
        policy_arn="arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup",
    )
    assert not draft.judged(FAMILY).findings


@pytest.mark.parametrize("value", [UNKNOWN, "no JSON"])
def test_a_policy_that_cannot_be_read_is_not_judged(value: Any) -> None:
    draft = with_roles()
    draft["aws_iam_role_policy.ui"]["policy"] = value
    found = outcome(draft)
    assert found.verdict is Verdict.SKIP
    assert [one.resource for one in found.unjudged] == ["aws_iam_role.ui"]


def test_a_role_that_is_not_in_the_plan_is_not_judged() -> None:
    found = outcome(with_roles().without("aws_iam_role.ui", "aws_iam_role_policy.ui"))
    assert found.verdict is Verdict.SKIP
    assert [one.resource for one in found.unjudged] == ["aws_ecs_task_definition.ui"]
    draft = with_roles()
    draft.task("ui")["task_role_arn"] = UNKNOWN
    assert outcome(draft).verdict is Verdict.SKIP


def test_a_policy_of_an_unknown_role_may_be_anybodys() -> None:
    draft = with_roles()
    draft["aws_iam_role_policy.ui"]["role"] = UNKNOWN
    found = outcome(draft)
    assert found.verdict is Verdict.SKIP
    assert "aws_iam_role_policy.ui" in [one.resource for one in found.unjudged]


def test_a_policy_of_awss_own_that_is_not_known_is_not_judged() -> None:
    draft = with_roles().without("aws_iam_role_policy.ui")
    draft.add(
        "aws_iam_role_policy_attachment.ui",
        role="shop-ui",
        policy_arn="arn:aws:iam::aws:policy/SomethingNew",
    )
    assert outcome(draft).verdict is Verdict.SKIP


def test_policies_are_found_in_every_form() -> None:
    given_ = document(exec_statements())
    for form in ("inline", "customer", "customer list", "exclusive", "managed_policy_arns"):
        draft = with_roles().without("aws_iam_role_policy.ui")
        own = f"arn:aws:iam::{ACCOUNT}:policy/shop-ui"
        if form == "inline":
            draft["aws_iam_role.ui"]["inline_policy"] = [{"name": "a", "policy": given_}]
        else:
            draft.add("aws_iam_policy.ui", arn=own, policy=given_)
        if form == "customer":
            draft.add("aws_iam_role_policy_attachment.ui", role="shop-ui", policy_arn=own)
        if form == "customer list":
            draft.add("aws_iam_policy_attachment.ui", roles=["shop-ui"], policy_arn=own)
        if form == "exclusive":
            draft.add(
                "aws_iam_role_policy_attachments_exclusive.ui",
                role_name="shop-ui",
                policy_arns=[own],
            )
        if form == "managed_policy_arns":
            draft["aws_iam_role.ui"]["managed_policy_arns"] = [own]
        assert not outcome(draft).findings, form
        assert outcome(draft).verdict is Verdict.OK, form


def test_a_boundary_takes_away() -> None:
    draft = with_roles()
    own = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    draft["aws_iam_role.history"]["permissions_boundary"] = own
    assert outcome(draft).verdict is Verdict.SKIP
    draft.add("aws_iam_policy.boundary", arn=own, policy=document([allow(["*"], "*")]))
    assert outcome(draft).verdict is Verdict.OK
    narrow = allow(["es:*", "aps:*", "ssmmessages:*", "logs:*"], "*")
    draft["aws_iam_policy.boundary"]["policy"] = document([narrow])
    lacks(draft, HISTORY, "dsql:DbConnectAdmin")


def test_containers_that_are_not_known_are_not_judged() -> None:
    draft = with_roles()
    del draft.containers["ui"]
    draft.task("ui")["container_definitions"] = UNKNOWN
    found = outcome(draft)
    assert found.verdict is Verdict.SKIP
    assert "aws_ecs_task_definition.ui" in [one.resource for one in found.unjudged]


def test_without_anybody_who_wears_a_role_there_is_nothing_to_judge() -> None:
    draft = Draft()
    draft.add("aws_vpc.main", id="vpc-1")
    assert outcome(draft).verdict is Verdict.SKIP


_ACTIONS = ("s3:*", "logs:PutLogEvents", "dsql:DbConnectAdmin", "iam:PassRole")
_MORE = [allow([action], place) for action in _ACTIONS for place in ("*", DATABASE)]


@settings(deadline=None)
@given(st.data())
def test_an_allow_more_is_never_a_right_less_and_one_less_never_too_much(data: Any) -> None:
    """Adding an Allow makes nothing missing; taking one away makes nothing excessive."""
    draft = with_roles()
    address = data.draw(st.sampled_from([HISTORY, EXECUTION, "aws_iam_role_policy.ui"]))
    given_ = statements_of(draft, address)
    kept = [one for one in given_ if data.draw(st.booleans())]
    more = data.draw(st.lists(st.sampled_from(_MORE), max_size=2))
    change(draft, address, lambda _: kept)
    before = draft.judged(FAMILY)
    assert not before.of("identity-excess").findings
    change(draft, address, lambda now: [*now, *more])
    after = draft.judged(FAMILY)
    assert set(after.of(RULE).findings) <= set(before.of(RULE).findings)
