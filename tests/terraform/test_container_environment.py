"""The environment of containers, key by key, and against the contract of topology.json."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.topology.durations import parse_duration
from temporal_dsql_deploy.topology.model import Rule
from tests.support import plans
from tests.support.topology_file import document
from tests.unit.runtime.good import refused

pytestmark = [pytest.mark.needs("terraform"), pytest.mark.timeout(600)]
everywhere = pytest.mark.parametrize("name", plans.ALL)

TOPOLOGY = topology.load()
RUNTIME: dict[str, dict[str, Any]] = document()["runtime"]["variables"]
PLUGIN: dict[str, dict[str, Any]] = document()["environment"]["variables"]
Environment = Mapping[str, str]

SERVER = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "BIND_ON_IP": "0.0.0.0",  # noqa: S104
    "TEMPORAL_LOG_LEVEL": "info",
    "TEMPORAL_ELASTICSEARCH_PORT": "443",
    "TEMPORAL_ELASTICSEARCH_REQUEST_SIGNING": "true",
    "TEMPORAL_ELASTICSEARCH_SCHEME": "https",
    "TEMPORAL_ELASTICSEARCH_VERSION": "v7",
    "TEMPORAL_SQL_DATABASE": "postgres",
    "TEMPORAL_SQL_MAX_CONNS": "50",
    "TEMPORAL_SQL_MAX_CONN_LIFETIME": "50m",
    "TEMPORAL_SQL_MAX_IDLE_CONNS": "50",
    "TEMPORAL_SQL_PLUGIN_NAME": "dsql",
    "TEMPORAL_SQL_PORT": "5432",
    "TEMPORAL_SQL_TLS_ENABLED": "true",
    "TEMPORAL_SQL_TLS_HOST_VERIFICATION": "true",
    "TEMPORAL_SQL_USER": "admin",
    "DSQL_STAGGERED_STARTUP": "true",
    "DSQL_STAGGERED_STARTUP_MAX_DELAY": "5s",
}
RESERVOIR = {
    "DSQL_RESERVOIR_BASE_LIFETIME": "660s",
    "DSQL_RESERVOIR_ENABLED": "true",
    "DSQL_RESERVOIR_GUARD_WINDOW": "45s",
    "DSQL_RESERVOIR_INITIAL_FILL_TIMEOUT": "30s",
    "DSQL_RESERVOIR_LIFETIME_JITTER": "120s",
    "DSQL_RESERVOIR_LOW_WATERMARK": "5",
    "DSQL_RESERVOIR_TARGET_READY": "10",
}


def servers(name: str) -> dict[str, Environment]:
    tasks = plans.tasks(plans.of(name))
    return {
        role: plans.main_container(tasks[f"temporal-{role}"]).environment for role in plans.ROLES
    }


def expected(name: str, role: str) -> dict[str, str]:
    """All but the rates, which are the budget's."""
    plan, variant = plans.of(name), plans.VARIANTS[name]
    project = plans.project(plan)
    found = {
        **SERVER,
        "AWS_REGION": plans.REGION,
        "REGION": plans.REGION,
        "CLUSTER_ENDPOINT": plan.outputs["dsql_cluster_endpoint"].value,
        "TEMPORAL_SQL_HOST": plan.outputs["dsql_cluster_endpoint"].value,
        "DEPLOY_ENVIRONMENT": variant.environment,
        "TEMPORAL_SERVICES": role,
        "TEMPORAL_HISTORY_SHARDS": "512" if variant.environment == "dev" else "4096",
        "TEMPORAL_ELASTICSEARCH_HOST": plan.outputs["opensearch_endpoint"].value,
        "TEMPORAL_ELASTICSEARCH_INDEX": f"temporal_visibility_v1_{variant.environment}",
    }
    if variant.loki and variant.collector != "none":
        found["TEMPORAL_LOG_FILE"] = "/var/log/temporal/server.log"
    if variant.counts:
        found |= RESERVOIR
        found |= {
            "DSQL_DISTRIBUTED_CONN_LEASE_ENABLED": "true",
            "DSQL_DISTRIBUTED_CONN_LEASE_TABLE": f"{project}-dsql-conn-lease",
            "DSQL_DISTRIBUTED_CONN_LIMIT": "10000",
        }
    if name == "isolated":
        found |= {
            "DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED": "true",
            "DSQL_DISTRIBUTED_RATE_LIMITER_LIMIT": "70",
            "DSQL_DISTRIBUTED_RATE_LIMITER_TABLE": f"{project}-dsql-rate-limiter",
        }
    return found


@everywhere
@pytest.mark.parametrize("role", plans.ROLES)
def test_the_entrypoint_refuses_nothing(name: str, role: str) -> None:
    assert refused(dict(servers(name)[role])) == {}


