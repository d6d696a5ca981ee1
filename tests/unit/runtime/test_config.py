"""The server's configuration and its dynamic configuration, as data."""

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.runtime import entrypoint, yaml_text
from temporal_dsql_deploy.runtime.contract import load
from tests.unit.checks.contract.good import DOMAIN, ENDPOINT, INDEX, REGION
from tests.unit.runtime.good import (
    ADDRESS,
    DSQL,
    FOLDER,
    FULL,
    POSTGRESQL,
    refused,
    rendered,
    store,
    world,
)

TOPOLOGY = topology.load()


def test_dsql_is_reached_by_its_host_with_tls_and_an_explicit_pool() -> None:
    assert store(DSQL, "default") == {
        "sql": {
            "pluginName": "dsql",
            "databaseName": "postgres",
            "connectAddr": f"{ENDPOINT}:5432",
            "connectProtocol": "tcp",
            "user": "admin",
            "maxConns": 20,
            "maxIdleConns": 20,
            "maxConnLifetime": "50m",
            "connectAttributes": {"application_name": "history"},
            "tls": {"enabled": True, "enableHostVerification": True, "serverName": ENDPOINT},
        }
    }


def test_requests_to_opensearch_are_signed() -> None:
    assert store(DSQL, "visibility") == {
        "elasticsearch": {
            "version": "v7",
            "url": {"scheme": "https", "host": f"{DOMAIN}:443"},
            "indices": {"visibility": INDEX},
            "logLevel": "error",
            "enableSniff": False,
            "enableHealthcheck": False,
            "closeIdleConnectionsInterval": "15s",
            "aws-request-signing": {
                "enabled": True,
                "region": REGION,
                "credentialProvider": "aws-sdk-default",
            },
        }
    }


def test_a_password_takes_the_place_of_a_signature() -> None:
    found = store(
        {
            **DSQL,
            "TEMPORAL_ELASTICSEARCH_REQUEST_SIGNING": "false",
            "TEMPORAL_ELASTICSEARCH_USER": "temporal",
            "TEMPORAL_ELASTICSEARCH_PASSWORD": "sesame",
        },
        "visibility",
    )["elasticsearch"]
    assert "aws-request-signing" not in found
    assert (found["username"], found["password"]) == ("temporal", "sesame")


def test_postgresql_takes_the_place_of_both_stores() -> None:
    default, visibility = store(POSTGRESQL, "default"), store(POSTGRESQL, "visibility")
    assert default["sql"]["password"] == POSTGRESQL["TEMPORAL_SQL_PASSWORD"]
    assert "tls" not in default["sql"]
    assert visibility["sql"] == {**default["sql"], "databaseName": "temporal_visibility"}


def test_visibility_may_have_a_database_of_its_own(tmp_path: object) -> None:
    own = {
        "TEMPORAL_VISIBILITY_STORE": "sql",
        "TEMPORAL_VISIBILITY_SQL_HOST": "fd00::7",
        "TEMPORAL_VISIBILITY_SQL_PORT": "6432",
        "TEMPORAL_VISIBILITY_SQL_USER": "seer",
        "TEMPORAL_VISIBILITY_SQL_PASSWORD": "open",
        "TEMPORAL_VISIBILITY_SQL_MAX_CONNS": "5",
        "TEMPORAL_VISIBILITY_SQL_TLS_ENABLED": "false",
    }
    found = store({**DSQL, **own}, "visibility")["sql"]
    assert found["pluginName"] == "postgres12_pgx"
    assert found["connectAddr"] == "[fd00::7]:6432"
    assert (found["user"], found["password"], found["maxConns"]) == ("seer", "open", 5)
    assert "tls" not in found


def test_every_process_has_the_ports_of_all_roles() -> None:
    services = rendered(DSQL).config["services"]
    for role in TOPOLOGY.roles.values():
        rpc = services[role.name]["rpc"]
        assert rpc["grpcPort"] == role.ports["grpc"]
        assert rpc["membershipPort"] == role.ports["membership"]
        assert rpc.get("httpPort") == role.ports.get("http")
        assert rpc["bindOnIP"] == DSQL["BIND_ON_IP"]


