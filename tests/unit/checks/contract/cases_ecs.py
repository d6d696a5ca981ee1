"""Mistakes in what ECS is told of containers and services, and those of stock images."""

from typing import Any

from tests.support.draft import SERVICE, TASK
from tests.unit.checks.contract.case import Case, inside
from tests.unit.checks.contract.good import LOGS, SECRET, Good, check

_PROBE = "grpc_health_probe"
_HISTORY = "-service=temporal.api.workflowservice.v1.HistoryService"
_LOCAL = "-addr=localhost:7234"
_HEALTH = "container_definitions.history.healthCheck"
_CONNECT = "service_connect_configuration.0.service.0"
_LATEST = "registry.example/runtime:latest"


def probe(rule: str, *command: str, at: str = "history") -> Case:
    return inside(rule, at, "healthCheck.command", healthCheck=check(*command, start=120))


def timing(rule: str, path: str, **numbers: int | None) -> Case:
    def spoil(draft: Good) -> None:
        health = draft.container("history")["healthCheck"]
        for name, number in numbers.items():
            health[name] = number

    return Case(rule, spoil, f"{TASK}.history", f"{_HEALTH}.{path}")


def service(rule: str, name: str, attribute: str, **values: Any) -> Case:
    return Case(
        rule, lambda draft: draft.service(name).update(values), f"{SERVICE}.{name}", attribute
    )


def connect(rule: str, attribute: str, **values: Any) -> Case:
    def spoil(draft: Good) -> None:
        draft.service("frontend")["service_connect_configuration"][0]["service"][0].update(values)

    return Case(rule, spoil, f"{SERVICE}.frontend", f"{_CONNECT}.{attribute}")


def secret(rule: str, at: str, name: str, value: str | None, path: str = "") -> Case:
    task = {"loki-init": "loki"}.get(at, at.removesuffix("-collector"))
    return Case(
        rule,
        lambda draft: draft.secret(at, name, value),
        f"{TASK}.{task}",
        f"container_definitions.{at}.{path or f'secrets.{name}'}",
    )


def client(rule: str, **configuration: Any) -> Case:
    """Service Connect of the UI; the finding is about its address."""

    def spoil(draft: Good) -> None:
        given = draft.service("ui")["service_connect_configuration"]
        given[:] = [{**given[0], **configuration}] if configuration else []

    attribute = "container_definitions.ui.environment.TEMPORAL_ADDRESS"
    return Case(rule, spoil, f"{TASK}.ui", attribute)


def _mount(volume: str, path: str, *, read_only: bool = False) -> list[dict[str, Any]]:
    return [{"sourceVolume": volume, "containerPath": path, "readOnly": read_only}]


def _protocol(draft: Good) -> None:
    draft.container("frontend")["portMappings"][0]["appProtocol"] = "grpc"


def _second_alias(draft: Good) -> None:
    other = {"port_name": "grpc", "client_alias": [{"dns_name": "temporal-frontend", "port": 7233}]}
    draft.service("ui")["service_connect_configuration"][0]["service"] = [other]


def _public(draft: Good) -> None:
    draft.set("worker", "PUBLIC_FRONTEND_ADDRESS", "temporal-frontend:7233")


def _read_only(draft: Good) -> None:
    draft.container("ui")["readonlyRootFilesystem"] = True


def _stock(image: str, worker: str = "worker") -> Any:
    def spoil(draft: Good) -> None:
        draft.container(worker)["image"] = image

    return spoil


def _template(draft: Good) -> None:
    definition = draft.container("history")
    pairs = {"SERVICES": "history", "DB": "postgres", "POSTGRES_SEEDS": "x", "DBNAME": "temporal"}
    definition["environment"] = [{"name": name, "value": text} for name, text in pairs.items()]


def _seeds(draft: Good) -> None:
    definition = draft.container("history")
    pairs = {"SERVICES": "history", "POSTGRES_SEEDS": "cluster.example"}
    definition["environment"] = [{"name": name, "value": text} for name, text in pairs.items()]


def _slow(draft: Good) -> None:
    """400 connects at one per second before a role is healthy."""
    slow = {"DSQL_CONNECTION_RATE_LIMIT": "1", "DSQL_CONNECTION_BURST_LIMIT": "20"}
    for name in ("TEMPORAL_SQL_MAX_CONNS", "TEMPORAL_SQL_MAX_IDLE_CONNS"):
        draft.set("history", name, "100")
    for name, text in slow.items():
        draft.set("history", name, text)


def _in(name: str, path: str) -> tuple[str, str]:
    return f"{TASK}.{name}", f"container_definitions.{name}.{path}"


