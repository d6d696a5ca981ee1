"""Rules about the database, on a plan made by hand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.checks.dsql import FAMILY
from temporal_dsql_deploy.checks.model import Verdict
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import DATABASE_ENDPOINT, DATABASE_ID, REGION, ROLES, good
from tests.support.draft import TASK, Draft, only, verdicts

CLUSTER = "aws_dsql_cluster.main"
VARIABLES = ("CLUSTER_ENDPOINT", "TEMPORAL_SQL_HOST")


def give(draft: Draft, variable: str, value: str, roles: tuple[str, ...] = ROLES) -> Draft:
    """The same with another value of a variable."""
    for role in roles:
        for each in draft.containers[role][0]["environment"]:
            if each["name"] == variable:
                each["value"] = value
    return draft


def test_a_good_plan_has_one_database() -> None:
    assert set(verdicts(good().judged(FAMILY)).values()) == {Verdict.OK}


@given(
    st.sampled_from(ROLES),
    st.sampled_from(VARIABLES),
    st.from_regex(r"[a-z0-9]{26}", fullmatch=True).filter(lambda name: name != DATABASE_ID),
)
def test_a_role_at_another_database_is_found(role: str, variable: str, other: str) -> None:
    draft = give(good(), variable, f"{other}.dsql.{REGION}.on.aws", (role,))
    judged = draft.judged(FAMILY)
    where = (f"{TASK}.{role}", f"container_definitions.0.environment.{variable}")
    for rule in ("dsql-one", "dsql-endpoint"):
        assert [(f.resource, f.attribute) for f in judged.of(rule).findings] == [where]


@pytest.mark.parametrize(
    "host",
    [
        f"{DATABASE_ID}.dsql.us-east-1.on.aws",
        f"other.dsql.{REGION}.on.aws",
        f"{DATABASE_ID}.dsql.{REGION}.amazonaws.com",
        "localhost",
    ],
)
def test_all_roles_at_a_wrong_host_are_found(host: str) -> None:
    draft = good()
    for variable in VARIABLES:
        give(draft, variable, host)
    assert len(only(draft.judged(FAMILY), "dsql-endpoint")) == len(ROLES) * len(VARIABLES)


def test_a_way_that_does_not_exist_is_found() -> None:
    draft = good().put(
        CLUSTER, "vpc_endpoint_service_name", f"com.amazonaws.{REGION}.dsql-8db88c65"
    )
    assert not draft.judged(FAMILY).findings
    for variable in VARIABLES:
        give(draft, variable, f"{DATABASE_ID}.dsql-8db88c65.{REGION}.on.aws")
    assert not draft.judged(FAMILY).findings
    for variable in VARIABLES:
        give(draft, variable, f"{DATABASE_ID}.dsql-00000000.{REGION}.on.aws")
    assert only(draft.judged(FAMILY), "dsql-endpoint")


@pytest.mark.parametrize("state", [False, None])
@pytest.mark.parametrize("word", ["prod", "production", "live", "shop-prod"])
def test_production_is_protected(word: str, state: Any) -> None:
    draft = good()
    draft.containers["history"][0]["environment"].append(
        {"name": "DEPLOY_ENVIRONMENT", "value": word}
    )
    draft.put(CLUSTER, "deletion_protection_enabled", state)
    (found,) = only(draft.judged(FAMILY), "dsql-protection")
    assert (found.resource, found.attribute) == (CLUSTER, "deletion_protection_enabled")
    draft.put(CLUSTER, "deletion_protection_enabled", value=True)
    assert not draft.judged(FAMILY).findings


@pytest.mark.parametrize("word", ["dev", "bench", "product-team", "delivery"])
def test_other_environments_need_not_be(word: str) -> None:
    draft = good()
    draft.containers["history"][0]["environment"].append(
        {"name": "DEPLOY_ENVIRONMENT", "value": word}
    )
    assert not draft.judged(FAMILY).findings


def test_what_is_protected_is_so_altogether() -> None:
    draft = good()
    draft.add("aws_dynamodb_table.lease", name="lease", deletion_protection_enabled=True)
    (found,) = only(draft.judged(FAMILY), "dsql-protection")
    assert found.resource == CLUSTER


def test_a_database_that_is_brought_is_judged_as_far_as_it_is_known() -> None:
    draft = good().without(CLUSTER)
    found = verdicts(draft.judged(FAMILY))
    assert found["dsql-protection"] is Verdict.SKIP
    assert found["dsql-endpoint"] is found["dsql-one"] is Verdict.OK
    assert DATABASE_ENDPOINT.startswith(DATABASE_ID)


def test_what_is_not_known_is_not_judged() -> None:
    draft = good().put(CLUSTER, "deletion_protection_enabled", UNKNOWN)
    draft.add("aws_dynamodb_table.lease", name="lease", deletion_protection_enabled=True)
    assert verdicts(draft.judged(FAMILY))["dsql-protection"] is Verdict.SKIP
    hidden = good().put(f"{TASK}.history", "container_definitions", UNKNOWN)
    found = verdicts(hidden.judged(FAMILY))
    assert found["dsql-one"] is found["dsql-endpoint"] is Verdict.SKIP
    assert set(verdicts(Draft().judged(FAMILY)).values()) == {Verdict.SKIP}
