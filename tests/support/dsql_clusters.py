"""Four roles that store in DSQL, made by hand, for tests of the family `budget`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from temporal_dsql_deploy.checks.budget import FAMILY
from temporal_dsql_deploy.checks.model import Finding, Outcome
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.draft import SERVICE, TASK, Draft, only

ENDPOINT = "abcdefghijklmnopqrstuvwxyz.dsql.eu-west-1.on.aws"
ROLES = ("history", "matching", "frontend", "worker")
LIMITER = {
    "DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED": "true",
    "DSQL_DISTRIBUTED_RATE_LIMITER_TABLE": "connects",
    "DSQL_DISTRIBUTED_RATE_LIMITER_LIMIT": "70",
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
    "DSQL_DISTRIBUTED_CONN_LIMIT": "3000",
}


@dataclass
class Cluster:
    """Four roles of two tasks each; change what you like, then `judged()`."""

    environments: dict[str, dict[str, str]] = field(default_factory=dict)
    tasks: dict[str, int | None] = field(default_factory=lambda: dict.fromkeys(ROLES, 2))
    services: dict[str, dict[str, Any]] = field(default_factory=lambda: {r: {} for r in ROLES})
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)

    def set(self, role: str, **environment: str) -> "Cluster":
        self.environments[role].update(environment)
        return self

    def without(self, variable: str, *roles: str) -> "Cluster":
        for role in roles or ROLES:
            del self.environments[role][variable]
        return self

    def draft(self) -> Draft:
        draft = Draft()
        for role, environment in self.environments.items():
            named = {"TEMPORAL_SERVICES": role, **environment}
            pairs = [{"name": name, "value": value} for name, value in named.items()]
            draft.containers[role] = [{"name": "server", "environment": pairs}]
            draft.add(f"{TASK}.{role}", family=f"shop-{role}", arn=f"arn:{role}:1")
            values = {
                "name": f"shop-temporal-{role}",
                "task_definition": f"arn:{role}:1",
                "desired_count": self.tasks[role],
                "deployment_minimum_healthy_percent": 100,
                "deployment_maximum_percent": 200,
                "deployment_circuit_breaker": [{"enable": True, "rollback": True}],
            }
            draft.add(f"{SERVICE}.{role}", **{**values, **self.services[role]})
        for name, values in self.tables.items():
            draft.add(f"aws_dynamodb_table.{name}", **values)
        return draft

    def of(self, rule: str) -> Outcome:
        return self.draft().judged(FAMILY).of(f"budget-{rule}")

    def only(self, rule: str) -> list[Finding]:
        return only(self.draft().judged(FAMILY), f"budget-{rule}")


def cluster(*parts: Mapping[str, str], **environment: str) -> Cluster:
    """A cluster in which nothing is wrong, with so much more in each role's environment."""
    given_ = {
        "AWS_REGION": "eu-west-1",
        "CLUSTER_ENDPOINT": ENDPOINT,
        "TEMPORAL_SQL_PLUGIN_NAME": "dsql",
        "TEMPORAL_SQL_MAX_CONNS": "20",
        "TEMPORAL_SQL_MAX_IDLE_CONNS": "20",
        "DSQL_CONNECTION_RATE_LIMIT": "5",
        "DSQL_CONNECTION_BURST_LIMIT": "50",
    }
    for part in (*parts, environment):
        given_ |= part
    made = Cluster({role: dict(given_) for role in ROLES})
    made.tables = {name: table(name) for name in ("connects", "leases") if name in given_.values()}
    return made


def table(name: str, **values: Any) -> dict[str, Any]:
    return {
        "name": name,
        "hash_key": "pk",
        "range_key": None,
        "attribute": [{"name": "pk", "type": "S"}],
        "ttl": [{"attribute_name": "ttl_epoch", "enabled": True}],
        "billing_mode": "PAY_PER_REQUEST",
        "write_capacity": UNKNOWN,
        **values,
    }


def at(role: str, variable: str) -> tuple[str, str]:
    """Resource and attribute of a finding about a variable."""
    return f"{TASK}.{role}", f"container_definitions.server.environment.{variable}"
