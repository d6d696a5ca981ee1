"""How many of each kind stand in an emulated account."""

from collections.abc import Mapping
from typing import Any

from temporal_dsql_deploy.rehearsal.aws.server import EmulatedAws
from tests.support.aws import client

_KINDS = {
    "address": ("ec2", "describe_addresses", "Addresses"),
    "Auto Scaling group": ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups"),
    "bucket": ("s3", "list_buckets", "Buckets"),
    "DSQL cluster": ("dsql", "list_clusters", "clusters"),
    "ECS cluster": ("ecs", "list_clusters", "clusterArns"),
    "instance profile": ("iam", "list_instance_profiles", "InstanceProfiles"),
    "internet gateway": ("ec2", "describe_internet_gateways", "InternetGateways"),
    "launch template": ("ec2", "describe_launch_templates", "LaunchTemplates"),
    "log group": ("logs", "describe_log_groups", "logGroups"),
    "NAT gateway": ("ec2", "describe_nat_gateways", "NatGateways"),
    "OpenSearch domain": ("opensearch", "list_domain_names", "DomainNames"),
    "policy": ("iam", "list_policies", "Policies"),
    "private DNS namespace": ("servicediscovery", "list_namespaces", "Namespaces"),
    "repository": ("ecr", "describe_repositories", "repositories"),
    "role": ("iam", "list_roles", "Roles"),
    "route table": ("ec2", "describe_route_tables", "RouteTables"),
    "secret": ("secretsmanager", "list_secrets", "SecretList"),
    "security group": ("ec2", "describe_security_groups", "SecurityGroups"),
    "rule of a security group": ("ec2", "describe_security_group_rules", "SecurityGroupRules"),
    "subnet": ("ec2", "describe_subnets", "Subnets"),
    "task definition": ("ecs", "list_task_definitions", "taskDefinitionArns"),
    "VPC": ("ec2", "describe_vpcs", "Vpcs"),
    "VPC endpoint": ("ec2", "describe_vpc_endpoints", "VpcEndpoints"),
}
"""Client, its method, and the list in the answer."""
_OPTIONS: dict[str, dict[str, Any]] = {
    "policy": {"Scope": "Local"},
    "task definition": {"status": "ACTIVE"},
}


def inventory(aws: EmulatedAws) -> dict[str, int]:
    """The count by kind; what AWS gives every account is among it."""
    counts = {kind: _count(aws, kind) for kind in _KINDS}
    ecs = client(aws, "ecs")
    clusters = ecs.list_clusters()["clusterArns"]
    counts["service"] = sum(
        len(page["serviceArns"])
        for cluster in clusters
        for page in ecs.get_paginator("list_services").paginate(cluster=cluster)
    )
    return counts


def more(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """What stands too often, or not, by kind."""
    return {kind: after[kind] - before[kind] for kind in before if after[kind] != before[kind]}


def _count(aws: EmulatedAws, kind: str) -> int:
    service, method, key = _KINDS[kind]
    made = client(aws, service)
    options = _OPTIONS.get(kind, {})
    if not made.can_paginate(method):
        return len(getattr(made, method)(**options)[key])
    return sum(len(page[key]) for page in made.get_paginator(method).paginate(**options))
