"""EC2 instances: what they are, how ECS scales them, and which services run on which."""

import base64
import re

import pytest

from temporal_dsql_deploy.plan import Plan, Resource
from tests.support import plans

pytestmark = [pytest.mark.needs("terraform"), pytest.mark.timeout(600)]
made = pytest.mark.parametrize("name", plans.MADE)
everywhere = pytest.mark.parametrize("name", plans.ALL)

# Family, generation, a `g` for Graviton and what follows it: m7g, c8gn, m8gd, t4g.
GRAVITON = re.compile(r"[a-z]+[0-9]+g[a-z]*[.][0-9a-z]+")
WORKLOADS = {
    "temporal-history": "history",
    "temporal-matching": "frontend",
    "temporal-frontend": "frontend",
    "temporal-ui": "frontend",
    "temporal-worker": "worker",
    "grafana": "worker",
    "adot": "worker",
}


def of_group(plan: Plan, kind: str, name_path: str = "name") -> dict[str, Resource]:
    """By group of instances: main, benchmark, history."""
    prefix = f"{plans.project(plan)}-"
    return {str(one[name_path]).removeprefix(prefix): one for one in plan.of_type(kind)}


def groups(name: str) -> set[str]:
    variant = plans.VARIANTS[name]
    return {*variant.workloads, *(["benchmark"] if variant.benchmark else [])}


def provider_of(service: Resource) -> str:
    (strategy,) = service["capacity_provider_strategy"]
    return str(strategy["capacity_provider"])


@made
def test_there_is_one_group_of_instances_for_each_kind_of_work(name: str) -> None:
    plan = plans.of(name)
    for kind in ("aws_launch_template", "aws_autoscaling_group", "aws_ecs_capacity_provider"):
        assert set(of_group(plan, kind)) == groups(name)


@made
def test_the_instance_metadata_needs_a_token_and_ends_in_the_instance(name: str) -> None:
    for template in plans.of(name).of_type("aws_launch_template"):
        options = template["metadata_options.0"]
        assert options["http_tokens"] == "required"
        assert options["http_put_response_hop_limit"] == 1
        assert options["http_endpoint"] == "enabled"


@made
def test_volumes_are_encrypted_gp3_and_go_with_their_instance(name: str) -> None:
    for template in plans.of(name).of_type("aws_launch_template"):
        (device,) = template["block_device_mappings"]
        (disk,) = device["ebs"]
        assert (disk["volume_type"], disk["encrypted"]) == ("gp3", "true")
        assert disk["delete_on_termination"] == "true"


@made
def test_instances_start_from_the_ecs_image_for_arm64_of_their_day(name: str) -> None:
    parameter = "/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id"
    for template in plans.of(name).of_type("aws_launch_template"):
        assert template["image_id"] == f"resolve:ssm:{parameter}"


@made
def test_instances_join_the_cluster_and_keep_their_role_from_tasks(name: str) -> None:
    plan = plans.of(name)
    cluster = plans.one(plan, "aws_ecs_cluster")["name"]
    for group, template in of_group(plan, "aws_launch_template").items():
        script = base64.b64decode(template["user_data"]).decode()
        lines = script.splitlines()
        assert lines[0] == "#!/bin/bash"
        assert f"ECS_CLUSTER={cluster}" in lines
        assert "ECS_AWSVPC_BLOCK_IMDS=true" in lines
        tied = f'ECS_INSTANCE_ATTRIBUTES={{"workload":"{group}"}}'
        assert (tied in lines) is (group != "main")


@made
def test_ecs_alone_scales_and_protects_instances(name: str) -> None:
    for group in plans.of(name).of_type("aws_autoscaling_group"):
        assert group["protect_from_scale_in"] is True
        tags = {tag["key"]: tag for tag in group["tag"]}
        assert tags["AmazonECSManaged"]["propagate_at_launch"] is True
        assert group["max_size"] > 0
        assert group["min_size"] <= group["desired_capacity"] <= group["max_size"]
        (template,) = group["launch_template"]
        assert template["version"] not in {"$Latest", "$Default"}


def test_a_later_plan_leaves_the_number_of_instances_alone() -> None:
    text = (plans.TERRAFORM / "modules/ec2-capacity/autoscaling.tf").read_text()
    block = text[text.index('"aws_autoscaling_group"') :].split("\n}\n")[0]
    assert re.search(r"lifecycle \{\s+ignore_changes = \[desired_capacity]", block)


@made
def test_providers_scale_drain_and_protect(name: str) -> None:
    plan = plans.of(name)
    arns = {group["arn"] for group in plan.of_type("aws_autoscaling_group")}
    for provider in plan.of_type("aws_ecs_capacity_provider"):
        scaled = provider["auto_scaling_group_provider.0"]
        assert scaled["auto_scaling_group_arn"] in arns
        assert scaled["managed_termination_protection"] == "ENABLED"
        assert scaled["managed_draining"] == "ENABLED"
        (scaling,) = scaled["managed_scaling"]
        assert scaling["status"] == "ENABLED"


