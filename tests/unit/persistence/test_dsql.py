"""Hosts of Aurora DSQL clusters, and what a connection that fails is told as."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.cli.schema import declared
from temporal_dsql_deploy.errors import InvalidSetting
from temporal_dsql_deploy.persistence import database, dsql
from temporal_dsql_deploy.persistence.dsql import Endpoint

HOST = "abc1.dsql.us-east-2.on.aws"
LINK = "abc1.dsql-fnh4.us-east-2.on.aws"


@pytest.mark.parametrize("host", [HOST, LINK])
def test_the_host_tells_the_region(host: str) -> None:
    assert Endpoint.parse(host, {}) == Endpoint(host, "us-east-2")
    assert Endpoint.parse(host, {"AWS_REGION": "us-east-2"}).region == "us-east-2"


def test_another_region_in_the_environment_is_refused() -> None:
    with pytest.raises(InvalidSetting, match=r"in us-east-2, and AWS_REGION is eu-west-1"):
        Endpoint.parse(HOST, {"AWS_REGION": "eu-west-1"})


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
        Endpoint.parse(text, {})
    assert why in refused.value.cause


@given(text=st.text())
def test_whatever_is_given_is_an_endpoint_or_refused(text: str) -> None:
    try:
        endpoint = Endpoint.parse(text, {})
    except InvalidSetting:
        return
    assert endpoint.host == text
    assert f".{endpoint.region}." in text


def test_the_host_is_verified_always() -> None:
    made = database.of_dsql(Endpoint.parse(HOST, {}))
    assert (made.sslmode, made.sslrootcert, made.user) == ("verify-full", "system", "admin")


def test_the_option_says_the_same_role() -> None:
    assert declared.ADMIN == dsql.ADMIN
