"""Rules about room, on a plan made by hand."""

from typing import Any

import pytest

from temporal_dsql_deploy.checks.fit import FAMILY
from temporal_dsql_deploy.checks.model import Verdict
from tests.support.check_plans import ECS_CLUSTER, PRIVATE, ROLES, good
from tests.support.draft import ABSENT, SERVICE, TASK, Break, every, ng, only, verdicts

GROUP = "aws_autoscaling_group.main"
TEMPLATE = "aws_launch_template.main"
PROVIDER = "aws_ecs_capacity_provider.main"
ATTACHED = "aws_ecs_cluster_capacity_providers.main"
SCALED = "auto_scaling_group_provider.0"
STRATEGY = [
    {"type": "spread", "field": "attribute:ecs.availability-zone"},
    {"type": "spread", "field": "instanceId"},
]
LEAST, MOST = "deployment_minimum_healthy_percent", "deployment_maximum_percent"

BREAKS = [
    Break("fit-at-rest", "outputs", "services.history.replicas", (12,), (GROUP, "max_size")),
    Break(
        "fit-replicas",
        "outputs",
        "services.matching.replicas",
        (0,),
        (f"{SERVICE}.matching", "desired_count"),
    ),
    Break("fit-deployment-limits", f"{SERVICE}.history", MOST, (100, 150, 10, 0)),
    Break("fit-deployment-limits", f"{SERVICE}.grafana", MOST, (100,)),
    Break("fit-deployment-limits", f"{SERVICE}.history", LEAST, (0, 1000)),
    Break("fit-instance-type", TEMPLATE, "instance_type", (None,)),
    Break("fit-instance-count", GROUP, "desired_capacity", (0, 7, 30)),
    Break("fit-instance-count", GROUP, "min_size", (None,)),
    Break("fit-instance-count", GROUP, "max_size", (None,)),
    Break("fit-instance-launch", TEMPLATE, "image_id", (None, "", "changed-resolve:ssm:/aws")),
    Break(
        "fit-capacity-provider",
        f"{SERVICE}.history",
        "capacity_provider_strategy.0.capacity_provider",
        ("shop-other", ""),
        (f"{SERVICE}.history", "capacity_provider_strategy"),
    ),
    Break(
        "fit-capacity-provider",
        f"{SERVICE}.history",
        "capacity_provider_strategy.0.weight",
        (0,),
        (f"{SERVICE}.history", "capacity_provider_strategy"),
    ),
    Break(
        "fit-capacity-provider",
        ATTACHED,
        "",
        (ABSENT,),
        (f"{SERVICE}.ui", "capacity_provider_strategy"),
    ),
    Break(
        "fit-capacity-provider",
        ATTACHED,
        "default_capacity_provider_strategy.0.capacity_provider",
        ("shop-other", None),
    ),
    Break("fit-capacity-provider", PROVIDER, "", (ABSENT,), (GROUP, "")),
    Break(
        "fit-capacity-provider",
        PROVIDER,
        f"{SCALED}.auto_scaling_group_arn",
        (None, "changed"),
        (GROUP, ""),
    ),
    Break(
        "fit-capacity-provider",
        GROUP,
        "",
        (ABSENT,),
        (PROVIDER, f"{SCALED}.auto_scaling_group_arn"),
    ),
    Break("fit-capacity-provider", PROVIDER, f"{SCALED}.managed_draining", ("DISABLED", "")),
    Break(
        "fit-capacity-provider",
        PROVIDER,
        f"{SCALED}.managed_termination_protection",
        ("DISABLED", None, "changed"),
    ),
    Break(
        "fit-capacity-provider",
        PROVIDER,
        f"{SCALED}.managed_scaling.0.target_capacity",
        (0, 1000),
    ),
    Break("fit-capacity-provider", GROUP, "protect_from_scale_in", (False, None)),
    Break("fit-task-size", f"{TASK}.history", "memory", ("102", "409", "10240", None)),
    Break("fit-task-size", f"{TASK}.history", "cpu", ("51", "5120")),
    Break("fit-task-size", f"{TASK}.grafana", "memory", ("256",)),
    Break("fit-task-size", f"{TASK}.ui", "cpu", ("25", None)),
    Break("fit-task-size", f"{TASK}.setup", "memory", ("51", "5120", None)),
    Break("fit-task-size", f"{TASK}.setup", "cpu", ("25", "2560", None)),
    Break("fit-task-size", "history/1", "memory", (25, None)),
    Break("fit-task-size", "history/1", "memory", (2560,), (f"{TASK}.history", "memory")),
    Break("fit-task-size", "history/0", "memory", (100,)),
    Break(
        "fit-spread",
        f"{SERVICE}.history",
        "ordered_placement_strategy",
        (STRATEGY[1:], [{"type": "binpack", "field": "memory"}], [{"type": "random"}]),
        (f"{SERVICE}.history", "ordered_placement_strategy.0"),
    ),
]