@made
def test_every_provider_is_attached_to_the_cluster(name: str) -> None:
    plan = plans.of(name)
    attached = plans.one(plan, "aws_ecs_cluster_capacity_providers")
    providers = {provider["name"] for provider in plan.of_type("aws_ecs_capacity_provider")}
    assert set(attached["capacity_providers"]) == providers
    assert attached["cluster_name"] == plans.one(plan, "aws_ecs_cluster")["name"]
    (default,) = attached["default_capacity_provider_strategy"]
    assert default["capacity_provider"] in providers


@everywhere
def test_services_run_on_a_provider_that_is_attached_and_name_no_launch_type(name: str) -> None:
    plan = plans.of(name)
    attached = {"their-instances"}
    for provided in plan.of_type("aws_ecs_cluster_capacity_providers"):
        attached = set(provided["capacity_providers"])
    for service in plan.of_type("aws_ecs_service"):
        assert provider_of(service) in attached, service.address


@made
def test_the_benchmark_scales_from_nothing_and_has_instances_of_its_own(name: str) -> None:
    plan = plans.of(name)
    found = of_group(plan, "aws_autoscaling_group").get("benchmark")
    assert (found is not None) is plans.VARIANTS[name].benchmark
    if not found:
        return
    assert (found["desired_capacity"], found["min_size"]) == (0, 0)
    worker = plans.services(plan)["benchmark-worker"]
    assert provider_of(worker) == f"{plans.project(plan)}-benchmark"
    others = [s for n, s in plans.services(plan).items() if n != "benchmark-worker"]
    assert provider_of(worker) not in {provider_of(service) for service in others}


@everywhere
def test_tasks_spread_over_zones_then_instances(name: str) -> None:
    for service in plans.of(name).of_type("aws_ecs_service"):
        strategies = [(s["type"], s["field"]) for s in service["ordered_placement_strategy"]]
        wanted = [("spread", "attribute:ecs.availability-zone"), ("spread", "instanceId")]
        assert strategies == wanted, service.address


@pytest.mark.parametrize("name", [name for name in plans.ALL if name != "adot"])
def test_spread_ties_no_service_to_any_instance(name: str) -> None:
    for service in plans.of(name).of_type("aws_ecs_service"):
        assert not service["placement_constraints"], service.address


def test_the_workload_placement_ties_each_service_to_its_group() -> None:
    plan = plans.of("adot")
    project = plans.project(plan)
    told = plan.outputs["capacity_provider_names"].value
    for name, workload in WORKLOADS.items():
        service = plans.services(plan)[name]
        (constraint,) = service["placement_constraints"]
        assert constraint["expression"] == f"attribute:workload == {workload}", name
        assert provider_of(service) == f"{project}-{workload}", name
        assert told[name.removeprefix("temporal-")] == provider_of(service)


@made
def test_the_output_counts_the_instances_at_creation(name: str) -> None:
    plan = plans.of(name)
    found = of_group(plan, "aws_autoscaling_group")
    count = sum(group["desired_capacity"] for n, group in found.items() if n != "benchmark")
    assert plan.outputs["ec2_instance_count"].value == count > 0


@everywhere
def test_every_instance_is_graviton_and_every_task_arm64(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 2: Graviton instances and ARM64 task definitions."""
    plan = plans.of(name)
    for template in plan.of_type("aws_launch_template"):
        assert GRAVITON.fullmatch(template["instance_type"]), template.address
    tasks = plan.of_type("aws_ecs_task_definition")
    assert tasks
    for task in tasks:
        (platform,) = task["runtime_platform"]
        assert platform["cpu_architecture"] == "ARM64", task.address
        assert platform["operating_system_family"] == "LINUX"


def test_the_tasks_of_production_and_one_more_node_fit_on_its_instances() -> None:
    """With trunking an m7g.xlarge carries many tasks; CPU and memory are what is short."""
    plan = plans.of("prod")
    replicas = {n: s["replicas"] for n, s in plan.outputs["services"].value.items()}
    tasks = {name.removeprefix("temporal-"): task for name, task in plans.tasks(plan).items()}
    cpu = sum(int(tasks[name]["cpu"]) * count for name, count in replicas.items())
    memory = sum(int(tasks[name]["memory"]) * count for name, count in replicas.items())
    (template,) = plan.of_type("aws_launch_template")
    assert template["instance_type"] == "m7g.xlarge"
    one_lost = plan.outputs["ec2_instance_count"].value - 1
    # 4 vCPU, and 16 GiB less what the agent and the system keep.
    assert cpu <= one_lost * 4096
    assert memory <= one_lost * (16 * 1024 - 1024)