HEALTH: tuple[Case, ...] = (
    inside("health-present", "history", "healthCheck", healthCheck=None),
    inside("health-present", "worker", "healthCheck", healthCheck={"command": ["NONE"]}),
    probe("health-probe", "CMD", _PROBE, _LOCAL),
    probe("health-probe", "CMD", _PROBE, _HISTORY),
    probe("health-probe", "CMD", _PROBE, "-addr=localhost:7233", _HISTORY),
    probe("health-probe", "CMD", _PROBE, "-addr=example.org:7234", _HISTORY),
    probe("health-probe", "CMD", _PROBE, _LOCAL, "-service=temporal.HistoryService"),
    probe("health-probe", "CMD-SHELL", "nc -z localhost 7233"),
    probe("health-tools", "CMD", "grpc_health_probex", _LOCAL, _HISTORY),
    probe("health-tools", "CMD", _LOCAL, _HISTORY),
    probe("health-tools", _PROBE, _LOCAL, _HISTORY),
    inside(
        "health-tools",
        "loki",
        "healthCheck.command",
        healthCheck=check("CMD-SHELL", "wget -q --spider http://localhost:3100/ready"),
    ),
    probe("health-port", "CMD-SHELL", "wget http://localhost:8081/healthz", at="ui"),
    probe("health-port", "CMD-SHELL", "wget http://localhost:8080/healthzx", at="ui"),
    probe("health-port", "CMD-SHELL", "wget http://ui.example:8080/healthz", at="ui"),
    timing("health-timing", "retries", retries=30),
    timing("health-timing", "timeout", timeout=50),
    timing("health-timing", "interval", interval=300),
    timing("health-timing", "startPeriod", startPeriod=1200),
    timing("start-period", "startPeriod", startPeriod=None),
    timing("start-period", "startPeriod", startPeriod=9),
    timing("start-period", "startPeriod", startPeriod=30, interval=10),
    inside("stop-timeout", "history", "stopTimeout", stopTimeout=20),
    service(
        "grace-period",
        "history",
        "health_check_grace_period_seconds",
        health_check_grace_period_seconds=9,
    ),
    service(
        "grace-period",
        "frontend",
        "health_check_grace_period_seconds",
        load_balancer=[{"target_group_arn": "arn"}],
    ),
    service(
        "circuit-breaker",
        "ui",
        "deployment_circuit_breaker.0.rollback",
        deployment_circuit_breaker=[{"enable": True, "rollback": False}],
    ),
    service(
        "circuit-breaker",
        "ui",
        "deployment_circuit_breaker.0.enable",
        deployment_circuit_breaker=[],
    ),
)

CONNECT: tuple[Case, ...] = (
    Case("connect-timeout", _protocol, *_in("frontend", "portMappings.0.appProtocol")),
    connect(
        "connect-timeout", "timeout.0.idle_timeout_seconds", timeout=[{"idle_timeout_seconds": 30}]
    ),
    connect(
        "connect-timeout",
        "timeout.0.per_request_timeout_seconds",
        timeout=[{"per_request_timeout_seconds": 15}],
    ),
    connect("connect-port", "port_name", port_name="membership"),
    connect("connect-port", "port_name", port_name="none"),
    connect("connect-port", "client_alias", client_alias=[]),
    Case("connect-alias", _second_alias, f"{SERVICE}.ui", f"{_CONNECT}.client_alias.0"),
    Case("connect-peers", _public, *_in("worker", "environment.PUBLIC_FRONTEND_ADDRESS")),
    client("frontend-address"),
    client("frontend-address", enabled=False),
    client("frontend-address", namespace="arn:other"),
)

TASKS: tuple[Case, ...] = (
    Case("start-period", _slow, *_in("history", "healthCheck.startPeriod")),
    Case(
        "network-mode",
        lambda draft: draft.task("history").update(network_mode="bridge"),
        f"{TASK}.history",
        "network_mode",
    ),
    Case(
        "network-mode",
        lambda draft: draft.task("ui").update(
            network_mode=None, requires_compatibilities=["FARGATE"]
        ),
        f"{TASK}.ui",
        "network_mode",
    ),
    Case(
        "dns-record",
        lambda draft: draft["aws_service_discovery_service.loki"]["dns_config"][0].update(
            dns_records=[{"type": "SRV"}]
        ),
        "aws_service_discovery_service.loki",
        "dns_config.0.dns_records.0.type",
    ),
    probe("health-probe", "CMD", _PROBE, f"x{_LOCAL}", _HISTORY),
    probe("health-probe", "CMD", _PROBE, _LOCAL, f"x{_HISTORY}"),
    probe("health-tools", "CMD", "usr/bin/probe", _LOCAL),
    inside(
        "health-tools",
        "loki",
        "healthCheck.command",
        healthCheck=check("CMD", "/usr/bin/loki", "-health.url=http://localhost:3100/ready"),
    ),
    inside(
        "init-order",
        "loki",
        "dependsOn",
        dependsOn=[{"containerName": "loki-init", "condition": "COMPLETE"}],
    ),
)

