"""A small cluster in which the family `contract` finds nothing; tests spoil one thing of it."""

import hashlib
from collections.abc import Mapping
from typing import Any

from temporal_dsql_deploy import topology
from tests.support.draft import SERVICE, TASK, Draft

REGION = "eu-west-1"
IDENTIFIER = "abcdefghijklmnopqrstuvwxyz"
ENDPOINT = f"{IDENTIFIER}.dsql.{REGION}.on.aws"
DOMAIN = "vpc-shop.eu-west-1.es.amazonaws.com"
WORKSPACE = f"https://aps-workspaces.{REGION}.amazonaws.com/workspaces/ws-1/"
INDEX = "temporal_visibility_v1_shop"
NAMESPACE = f"arn:aws:servicediscovery:{REGION}:123456789012:namespace/ns-1"
SSM = f"arn:aws:ssm:{REGION}:123456789012:parameter"
SECRET = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:shop/grafana-a1b2c3"
ROLES = tuple(topology.load().roles)
LOGS = "/var/log/temporal"
COLLECTOR = f'receivers: {{file_log: {{include: ["{LOGS}/server.log"]}}}}\n'
LOKI = "target: all\n"
SERVER = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_REGION": REGION,
    "REGION": REGION,
    "CLUSTER_ENDPOINT": ENDPOINT,
    "BIND_ON_IP": "0.0.0.0",  # noqa: S104
    "DEPLOY_ENVIRONMENT": "dev",
    "DSQL_CONNECTION_RATE_LIMIT": "10",
    "DSQL_CONNECTION_BURST_LIMIT": "100",
    "TEMPORAL_HISTORY_SHARDS": "512",
    "TEMPORAL_LOG_FILE": f"{LOGS}/server.log",
    "TEMPORAL_LOG_LEVEL": "info",
    "TEMPORAL_ELASTICSEARCH_HOST": DOMAIN,
    "TEMPORAL_ELASTICSEARCH_INDEX": INDEX,
    "TEMPORAL_ELASTICSEARCH_PORT": "443",
    "TEMPORAL_ELASTICSEARCH_REQUEST_SIGNING": "true",
    "TEMPORAL_ELASTICSEARCH_SCHEME": "https",
    "TEMPORAL_ELASTICSEARCH_VERSION": "v7",
    "TEMPORAL_SQL_DATABASE": "postgres",
    "TEMPORAL_SQL_HOST": ENDPOINT,
    "TEMPORAL_SQL_MAX_CONNS": "20",
    "TEMPORAL_SQL_MAX_CONN_LIFETIME": "50m",
    "TEMPORAL_SQL_MAX_IDLE_CONNS": "20",
    "TEMPORAL_SQL_PLUGIN_NAME": "dsql",
    "TEMPORAL_SQL_PORT": "5432",
    "TEMPORAL_SQL_TLS_ENABLED": "true",
    "TEMPORAL_SQL_TLS_HOST_VERIFICATION": "true",
    "TEMPORAL_SQL_USER": "admin",
}
RESERVOIR = {
    "DSQL_RESERVOIR_ENABLED": "true",
    "DSQL_RESERVOIR_TARGET_READY": "10",
    "DSQL_RESERVOIR_LOW_WATERMARK": "5",
}
LEASE = {
    **RESERVOIR,
    "DSQL_DISTRIBUTED_CONN_LEASE_ENABLED": "true",
    "DSQL_DISTRIBUTED_CONN_LEASE_TABLE": "leases",
}
LIMITER = {
    "DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED": "true",
    "DSQL_DISTRIBUTED_RATE_LIMITER_TABLE": "connects",
}
SETUP = (
    "temporal-elasticsearch-tool --aws aws-sdk-default setup-schema\n"
    "temporal-elasticsearch-tool --aws aws-sdk-default create-index\n"
)


class Good(Draft):
    """A draft whose containers are changed by their names."""

    def container(self, name: str) -> dict[str, Any]:
        """A container definition; the server of a role by the name of the role."""
        every = [one for group in self.containers.values() for one in group]
        return next(one for one in every if one["name"] == name)

    def set(self, name: str, variable: str, value: str | None) -> "Good":
        """An environment variable of a container; None takes it out."""
        pairs = self.container(name)["environment"]
        pairs[:] = [pair for pair in pairs if pair["name"] != variable]
        if value is not None:
            pairs.append({"name": variable, "value": value})
        return self

    def everywhere(self, environment: Mapping[str, str | None]) -> "Good":
        """The same variables in all roles."""
        for role in ROLES:
            for variable, value in environment.items():
                self.set(role, variable, value)
        return self

    def secret(self, name: str, variable: str, value: str | None) -> "Good":
        """A secret of a container; None takes it out."""
        pairs = self.container(name)["secrets"]
        pairs[:] = [pair for pair in pairs if pair["name"] != variable]
        if value is not None:
            pairs.append({"name": variable, "valueFrom": value})
        return self


