"""Each variable by itself."""

import json
from pathlib import Path

import pytest

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.runtime.contract import load
from temporal_dsql_deploy.runtime.values import parse
from tests.unit.runtime.good import DSQL, FULL, POSTGRESQL, refused, rendered

REQUIRED = [one.name for one in topology.load().runtime.values() if one.required]


@pytest.mark.parametrize("environ", [DSQL, FULL, POSTGRESQL], ids=["dsql", "full", "postgresql"])
def test_nothing_is_wrong_with_a_good_environment(environ: dict[str, str]) -> None:
    assert refused(environ) == {}


def test_all_that_is_missing_is_named_at_once() -> None:
    assert set(refused({})) == set(REQUIRED)
    assert set(refused({"TEMPORAL_SQL_PLUGIN_NAME": "dsql"})) == {
        *REQUIRED,
        "AWS_REGION",
    } - {"TEMPORAL_SQL_PLUGIN_NAME"}


def test_what_the_visibility_store_does_not_need_is_not_missed() -> None:
    search = {name for name in REQUIRED if name.startswith("TEMPORAL_ELASTICSEARCH")}
    assert set(refused({"TEMPORAL_VISIBILITY_STORE": "sql"})) == set(REQUIRED) - search


def test_an_empty_value_counts_as_none() -> None:
    assert refused({**DSQL, "TEMPORAL_SQL_HOST": ""}) == {
        "TEMPORAL_SQL_HOST": "TEMPORAL_SQL_HOST is empty"
    }
    assert refused({**DSQL, "DSQL_TOKEN_DURATION": "", "TEMPORAL_LOG_LEVEL": ""}) == {}
    assert rendered({**DSQL, "TEMPORAL_LOG_LEVEL": ""}).config["log"]["level"] == "info"


@pytest.mark.parametrize(
    ("kind", "texts"),
    {
        "int": ["abc", "1e3", "1.0", " 1", "1_000", "0x10", "\u0661", "9" * 19],
        "bool": ["yes", "no", "on", "ON", "True", "TRUE", "t", "2", " true"],
        "duration": ["10", "5 s", "1d", "s", "1h 30m", "-", "1e3s"],
        "host": ["http://x", "x:5432", "a..b", "-a", "a_b", "x/", "x y", "[::1]", "a" * 64],
        "address": ["localhost", "10.0.0", "10.0.0.256", "10.0.0.7:1", "fe80::1%eth0", "eth0"],
        "host_port": ["x", "x:", ":1", "x:0", "x:65536", "x:1x", "::1:7", "[x]:1", "[::1]"],
        "string": [" x", "x\n", "\t"],
    }.items(),
)
def test_what_is_not_of_its_type_is_refused(kind: str, texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(ValueError, match=r"."):
            parse(kind, text)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", "-3", -3),
        ("bool", "1", True),
        ("bool", "false", False),
        ("duration", "1h30m", "1h30m"),
        ("host", "127.0.0.1", "127.0.0.1"),
        ("host", "fd00::1", "fd00::1"),
        ("host", "id.dsql.eu-west-1.on.aws", "id.dsql.eu-west-1.on.aws"),
        ("address", "fd00::1", "fd00::1"),
        ("host_port", "[fd00::1]:7233", "[fd00::1]:7233"),
        ("host_port", "temporal-frontend:7233", "temporal-frontend:7233"),
    ],
)
def test_what_is_of_its_type_is_taken(kind: str, text: str, value: object) -> None:
    found = parse(kind, text)
    assert (found, type(found)) == (value, type(value))


def test_a_choice_says_which_was_probably_meant() -> None:
    assert refused({**DSQL, "TEMPORAL_SERVICES": "histroy"}) == {
        "TEMPORAL_SERVICES": "TEMPORAL_SERVICES is 'histroy', history is probably meant"
    }


def test_a_range_holds_at_both_ends() -> None:
    assert refused({**DSQL, "TEMPORAL_GRPC_PORT": "65535", "PREFLIGHT_TIMEOUT": "60s"}) == {}
    wrong = {"TEMPORAL_GRPC_PORT": "65536", "PREFLIGHT_TIMEOUT": "2m", "DSQL_TOKEN_DURATION": "1h"}
    assert set(refused({**DSQL, **wrong})) == set(wrong)
    assert set(refused({**DSQL, "TEMPORAL_HISTORY_SHARDS": "0"})) == {"TEMPORAL_HISTORY_SHARDS"}


def test_a_misspelt_name_is_named_with_the_right_one() -> None:
    found = refused({**DSQL, "DSQL_RESERVIOR_ENABLED": "true"})
    assert list(found) == ["DSQL_RESERVIOR_ENABLED"]
    assert "DSQL_RESERVOIR_ENABLED" in found["DSQL_RESERVIOR_ENABLED"]
    # Another commit of the plugin may read more.
    assert refused({**DSQL, "DSQL_SLOT_BLOCK_SIZE": "100", "TEMPORAL_ADDRESS": "x"}) == {}


def test_a_text_that_is_no_utf8_is_refused() -> None:
    assert set(refused({**DSQL, "DEPLOY_ENVIRONMENT": "\udcff"})) == {"DEPLOY_ENVIRONMENT"}


def test_a_secret_comes_from_its_variable_or_its_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(" p#ss: word\n")
    without = {name: text for name, text in POSTGRESQL.items() if name != "TEMPORAL_SQL_PASSWORD"}
    found = rendered({**without, "TEMPORAL_SQL_PASSWORD_FILE": str(path)})
    stores = found.config["persistence"]["datastores"]
    assert {one["sql"]["password"] for one in stores.values()} == {" p#ss: word"}
    assert "password" not in rendered(without).config["persistence"]["datastores"]["default"]["sql"]


@pytest.mark.parametrize("content", [None, "", "\n", b"\xff"])
def test_a_file_without_a_secret_is_refused(tmp_path: Path, content: str | bytes | None) -> None:
    path = tmp_path / "secret"
    if isinstance(content, str):
        path.write_text(content)
    elif content is not None:
        path.write_bytes(content)
    without = {name: text for name, text in POSTGRESQL.items() if name != "TEMPORAL_SQL_PASSWORD"}
    found = refused({**without, "TEMPORAL_SQL_PASSWORD_FILE": str(path)})
    assert set(found) == {"TEMPORAL_SQL_PASSWORD_FILE"}


def test_a_secret_is_given_once_and_never_shown() -> None:
    environ = {**POSTGRESQL, "TEMPORAL_SQL_PASSWORD_FILE": "/nowhere", "TEMPORAL_SQL_PORT": "x"}
    found = refused(environ)
    assert set(found) == {"TEMPORAL_SQL_PASSWORD_FILE", "TEMPORAL_SQL_PORT"}
    assert POSTGRESQL["TEMPORAL_SQL_PASSWORD"] not in json.dumps(found)


def test_a_password_is_not_read_for_dsql() -> None:
    found = rendered({**DSQL, "TEMPORAL_SQL_PASSWORD": "sesame"})
    assert "sesame" not in json.dumps(found.config)


def test_every_secret_has_a_file_and_the_other_way_round() -> None:
    names = set(load().runtime)
    secrets = {one.name for one in load().runtime.values() if one.secret}
    assert {f"{name}_FILE" for name in secrets} == {n for n in names if n.endswith("PASSWORD_FILE")}
    assert secrets == {name for name in names if name.endswith("PASSWORD")}


def test_what_a_variable_depends_on_is_a_choice() -> None:
    for one in load().runtime.values():
        if one.only_with is not None:
            name, _, value = one.only_with.partition("=")
            assert value in load().runtime[name].choices, one.name
