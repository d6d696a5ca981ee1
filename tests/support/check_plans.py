"""A small good plan for tests of checks: everything a cluster needs, to be altered at will.

No Terraform: resources are made by hand, with the attributes that a plan has. Not a copy of our
modules: names and layout are those that someone else might choose.
"""

import base64
from typing import Any

from temporal_dsql_deploy import topology
from tests.support.check_collector import collector
from tests.support.draft import SERVICE, TASK, Draft

REGION = "eu-west-1"
ACCOUNT = "123456789012"
PROJECT = "shop"
ROLES = tuple(topology.load().roles)
ZONES = (f"{REGION}a", f"{REGION}b")
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-4333-8444-555555555555"
ECS_CLUSTER = "shop-cluster"
NAMESPACE = f"arn:aws:servicediscovery:{REGION}:{ACCOUNT}:namespace/ns-shop"
DATABASE_ID = "abcdefghijklmnopqrstuvwxyz"
DATABASE_ENDPOINT = f"{DATABASE_ID}.dsql.{REGION}.on.aws"
DOMAIN_ENDPOINT = f"vpc-shop-visibility.{REGION}.es.amazonaws.com"
WORKSPACE = f"https://aps-workspaces.{REGION}.amazonaws.com/workspaces/ws-shop/"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:shop/grafana/admin-AbCdEf"
VPC = "vpc-shop"
PRIVATE = ("subnet-private-a", "subnet-private-b")
PUBLIC = "subnet-public"
DYNAMIC_CONFIG = "/etc/temporal/config/dynamicconfig"
COLLECTOR = collector(REGION, WORKSPACE)


def good() -> Draft:
    """A small cluster in which nothing is wrong."""
    draft = Draft()
    _network(draft)
    _cluster(draft)
    _stores(draft)
    for role in ROLES:
        _server(draft, role)
    _pages(draft)
    _setup(draft)
    _outputs(draft)
    return draft