def container(name: str, image: str, environment: Mapping[str, str], **more: Any) -> dict[str, Any]:
    """A container definition in the words of the ECS API."""
    pairs = [{"name": key, "value": value} for key, value in environment.items()]
    return {
        "name": name,
        "image": image,
        "environment": pairs,
        "secrets": [],
        "essential": True,
        **more,
    }


def check(*command: str, start: int = 60) -> dict[str, Any]:
    """A health check."""
    return {
        "command": list(command),
        "interval": 30,
        "timeout": 5,
        "retries": 3,
        "startPeriod": start,
    }


def _port(name: str, number: int) -> dict[str, Any]:
    return {"name": name, "containerPort": number, "hostPort": number, "protocol": "tcp"}


def _mount(volume: str, path: str, *, read_only: bool = False) -> dict[str, Any]:
    return {"sourceVolume": volume, "containerPath": path, "readOnly": read_only}


def _secret(name: str, value: str) -> dict[str, str]:
    return {"name": name, "valueFrom": value}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def good() -> Good:
    """Four roles with their collectors, the UI, Grafana, Loki, the benchmark, and the set-up."""
    draft = Good()
    draft.outputs["region"] = REGION
    draft.add("aws_dsql_cluster.this", identifier=IDENTIFIER, deletion_protection_enabled=False)
    draft.add("aws_opensearch_domain.this", endpoint=DOMAIN)
    draft.add("aws_prometheus_workspace.this", prometheus_endpoint=WORKSPACE)
    draft.add("aws_service_discovery_private_dns_namespace.this", id="ns-2", name="shop.internal")
    for role in ROLES:
        _role(draft, role)
    _others(draft)
    return draft


def _task(draft: Draft, name: str, containers: list[dict[str, Any]], *volumes: str) -> None:
    draft.containers[name] = containers
    draft.add(
        f"{TASK}.{name}",
        family=f"shop-{name}",
        arn=f"arn:aws:ecs:{REGION}:123456789012:task-definition/shop-{name}:1",
        network_mode="awsvpc",
        requires_compatibilities=["EC2"],
        volume=[{"name": volume} for volume in volumes],
    )


def _service(draft: Draft, name: str, called: str, **more: Any) -> None:
    draft.add(
        f"{SERVICE}.{name}",
        name=f"shop-{called}",
        task_definition=draft.task(name)["arn"],
        desired_count=2,
        deployment_maximum_percent=200,
        enable_execute_command=True,
        deployment_circuit_breaker=[{"enable": True, "rollback": True}],
        **more,
    )


def _role(draft: Draft, role: str) -> None:
    known = topology.load().roles[role]
    probe = ("CMD", "grpc_health_probe", f"-addr=localhost:{known.ports['grpc']}")
    server = container(
        role,
        "registry.example/runtime:1.0.0-1",
        {"TEMPORAL_SERVICES": role, **SERVER},
        portMappings=[_port(name, number) for name, number in known.ports.items()],
        healthCheck=check(*probe, f"-service={known.health_service}", start=120),
        stopTimeout=30,
        mountPoints=[_mount("logs", LOGS)],
        ulimits=[{"name": "nofile", "softLimit": 65536, "hardLimit": 65536}],
    )
    collector = container(
        f"{role}-collector",
        "otel/opentelemetry-collector-contrib:0.155.0",
        {"GOMEMLIMIT": "200MiB", "CONFIG_SHA256": _hash(COLLECTOR)},
        command=["--config=env:OTEL_CONFIG"],
        essential=False,
        memory=256,
        mountPoints=[_mount("logs", LOGS, read_only=True)],
        restartPolicy={"enabled": True, "restartAttemptPeriod": 60},
    )
    collector["secrets"] = [_secret("OTEL_CONFIG", f"{SSM}/shop/collector/{role}")]
    draft.add(
        f"aws_ssm_parameter.{role}",
        arn=f"{SSM}/shop/collector/{role}",
        name=f"/shop/collector/{role}",
        value=COLLECTOR,
    )
    _task(draft, role, [server, collector], "logs")
    more: dict[str, Any] = {}
    if role == "frontend":
        service = {
            "port_name": "grpc",
            "discovery_name": "temporal-frontend",
            "client_alias": [{"dns_name": "temporal-frontend", "port": known.ports["grpc"]}],
            "timeout": [],
        }
        more["service_connect_configuration"] = [
            {"enabled": True, "namespace": NAMESPACE, "service": [service]}
        ]
        more["service_registries"] = [{"registry_arn": "arn:srv:frontend"}]
        _discovery(draft, "frontend", "temporal-frontend")
    _service(draft, role, f"temporal-{role}", **more)


