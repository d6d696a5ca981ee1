"""The composition: what is wrong only together, or only here."""

from tests.terraform.inputs.network import REGIONS
from tests.terraform.inputs.service import SHARDS
from tests.terraform.inputs.stores import SHARES
from tests.terraform.inputs.table import (
    PROJECT_NAMES,
    Case,
    Table,
    each_field,
    refuses,
    refuses_each,
    takes,
)

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
PRIVATE_IMAGES = {
    name: f"{ECR}/{name}:1"
    for name in ("ui", "grafana", "loki", "otel_collector", "alloy", "adot", "benchmark")
}
EXISTING_VPC = {
    "vpc_id": "vpc-0123456789abcdef0",
    "vpc_cidr": "10.0.0.0/16",
    "private_subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
}
EXISTING_CLUSTER = {
    "name": "shared",
    "arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/shared",
    "capacity_provider_name": "graviton",
    "service_connect_namespace_arn": (
        "arn:aws:servicediscovery:eu-west-1:123456789012:namespace/ns-0123456789abcdef"
    ),
    "private_dns_namespace_id": "ns-0123456789abcdef",
    "private_dns_namespace_name": "shared.internal",
    "exec_log_group_arn": "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/shared/ecs-exec",
}
_ENDPOINTS = [
    "ecs",
    "ecs-agent",
    "ecs-telemetry",
    "ecr.api",
    "ecr.dkr",
    "logs",
    "ssm",
    "ssmmessages",
    "secretsmanager",
    "aps-workspaces",
    "monitoring",
    "sts",
]
_PRIVATE = "without NAT the public endpoint of DSQL cannot be reached"
_PUBLIC_IMAGES = "without NAT images come from ECR only"
_BENCHMARK = "the benchmark's capacity provider has to be attached to the cluster"
_BUDGET = "connects to DSQL per second, which takes"
_FEW_SHARDS = "one that owns no shard never becomes healthy"
_HELD = "lower max_conns, reservoir.target_ready or replicas"

