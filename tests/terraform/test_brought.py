"""What a user already has is used, and nothing of its kind is made."""

import json

import pytest

from tests.support import plans

pytestmark = [pytest.mark.needs("terraform"), pytest.mark.timeout(600)]

KINDS = {
    "vpc": (
        "aws_vpc",
        "aws_subnet",
        "aws_route_table",
        "aws_route",
        "aws_nat_gateway",
        "aws_internet_gateway",
        "aws_eip",
        "aws_vpc_endpoint",
        "aws_flow_log",
        "aws_default_security_group",
    ),
    "ecs cluster": (
        "aws_ecs_cluster",
        "aws_ecs_cluster_capacity_providers",
        "aws_ecs_capacity_provider",
        "aws_autoscaling_group",
        "aws_launch_template",
        "aws_service_discovery_http_namespace",
        "aws_service_discovery_private_dns_namespace",
    ),
    "dsql cluster": ("aws_dsql_cluster",),
    "opensearch domain": (
        "aws_opensearch_domain",
        "aws_opensearch_domain_policy",
        "aws_cloudwatch_log_resource_policy",
    ),
    "prometheus workspace": ("aws_prometheus_workspace",),
    "key": ("aws_kms_key", "aws_kms_alias"),
}
PLAN = "brought"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_brought_is_not_made(kind: str) -> None:
    assert plans.of(PLAN).of_type(*KINDS[kind]) == ()
    assert plans.of("dev").of_type(*KINDS[kind]), "the kinds are those that dev makes"


def test_everything_stands_in_the_vpc_that_was_brought() -> None:
    plan = plans.of(PLAN)
    groups = plan.of_type("aws_security_group")
    assert {group["vpc_id"] for group in groups} == {plans.VPC_ID}
    for service in plan.of_type("aws_ecs_service"):
        assert set(service["network_configuration.0.subnets"]) == set(plans.SUBNETS)
    assert plan.outputs["vpc_id"].value == plans.VPC_ID
    assert plan.outputs["private_subnet_ids"].value == list(plans.SUBNETS)
    assert plan.outputs["public_subnet_id"].value is None


def test_every_service_runs_in_the_cluster_that_was_brought() -> None:
    plan = plans.of(PLAN)
    for service in plan.of_type("aws_ecs_service"):
        assert service["cluster"] == plans.ECS_ARN
        (strategy,) = service["capacity_provider_strategy"]
        assert strategy["capacity_provider"] == "their-instances"
    for discovery in plan.of_type("aws_service_discovery_service"):
        assert discovery["dns_config.0.namespace_id"] == "ns-theirs"
    assert plan.outputs["ecs_cluster_arn"].value == plans.ECS_ARN
    assert plan.outputs["ecs_cluster_name"].value == "theirs"
    assert plan.outputs["ec2_instance_count"].value == 0


def test_shells_are_recorded_where_the_brought_cluster_records_them() -> None:
    for policy in plans.of(PLAN).of_type("aws_iam_role_policy"):
        if policy.name == "task":
            text = json.loads(policy["policy"])
            (record,) = [s for s in text["Statement"] if s["Sid"] == "RecordExecSessions"]
            assert record["Resource"] == [f"{plans.EXEC_LOG_GROUP_ARN}:*"]


def test_servers_use_the_dsql_cluster_and_the_domain_that_were_brought() -> None:
    plan = plans.of(PLAN)
    for role in plans.ROLES:
        environment = plans.main_container(plans.tasks(plan)[f"temporal-{role}"]).environment
        assert environment["CLUSTER_ENDPOINT"] == plans.DSQL_ENDPOINT
        assert environment["TEMPORAL_ELASTICSEARCH_HOST"] == plans.DOMAIN_ENDPOINT
    assert plan.outputs["dsql_cluster_arn"].value == plans.DSQL_ARN
    assert plan.outputs["opensearch_endpoint"].value == plans.DOMAIN_ENDPOINT


def test_metrics_go_to_the_workspace_that_was_brought() -> None:
    plan = plans.of(PLAN)
    assert plan.outputs["prometheus_workspace_arn"].value == plans.WORKSPACE_ARN
    write = f"{plans.WORKSPACE_ENDPOINT}api/v1/remote_write"
    assert plan.outputs["prometheus_endpoint"].value == write
    collectors = [p for p in plan.of_type("aws_ssm_parameter") if "/collector/" in p["name"]]
    assert len(collectors) == len(plans.ROLES)
    for parameter in collectors:
        assert write in parameter["value"]


def test_the_tool_is_told_of_no_group_of_instances() -> None:
    assert plans.of(PLAN).outputs["asg_names"].value == {}
