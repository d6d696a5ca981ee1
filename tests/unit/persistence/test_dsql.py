"""Hosts of Aurora DSQL clusters, and what a connection that fails is told as."""

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.cli.schema import declared
from temporal_dsql_deploy.errors import (
    CredentialsMissing,
    DatabaseUnusable,
    DeployError,
    InvalidSetting,
    PermissionMissing,
)
from temporal_dsql_deploy.persistence import database, dsql
from temporal_dsql_deploy.persistence.database import Database
from temporal_dsql_deploy.persistence.dsql import Endpoint

HOST = "abc1.dsql.us-east-2.on.aws"
LINK = "abc1.dsql-fnh4.us-east-2.on.aws"


@pytest.mark.parametrize("host", [HOST, LINK])
def test_the_host_tells_the_region(host: str) -> None:
    assert Endpoint.parse(host) == Endpoint(host, "us-east-2")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("10.0.0.1", "an address"),
        ("[fd00::1]", "an address"),
        (f"postgres://{HOST}", "a URL"),
        (f"{HOST}:5432", "has a port"),
        (f" {HOST}", "spaces"),
        (HOST.upper(), "capitals"),
        ("abc1", "identifier of a cluster alone"),
        ("abc1.rds.us-east-2.amazonaws.com", "not ID.dsql.REGION.on.aws"),
    ],
)
def test_what_is_no_host_of_a_cluster_is_told_apart(text: str, why: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        Endpoint.parse(text)
    assert why in refused.value.cause


@given(text=st.text())
def test_whatever_is_given_is_an_endpoint_or_refused(text: str) -> None:
    try:
        endpoint = Endpoint.parse(text)
    except InvalidSetting:
        return
    assert endpoint.host == text
    assert f".{endpoint.region}." in text


def test_the_host_is_verified_always() -> None:
    made = database.of_dsql(Endpoint.parse(HOST))
    assert (made.sslmode, made.user) == ("verify-full", "admin")


def test_the_option_says_the_same_role() -> None:
    assert declared.ADMIN == dsql.ADMIN


def test_the_certificates_that_are_trusted_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """libpq's `system` is a folder that no machine has, in psycopg's wheels."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    trusted = ssl.create_default_context(cafile=aws.authorities()).get_ca_certs()
    assert any("Amazon Root CA 1" in str(one["subject"]) for one in trusted)


def test_a_bundle_of_ones_own_is_used_as_by_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "/own.pem")
    assert aws.authorities() == "/own.pem"


_IPV6 = 'connection to server at "2600:1f18::1", port 5432 failed: Network is unreachable'


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ("FATAL: unable to accept connection, access denied", PermissionMissing, "DbConnectAdmin"),
        ('FATAL: IAM authentication failed for user "admin"', CredentialsMissing, "expired"),
        ("FATAL: too many connections", DatabaseUnusable, "budget"),
        ("SSL error: certificate verify failed", DatabaseUnusable, "--certificates"),
        ("timeout expired", DatabaseUnusable, "inside its VPC"),
        ("FATAL: the cluster is asleep", DatabaseUnusable, "--identifier abc1 --region us-east-2"),
    ],
)
def test_what_a_server_says_counts_before_an_address_that_is_not_reached(
    said: str, error: type[DeployError], words: str
) -> None:
    made = database.of_dsql(Endpoint.parse(HOST))
    text = said if "timeout" in said or "asleep" in said else f"{said}\n{_IPV6}"
    refused = dsql.refused(made, text)
    assert type(refused) is error
    assert words in refused.fix


def test_a_postgresql_can_be_named_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(database.INSTEAD, "postgresql://temporal@db.internal:5433/temporal")
    monkeypatch.setenv("PGPASSWORD", "sesame")
    made = database.of_dsql(Endpoint.parse(HOST))
    assert made == Database("db.internal", 5433, "temporal", "temporal", "sesame")
    assert made.region == ""


@pytest.mark.parametrize(
    "wrong",
    [
        "db.internal:5432",
        "postgresql://db.internal/temporal",
        "postgresql://temporal@db.internal/",
        "postgresql://temporal:sesame@db.internal:many/temporal",
        "mysql://temporal@db.internal/temporal",
    ],
)
def test_what_is_no_address_of_one_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv(database.INSTEAD, wrong)
    with pytest.raises(InvalidSetting) as told:
        database.of_dsql(Endpoint.parse(HOST))
    assert "sesame" not in f"{told.value.message}{told.value.cause}{told.value.fix}"
