"""What the processes of a cluster are started with."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.platforms.cluster import layout, parts
from temporal_dsql_deploy.platforms.cluster.settings import ClusterSettings
from temporal_dsql_deploy.platforms.processes.directory import Directory
from tests.unit.runtime.good import refused, rendered

TOPOLOGY = topology.load()
networks = st.just(layout.SHARED) | st.integers(2, 254)
replica_counts = st.fixed_dictionaries({role: st.integers(1, 3) for role in TOPOLOGY.roles})


def settings(
    network: int, replicas: dict[str, int], *, visibility: str = "sql", **dynamic_config: int
) -> ClusterSettings:
    places = layout.places(
        replicas,
        network,
        {"frontend": 7300},
        {},
        lambda _port, _address: True,
        opensearch=visibility == "opensearch",
    )
    return ClusterSettings(
        server="/server/temporal-server",
        postgresql="/postgresql/bin",
        ui="/ui/temporal-ui-server",
        replicas=replicas,
        shards=64,
        network=network,
        ports={place.name: dict(place.ports) for place in places},
        dynamic_config=dict(dynamic_config),
        visibility=visibility,
        opensearch="/opensearch" if visibility == "opensearch" else "",
        java="/java" if visibility == "opensearch" else "",
    )


@pytest.fixture(autouse=True)
def no_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@given(network=networks, replicas=replica_counts, visibility=st.sampled_from(["sql", "opensearch"]))
def test_the_runtime_accepts_every_role(
    network: int, replicas: dict[str, int], visibility: str
) -> None:
    made = parts.all_parts("mine", settings(network, replicas, visibility=visibility), directory())
    roles = [part for part in made if part.place.component in TOPOLOGY.roles]
    assert len(roles) == sum(replicas.values())
    for part in roles:
        variables = {**part.variables, "TEMPORAL_SQL_PASSWORD_FILE": __file__}
        assert refused(variables) == {}
        found = rendered(variables)
        assert found.broadcast.address == part.place.address
        rpc = found.config["services"][part.place.component]["rpc"]
        assert rpc["grpcPort"] == part.place.ports["grpc"]
        assert rpc["membershipPort"] == part.place.ports["membership"]
        assert rpc["bindOnIP"] == part.place.address
        listens = found.config["global"]["metrics"]["prometheus"]["listenAddress"]
        assert listens == f"{part.place.address}:{part.place.ports['metrics']}"
        store = found.config["persistence"]["datastores"]["visibility"]
        assert list(store) == (["sql"] if visibility == "sql" else ["elasticsearch"])


def directory() -> Directory:
    return Directory(Path("/data"), "mine", [])


def test_roles_that_are_alone_do_not_drain() -> None:
    replicas = {**dict.fromkeys(TOPOLOGY.roles, 1), "history": 2}
    made = settings(11, replicas)
    assert parts.dynamic("frontend", made) == {
        "frontend.shutdownDrainDuration": "0s",
        "frontend.shutdownFailHealthCheckDuration": "0s",
    }
    assert parts.dynamic("history", made) == {}


def test_what_was_asked_for_comes_before_what_is_usual() -> None:
    made = settings(11, dict.fromkeys(TOPOLOGY.roles, 1))
    made.dynamic_config["frontend.shutdownDrainDuration"] = "3s"
    assert parts.dynamic("frontend", made)["frontend.shutdownDrainDuration"] == "3s"
    role = next(
        part
        for part in parts.all_parts("mine", made, directory())
        if part.place.component == "worker"
    )
    given = json.loads(role.variables["TEMPORAL_DYNAMIC_CONFIG"])
    assert given == {"frontend.shutdownDrainDuration": "3s"}


def test_variables_of_whoever_calls_configure_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TEMPORAL_ROOT", "DSQL_X", "PREFLIGHT", "BIND_ON_IP", "ECS_X", "AWS_REGION"):
        monkeypatch.setenv(name, "any")
    made = parts.all_parts("mine", settings(11, dict.fromkeys(TOPOLOGY.roles, 1)), directory())
    for part in made:
        component = part.component(directory())
        assert component.environment.get("BIND_ON_IP") == part.variables.get("BIND_ON_IP")
        assert not {"TEMPORAL_ROOT", "DSQL_X", "PREFLIGHT", "ECS_X"} & set(component.environment)
        assert component.environment["PATH"]


def test_opensearch_is_asked_where_it_listens_and_nothing_is_signed() -> None:
    one_each = dict.fromkeys(TOPOLOGY.roles, 1)
    made = parts.all_parts("mine", settings(11, one_each, visibility="opensearch"), directory())
    by_name = {part.place.name: part for part in made}
    assert list(by_name)[:2] == ["database", "opensearch"]
    opensearch = by_name["opensearch"]
    assert opensearch.command[0] == "/opensearch/bin/opensearch"
    assert "-Ehttp.port=9200" in opensearch.command
    assert "-Enetwork.host=127.11.0.3" in opensearch.command
    assert opensearch.variables["OPENSEARCH_JAVA_HOME"] == "/java"
    variables = {**by_name["worker-1"].variables, "TEMPORAL_SQL_PASSWORD_FILE": __file__}
    store = rendered(variables).config["persistence"]["datastores"]["visibility"]["elasticsearch"]
    assert store["url"] == {"scheme": "http", "host": "127.11.0.3:9200"}
    assert store["indices"] == {"visibility": "temporal_visibility_v1"}
    assert "aws-request-signing" not in store


def test_the_web_ui_asks_the_first_frontend() -> None:
    *_, ui = parts.all_parts("mine", settings(11, dict.fromkeys(TOPOLOGY.roles, 2)), directory())
    assert ui.variables == {
        "TEMPORAL_ADDRESS": "127.11.3.1:7300",
        "TEMPORAL_UI_HOST": "127.11.0.2",
        "TEMPORAL_UI_PORT": "8080",
    }
