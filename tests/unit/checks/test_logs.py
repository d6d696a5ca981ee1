"""Rules about logs, on a plan made by hand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.checks.logs import FAMILY
from temporal_dsql_deploy.checks.model import Verdict
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import REGION, good
from tests.support.draft import ABSENT, SERVICE, TASK, Break, Draft, every, only, verdicts

OPTIONS = "logConfiguration.options"
PLACES = ("history/0", "history/1", "frontend/0", "ui/0", "grafana/0", "setup/0")
BREAKS = [
    *(
        Break("logs-driver", place, "logConfiguration.logDriver", ("json-file", "none"))
        for place in PLACES
    ),
    *(
        Break("logs-group", place, f"{OPTIONS}.awslogs-group", ("/shop/other", "", ABSENT))
        for place in PLACES
    ),
    *(
        Break("logs-region", place, f"{OPTIONS}.awslogs-region", ("us-east-1", ABSENT))
        for place in PLACES
    ),
    *(
        Break("logs-prefix", place, f"{OPTIONS}.awslogs-stream-prefix", ("", ABSENT))
        for place in PLACES
    ),
    *(Break("logs-mode", place, f"{OPTIONS}.mode", ("blocking", ABSENT)) for place in PLACES),
    *(
        Break("logs-mode", place, f"{OPTIONS}.max-buffer-size", ("25x", "1k", "4096", ABSENT))
        for place in PLACES
    ),
    Break("logs-retention", "aws_cloudwatch_log_group.ui", "retention_in_days", (0, None)),
]


def test_what_containers_of_a_good_plan_write_is_kept() -> None:
    assert set(verdicts(good().judged(FAMILY)).values()) == {Verdict.OK}


@pytest.mark.parametrize(("wrong", "value"), every(BREAKS))
def test_what_is_wrong_is_found_where_it_is(wrong: Break, value: Any) -> None:
    wrong.holds(FAMILY, good(), value)


@given(
    st.sampled_from(BREAKS),
    st.sampled_from([1, 7, 30, 365]),
    st.sampled_from(["1m", "25m", "10mb", "1g", "2048k", "1048576"]),
    st.data(),
)
def test_property_5(wrong: Break, days: int, buffer: str, data: st.DataObject) -> None:
    """Feature: temporal-ecs-fargate, Property 5: awslogs and a prefix of its own, as followed.

    In place of awslogs-create-group, which the execution role may not use, the group is there.
    """
    draft = good()
    for values in draft.values.values():
        if "retention_in_days" in values:
            values["retention_in_days"] = days
    for containers in draft.containers.values():
        for container in containers:
            container["logConfiguration"]["options"]["max-buffer-size"] = buffer
    assert not draft.judged(FAMILY).findings
    wrong.holds(FAMILY, draft, data.draw(st.sampled_from(wrong.values)))


def test_a_container_without_any_log_is_found() -> None:
    draft = good().put("ui/0", "logConfiguration", ABSENT)
    (found,) = only(draft.judged(FAMILY), "logs-driver")
    assert found.resource == f"{TASK}.ui"


def test_a_group_that_is_made_twice_is_found() -> None:
    draft = good()
    draft.add("aws_cloudwatch_log_group.ui2", name="/shop/ui", arn="arn:2", retention_in_days=7)
    (found,) = only(draft.judged(FAMILY), "logs-name")
    assert (found.resource, found.attribute) == ("aws_cloudwatch_log_group.ui2", "name")


def test_two_services_do_not_share_streams() -> None:
    draft = good()
    draft.put("ui/0", f"{OPTIONS}.awslogs-group", "/shop/grafana")
    assert not draft.judged(FAMILY).findings
    draft.put("ui/0", f"{OPTIONS}.awslogs-stream-prefix", "grafana")
    (found,) = only(draft.judged(FAMILY), "logs-prefix")
    assert found.attribute.endswith("awslogs-stream-prefix")


def test_a_router_of_the_task_may_take_the_log() -> None:
    draft = good().put("ui/0", "logConfiguration", {"logDriver": "awsfirelens"})
    assert only(draft.judged(FAMILY), "logs-driver")
    draft.put("ui/0", "firelensConfiguration", {"type": "fluentbit"})
    assert not draft.judged(FAMILY).findings


def test_a_group_may_be_created_by_who_is_allowed_to() -> None:
    draft = good().put("ui/0", f"{OPTIONS}.awslogs-group", "/shop/new")
    draft.put("ui/0", f"{OPTIONS}.awslogs-create-group", "true")
    assert verdicts(draft.judged(FAMILY))["logs-group"] is Verdict.SKIP
    role = draft.add(
        "aws_iam_role.execution",
        name="shop-execution",
        id="shop-execution",
        arn=draft.task("ui")["execution_role_arn"],
    )
    managed = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    draft.add("aws_iam_role_policy_attachment.execution", role=role["name"], policy_arn=managed)
    (found,) = only(draft.judged(FAMILY), "logs-group")
    assert found.attribute.endswith("awslogs-create-group")
    draft.add(
        "aws_iam_role_policy.logs", role=role["id"], policy='{"Action": "logs:CreateLogGroup"}'
    )
    assert not draft.judged(FAMILY).findings


def test_the_proxy_of_service_connect_logs_too() -> None:
    draft = good()
    options = {
        "awslogs-group": "/shop/frontend",
        "awslogs-region": REGION,
        "awslogs-stream-prefix": "service-connect",
        "mode": "non-blocking",
        "max-buffer-size": "25m",
    }
    connect = draft.service("frontend")["service_connect_configuration"][0]
    connect["log_configuration"] = [{"log_driver": "awslogs", "options": options}]
    assert not draft.judged(FAMILY).findings
    options["awslogs-group"] = "/shop/other"
    (found,) = only(draft.judged(FAMILY), "logs-group")
    assert found.resource == f"{SERVICE}.frontend"
    assert found.attribute.endswith("log_configuration.0.options.awslogs-group")


def test_what_is_not_known_is_not_judged() -> None:
    found = verdicts(good().put(f"{TASK}.ui", "container_definitions", UNKNOWN).judged(FAMILY))
    assert found["logs-driver"] is Verdict.SKIP
    unsure = good().put("aws_cloudwatch_log_group.ui", "name", UNKNOWN)
    assert verdicts(unsure.judged(FAMILY))["logs-name"] is Verdict.SKIP
    assert verdicts(unsure.judged(FAMILY))["logs-group"] is Verdict.SKIP
    unsure = good().put("aws_cloudwatch_log_group.ui", "retention_in_days", UNKNOWN)
    assert verdicts(unsure.judged(FAMILY))["logs-retention"] is Verdict.SKIP
    assert set(verdicts(Draft().judged(FAMILY)).values()) == {Verdict.SKIP}


def test_what_else_writes_logs_has_a_group() -> None:
    draft = good()
    draft.add("aws_flow_log.main", log_destination=draft["aws_cloudwatch_log_group.ui"]["arn"])
    options = [{"cloudwatch_log_group_arn": draft["aws_cloudwatch_log_group.ui"]["arn"]}]
    draft.put("aws_opensearch_domain.main", "log_publishing_options", options)
    logging = [{"log_group_arn": f"{draft['aws_cloudwatch_log_group.ui']['arn']}:*"}]
    draft.put("aws_prometheus_workspace.main", "logging_configuration", logging)
    assert not draft.judged(FAMILY).findings
    other = "arn:aws:logs:eu-west-1:123456789012:log-group:/shop/other"
    for place, path in (
        ("aws_flow_log.main", "log_destination"),
        ("aws_opensearch_domain.main", "log_publishing_options.0.cloudwatch_log_group_arn"),
        ("aws_prometheus_workspace.main", "logging_configuration.0.log_group_arn"),
    ):
        before = draft.plan()[place][path]
        (found,) = only(draft.put(place, path, other).judged(FAMILY), "logs-destination")
        assert (found.resource, found.attribute) == (place, path)
        draft.put(place, path, before)


def test_groups_that_someone_else_makes_are_not_judged() -> None:
    draft = good()
    draft.values = {
        address: values for address, values in draft.values.items() if "log_group" not in address
    }
    found = verdicts(draft.judged(FAMILY))
    assert found["logs-group"] is found["logs-retention"] is Verdict.SKIP