CONTAINERS: tuple[Case, ...] = (
    inside(
        "setup-command",
        "opensearch-setup",
        "command",
        command=["temporal-elasticsearch-tool setup-schema"],
    ),
    inside(
        "setup-command",
        "opensearch-setup",
        "command",
        command=["elasticsearch-tool --aws x create-index"],
    ),
    inside(
        "setup-command",
        "opensearch-setup",
        "command",
        command=["elasticsearch-tool --aws x --quiet ping"],
    ),
    secret("grafana-access", "grafana", "GF_SECURITY_ADMIN_PASSWORD", None),
    secret("grafana-access", "grafana", "GF_SECURITY_ADMIN_USER", None),
    secret("collector-config", "history-collector", "OTEL_CONFIG", None),
    inside("collector-config", "history-collector", "command", command=None),
    inside("loki-config", "loki", "command", command=["-print-config-stderr"]),
    inside(
        "volume-declared", "history", "mountPoints.0.sourceVolume", mountPoints=_mount("log", LOGS)
    ),
    inside(
        "volume-declared",
        "history",
        "mountPoints.0.containerPath",
        mountPoints=_mount("logs", "logs"),
    ),
    Case(
        "volume-used",
        lambda d: d.task("ui").update(volume=[{"name": "x"}]),
        f"{TASK}.ui",
        "volume.0",
    ),
    inside("init-order", "loki", "dependsOn", dependsOn=None),
    inside(
        "init-order",
        "loki",
        "dependsOn",
        dependsOn=[{"containerName": "loki-init", "condition": "START"}],
    ),
    inside(
        "init-order",
        "loki",
        "dependsOn.0.containerName",
        dependsOn=[{"containerName": "init", "condition": "SUCCESS"}],
    ),
    inside("init-mounts", "loki", "mountPoints", mountPoints=_mount("loki-data", "/loki")),
    inside(
        "init-mounts",
        "loki",
        "mountPoints",
        mountPoints=[
            *_mount("loki-config", "/etc/loki-config"),
            *_mount("loki-data", "/loki", read_only=True),
        ],
    ),
    inside("init-mounts", "loki-init", "mountPoints", mountPoints=_mount("loki-data", "/loki")),
    inside(
        "init-mounts",
        "loki-init",
        "mountPoints",
        mountPoints=_mount("loki-config", "/etc/loki-config"),
    ),
    inside(
        "init-mounts",
        "loki-init",
        "mountPoints",
        mountPoints=[
            *_mount("loki-config", "/etc/loki-config", read_only=True),
            *_mount("loki-data", "/loki"),
        ],
    ),
    inside("shell", "loki-init", "entryPoint", entryPoint=None),
    inside("shell", "opensearch-setup", "command", command=None),
    inside("shell", "loki-init", "user", user="472"),
    inside("essential", "history", "essential", essential=False),
    inside("essential", "history-collector", "essential", essential=True),
    inside("essential", "loki-init", "essential", essential=None),
    inside("essential", "ui", "essential", essential=False),
    inside("restart-policy", "history-collector", "restartPolicy", restartPolicy=None),
    inside("restart-policy", "loki-init", "restartPolicy", restartPolicy={"enabled": True}),
    inside(
        "restart-policy",
        "history-collector",
        "restartPolicy.restartAttemptPeriod",
        restartPolicy={"enabled": True, "restartAttemptPeriod": 6},
    ),
    inside("open-files", "history", "ulimits", ulimits=None),
    inside(
        "open-files",
        "history",
        "ulimits",
        ulimits=[{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}],
    ),
    Case("exec-root", _read_only, *_in("ui", "readonlyRootFilesystem")),
    inside("collector-mount", "history-collector", "mountPoints", mountPoints=[]),
    inside(
        "collector-mount", "history-collector", "mountPoints", mountPoints=_mount("logs", "/logs")
    ),
    inside("log-file", "history", "mountPoints", mountPoints=_mount("logs", LOGS, read_only=True)),
    inside("image", "history", "image", image=_LATEST),
    inside("image", "history", "image", image="registry.example:5000/runtime"),
    secret("secret-reference", "grafana", "GF_SECURITY_ADMIN_USER", "arn:aws:secretsmanager:x"),
    secret("secret-reference", "grafana", "GF_SECURITY_ADMIN_USER", f"{SECRET}:admin_user::x"),
    secret("secret-reference", "grafana", "GF_SECURITY_ADMIN_USER", f"{SECRET}:::"),
    secret("secret-reference", "grafana", "GF_SECURITY_ADMIN_USER", "not a name"),
)

STOCK: tuple[Case, ...] = (
    Case("stock-server", _stock("temporalio/server:1.31.2"), *_in("worker", "image")),
    Case("stock-store", _template, *_in("history", "environment.DB")),
    Case("stock-store", _seeds, *_in("history", "environment.POSTGRES_SEEDS")),
    Case("stock-database", _template, *_in("history", "environment.DBNAME")),
    inside(
        "server-command",
        "history",
        "command",
        command=["temporal", "server", "start", "--service=history"],
    ),
    inside(
        "server-command",
        "history",
        "command",
        command=["temporal-server", "start", "--service", "history", "--service", "worker"],
    ),
    inside("server-command", "history", "command", command=["temporal-server", "start", "history"]),
    Case("server-version", _stock("docker.io/temporalio/server:1.30.2"), *_in("worker", "image")),
    Case("server-version", _stock("temporalio/server:1.29", "history"), *_in("history", "image")),
)