TEMPORAL_CLUSTER = Table(
    "modules/temporal-cluster",
    [
        *(case for case in PROJECT_NAMES if case.because),
        *takes(project_name="t1", environment_name="d", history_shards=32),
        # Words that AWS keeps, but not at the beginning, or as a part of another.
        *takes(project_name="sgx-aws-ecs"),
        *refuses_each(
            "project_name begins with a word that AWS keeps",
            "project_name",
            ["aws", "awsome", "ssm-1", "ecs1", "fargate-dev", "sg", "sg-a", "internal"],
        ),
        *refuses(_FEW_SHARDS, history_shards=16),
        *refuses(_FEW_SHARDS, history_shards=32, roles={"history": {"replicas": 4}}),
        *refuses_each(
            "environment_name is 1 to 21 characters",
            "environment_name",
            ["", "Dev", "1st", "e" * 22, "my_env"],
        ),
        *(
            Case(case.changed, "region is the name of an AWS region")
            for case in REGIONS
            if case.because
        ),
        *refuses_each(
            "existing_vpc.private_subnet_ids needs two subnets at least",
            "existing_vpc",
            [
                {**EXISTING_VPC, "private_subnet_ids": []},
                {**EXISTING_VPC, "private_subnet_ids": ["subnet-0123456789abcdef0"]},
            ],
        ),
        *takes(existing_ecs_cluster=EXISTING_CLUSTER, existing_vpc=EXISTING_VPC),
        *refuses("existing_ecs_cluster needs existing_vpc", existing_ecs_cluster=EXISTING_CLUSTER),
        *refuses(
            _BENCHMARK,
            existing_vpc=EXISTING_VPC,
            existing_ecs_cluster=EXISTING_CLUSTER,
            benchmark={"enabled": True},
            images=PRIVATE_IMAGES,
        ),
        *takes(placement="workload", history_shards=16384),
        *refuses_each("placement is spread or workload", "placement", ["", "binpack", "Spread"]),
        *refuses(
            'placement = "workload" needs instances of this module',
            placement="workload",
            existing_vpc=EXISTING_VPC,
            existing_ecs_cluster=EXISTING_CLUSTER,
        ),
        *takes(nat="none", images=PRIVATE_IMAGES, connections={"rate_share": 0.01}),
        *refuses(_PRIVATE, nat="none", images=PRIVATE_IMAGES, dsql={"private_link": False}),
        *refuses(
            "without a way to the internet the public endpoint of DSQL cannot be reached",
            images=PRIVATE_IMAGES,
            dsql={"private_link": False},
            existing_vpc={
                **EXISTING_VPC,
                "internet": False,
                "endpoint_security_group_ids": dict.fromkeys(_ENDPOINTS, "sg-0123456789abcdef0"),
                "gateway_prefix_list_ids": {"s3": "pl-01234567", "dynamodb": "pl-01234568"},
            },
        ),
        *refuses(_PUBLIC_IMAGES, nat="none"),
        *refuses(_PUBLIC_IMAGES, nat="none", images={**PRIVATE_IMAGES, "ui": "temporalio/ui:2"}),
        *refuses(
            "without NAT nothing leads to these AWS APIs",
            nat="none",
            images=PRIVATE_IMAGES,
            interface_endpoints=["ecr.api", "ecr.dkr", "logs"],
        ),
        *(
            Case({"connections": dict(case.changed)}, f"connections.{case.because}")
            for case in SHARES
            if case.because
        ),
        *refuses(_BUDGET, roles={"history": {"replicas": 101}}),
        *refuses(_BUDGET, roles={"worker": {"replicas": 2, "connection_rate_limit": 50}}),
        *takes(
            roles={"history": {"replicas": 101}},
            history_shards=4096,
            connections={"rate_limiter_enabled": True, "max_conns": 1, "rate_share": 1},
        ),
        *refuses(_HELD, connections={"max_conns": 10000, "reservoir_enabled": True}),
        *refuses(
            _HELD,
            connections={
                "reservoir_enabled": True,
                "distributed_conn_lease_enabled": True,
                "distributed_conn_limit": 100,
            },
        ),
        # Without leases nobody counts, so a lower limit than DSQL's own says nothing.
        *takes(connections={"distributed_conn_limit": 100}),
        *refuses_each(
            "the keys of roles are history, matching, frontend and worker",
            "roles",
            [{"ui": {}}, {"History": {}}, {"history": {}, "internal-frontend": {}}],
        ),
        *(case for case in SHARDS if case.because),
        *each_field(
            [
                *takes(collector="alloy"),
                *takes(collector="none", loki_enabled=False, adot_enabled=True),
                *refuses_each("telemetry.collector is otel", "collector", ["", "adot", "Otel"]),
                *refuses("with telemetry.adot_enabled and a collector", adot_enabled=True),
                *refuses("nothing brings logs to Loki without a collector", collector="none"),
            ],
            "telemetry",
        ),
        *takes(benchmark={"enabled": True}, images={"benchmark": "x:1"}),
        *refuses("benchmark.enabled needs images.benchmark", benchmark={"enabled": True}),
        *takes(
            frontend_load_balancer={
                "enabled": True,
                "allowed_principals": ["arn:aws:iam::123456789012:root"],
            }
        ),
        *refuses(
            "frontend_load_balancer.allowed_principals names AWS principals",
            frontend_load_balancer={"enabled": True, "allowed_principals": ["*"]},
        ),
        *refuses(
            "frontend_load_balancer.allowed_principals needs frontend_load_balancer.enabled",
            frontend_load_balancer={"allowed_principals": ["arn:aws:iam::123456789012:root"]},
        ),
        # What the modules below refuse comes up here.
        *refuses_each("nat is none, one or per_az", "nat", ["two"]),
        *refuses(
            "distributed_conn_lease_enabled needs",
            connections={"distributed_conn_lease_enabled": True},
        ),
    ],
    by_itself=True,
)

TABLES = [TEMPORAL_CLUSTER]
