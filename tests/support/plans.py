"""Plans with known values of the environments and of variants of dev, each made once a session."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.errors import DeployError
from temporal_dsql_deploy.plan import Container, Plan, Resource, containers
from temporal_dsql_deploy.terraform import known
from tests.support.once_a_run import once_a_run

ROOT = Path(__file__).parents[2]
TERRAFORM = ROOT / "terraform"
ENVIRONMENTS = ("dev", "bench", "prod")
ACCOUNT = known.ACCOUNT
REGION = known.REGION
ROLES = ("history", "matching", "frontend", "worker")

_ECR = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
OWN_IMAGES = {
    name: f"{_ECR}/{name.replace('_', '-')}:2026-11-21"
    for name in ("ui", "grafana", "loki", "otel_collector", "alloy", "adot", "benchmark")
}
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0e1d2c3b-0000-4000-8000-000000000001"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0e1d2c3b-0000-4000-8000-000000000002"
DSQL_ID = "abcdefghijklmnopqrstuvwxyz"
DSQL_ARN = f"arn:aws:dsql:{REGION}:{ACCOUNT}:cluster/{DSQL_ID}"
DSQL_ENDPOINT = f"{DSQL_ID}.dsql.{REGION}.on.aws"
DOMAIN_ARN = f"arn:aws:es:{REGION}:{ACCOUNT}:domain/theirs"
DOMAIN_ENDPOINT = f"vpc-theirs.{REGION}.es.amazonaws.com"
WORKSPACE_ARN = f"arn:aws:aps:{REGION}:{ACCOUNT}:workspace/ws-theirs"
WORKSPACE_ENDPOINT = f"https://aps-workspaces.{REGION}.amazonaws.com/workspaces/ws-theirs/"
ECS_ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/theirs"
EXEC_LOG_GROUP_ARN = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/theirs/exec"
NAMESPACE_ARN = f"arn:aws:servicediscovery:{REGION}:{ACCOUNT}:namespace/ns-theirs"
THEIR_REPOSITORY_ARN = "arn:aws:ecr:eu-central-1:210987654321:repository/images/temporal"
OPERATOR_ARN = f"arn:aws:iam::{ACCOUNT}:role/operators"
VPC_ID = "vpc-0000000000000theirs"
SUBNETS = ("subnet-00000000000000001", "subnet-00000000000000002")
INSTANCES_GROUP = "sg-0instances000theirs"
DOMAIN_GROUP = "sg-0visibility00theirs"
LOGS_GROUP = "sg-0logs00000000theirs"
S3_PREFIX_LIST = "pl-0s3theirs"
DYNAMODB_PREFIX_LIST = "pl-0dynamodbtheirs"


@dataclass(frozen=True, slots=True)
class Variant:
    """What is planned, and what a test has to know of it to say what must follow."""

    environment: str = "dev"
    variables: Mapping[str, Any] = field(default_factory=dict)
    """Beside those of the environment's `terraform.tfvars.example`."""
    nat: str = "one"
    collector: str = "otel"
    loki: bool = True
    adot: bool = False
    grafana: bool = True
    ui: bool = True
    benchmark: bool = False
    private_link: bool = False
    counts: bool = False
    """Whether DynamoDB counts connects or connections."""
    operators: bool = False
    """Whether there are Client VPN and load balancer."""
    workloads: tuple[str, ...] = ("main",)
    """Groups of instances beside the benchmark's."""
    public_images: bool = True


