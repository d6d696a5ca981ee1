"""The family `budget`: the limiter and the leases, and the tables in which they count."""

from typing import Any

import pytest

from temporal_dsql_deploy.checks.model import Verdict
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.draft import SERVICE, TASK, ng
from tests.support.dsql_clusters import LEASE, LIMITER, ROLES, at, cluster


@pytest.mark.parametrize(
    ("changed", "attribute"),
    [
        ({"hash_key": "id"}, "hash_key"),
        ({"range_key": "sort"}, "range_key"),
        ({"attribute": [{"name": "pk", "type": "N"}]}, "attribute"),
        ({"ttl": []}, "ttl.0.enabled"),
        ({"ttl": [{"attribute_name": "ttl_epoch", "enabled": False}]}, "ttl.0.enabled"),
        ({"ttl": [{"attribute_name": "expires", "enabled": True}]}, "ttl.0.attribute_name"),
        ({"billing_mode": "PROVISIONED"}, "billing_mode"),
        ({"billing_mode": "PROVISIONED", "write_capacity": 5}, "write_capacity"),
        ({"name": "another"}, "name"),
    ],
)
@pytest.mark.parametrize(("name", "rule"), [("connects", "limiter"), ("leases", "lease")])
def test_tables(name: str, rule: str, changed: dict[str, Any], attribute: str) -> None:
    """S3-17: a table with key pk and TTL ttl_epoch."""
    made = cluster(LIMITER, LEASE)
    made.tables[name] |= changed
    (found,) = made.only(rule)
    assert (found.resource, found.attribute) == (f"aws_dynamodb_table.{name}", attribute)


def test_tables_that_hold_and_tables_that_cannot_be_told() -> None:
    made = cluster(LIMITER)
    made.tables["connects"] |= {"billing_mode": "PROVISIONED", "write_capacity": 70}
    assert made.of("limiter").verdict is Verdict.OK
    for unknown in ("hash_key", "ttl", "billing_mode"):
        made = cluster(LIMITER)
        made.tables["connects"][unknown] = UNKNOWN
        assert made.of("limiter").verdict is Verdict.SKIP
    made.tables.clear()
    outcome = made.of("limiter")
    assert outcome.verdict is Verdict.SKIP
    assert outcome.unjudged[0].reason == "the table connects is not in the plan"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DSQL_DISTRIBUTED_RATE_LIMITER_TABLE", ""),
        ("DSQL_DISTRIBUTED_RATE_LIMITER_LIMIT", "101"),
        ("DSQL_DISTRIBUTED_RATE_LIMITER_MAX_WAIT", "1s"),
    ],
)
def test_the_limiter(variable: str, value: str) -> None:
    made = cluster(LIMITER).set("matching", **{variable: value})
    assert set(ng(made.of("limiter"))) == {at("matching", variable)}


def test_a_limiter_that_lets_too_much_through_and_one_that_few_share() -> None:
    made = cluster(LIMITER, DSQL_DISTRIBUTED_RATE_LIMITER_LIMIT="200")
    assert len(made.only("limiter")) == 4
    alone = cluster(LIMITER)
    for role in ROLES[1:]:
        alone.set(role, DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED="false")
    alone.set("worker", DSQL_CONNECTION_RATE_LIMIT="20")
    (found,) = alone.of("connection-rate").findings
    assert (found.resource, found.attribute) == at("worker", "DSQL_CONNECTION_RATE_LIMIT")
    assert "and 70 that the limiter lets through" in found.evidence


@pytest.mark.parametrize(
    "variable",
    [
        "CLUSTER_ENDPOINT",
        "AWS_REGION",
        "DSQL_RESERVOIR_ENABLED",
        "DSQL_DISTRIBUTED_CONN_LEASE_TABLE",
    ],
)
def test_what_a_lease_needs(variable: str) -> None:
    """S3-17: a lease without CLUSTER_ENDPOINT is none."""
    made = cluster(LEASE).without(variable, "history")
    assert ng(made.of("lease")) == [at("history", variable)]


def test_a_lease_without_endpoint_anywhere() -> None:
    """The reference's mistake: all four start, and nothing is counted."""
    findings = cluster(LEASE).without("CLUSTER_ENDPOINT").only("lease")
    assert [found.resource for found in findings] == [
        f"{TASK}.{role}" for role in ("frontend", "history", "matching", "worker")
    ]
    assert "proceeding without global conn count limiting" in findings[0].symptom


def test_a_limit_of_leases_that_a_deployment_meets() -> None:
    """4 roles, 4 processes each while they are deployed, 4 x 10 + 20 connections in each: 960."""
    enough = cluster(LEASE, DSQL_DISTRIBUTED_CONN_LIMIT="960")
    assert enough.of("lease").verdict is Verdict.OK
    (found,) = cluster(LEASE, DSQL_DISTRIBUTED_CONN_LIMIT="959").of("lease").findings
    assert (found.resource, found.attribute) == at("frontend", "DSQL_DISTRIBUTED_CONN_LIMIT")
    assert "= 960 connections, 959 may be leased" in found.evidence
    assert "Only resetting the counter" in found.symptom


def test_crashes_that_exhaust_the_leases() -> None:
    """S3-17: each of three crashes of four roles leaks 60."""
    enough = cluster(LEASE, DSQL_DISTRIBUTED_CONN_LIMIT=str(960 + 12 * 60))
    assert enough.of("lease-leak").verdict is Verdict.OK
    assert enough.of("lease-leak").seen == ("12 crashes exhaust the leases",)
    (found,) = cluster(LEASE, DSQL_DISTRIBUTED_CONN_LIMIT="1679").only("lease-leak")
    assert (found.resource, found.attribute) == at("frontend", "DSQL_DISTRIBUTED_CONN_LIMIT")
    assert "= 720 leases, and a deployment leaves 719 of 1,679" in found.evidence


def test_crashes_that_nothing_ends() -> None:
    made = cluster(LEASE)
    made.services["worker"]["deployment_circuit_breaker"] = []
    (found,) = made.only("lease-leak")
    assert (found.resource, found.attribute) == (f"{SERVICE}.worker", "deployment_circuit_breaker")
    # Two at a time, each 5 + 3 x 30 + 1 seconds.
    assert "worker 76 x 60" in found.evidence
