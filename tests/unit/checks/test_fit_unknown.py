"""Rules about room where a plan does not tell all."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy.checks.fit import FAMILY
from temporal_dsql_deploy.checks.fit.measures import whole
from temporal_dsql_deploy.checks.model import Verdict
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import good
from tests.support.draft import SERVICE, TASK, Draft, verdicts

GROUP = "aws_autoscaling_group.main"
TEMPLATE = "aws_launch_template.main"
PROVIDER = "aws_ecs_capacity_provider.main"
SCALED = "auto_scaling_group_provider.0"
LEAST = "deployment_minimum_healthy_percent"


def test_a_plan_without_all_this_is_not_judged() -> None:
    assert set(verdicts(Draft().judged(FAMILY)).values()) == {Verdict.SKIP}


@pytest.mark.parametrize(
    ("place", "path", "rule"),
    [
        (TEMPLATE, "instance_type", "fit-at-rest"),
        (TEMPLATE, "instance_type", "fit-instance-type"),
        (GROUP, "max_size", "fit-at-rest"),
        (GROUP, "max_size", "fit-instance-count"),
        (GROUP, "vpc_zone_identifier", "fit-zone-lost"),
        (PROVIDER, f"{SCALED}.managed_scaling.0.status", "fit-at-rest"),
        (PROVIDER, f"{SCALED}.managed_scaling.0.status", "fit-capacity-provider"),
        (f"{SERVICE}.ui", "capacity_provider_strategy", "fit-at-rest"),
        (f"{SERVICE}.ui", "capacity_provider_strategy", "fit-capacity-provider"),
        (f"{SERVICE}.ui", LEAST, "fit-rolling-deployment"),
        (f"{SERVICE}.ui", LEAST, "fit-deployment-limits"),
        (f"{TASK}.ui", "memory", "fit-task-size"),
        (f"{TASK}.ui", "memory", "fit-at-rest"),
        (f"{TASK}.ui", "container_definitions", "fit-task-size"),
        ("outputs", "services.history.replicas", "fit-replicas"),
        ("outputs", "services.history.replicas", "fit-at-rest"),
        ("outputs", "services.history.replicas", "fit-deployment-limits"),
    ],
)
def test_what_is_not_known_is_not_judged(place: str, path: str, rule: str) -> None:
    outcome = good().put(place, path, UNKNOWN).judged(FAMILY).of(rule)
    assert (outcome.verdict, outcome.findings) == (Verdict.SKIP, ())
    assert all(one.reason for one in outcome.unjudged)


@pytest.mark.parametrize("name", ["m7i.large", "z9g.large"])
def test_a_type_that_is_not_in_the_table_is_not_judged(name: str) -> None:
    judgement = good().put(TEMPLATE, "instance_type", name).judged(FAMILY)
    assert not judgement.findings
    (said,) = judgement.of("fit-instance-type").unjudged
    assert f"type {name} is not in the table; known are" in said.reason
    assert judgement.of("fit-at-rest").verdict is Verdict.SKIP


def places() -> list[tuple[str, str]]:
    """Every attribute of every resource of the good plan."""
    return [(address, key) for address, values in good().values.items() for key in values]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(places()), min_size=1, max_size=6, unique=True))
def test_nothing_is_found_and_nothing_fails_where_less_is_known(
    hidden: list[tuple[str, str]],
) -> None:
    draft = good()
    for address, key in hidden:
        draft[address][key] = UNKNOWN
    assert not draft.judged(FAMILY).findings


@pytest.mark.parametrize(
    ("said", "number"),
    [
        (512, 512),
        ("512", 512),
        (".5 vCPU", 512),
        ("1 GB", 1024),
        ("2vcpu", 2048),
        (None, None),
        (True, None),
        ("much", None),
        (UNKNOWN, None),
    ],
)
def test_sizes_may_be_written_in_several_ways(said: Any, number: int | None) -> None:
    assert whole(said) == number


def test_external_instances_are_none_of_the_plan() -> None:
    draft = good()
    draft.service("ui").update(launch_type="EXTERNAL", capacity_provider_strategy=[])
    judgement = draft.judged(FAMILY)
    assert not judgement.findings
    assert "external instances" in judgement.of("fit-at-rest").unjudged[0].reason


@pytest.mark.parametrize(
    "types", [["m7g.large", "m7g.xlarge"], [None], [UNKNOWN], [UNKNOWN, "m7g.large"], [None, None]]
)
def test_of_instances_that_are_mixed_nothing_is_guessed(types: list[Any]) -> None:
    override = [{"instance_type": one} for one in types]
    draft = good().put(GROUP, "mixed_instances_policy", [{"launch_template": [{}]}])
    draft[GROUP]["mixed_instances_policy"][0]["launch_template"][0]["override"] = override
    judgement = draft.judged(FAMILY)
    assert not judgement.findings
    (said,) = judgement.of("fit-instance-type").unjudged
    assert said.reason == "its instance type is not known, or it mixes several"


def test_the_root_volume_of_bottlerocket_may_be_small() -> None:
    volume = [{"device_name": "/dev/xvda", "ebs": [{"volume_size": 4}]}]
    draft = good().put(TEMPLATE, "block_device_mappings", volume)
    assert draft.judged(FAMILY).of("fit-instance-launch").verdict is Verdict.NG
    draft[TEMPLATE]["user_data"] = '[settings.ecs]\ncluster = "shop"\n'
    assert draft.judged(FAMILY).of("fit-instance-launch").verdict is Verdict.OK
