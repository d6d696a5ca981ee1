"""What variables must have in common: what `check` says of a plan, the entrypoint refuses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.runtime.contract import load
from tests.unit.checks.contract import cases_environment as cases
from tests.unit.checks.contract.case import Case
from tests.unit.checks.contract.good import ENDPOINT, INDEX, good
from tests.unit.runtime.good import DSQL, FULL, POSTGRESQL, refused

ELSEWHERE = {"sql-host", "visibility-host", "agree", "shards-same", "shards-enough", "log-file"}
"""What only a plan knows: other containers, and which cluster and domain are meant."""
ALLOWED = {
    # The ports of a container, its one address, and a machine that is no instance of EC2.
    "role-TEMPORAL_SERVICES": "matching",
    "broadcast-address-TEMPORAL_BROADCAST_ADDRESS": "10.0.0.7",
    "instance-credentials-AWS_EC2_METADATA_DISABLED": None,
    # Another cluster than that of the plan.
    "bind-address-BIND_ON_IP": "127.0.0.1",
    "sql-port-TEMPORAL_SQL_PORT": "5433",
    "visibility-port-TEMPORAL_ELASTICSEARCH_PORT": "9200",
    "visibility-signing-TEMPORAL_ELASTICSEARCH_REQUEST_SIGNING": "false",
}
"""Mistakes of a plan that are right elsewhere, with the value that is."""
DOMAIN = "TEMPORAL_ELASTICSEARCH_HOST"


def _environment(case: Case) -> dict[str, str]:
    draft = good()
    case.spoil(draft)
    rows = draft.container("history")["environment"]
    return {row["name"]: row["value"] for row in rows}


def _mistakes() -> list[Case]:
    every = (*cases.LAB, *cases.PLUGIN, *cases.RUNTIME)
    return [
        case
        for case in every
        if case.rule not in ELSEWHERE
        and not (
            str(case) in ALLOWED
            and _environment(case).get(str(case).rpartition("-")[2]) == ALLOWED[str(case)]
        )
    ]


@pytest.mark.parametrize("case", _mistakes(), ids=str)
def test_what_check_says_of_a_plan_is_refused(case: Case) -> None:
    assert refused(_environment(Case(case.rule, lambda _: None, "", ""))) == {}
    found = refused(_environment(case))
    assert case.attribute.rpartition(".")[2] in found


def test_every_rule_of_the_contract_is_there() -> None:
    assert set(load().rules) == {rule.id for rule in topology.load().rules}


LATER = {
    "TEMPORAL_SQL_DATABASE": "temporal",
    "TEMPORAL_SQL_TLS_ENABLED": "false",
    "TEMPORAL_SQL_MAX_IDLE_CONNS": "1",
    "CLUSTER_ENDPOINT": f"{ENDPOINT}:5432",
    "REGION": "us-east-1",
    "DSQL_CONNECTION_RATE_LIMIT": "0",
    "DSQL_RESERVOIR_BASE_LIFETIME": "30s",
    "DSQL_RESERVOIR_TARGET_READY": "9999",
    "DSQL_DISTRIBUTED_CONN_LEASE_TABLE": "",
    "TEMPORAL_ELASTICSEARCH_INDEX": "visibility",
    "TEMPORAL_ELASTICSEARCH_SCHEME": "http",
    "TEMPORAL_BROADCAST_ADDRESS": "127.0.0.1",
}
"""Values that are wrong in FULL whatever the others are."""


@settings(max_examples=200)
@given(st.sets(st.sampled_from(sorted(LATER)), min_size=1))
def test_all_that_is_wrong_is_told_at_once(names: set[str]) -> None:
    assert set(refused({**FULL, **{name: LATER[name] for name in names}})) == names


@pytest.mark.parametrize(
    ("named", "spoilt"),
    [
        ("TEMPORAL_ELASTICSEARCH_USER", {"TEMPORAL_ELASTICSEARCH_USER": "admin"}),
        ("TEMPORAL_VISIBILITY_SQL_HOST", {"TEMPORAL_VISIBILITY_STORE": "sql"}),
        ("TEMPORAL_VISIBILITY_SQL_USER", {"TEMPORAL_VISIBILITY_STORE": "sql"}),
        (
            "TEMPORAL_VISIBILITY_SQL_HOST",
            {"TEMPORAL_VISIBILITY_STORE": "sql", "TEMPORAL_VISIBILITY_SQL_HOST": ENDPOINT},
        ),
        ("TEMPORAL_SQL_TLS_CA_FILE", {"TEMPORAL_SQL_TLS_CA_FILE": "/nowhere/ca.pem"}),
        ("AWS_REGION", {"AWS_REGION": "us-east-1", "REGION": ""}),
        ("TEMPORAL_ELASTICSEARCH_INDEX", {"TEMPORAL_ELASTICSEARCH_INDEX": f"{INDEX} HTTP/1.1"}),
    ],
)
def test_what_the_stores_cannot_be_is_refused(named: str, spoilt: dict[str, str]) -> None:
    assert named in refused({**DSQL, **spoilt})


def test_postgresql_is_asked_for_less() -> None:
    assert refused({**POSTGRESQL, "TEMPORAL_SQL_MAX_CONN_LIFETIME": "1h"}) == {}
    verifies = {"TEMPORAL_SQL_TLS_HOST_VERIFICATION": "true"}
    assert set(refused({**POSTGRESQL, **verifies})) == set(verifies)
    # What the DSQL plugin reads is nobody's without it.
    assert refused({**POSTGRESQL, "DSQL_RESERVOIR_ENABLED": "yes"}) == {}
    search = {"TEMPORAL_VISIBILITY_STORE": "elasticsearch"}
    wanted = {name: text for name, text in DSQL.items() if name.startswith("TEMPORAL_ELASTIC")}
    assert set(refused({**POSTGRESQL, **wanted, **search})) == {"AWS_REGION"}
    assert refused({**POSTGRESQL, **wanted, **search, "AWS_REGION": "eu-west-1"}) == {}