def test_everything_fits_in_a_good_plan() -> None:
    assert set(verdicts(good().judged(FAMILY)).values()) == {Verdict.OK}


@pytest.mark.parametrize(("wrong", "value"), every(BREAKS))
def test_what_is_wrong_is_found_where_it_is(wrong: Break, value: Any) -> None:
    draft = good().put(wrong.place, wrong.path, value)
    found = draft.judged(FAMILY).of(wrong.rule).findings
    assert wrong.expected() in [(one.resource, one.attribute) for one in found], found
    assert all(one.evidence and one.symptom and one.fix for one in found)


def test_a_deployment_that_starts_one_first_needs_room_for_it() -> None:
    draft = good().put(GROUP, "max_size", 3)
    found = draft.judged(FAMILY).of("fit-rolling-deployment").findings
    assert {(one.resource, one.attribute) for one in found} == {(GROUP, "max_size")}
    for name in (*ROLES, "ui", "grafana"):
        draft.put(f"{SERVICE}.{name}", LEAST, 0).put(f"{SERVICE}.{name}", MOST, 100)
    assert draft.judged(FAMILY).of("fit-rolling-deployment").verdict is Verdict.OK


def test_a_lost_instance_and_a_lost_zone() -> None:
    draft = good().put(GROUP, "max_size", 3)
    draft.add("aws_ecs_account_setting_default.trunk", name="awsvpcTrunking", value="disabled")
    judgement = draft.judged(FAMILY)
    assert ng(judgement.of("fit-instance-lost")) == [(GROUP, "max_size")]
    # Auto Scaling starts three in the other zone.
    assert judgement.of("fit-zone-lost").verdict is Verdict.OK


def test_a_group_or_a_service_of_one_zone_is_found_where_there_are_two() -> None:
    draft = good().put(GROUP, "vpc_zone_identifier", [PRIVATE[0]])
    assert ng(draft.judged(FAMILY).of("fit-zone-lost")) == [(GROUP, "vpc_zone_identifier")]
    draft = good().put(f"{SERVICE}.history", "network_configuration.0.subnets", [PRIVATE[0]])
    assert ng(draft.judged(FAMILY).of("fit-zone-lost")) == [
        (f"{SERVICE}.history", "network_configuration.0.subnets")
    ]


def test_without_managed_scaling_the_desired_capacity_is_the_limit() -> None:
    draft = good().put(PROVIDER, f"{SCALED}.managed_scaling.0.status", "DISABLED")
    draft.put("outputs", "services.history.replicas", 3)
    judgement = draft.judged(FAMILY)
    assert ng(judgement.of("fit-at-rest")) == [(GROUP, "desired_capacity")]
    assert (PROVIDER, f"{SCALED}.managed_scaling") in ng(judgement.of("fit-capacity-provider"))


def test_without_a_capacity_provider_nothing_is_added() -> None:
    draft = good().without(ATTACHED)
    for name in (*ROLES, "ui", "grafana"):
        draft.service(name).update(capacity_provider_strategy=[], launch_type="EC2")
    judgement = draft.put("outputs", "services.history.replicas", 3).judged(FAMILY)
    assert judgement.of("fit-at-rest").verdict is Verdict.NG
    found = ng(judgement.of("fit-capacity-provider"))
    assert (f"{SERVICE}.history", "capacity_provider_strategy") in found


def test_a_service_without_strategy_has_the_default_of_its_cluster() -> None:
    draft = good()
    for name in (*ROLES, "ui", "grafana"):
        draft.service(name)["capacity_provider_strategy"] = []
    assert set(verdicts(draft.judged(FAMILY)).values()) == {Verdict.OK}


def test_daemons_take_their_part_of_every_instance() -> None:
    draft = good()
    draft.service("grafana")["scheduling_strategy"] = "DAEMON"
    # One interface of two is left on each of six instances, for five tasks and one more.
    judgement = draft.judged(FAMILY)
    assert judgement.of("fit-at-rest").verdict is Verdict.OK
    draft.put("outputs", "services.history.replicas", 3)
    assert ng(draft.judged(FAMILY).of("fit-at-rest")) == [(GROUP, "max_size")]


def test_fargate_takes_no_instance() -> None:
    draft = good().put(GROUP, "max_size", 3).put("outputs", "services.history.replicas", 20)
    draft.service("history").update(launch_type="FARGATE", capacity_provider_strategy=[])
    draft.task("history")["requires_compatibilities"] = ["FARGATE"]
    assert draft.judged(FAMILY).of("fit-at-rest").verdict is Verdict.OK
    draft.service("history").update(
        launch_type=None,
        capacity_provider_strategy=[{"capacity_provider": "FARGATE", "weight": 1}],
    )
    draft.task("history")["requires_compatibilities"] = ["EC2", "FARGATE"]
    draft[ATTACHED]["capacity_providers"].append("FARGATE")
    assert draft.judged(FAMILY).of("fit-at-rest").verdict is Verdict.OK


