"""Rules about ECS Exec, on a plan made by hand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.checks.exec import FAMILY
from temporal_dsql_deploy.checks.model import Verdict
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import good
from tests.support.draft import ABSENT, SERVICE, TASK, Break, Draft, every, verdicts

CLUSTER = "aws_ecs_cluster.main"
LOG = "configuration.0.execute_command_configuration.0"
GROUP = f"{LOG}.log_configuration.0.cloud_watch_log_group_name"
NAMES = ("history", "matching", "frontend", "worker", "ui", "grafana")
BREAKS = [
    *(
        Break("exec-service", f"{SERVICE}.{name}", "enable_execute_command", (False, None))
        for name in NAMES
    ),
    *(
        Break("exec-init", f"{name}/0", "linuxParameters.initProcessEnabled", (False, ABSENT))
        for name in (*NAMES, "setup")
    ),
    Break("exec-init", "history/1", "linuxParameters.initProcessEnabled", (False, ABSENT)),
    Break("exec-log", CLUSTER, f"{LOG}.logging", ("NONE", "DEFAULT", None)),
    Break("exec-log", CLUSTER, GROUP, (None, "", "/shop/other")),
    Break(
        "exec-log",
        "aws_cloudwatch_log_group.exec",
        "",
        (ABSENT,),
        (CLUSTER, GROUP),
    ),
]


def test_a_shell_can_be_opened_in_a_good_plan() -> None:
    assert set(verdicts(good().judged(FAMILY)).values()) == {Verdict.OK}


@pytest.mark.parametrize(("wrong", "value"), every(BREAKS))
def test_what_is_wrong_is_found_where_it_is(wrong: Break, value: Any) -> None:
    wrong.holds(FAMILY, good(), value)


@given(st.sampled_from(BREAKS), st.integers(0, 20), st.data())
def test_property_3(wrong: Break, count: int, data: st.DataObject) -> None:
    """Feature: temporal-ecs-fargate, Property 3: ECS Exec and an init process everywhere."""
    draft = good()
    for name in NAMES:
        draft.service(name)["desired_count"] = count
    assert not draft.judged(FAMILY).findings
    wrong.holds(FAMILY, draft, data.draw(st.sampled_from(wrong.values)))


def test_a_log_that_is_to_be_encrypted_has_a_key() -> None:
    path = f"{LOG}.log_configuration.0.cloud_watch_encryption_enabled"
    draft = good().put(CLUSTER, path, value=True)
    assert not draft.judged(FAMILY).findings
    draft["aws_cloudwatch_log_group.exec"]["kms_key_id"] = None
    (found,) = draft.judged(FAMILY).of("exec-log").findings
    assert (found.resource, found.attribute) == (CLUSTER, path)


def test_sessions_may_go_to_the_logs_of_the_containers_or_to_a_bucket() -> None:
    assert not good().put(CLUSTER, "configuration", []).judged(FAMILY).findings
    path = f"{LOG}.log_configuration"
    draft = good().put(CLUSTER, path, [{"s3_bucket_name": "sessions"}])
    assert not draft.judged(FAMILY).findings


def test_what_is_not_known_is_not_judged() -> None:
    for place, path, rule in (
        (f"{SERVICE}.ui", "enable_execute_command", "exec-service"),
        (CLUSTER, f"{LOG}.logging", "exec-log"),
        (CLUSTER, GROUP, "exec-log"),
        (f"{TASK}.ui", "container_definitions", "exec-init"),
    ):
        found = verdicts(good().put(place, path, UNKNOWN).judged(FAMILY))
        assert found[rule] is Verdict.SKIP, rule
    assert set(verdicts(Draft().judged(FAMILY)).values()) == {Verdict.SKIP}