VARIANTS: Mapping[str, Variant] = {
    "dev": Variant(),
    "bench": Variant("bench", counts=True, benchmark=True),
    "prod": Variant("prod", nat="per_az", counts=True),
    # No way to the internet, Alloy, and every way of counting connections; the benchmark too.
    "isolated": Variant(
        variables={
            "nat": "none",
            "images": OWN_IMAGES,
            "benchmark": {"enabled": True},
            "telemetry": {"collector": "alloy"},
            "connections": {
                "rate_limiter_enabled": True,
                "reservoir_enabled": True,
                "distributed_conn_lease_enabled": True,
            },
        },
        nat="none",
        collector="alloy",
        benchmark=True,
        private_link=True,
        counts=True,
        public_images=False,
    ),
    # One collector service, no Loki, services tied to groups of instances, the benchmark.
    "adot": Variant(
        variables={
            "telemetry": {"collector": "none", "loki_enabled": False, "adot_enabled": True},
            "placement": "workload",
            "benchmark": {"enabled": True},
            "images": {"benchmark": OWN_IMAGES["benchmark"]},
            "container_insights": "enhanced",
        },
        collector="none",
        loki=False,
        adot=True,
        benchmark=True,
        workloads=("history", "frontend", "worker"),
    ),
    # Whoever comes from outside: operators by VPN, applications by load balancer and PrivateLink;
    # and images: of another account and region, and of a public registry.
    "operators": Variant(
        variables={
            "temporal_image": (
                "210987654321.dkr.ecr.eu-central-1.amazonaws.com/images/temporal:2026-11-21"
            ),
            "temporal_admin_tools_image": "temporalio/admin-tools:2026-11-21",
            "opensearch": {"operator_principal_arns": [OPERATOR_ARN]},
            "client_vpn": {
                "server_certificate_arn": CERTIFICATE,
                "authentication_options": [
                    {
                        "type": "certificate-authentication",
                        "root_certificate_chain_arn": CERTIFICATE,
                    }
                ],
            },
            "frontend_load_balancer": {
                "enabled": True,
                "certificate_arn": CERTIFICATE,
                "allowed_principals": [f"arn:aws:iam::{ACCOUNT}:root"],
            },
            "dsql": {"private_link": True, "backup": {"enabled": True}},
            "nat": "per_az",
        },
        nat="per_az",
        private_link=True,
        operators=True,
    ),
    # Nothing that can be left out.
    "bare": Variant(
        variables={
            "ui": {"enabled": False},
            "telemetry": {
                "collector": "none",
                "loki_enabled": False,
                "grafana_enabled": False,
                "flow_logs_enabled": False,
            },
            "images": OWN_IMAGES,
            "container_insights": "disabled",
        },
        collector="none",
        loki=False,
        grafana=False,
        ui=False,
        public_images=False,
    ),
    # Everything that can be brought is.
    "brought": Variant(
        variables={
            "existing_vpc": {
                "vpc_id": VPC_ID,
                "vpc_cidr": "172.16.0.0/16",
                "private_subnet_ids": list(SUBNETS),
                "endpoint_security_group_ids": {"logs": LOGS_GROUP},
                "gateway_prefix_list_ids": {
                    "s3": S3_PREFIX_LIST,
                    "dynamodb": DYNAMODB_PREFIX_LIST,
                },
            },
            "existing_ecs_cluster": {
                "name": "theirs",
                "arn": ECS_ARN,
                "capacity_provider_name": "their-instances",
                "service_connect_namespace_arn": NAMESPACE_ARN,
                "private_dns_namespace_id": "ns-theirs",
                "private_dns_namespace_name": "theirs.internal",
                "exec_log_group_arn": EXEC_LOG_GROUP_ARN,
                "instance_security_group_id": INSTANCES_GROUP,
            },
            "dsql_cluster_endpoint": DSQL_ENDPOINT,
            "dsql_cluster_arn": DSQL_ARN,
            "opensearch": {
                "existing_domain": {
                    "endpoint": DOMAIN_ENDPOINT,
                    "arn": DOMAIN_ARN,
                    "security_group_id": DOMAIN_GROUP,
                }
            },
            "telemetry": {
                "existing_prometheus_workspace": {
                    "arn": WORKSPACE_ARN,
                    "id": "ws-theirs",
                    "prometheus_endpoint": WORKSPACE_ENDPOINT,
                }
            },
            "connections": {
                "reservoir_enabled": True,
                "distributed_conn_lease_enabled": True,
            },
            "kms_key_arn": KEY,
            "permissions_boundary_arn": BOUNDARY,
            "grafana_admin_secret_name": "theirs/grafana",
        },
        counts=True,
        workloads=("existing",),
    ),
}
ALL = tuple(VARIANTS)
MADE = tuple(name for name in ALL if name != "brought")
"""Those that make their own VPC and ECS cluster."""


def of(name: str) -> Plan:
    """The plan of an environment or variant."""
    outcome = _outcomes(VARIANTS[name].environment)[name]
    if isinstance(outcome, Plan):
        return outcome
    raise AssertionError(f"{name} cannot be planned: {outcome}")


@cache
def _outcomes(environment: str) -> Mapping[str, Plan | Exception | None]:
    return once_a_run(f"plans of {environment}", lambda: _planned(environment))


def _planned(environment: str) -> Mapping[str, Plan | Exception | None]:
    """All plans of one environment's directory, or why there is none: in one run of Terraform."""
    wanted = {name: v for name, v in VARIANTS.items() if v.environment == environment}
    directory = TERRAFORM / "envs" / environment
    settings = known.Settings(var_files=[directory / "terraform.tfvars.example"], revealed=True)
    cases = [known.Case(name, variant.variables) for name, variant in wanted.items()]
    try:
        outcomes = known.plans(directory, cases, settings)
    except DeployError as error:
        return dict.fromkeys(wanted, error)
    return {outcome.case.name: outcome.plan or outcome.error for outcome in outcomes}


def one(plan: Plan, *types: str) -> Resource:
    """The one resource of these types."""
    (found,) = plan.of_type(*types)
    return found


def project(plan: Plan) -> str:
    return str(plan.outputs["project_name"].value)


def tasks(plan: Plan) -> dict[str, Resource]:
    """Task definitions by what stands after the project's name: `temporal-history`, `grafana`."""
    prefix = f"{project(plan)}-"
    found = plan.of_type("aws_ecs_task_definition")
    return {str(task["family"]).removeprefix(prefix): task for task in found}


def services(plan: Plan) -> dict[str, Resource]:
    """ECS services by what stands after the project's name."""
    prefix = f"{project(plan)}-"
    found = plan.of_type("aws_ecs_service")
    return {str(service["name"]).removeprefix(prefix): service for service in found}


def inside(task: Resource) -> tuple[Container, ...]:
    """The containers of a task definition, which every plan here knows."""
    found = containers(task)
    assert found, f"{task.address}: containers are not known"
    return found


def main_container(task: Resource) -> Container:
    """The container that the task is for, which is the first."""
    return inside(task)[0]