def test_a_second_process_on_one_address_has_ports_of_its_own() -> None:
    shifted = {
        "TEMPORAL_GRPC_PORT": "8233",
        "TEMPORAL_MEMBERSHIP_PORT": "7933",
        "TEMPORAL_HTTP_PORT": "8243",
        "TEMPORAL_METRICS_PORT": "9091",
        "TEMPORAL_SERVICES": "frontend",
    }
    found = rendered({**POSTGRESQL, **shifted}).config
    assert found["services"]["frontend"]["rpc"] == {
        "grpcPort": 8233,
        "membershipPort": 7933,
        "bindOnIP": "127.0.0.12",
        "httpPort": 8243,
    }
    standard = rendered(POSTGRESQL).config["services"]
    assert {**found["services"], "frontend": standard["frontend"]} == standard
    assert found["global"]["metrics"]["prometheus"] == {
        "framework": "tally",
        "listenAddress": "127.0.0.12:9091",
        "handlerPath": TOPOLOGY.metrics_path,
    }


def test_the_rest_is_as_a_cluster_of_one_needs_it() -> None:
    found = rendered(DSQL).config
    assert found["log"] == {"stdout": True, "level": "info"}
    assert found["global"]["membership"] == {
        "maxJoinDuration": TOPOLOGY.membership.max_join_duration,
        "broadcastAddress": ADDRESS,
    }
    assert found["persistence"]["numHistoryShards"] == 512
    assert found["dcRedirectionPolicy"] == {"policy": "noop"}
    assert {part["state"] for part in found["archival"].values()} == {"disabled"}
    assert found["dynamicConfigClient"]["filepath"] == str(FOLDER / "dynamic.yaml")
    assert "publicClient" not in found


def test_the_frontends_may_have_one_address() -> None:
    found = rendered({**DSQL, "TEMPORAL_FRONTEND_ADDRESS": "temporal-frontend:7233"}).config
    assert found["publicClient"] == {"hostPort": "temporal-frontend:7233"}
    # What is stored at the first start is not changed by it: roles would race for the row.
    assert found["clusterMetadata"] == rendered(DSQL).config["clusterMetadata"]


@pytest.mark.parametrize("environ", [DSQL, POSTGRESQL], ids=["dsql", "postgresql"])
@pytest.mark.parametrize("name", ["dev", "bench", "prod", "cluster", "somebody's"])
def test_dynamic_config_has_only_keys_that_the_server_knows(
    environ: dict[str, str], name: str
) -> None:
    plugin = environ["TEMPORAL_SQL_PLUGIN_NAME"]
    server = topology.servers()["temporal-dsql" if plugin == "dsql" else "temporal-server"]
    drains = [key for role in TOPOLOGY.drain.roles.values() for key in role.keys]
    known = {key.key: key.default for key in server.dynamic_config}
    known |= {key.key: key.default for key in drains}
    found = rendered({**environ, "DEPLOY_ENVIRONMENT": name}).dynamic
    assert set(found) <= set(known)
    for key, [row] in found.items():
        assert set(row) == {"value"}
        assert type(row["value"]) is type(known[key]), key
    # Below the server's own value a limit would be one that nobody asked for.
    for key in found:
        if key.endswith(("rps", "RPS", "QPS", "visibility", "namespaceCount")):
            assert found[key][0]["value"] > known[key], key


def test_the_limits_of_dsql_hold_in_every_environment() -> None:
    wanted = {
        key.key: key.recommended
        for key in topology.servers()["temporal-dsql"].dynamic_config
        if key.recommended is not None
    }
    assert wanted
    for name in ("dev", "bench", "prod", "x"):
        found = rendered({**DSQL, "DEPLOY_ENVIRONMENT": name}).dynamic
        assert {key: found[key][0]["value"] for key in wanted} == wanted


def test_roles_drain_before_they_stop() -> None:
    found = rendered(DSQL).dynamic
    for role in TOPOLOGY.drain.roles.values():
        for key in role.keys:
            seconds = topology.parse_duration(
                found.get(key.key, [{"value": key.default}])[0]["value"]
            )
            assert seconds == topology.parse_duration(key.recommended)
    drains = [key for key in found if "shutdown" in key]
    assert {key.partition(".")[0] for key in drains} == {"frontend", "history", "matching"}