def _discovery(draft: Draft, label: str, name: str) -> None:
    draft.add(
        f"aws_service_discovery_service.{label}",
        arn=f"arn:srv:{label}",
        name=name,
        dns_config=[{"namespace_id": "ns-2", "dns_records": [{"type": "A", "ttl": 10}]}],
    )


def _others(draft: Draft) -> None:
    wget = ("CMD-SHELL", "wget -q --spider http://localhost:8080/healthz")
    ui = container(
        "ui",
        "temporalio/ui:2.54.1",
        {
            "TEMPORAL_ADDRESS": "temporal-frontend:7233",
            "TEMPORAL_UI_PORT": "8080",
            "TEMPORAL_CORS_ORIGINS": "http://localhost:8080",
        },
        portMappings=[_port("http", 8080)],
        healthCheck=check(*wget),
    )
    _task(draft, "ui", [ui])
    client = {"enabled": True, "namespace": NAMESPACE, "service": []}
    _service(draft, "ui", "temporal-ui", service_connect_configuration=[client])
    _grafana(draft)
    _loki(draft)
    address = {"TEMPORAL_ADDRESS": "temporal-frontend.shop.internal:7233"}
    _task(draft, "benchmark", [container("benchmark", "registry.example/benchmark:1.0.0", address)])
    worker = container(
        "benchmark-worker",
        "registry.example/benchmark:1.0.0",
        {**address, "BENCHMARK_WORKER_ONLY": "true"},
    )
    _task(draft, "benchmark-worker", [worker])
    _service(draft, "benchmark-worker", "benchmark-worker")
    setup = container(
        "opensearch-setup",
        "registry.example/admin-tools:1.0.0-1",
        {"AWS_REGION": REGION, "ES_SERVER": f"https://{DOMAIN}:443", "ES_VISIBILITY_INDEX": INDEX},
        entryPoint=["/bin/sh", "-euc"],
        command=[SETUP],
    )
    _task(draft, "opensearch-setup", [setup])


def _grafana(draft: Draft) -> None:
    grafana = container(
        "grafana",
        "grafana/grafana-oss:12.3.0",
        {
            "AMP_ENDPOINT": WORKSPACE,
            "AWS_REGION": REGION,
            "AWS_SDK_LOAD_CONFIG": "true",
            "GF_AUTH_SIGV4_AUTH_ENABLED": "true",
            "GF_SERVER_HTTP_PORT": "3000",
            "GF_SERVER_ROOT_URL": "http://localhost:3000",
            "GF_LOG_MODE": "console",
            "LOKI_ENDPOINT": "http://loki.shop.internal:3100",
        },
        portMappings=[_port("http", 3000)],
        healthCheck=check("CMD-SHELL", "wget -q --spider http://localhost:3000/api/health"),
    )
    grafana["secrets"] = [
        _secret("GF_SECURITY_ADMIN_USER", f"{SECRET}:admin_user::"),
        _secret("GF_SECURITY_ADMIN_PASSWORD", f"{SECRET}:admin_password::"),
    ]
    _task(draft, "grafana", [grafana])
    _service(draft, "grafana", "grafana")


def _loki(draft: Draft) -> None:
    mounts = [_mount("loki-config", "/etc/loki-config"), _mount("loki-data", "/loki")]
    text = "printf '%s' \"$LOKI_CONFIG\" > /etc/loki-config/config.yaml && chown 10001:10001 /loki"
    init = container(
        "loki-init",
        "grafana/grafana-oss:12.3.0",
        {"CONFIG_SHA256": _hash(LOKI)},
        entryPoint=["/bin/sh", "-ec"],
        command=[text],
        essential=False,
        user="0",
        mountPoints=[dict(mount) for mount in mounts],
    )
    init["secrets"] = [_secret("LOKI_CONFIG", f"{SSM}/shop/loki/config")]
    loki = container(
        "loki",
        "grafana/loki:3.7.8",
        {},
        command=["-config.file=/etc/loki-config/config.yaml"],
        dependsOn=[{"containerName": "loki-init", "condition": "SUCCESS"}],
        portMappings=[_port("http", 3100)],
        mountPoints=[dict(mount) for mount in mounts],
    )
    draft.add(
        "aws_ssm_parameter.loki",
        arn=f"{SSM}/shop/loki/config",
        name="/shop/loki/config",
        value=LOKI,
    )
    _task(draft, "loki", [init, loki], "loki-config", "loki-data")
    _service(draft, "loki", "loki", service_registries=[{"registry_arn": "arn:srv:loki"}])
    _discovery(draft, "loki", "loki")