def is_a(kind: str, value: str) -> bool:
    """Whether the plugin, or the entrypoint, takes the text for what it is meant to be."""
    if kind == "int":
        return value.isdecimal() and value.isascii()
    if kind == "bool":
        return value in {"true", "false", "1", "0"}
    if kind == "duration":
        return parse_duration(value) >= 0
    if kind == "host":
        return ":" not in value and "/" not in value and not value[-1].isdigit()
    return value != ""


def on(environment: Environment, name: str) -> bool:
    return environment.get(name, "false") in {"true", "1"}


def whole(environment: Environment, name: str) -> int:
    return int(environment.get(name, "1"))


def seconds(environment: Environment, name: str) -> float:
    default = PLUGIN[name]["default"]
    return float(parse_duration(environment.get(name, default)))


def all_of(kind: str) -> Callable[[Environment], bool]:
    names = [name for name, variable in PLUGIN.items() if variable["type"] == kind]
    return lambda e: all(is_a(kind, e[name]) for name in names if name in e)


RULES: dict[str, Callable[[Environment], bool]] = {
    "int-strict": all_of("int"),
    "bool-strict": all_of("bool"),
    "duration-strict": all_of("duration"),
    "token-duration-range": lambda e: 15 <= seconds(e, "DSQL_TOKEN_DURATION") <= 900,
    "rate-positive": lambda e: (
        whole(e, "DSQL_CONNECTION_RATE_LIMIT") >= 1 and whole(e, "DSQL_CONNECTION_BURST_LIMIT") >= 1
    ),
    "reservoir-size-positive": lambda e: (
        whole(e, "DSQL_RESERVOIR_TARGET_READY") >= 1
        and whole(e, "DSQL_RESERVOIR_LOW_WATERMARK") >= 1
    ),
    "lifetime-over-guard": lambda e: (
        seconds(e, "DSQL_RESERVOIR_BASE_LIFETIME")
        >= seconds(e, "DSQL_RESERVOIR_GUARD_WINDOW") + 120
    ),
    "lifetime-before-cut": lambda e: (
        seconds(e, "DSQL_RESERVOIR_BASE_LIFETIME") + seconds(e, "DSQL_RESERVOIR_LIFETIME_JITTER")
        <= 50 * 60
    ),
    "region-required": lambda e: bool(e.get("AWS_REGION")),
    "region-one": lambda e: e.get("REGION", e["AWS_REGION"]) == e["AWS_REGION"],
    "region-of-host": lambda e: e["CLUSTER_ENDPOINT"].split(".")[2] == e["AWS_REGION"],
    "endpoint-is-host": lambda e: (
        is_a("host", e["CLUSTER_ENDPOINT"]) and e["CLUSTER_ENDPOINT"] == e["TEMPORAL_SQL_HOST"]
    ),
    "limiter-complete": lambda e: (
        not on(e, "DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED")
        or bool(e.get("DSQL_DISTRIBUTED_RATE_LIMITER_TABLE"))
    ),
    "lease-complete": lambda e: (
        not on(e, "DSQL_DISTRIBUTED_CONN_LEASE_ENABLED")
        or (
            on(e, "DSQL_RESERVOIR_ENABLED")
            and all(
                e.get(name)
                for name in ("DSQL_DISTRIBUTED_CONN_LEASE_TABLE", "CLUSTER_ENDPOINT", "AWS_REGION")
            )
        )
    ),
    "max-conns-explicit": lambda e: int(e["TEMPORAL_SQL_MAX_CONNS"]) >= 1,
}


@everywhere
def test_servers_get_these_variables_and_no_others(name: str) -> None:
    rates = {"DSQL_CONNECTION_RATE_LIMIT", "DSQL_CONNECTION_BURST_LIMIT"}
    for role, environment in servers(name).items():
        without = {key: value for key, value in environment.items() if key not in rates}
        assert without == expected(name, role)
        assert rates <= set(environment)


@everywhere
def test_every_variable_is_known_and_every_required_one_is_set(name: str) -> None:
    known = {**RUNTIME, **PLUGIN}
    required = {key for key, variable in known.items() if variable["required"]}
    for environment in servers(name).values():
        assert set(environment) <= set(known)
        assert required <= set(environment)
        for key, value in environment.items():
            assert is_a(known[key]["type"], value), key


@everywhere
def test_what_a_variable_needs_to_have_an_effect_is_set_too(name: str) -> None:
    for environment in servers(name).values():
        for key in set(environment) & set(PLUGIN):
            for needed in PLUGIN[key]["requires"]:
                assert environment[needed] not in {"", "false"}, (key, needed)


def test_every_rule_of_the_contract_is_asked_for_here() -> None:
    assert set(RULES) == {rule.id for rule in TOPOLOGY.rules}


@everywhere
@pytest.mark.parametrize("rule", TOPOLOGY.rules, ids=lambda rule: rule.id)
def test_the_rules_of_the_contract_hold(name: str, rule: Rule) -> None:
    for role, environment in servers(name).items():
        assert RULES[rule.id](environment), (role, rule.sentence)