def test_more_tasks_than_zones_spread_over_instances_too() -> None:
    draft = good().put("outputs", "services.history.replicas", 3)
    draft.service("history")["ordered_placement_strategy"] = STRATEGY[:1]
    assert ng(draft.judged(FAMILY).of("fit-spread")) == [
        (f"{SERVICE}.history", "ordered_placement_strategy")
    ]
    # ECS does so by itself where a service says nothing.
    for given in (STRATEGY, [], None):
        draft.service("history")["ordered_placement_strategy"] = given
        assert draft.judged(FAMILY).of("fit-spread").verdict is Verdict.OK


@pytest.mark.parametrize(
    ("type_", "field"),
    [("spread", "zone"), ("spread", ""), ("binpack", "disk"), ("tightly", "cpu"), ("", "cpu")],
)
def test_a_strategy_that_ecs_does_not_know_is_found(type_: str, field: str) -> None:
    draft = good()
    draft.service("ui")["ordered_placement_strategy"] = [{"type": type_, "field": field}]
    assert ng(draft.judged(FAMILY).of("fit-placement-strategy")) == [
        (f"{SERVICE}.ui", "ordered_placement_strategy.0")
    ]


@pytest.mark.parametrize(
    ("type_", "expression"),
    [
        ("memberOf", ""),
        ("memberOf", "workload == history"),
        ("memberof", "attribute:workload == history"),
        ("distinctInstance", "attribute:workload == history"),
    ],
)
def test_a_constraint_that_ecs_does_not_know_is_found(type_: str, expression: str) -> None:
    draft = good()
    constraint = {"type": type_, "expression": expression}
    draft.service("ui")["placement_constraints"] = [constraint]
    assert ng(draft.judged(FAMILY).of("fit-placement-strategy")) == [
        (f"{SERVICE}.ui", "placement_constraints.0")
    ]
    constraint.update(type="distinctInstance", expression="")
    assert not draft.judged(FAMILY).findings
    constraint.update(type="memberOf", expression="not(task:group == service:history)")
    assert not draft.judged(FAMILY).findings


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("http_endpoint", "disabled"),
        ("http_tokens", "changed-required"),
        ("http_put_response_hop_limit", 0),
    ],
)
def test_metadata_that_the_agent_cannot_read_is_found(path: str, value: Any) -> None:
    draft = good().put(TEMPLATE, "metadata_options", [{path: value}])
    (found,) = only(draft.judged(FAMILY), "fit-instance-launch")
    assert found.attribute == f"metadata_options.0.{path}"


def test_a_volume_smaller_than_the_image_is_found() -> None:
    devices = [{"device_name": "/dev/xvda", "ebs": [{"volume_size": 5}]}]
    draft = good().put(TEMPLATE, "block_device_mappings", devices)
    (found,) = only(draft.judged(FAMILY), "fit-instance-launch")
    assert found.attribute == "block_device_mappings.0.ebs.0.volume_size"
    devices[0]["ebs"] = [{"volume_size": 30}]
    assert not draft.judged(FAMILY).findings


def test_containers_without_cpu_beside_others_are_found() -> None:
    draft = good().put("history/0", "cpu", 448)
    assert ng(draft.judged(FAMILY).of("fit-task-size")) == [
        (f"{TASK}.history", "container_definitions.1.cpu")
    ]
    draft.put("history/1", "cpu", 64)
    assert not draft.judged(FAMILY).findings
    draft.put("history/0", "cpu", 44)
    assert ng(draft.judged(FAMILY).of("fit-task-size")) == [
        (f"{TASK}.history", "container_definitions.0.cpu")
    ]


def test_sidecars_take_no_more_than_their_part() -> None:
    draft = good().put("history/0", "cpu", 96).put("history/1", "cpu", 64)
    assert ng(draft.judged(FAMILY).of("fit-task-size")) == [
        (f"{TASK}.history", "container_definitions.0.cpu")
    ]
    draft = good().put("history/1", "memory", 600)
    assert ng(draft.judged(FAMILY).of("fit-task-size")) == [(f"{TASK}.history", "memory")]


def test_agents_keep_what_they_are_told_to() -> None:
    draft = good()
    script = f"ECS_CLUSTER={ECS_CLUSTER}\nECS_RESERVED_MEMORY=7000\n"
    draft[TEMPLATE]["user_data"] = script
    found = draft.judged(FAMILY).of("fit-task-size").findings
    assert {one.attribute for one in found} == {"memory"}


def test_more_tasks_than_ecs_runs_are_found() -> None:
    draft = good()
    draft.service("history")["desired_count"] = 10**30
    draft.outputs.pop("services", None)
    found = only(draft.judged(FAMILY), "fit-replicas")
    assert [(one.resource, one.attribute) for one in found] == [
        (f"{SERVICE}.history", "desired_count")
    ]
