"""Rules about credentials, on a plan made by hand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.checks.model import Verdict
from temporal_dsql_deploy.checks.secrets import FAMILY
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import SECRET, arn, good
from tests.support.draft import TASK, Break, Draft, every, only, verdicts

PASSWORD, USER = "GF_SECURITY_ADMIN_PASSWORD", "GF_SECURITY_ADMIN_USER"
GRAFANA = f"{TASK}.grafana"
HOLDERS = ("history/0", "ui/0", "grafana/0", "setup/0")
BREAKS = [
    Break(
        "secrets-grafana",
        "grafana/0",
        "secrets",
        ([], [{"name": USER, "valueFrom": f"{SECRET}:admin_user::"}]),
    ),
    Break(
        "secrets-grafana",
        "grafana/0",
        "secrets.0.valueFrom",
        (SECRET, f"{SECRET}:admin_user::"),
        (GRAFANA, f"container_definitions.0.secrets.{PASSWORD}"),
    ),
    Break(
        "secrets-parameter",
        "aws_ssm_parameter.collector_history",
        "type",
        ("String", "StringList"),
    ),
    Break("secrets-parameter", "aws_ssm_parameter.collector_worker", "key_id", (None, "")),
    Break(
        "secrets-there",
        "history/1",
        "secrets.0.valueFrom",
        ("", arn("ssm", "parameter/shop/collector/other"), "/shop/other"),
        (f"{TASK}.history", "container_definitions.1.secrets.COLLECTOR_CONFIG"),
    ),
]
CREDENTIALS = (
    "GF_SECURITY_ADMIN_PASSWORD",
    "API_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "GITHUB_TOKEN",
    "CLIENT_SECRET",
    "ADMIN_PWD",
)


def test_credentials_of_a_good_plan_are_secrets() -> None:
    assert set(verdicts(good().judged(FAMILY)).values()) == {Verdict.OK}


@pytest.mark.parametrize(("wrong", "value"), every(BREAKS))
def test_what_is_wrong_is_found_where_it_is(wrong: Break, value: Any) -> None:
    wrong.holds(FAMILY, good(), value)


@given(
    st.sampled_from(HOLDERS),
    st.sampled_from(CREDENTIALS),
    st.text(min_size=1, max_size=20),
    st.text("ABCDEFGH_", min_size=1, max_size=8).filter(lambda text: text[0] != "_"),
)
def test_property_6_in_the_environment(place: str, name: str, value: str, prefix: str) -> None:
    """Feature: temporal-ecs-fargate, Property 6: no credential in an environment, but in secrets.

    The finding does not repeat the credential.
    """
    draft = good()
    task, number = place.split("/")
    variables = draft.containers[task][int(number)]["environment"]
    variables.append({"name": f"{prefix}_{name}_FILE", "value": "/run/secrets/x"})
    assert not draft.judged(FAMILY).findings
    variables.append({"name": f"{prefix}_{name}", "value": value})
    (found,) = only(draft.judged(FAMILY), "secrets-plain")
    assert found.resource == f"{TASK}.{task}"
    assert found.evidence == (
        f"container {draft.containers[task][int(number)]['name']}: "
        f"{prefix}_{name} has a value in the environment"
    )


@given(st.sampled_from(BREAKS), st.data())
def test_property_6(wrong: Break, data: st.DataObject) -> None:
    """Feature: temporal-ecs-fargate, Property 6: Grafana's password comes from Secrets Manager."""
    draft = good()
    name = data.draw(st.from_regex(r"[a-z]{1,10}/[a-z]{1,10}-[A-Za-z0-9]{6}", fullmatch=True))
    keys = data.draw(
        st.lists(
            st.from_regex(r"[a-z_]{2,12}", fullmatch=True), min_size=2, max_size=2, unique=True
        )
    )
    if "secrets" not in wrong.path:
        base = arn("secretsmanager", f"secret:{name}")
        for secret, key in zip(draft.containers["grafana"][0]["secrets"], keys, strict=True):
            secret["valueFrom"] = f"{base}:{key}::"
    assert not draft.judged(FAMILY).findings
    wrong.holds(FAMILY, draft, data.draw(st.sampled_from(wrong.values)))


@pytest.mark.parametrize("source", [arn("ssm", "parameter/shop/collector/history"), "plain"])
def test_a_password_from_elsewhere_is_found(source: str) -> None:
    judged = good().put("grafana/0", "secrets.0.valueFrom", source).judged(FAMILY)
    assert GRAFANA in {one.resource for one in judged.of("secrets-grafana").findings}


def test_whether_a_secret_alone_is_a_json_is_not_known() -> None:
    draft = good().put("grafana/0", "secrets", [{"name": PASSWORD, "valueFrom": SECRET}])
    assert verdicts(draft.judged(FAMILY))["secrets-grafana"] is Verdict.SKIP


@pytest.mark.parametrize("name", ["PGPASSWORD", "TEMPORAL_SQL_PASSWORD", "POSTGRES_PWD"])
def test_dsql_has_no_password(name: str) -> None:
    draft = good()
    draft.containers["history"][0]["secrets"] = [{"name": name, "valueFrom": SECRET}]
    (found,) = only(draft.judged(FAMILY), "secrets-database")
    assert found.resource == f"{TASK}.history"
    environment = draft.containers["history"][0]["environment"]
    environment[:] = [v for v in environment if v["name"] != "TEMPORAL_SQL_PLUGIN_NAME"]
    environment.append({"name": "TEMPORAL_SQL_PLUGIN_NAME", "value": "postgres12_pgx"})
    assert not draft.judged(FAMILY).findings


def test_without_a_key_of_its_own_a_plan_may_use_the_one_of_aws() -> None:
    draft = good().without("aws_kms_key.main")
    for address, values in draft.values.items():
        if address.startswith("aws_ssm_parameter."):
            values["key_id"] = None
    assert not draft.judged(FAMILY).findings


def test_what_is_not_known_is_not_judged() -> None:
    hidden = good().put(GRAFANA, "container_definitions", UNKNOWN)
    found = verdicts(hidden.judged(FAMILY))
    assert found["secrets-grafana"] is found["secrets-plain"] is Verdict.SKIP
    unsure = good().put("aws_ssm_parameter.collector_history", "type", UNKNOWN)
    assert verdicts(unsure.judged(FAMILY))["secrets-parameter"] is Verdict.SKIP
    unsure = good().put("aws_ssm_parameter.collector_history", "arn", UNKNOWN)
    assert verdicts(unsure.judged(FAMILY))["secrets-there"] is Verdict.SKIP
    assert set(verdicts(Draft().judged(FAMILY)).values()) == {Verdict.SKIP}


def test_a_secret_that_is_no_reference_is_found() -> None:
    draft = good()
    draft.containers["ui"][0]["secrets"] = [{"name": "X", "valueFrom": "arn:aws:s3:::bucket/key"}]
    (found,) = only(draft.judged(FAMILY), "secrets-there")
    assert found.attribute == "container_definitions.0.secrets.X"