@everywhere
def test_connects_of_all_tasks_at_the_worst_moment_are_at_most_70_per_second(name: str) -> None:
    plan = plans.of(name)
    rate = burst = 0
    for role, environment in servers(name).items():
        service = plans.services(plan)[f"temporal-{role}"]
        replicas = plan.outputs["services"].value[role]["replicas"]
        most = max(replicas, replicas * service["deployment_maximum_percent"] // 100)
        rate += most * int(environment["DSQL_CONNECTION_RATE_LIMIT"])
        burst += most * int(environment["DSQL_CONNECTION_BURST_LIMIT"])
    assert 0 < rate <= 70
    assert 0 < burst <= 700
    assert plan.outputs["connection_budget"].value["per_second"] == rate


@everywhere
def test_connections_that_are_held_stay_below_the_quota(name: str) -> None:
    """A process holds maxConns and four reservoirs; as many start beside it in a deployment."""
    plan = plans.of(name)
    held = 0
    for role, environment in servers(name).items():
        service = plans.services(plan)[f"temporal-{role}"]
        replicas = plan.outputs["services"].value[role]["replicas"]
        most = max(replicas, replicas * service["deployment_maximum_percent"] // 100)
        ready = int(environment.get("DSQL_RESERVOIR_TARGET_READY", "0"))
        pool = int(environment["TEMPORAL_SQL_MAX_CONNS"])
        held += most * (4 * ready + pool if ready else 2 * pool)
    assert plan.outputs["connection_budget"].value["held"] == held < 10_000


@pytest.mark.parametrize("name", [name for name in plans.ALL if plans.VARIANTS[name].ui])
def test_the_ui_gets_these_variables_and_no_others(name: str) -> None:
    ui = plans.main_container(plans.tasks(plans.of(name))["temporal-ui"])
    assert dict(ui.environment) == {
        "TEMPORAL_ADDRESS": "temporal-frontend:7233",
        "TEMPORAL_CORS_ORIGINS": "http://localhost:8080",
        "TEMPORAL_UI_PORT": "8080",
    }
    assert dict(ui.secrets) == {}


@pytest.mark.parametrize("name", [name for name in plans.ALL if plans.VARIANTS[name].grafana])
def test_grafana_gets_these_variables_and_no_others(name: str) -> None:
    plan = plans.of(name)
    environment = dict(plans.main_container(plans.tasks(plan)["grafana"]).environment)
    loki = plan.outputs["loki_endpoint"].value if plans.VARIANTS[name].loki else None
    assert environment == {
        "AMP_ENDPOINT": plan.outputs["prometheus_query_endpoint"].value,
        "AWS_REGION": plans.REGION,
        "AWS_SDK_LOAD_CONFIG": "true",
        "GF_AUTH_ANONYMOUS_ENABLED": "false",
        "GF_AUTH_DISABLE_LOGIN_FORM": "false",
        "GF_AUTH_SIGV4_AUTH_ENABLED": "true",
        "GF_LOG_MODE": "console",
        "GF_SERVER_HTTP_PORT": "3000",
        "GF_SERVER_ROOT_URL": "http://localhost:3000",
        **({"LOKI_ENDPOINT": loki} if loki else {}),
    }


@pytest.mark.parametrize("name", [name for name in plans.ALL if plans.VARIANTS[name].grafana])
def test_grafana_gets_its_administrator_from_the_fields_of_a_secret(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 6: the password enters by `secrets` alone."""
    plan = plans.of(name)
    grafana = plans.main_container(plans.tasks(plan)["grafana"])
    arn = grafana.secrets["GF_SECURITY_ADMIN_USER"].removesuffix(":admin_user::")
    assert arn.startswith(f"arn:aws:secretsmanager:{plans.REGION}:{plans.ACCOUNT}:secret:")
    assert dict(grafana.secrets) == {
        "GF_SECURITY_ADMIN_PASSWORD": f"{arn}:admin_password::",
        "GF_SECURITY_ADMIN_USER": f"{arn}:admin_user::",
    }
    assert plan.of_type("aws_secretsmanager_secret", "aws_secretsmanager_secret_version") == ()
    assert not [key for key in grafana.environment if "PASSWORD" in key]


def test_the_secret_has_the_name_of_its_environment_before_it() -> None:
    text = (plans.TERRAFORM / "modules/temporal-cluster/telemetry.tf").read_text()
    name = 'coalesce(var.grafana_admin_secret_name, "${var.project_name}/grafana/admin")'
    assert name in text


@everywhere
def test_no_container_has_a_password_in_its_environment(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 6: DSQL has no stored credentials either."""
    for task in plans.tasks(plans.of(name)).values():
        for container in plans.inside(task):
            named = [key for key in container.environment if "PASSWORD" in key or "TOKEN" in key]
            assert named == [], container.name