def arn(service: str, rest: str) -> str:
    """Of something in the region and account of the draft."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


def _network(draft: Draft) -> None:
    draft.add("aws_vpc.main", id=VPC, cidr_block="10.0.0.0/16", enable_dns_support=True)
    for zone, subnet, cidr in zip(ZONES, PRIVATE, ("10.0.0.0/20", "10.0.16.0/20"), strict=True):
        letter = zone[-1]
        draft.add(
            f"aws_subnet.private_{letter}",
            id=subnet,
            vpc_id=VPC,
            cidr_block=cidr,
            availability_zone=zone,
            map_public_ip_on_launch=False,
        )
        draft.add(
            f"aws_route_table_association.private_{letter}",
            subnet_id=subnet,
            route_table_id="rtb-private",
        )
    draft.add(
        "aws_subnet.public",
        id=PUBLIC,
        vpc_id=VPC,
        cidr_block="10.0.255.0/24",
        availability_zone=ZONES[0],
        map_public_ip_on_launch=False,
    )
    draft.add("aws_internet_gateway.main", id="igw-shop", vpc_id=VPC)
    draft.add("aws_eip.nat", id="eipalloc-nat", allocation_id="eipalloc-nat", domain="vpc")
    draft.add("aws_nat_gateway.main", id="nat-shop", allocation_id="eipalloc-nat", subnet_id=PUBLIC)
    for kind in ("private", "public"):
        draft.add(f"aws_route_table.{kind}", id=f"rtb-{kind}", vpc_id=VPC, route=[])
    everywhere = {"destination_cidr_block": "0.0.0.0/0"}
    draft.add(
        "aws_route.private",
        route_table_id="rtb-private",
        nat_gateway_id="nat-shop",
        gateway_id=None,
        **everywhere,
    )
    draft.add("aws_route.public", route_table_id="rtb-public", gateway_id="igw-shop", **everywhere)
    draft.add("aws_route_table_association.public", subnet_id=PUBLIC, route_table_id="rtb-public")


def _cluster(draft: Draft) -> None:
    _log_group(draft, "exec")
    logging = {"cloud_watch_log_group_name": "/shop/exec", "cloud_watch_encryption_enabled": None}
    draft.add(
        "aws_ecs_cluster.main",
        name=ECS_CLUSTER,
        id=arn("ecs", f"cluster/{ECS_CLUSTER}"),
        arn=arn("ecs", f"cluster/{ECS_CLUSTER}"),
        configuration=[
            {
                "execute_command_configuration": [
                    {"logging": "OVERRIDE", "log_configuration": [logging], "kms_key_id": None}
                ]
            }
        ],
    )
    draft.add("aws_service_discovery_http_namespace.main", name=PROJECT, arn=NAMESPACE)
    script = f"#!/bin/bash\necho ECS_CLUSTER={ECS_CLUSTER} >> /etc/ecs/ecs.config\n"
    draft.add(
        "aws_launch_template.main",
        id="lt-shop",
        name="shop-main",
        instance_type="m7g.large",
        iam_instance_profile=[{"name": "shop-instance", "arn": None}],
        image_id="resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended"
        "/image_id",
        user_data=base64.b64encode(script.encode()).decode(),
        vpc_security_group_ids=["sg-instances"],
        network_interfaces=[],
    )
    draft.add(
        "aws_autoscaling_group.main",
        name="shop-main",
        arn=arn("autoscaling", "autoScalingGroup:1:autoScalingGroupName/shop-main"),
        min_size=1,
        max_size=6,
        desired_capacity=3,
        vpc_zone_identifier=list(PRIVATE),
        launch_template=[{"id": "lt-shop", "name": "shop-main", "version": "1"}],
        protect_from_scale_in=True,
    )
    scaled = {
        "auto_scaling_group_arn": draft["aws_autoscaling_group.main"]["arn"],
        "managed_termination_protection": "ENABLED",
        "managed_draining": "ENABLED",
        "managed_scaling": [{"status": "ENABLED", "target_capacity": 100}],
    }
    draft.add(
        "aws_ecs_capacity_provider.main", name="shop-main", auto_scaling_group_provider=[scaled]
    )
    draft.add(
        "aws_ecs_cluster_capacity_providers.main",
        cluster_name=ECS_CLUSTER,
        capacity_providers=["shop-main"],
        default_capacity_provider_strategy=[
            {"capacity_provider": "shop-main", "weight": 1, "base": None}
        ],
    )


def _stores(draft: Draft) -> None:
    draft.add("aws_kms_key.main", arn=KEY, id=KEY.rsplit("/", 1)[-1], enable_key_rotation=True)
    draft.add(
        "aws_dsql_cluster.main",
        identifier=DATABASE_ID,
        arn=arn("dsql", f"cluster/{DATABASE_ID}"),
        deletion_protection_enabled=False,
        kms_encryption_key=KEY,
    )
    draft.add(
        "aws_opensearch_domain.main",
        domain_name="shop-visibility",
        arn=arn("es", "domain/shop-visibility"),
        endpoint=DOMAIN_ENDPOINT,
        engine_version="OpenSearch_2.19",
        cluster_config=[
            {
                "instance_type": "t3.small.search",
                "instance_count": 1,
                "zone_awareness_enabled": False,
                "zone_awareness_config": [],
                "dedicated_master_enabled": False,
            }
        ],
        ebs_options=[{"ebs_enabled": True, "volume_size": 10, "volume_type": "gp3"}],
        encrypt_at_rest=[{"enabled": True, "kms_key_id": KEY}],
        node_to_node_encryption=[{"enabled": True}],
        domain_endpoint_options=[
            {"enforce_https": True, "tls_security_policy": "Policy-Min-TLS-1-2-PFS-2023-10"}
        ],
        vpc_options=[{"subnet_ids": [PRIVATE[0]], "security_group_ids": ["sg-visibility"]}],
    )
    draft.add(
        "aws_prometheus_workspace.main",
        id="ws-shop",
        arn=arn("aps", "workspace/ws-shop"),
        prometheus_endpoint=WORKSPACE,
    )


def _server(draft: Draft, role: str) -> None:
    known = topology.load().roles[role]
    ports = {**known.ports, "metrics": topology.load().metrics_port}
    server = _container(draft, f"temporal-{role}", role, ports)
    server["image"] = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/temporal-dsql:sha-1a2b3c4"
    server["environment"] = _pairs(
        TEMPORAL_SERVICES=role,
        AWS_REGION=REGION,
        CLUSTER_ENDPOINT=DATABASE_ENDPOINT,
        TEMPORAL_SQL_PLUGIN_NAME="dsql",
        TEMPORAL_SQL_HOST=DATABASE_ENDPOINT,
        TEMPORAL_SQL_PORT="5432",
        TEMPORAL_SQL_USER="admin",
        TEMPORAL_ELASTICSEARCH_HOST=DOMAIN_ENDPOINT,
        TEMPORAL_HISTORY_SHARDS="512",
    )
    server["linuxParameters"]["tmpfs"] = [
        {
            "containerPath": DYNAMIC_CONFIG,
            "size": 1,
            "mountOptions": ["uid=1000", "gid=1000", "noexec", "nosuid"],
        }
    ]
    parameter = draft.add(
        f"aws_ssm_parameter.collector_{role}",
        name=f"/shop/collector/{role}",
        arn=arn("ssm", f"parameter/shop/collector/{role}"),
        type="SecureString",
        key_id=KEY,
        value=COLLECTOR,
    )
    collector = _container(draft, "collector", role, {})
    collector["image"] = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/otel-collector:0.138.0"
    collector["memory"], collector["essential"] = 256, False
    collector["secrets"] = [{"name": "COLLECTOR_CONFIG", "valueFrom": parameter["arn"]}]
    collector["command"] = ["--config=env:COLLECTOR_CONFIG"]
    _task(draft, role, f"shop-temporal-{role}", [server, collector], cpu="512", memory="1024")
    service = _service(draft, role, f"shop-temporal-{role}")
    if role == "frontend":
        alias = {"dns_name": "temporal-frontend", "port": known.ports["grpc"]}
        service["service_connect_configuration"] = [
            {
                "enabled": True,
                "namespace": NAMESPACE,
                "service": [{"port_name": "grpc", "client_alias": [alias], "timeout": []}],
            }
        ]


def _pages(draft: Draft) -> None:
    ui = _container(draft, "temporal-ui", "ui", {"http": topology.load().ui_port})
    ui["image"] = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/temporal-ui:2.40.0"
    ui["environment"] = _pairs(TEMPORAL_ADDRESS="temporal-frontend:7233", TEMPORAL_UI_PORT="8080")
    _task(draft, "ui", "shop-temporal-ui", [ui])
    _service(draft, "ui", "shop-temporal-ui")["service_connect_configuration"] = [
        {"enabled": True, "namespace": NAMESPACE, "service": []}
    ]
    grafana = _container(draft, "grafana", "grafana", {"http": 3000})
    grafana["image"] = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/grafana:12.3.0"
    grafana["environment"] = _pairs(AWS_REGION=REGION, AMP_ENDPOINT=WORKSPACE)
    grafana["secrets"] = [
        {"name": "GF_SECURITY_ADMIN_PASSWORD", "valueFrom": f"{SECRET}:admin_password::"},
        {"name": "GF_SECURITY_ADMIN_USER", "valueFrom": f"{SECRET}:admin_user::"},
    ]
    _task(draft, "grafana", "shop-grafana", [grafana])
    _service(draft, "grafana", "shop-grafana")


def _setup(draft: Draft) -> None:
    setup = _container(draft, "opensearch-setup", "opensearch-setup", {})
    setup["image"] = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/admin-tools:1.32.2"
    setup["environment"] = _pairs(
        AWS_REGION=REGION,
        ES_SERVER=f"https://{DOMAIN_ENDPOINT}:443",
        ES_VISIBILITY_INDEX="temporal_visibility_v1_dev",
    )
    setup["entryPoint"] = ["/bin/sh", "-euc"]
    tool = "temporal-elasticsearch-tool --aws aws-sdk-default"
    setup["command"] = [
        f"{tool} setup-schema\n{tool} create-index --index temporal_visibility_v1_dev"
    ]
    task = _task(draft, "setup", "shop-opensearch-setup", [setup])
    task["requires_compatibilities"] = ["FARGATE"]


def _outputs(draft: Draft) -> None:
    names = (*ROLES, "ui", "grafana")
    shell = "--interactive --command /bin/sh"
    draft.outputs = {
        "project_name": PROJECT,
        "region": REGION,
        "ecs_cluster_arn": draft["aws_ecs_cluster.main"]["arn"],
        "ecs_cluster_name": ECS_CLUSTER,
        "services": {
            name: {
                "service_name": draft.service(name)["name"],
                "task_definition_arn": draft.task(name)["arn"],
                "container_name": draft.containers[name][0]["name"],
                "security_group_id": f"sg-{name}",
                "replicas": 1,
            }
            for name in names
        },
        "ecs_exec_commands": {
            name: f"aws ecs execute-command --region {REGION} --cluster {ECS_CLUSTER}"
            f" --task TASK_ID --container {draft.containers[name][0]['name']} {shell}"
            for name in names
        },
        "dsql_cluster_endpoint": DATABASE_ENDPOINT,
        "opensearch_endpoint": DOMAIN_ENDPOINT,
        "prometheus_endpoint": f"{WORKSPACE}api/v1/remote_write",
    }


def _log_group(draft: Draft, name: str) -> str:
    path = f"/shop/{name}"
    draft.add(
        f"aws_cloudwatch_log_group.{name}",
        name=path,
        arn=arn("logs", f"log-group:{path}"),
        retention_in_days=7,
        kms_key_id=KEY,
    )
    return path


def _container(draft: Draft, name: str, part: str, ports: dict[str, int]) -> dict[str, Any]:
    return {
        "name": name,
        "essential": True,
        "environment": [],
        "linuxParameters": {"initProcessEnabled": True},
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": _log_group(draft, part),
                "awslogs-region": REGION,
                "awslogs-stream-prefix": name,
                "mode": "non-blocking",
                "max-buffer-size": "25m",
            },
        },
        "portMappings": [
            {"name": label, "containerPort": port, "hostPort": port, "protocol": "tcp"}
            for label, port in ports.items()
        ],
    }


def _task(
    draft: Draft,
    name: str,
    family: str,
    containers: list[dict[str, Any]],
    *,
    cpu: str = "256",
    memory: str = "512",
) -> dict[str, Any]:
    draft.containers[name] = containers
    return draft.add(
        f"{TASK}.{name}",
        family=family,
        arn=arn("ecs", f"task-definition/{family}:1"),
        cpu=cpu,
        memory=memory,
        network_mode="awsvpc",
        requires_compatibilities=["EC2"],
        runtime_platform=[{"cpu_architecture": "ARM64", "operating_system_family": "LINUX"}],
        execution_role_arn=f"arn:aws:iam::{ACCOUNT}:role/shop-execution",
        task_role_arn=f"arn:aws:iam::{ACCOUNT}:role/shop-{name}",
        volume=[],
    )


def _service(draft: Draft, name: str, full_name: str) -> dict[str, Any]:
    return draft.add(
        f"{SERVICE}.{name}",
        name=full_name,
        cluster=arn("ecs", f"cluster/{ECS_CLUSTER}"),
        task_definition=draft.task(name)["arn"],
        desired_count=0,
        launch_type=None,
        enable_execute_command=True,
        capacity_provider_strategy=[{"capacity_provider": "shop-main", "weight": 1, "base": 0}],
        deployment_minimum_healthy_percent=100,
        deployment_maximum_percent=200,
        deployment_circuit_breaker=[{"enable": True, "rollback": True}],
        service_connect_configuration=[],
        service_registries=[],
        network_configuration=[
            {
                "subnets": list(PRIVATE),
                "security_groups": [f"sg-{name}"],
                "assign_public_ip": False,
            }
        ],
    )


def _pairs(**values: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]