def test_dynamic_config_may_be_given() -> None:
    more = {"history.alignMembershipChange": "10s", "FRONTEND.shutdownDrainDuration": "0s"}
    environ = {**DSQL, "TEMPORAL_DYNAMIC_CONFIG": json.dumps({**more, "frontend.rps": 5})}
    found = rendered(environ).dynamic
    changed = {key for key in found if found[key] != rendered(DSQL).dynamic.get(key)}
    assert changed == {
        "history.alignMembershipChange",
        "frontend.shutdownDrainDuration",
        "frontend.rps",
    }
    assert found["frontend.shutdownDrainDuration"] == [{"value": "0s"}]


@pytest.mark.parametrize(
    "text",
    [
        *("x", "[]", "1", "null", '{"a": 1}', '{"frontend.rps": 1.5}', '{"frontend.rps": null}'),
        *('{"frontend.rps": [1]}', '{"frontend.rps ": 1}', '{"limit.blobSize.error": 2000000}'),
        *('{"frontend.rps": "\\ud800"}', "[" * 100_000),
        *('{"LIMIT.blobsize.ERROR": 2000000}', '{"limit.maxIDLength": "255"}'),
    ],
    ids=lambda text: text[:40],
)
def test_dynamic_config_that_is_wrong_is_refused(text: str) -> None:
    assert set(refused({**DSQL, "TEMPORAL_DYNAMIC_CONFIG": text})) == {"TEMPORAL_DYNAMIC_CONFIG"}


_ANY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
_BAD = {
    "int": ["x", "1e3", "", "1.5"],
    "bool": ["yes", "ON", "maybe"],
    "duration": ["10", "soon"],
    "host": ["http://x", "x:1", "a b"],
    "address": ["localhost", "10.0.0"],
    "host_port": ["x", ":1"],
}
_FULL_PLUGIN = {**load().runtime, **load().plugin}
_READ = sorted(
    name
    for name, one in _FULL_PLUGIN.items()
    if one.type in _BAD and one.only_with in {None, "TEMPORAL_VISIBILITY_STORE=elasticsearch"}
)


@settings(max_examples=300)
@given(st.data())
def test_every_fault_of_a_mutated_environment_is_named(data: st.DataObject) -> None:
    names = data.draw(st.sets(st.sampled_from(_READ), min_size=1, max_size=8))
    environ = dict(FULL)
    for name in names:
        environ[name] = data.draw(st.sampled_from(_BAD[_FULL_PLUGIN[name].type]), label=name)
    wrong = {name for name in names if environ[name] or _FULL_PLUGIN[name].required}
    assert wrong <= set(refused(environ))


@settings(max_examples=300)
@given(
    st.sampled_from([DSQL, FULL, POSTGRESQL]),
    st.dictionaries(
        st.sampled_from(sorted(_FULL_PLUGIN)),
        _ANY
        | st.integers().map(str)
        | st.sampled_from(["true", "false", "1h", "x", "sql", "", "#"]),
        max_size=4,
    ),
    _ANY,
)
def test_any_environment_is_refused_or_rendered_to_what_it_says(
    base: dict[str, str], spoilt: dict[str, str], secret: str
) -> None:
    environ = {**base, **spoilt, "TEMPORAL_SQL_PASSWORD": secret}
    found = entrypoint.render(environ, FOLDER, world())
    if isinstance(found, list):
        assert found
        return
    assert yaml.safe_load(yaml_text.dump(found.config)) == found.config
    assert yaml.safe_load(yaml_text.dump(found.dynamic)) == found.dynamic
    sql = found.config["persistence"]["datastores"]["default"]["sql"]
    if secret and base is POSTGRESQL and "TEMPORAL_SQL_PLUGIN_NAME" not in spoilt:
        assert sql["password"] == secret
    assert sql["user"] == environ["TEMPORAL_SQL_USER"]
