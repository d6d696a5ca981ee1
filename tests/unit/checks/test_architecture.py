"""Rules about ARM64 and the cluster that instances join, on a plan made by hand."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.checks.architecture import FAMILY
from temporal_dsql_deploy.checks.model import Verdict
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import good
from tests.support.draft import TASK, Break, Draft, every, only, verdicts

TEMPLATE = "aws_launch_template.main"
INTEL = ("m7i.large", "m5.large", "t3.small", "c6a.xlarge", "g4dn.xlarge", "r5b.large")
GRAVITON = ("m7g.large", "m8g.xlarge", "c7gn.large", "t4g.small", "r8gd.2xlarge", "a1.large")
NAMES = ("history", "matching", "frontend", "worker", "ui", "grafana", "setup")


def encoded(script: str) -> str:
    return base64.b64encode(script.encode()).decode()


BREAKS = [
    *(
        Break("architecture-task", f"{TASK}.{name}", f"runtime_platform.0.{key}", wrong)
        for name in NAMES
        for key, wrong in (
            ("cpu_architecture", ("X86_64", None)),
            ("operating_system_family", ("WINDOWS_SERVER_2022_CORE",)),
        )
    ),
    Break("architecture-instance", TEMPLATE, "instance_type", (*INTEL, None, "")),
    Break(
        "architecture-image",
        TEMPLATE,
        "image_id",
        (
            "resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id",
            "resolve:ssm:/aws/service/bottlerocket/aws-ecs-2/x86_64/latest/image_id",
            "",
            None,
            "ssm:/arm64",
        ),
    ),
    Break(
        "architecture-join",
        TEMPLATE,
        "user_data",
        (
            encoded("#!/bin/bash\necho ECS_CLUSTER=default >> /etc/ecs/ecs.config\n"),
            encoded("#!/bin/bash\n"),
            None,
            "#!/bin/bash\necho ECS_CLUSTER='shop' >> /etc/ecs/ecs.config\n",
        ),
    ),
]


def test_a_good_plan_is_arm64() -> None:
    assert set(verdicts(good().judged(FAMILY)).values()) == {Verdict.OK}


@pytest.mark.parametrize(("wrong", "value"), every(BREAKS))
def test_what_is_wrong_is_found_where_it_is(wrong: Break, value: Any) -> None:
    wrong.holds(FAMILY, good(), value)


@given(st.sampled_from(BREAKS), st.sampled_from(GRAVITON), st.data())
def test_property_2(wrong: Break, kind: str, data: st.DataObject) -> None:
    """Feature: temporal-ecs-fargate, Property 2: ARM64 tasks and instances of any Graviton type."""
    draft = good().put(TEMPLATE, "instance_type", kind)
    assert not draft.judged(FAMILY).findings
    wrong.holds(FAMILY, draft, data.draw(st.sampled_from(wrong.values)))


def test_a_platform_that_is_left_out_is_found() -> None:
    draft = good()
    draft.task("ui")["runtime_platform"] = []
    found = only(draft.judged(FAMILY), "architecture-task")
    assert {one.resource for one in found} == {f"{TASK}.ui"}


def test_a_type_among_several_is_found() -> None:
    draft = good()
    override = [{"instance_type": "m7g.large"}, {"instance_type": "m5.large"}]
    draft["aws_autoscaling_group.main"]["mixed_instances_policy"] = [
        {"launch_template": [{"override": override}]}
    ]
    (found,) = only(draft.judged(FAMILY), "architecture-instance")
    assert found.resource == "aws_autoscaling_group.main"
    assert found.attribute.endswith("override.1.instance_type")


def test_an_image_by_its_number_is_judged_by_where_it_comes_from() -> None:
    draft = good().put(TEMPLATE, "image_id", "ami-0123456789abcdef0")
    assert verdicts(draft.judged(FAMILY))["architecture-image"] is Verdict.SKIP
    draft.add("data.aws_ami.ecs", id="ami-0123456789abcdef0", architecture="arm64")
    assert verdicts(draft.judged(FAMILY))["architecture-image"] is Verdict.OK
    draft["data.aws_ami.ecs"]["architecture"] = "x86_64"
    assert only(draft.judged(FAMILY), "architecture-image")
    del draft.values["data.aws_ami.ecs"]
    name = "/aws/service/ecs/optimized-ami/amazon-linux-2/arm64/recommended/image_id"
    draft.add("data.aws_ssm_parameter.ecs", name=name, value="ami-0123456789abcdef0")
    assert verdicts(draft.judged(FAMILY))["architecture-image"] is Verdict.OK


@pytest.mark.parametrize(
    "script",
    [
        'echo "ECS_CLUSTER=shop-cluster" > /etc/ecs/ecs.config',
        '[settings.ecs]\ncluster = "shop-cluster"\n',
    ],
)
def test_user_data_may_be_written_in_several_ways(script: str) -> None:
    for text in (script, encoded(script)):
        assert not good().put(TEMPLATE, "user_data", text).judged(FAMILY).findings


def test_what_is_not_known_is_not_judged() -> None:
    for place, path, rule in (
        (f"{TASK}.ui", "runtime_platform.0.cpu_architecture", "architecture-task"),
        (TEMPLATE, "instance_type", "architecture-instance"),
        (TEMPLATE, "image_id", "architecture-image"),
        (TEMPLATE, "user_data", "architecture-join"),
    ):
        found = verdicts(good().put(place, path, UNKNOWN).judged(FAMILY))
        assert found[rule] is Verdict.SKIP, rule
    assert set(verdicts(Draft().judged(FAMILY)).values()) == {Verdict.SKIP}


def test_a_template_that_no_cluster_uses_is_no_matter() -> None:
    draft = good()
    draft.add("aws_launch_template.other", id="lt-other", name="other", instance_type="m5.large")
    assert not draft.judged(FAMILY).findings
