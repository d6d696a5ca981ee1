"""What a cluster runs with: asked for, as it last ran, or the default."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import InvalidSetting
from temporal_dsql_deploy.platforms.cluster import layout
from temporal_dsql_deploy.platforms.cluster import settings as settings_file
from temporal_dsql_deploy.platforms.cluster.settings import ClusterSettings, Found

FOUND = Found("/found/temporal-server", "/found/postgresql", "/found/temporal-ui-server")
NEWER = Found("/newer/temporal-server", "/newer/postgresql", "/newer/temporal-ui-server")
CLUSTER = Environment(name="x", platform="cluster")
OPENSEARCH = replace(CLUSTER, visibility="opensearch")
WITH_OPENSEARCH = replace(FOUND, opensearch="/found/opensearch", java="/found/java")


def wanted(
    environment: Environment,
    last: ClusterSettings | None = None,
    *,
    found: Found = FOUND,
    running: bool = True,
    taken: frozenset[int] = frozenset(),
) -> ClusterSettings:
    return settings_file.wanted(
        environment,
        found,
        last=last,
        running=running,
        is_free=lambda port, _: port not in taken,
    )


def test_the_defaults() -> None:
    made = wanted(CLUSTER)
    assert set(made.replicas.values()) == {1}
    assert made.shards == settings_file.SHARDS
    assert made.network == layout.NETWORKS[0]
    assert made.found() == FOUND
    assert made.visibility == "sql"
    assert "opensearch" not in made.ports


environments = st.builds(
    Environment,
    name=st.just("x"),
    platform=st.just("cluster"),
    replicas=st.dictionaries(st.sampled_from(["history", "frontend"]), st.integers(1, 4)),
    network=st.none() | st.sampled_from([0, 70]),
    ports=st.dictionaries(st.just("frontend"), st.integers(20_000, 30_000)),
    dynamic_config=st.none() | st.dictionaries(st.just("history.rps"), st.integers()),
    dynamic_config_values=st.dictionaries(st.just("frontend.rps"), st.integers()),
)


@given(environment=environments)
def test_what_is_not_spoken_of_stays_as_it_runs(environment: Environment) -> None:
    first = wanted(environment)
    assert wanted(environment, first) == first
    spoken = replace(CLUSTER, ports=environment.ports)
    assert wanted(spoken, first, found=NEWER) == first
    stopped = wanted(spoken, first, found=NEWER, running=False)
    assert stopped == replace(first, server=NEWER.server, postgresql=NEWER.postgresql, ui=NEWER.ui)


def test_ports_on_a_shared_address_that_were_taken_meanwhile_give_way() -> None:
    shared = replace(CLUSTER, network=0)
    first = wanted(shared)
    taken = frozenset(first.ports["history-1"].values())
    assert wanted(shared, first, taken=taken) == first
    moved = wanted(shared, first, taken=taken, running=False)
    assert not taken & set(moved.ports["history-1"].values())
    assert moved.ports["database"] == first.ports["database"]
    layout.taken_twice(moved.places())


def test_the_number_of_shards_holds_for_ever() -> None:
    first = wanted(replace(CLUSTER, history_shards=128))
    assert wanted(CLUSTER, first).shards == 128
    with pytest.raises(InvalidSetting, match="has 128 history shards and cannot get 64"):
        wanted(replace(CLUSTER, history_shards=64), first)


def test_the_visibility_store_holds_for_ever() -> None:
    first = wanted(OPENSEARCH, found=WITH_OPENSEARCH)
    assert first.with_opensearch
    assert first.ports["opensearch"] == {"http": 9200, "transport": 9300}
    assert first.found() == WITH_OPENSEARCH
    assert wanted(CLUSTER, first, found=WITH_OPENSEARCH) == first
    with pytest.raises(InvalidSetting, match="is opensearch and cannot become sql"):
        wanted(replace(CLUSTER, visibility="sql"), first)
    with pytest.raises(InvalidSetting, match="is sql and cannot become opensearch"):
        wanted(OPENSEARCH, wanted(CLUSTER))


def test_an_opensearch_that_is_asked_for_is_run_with_its_java() -> None:
    first = wanted(OPENSEARCH, found=WITH_OPENSEARCH)
    own = replace(WITH_OPENSEARCH, opensearch="/own/opensearch", java="/own/java")
    assert wanted(CLUSTER, first, found=own) == first
    changed = wanted(replace(CLUSTER, opensearch=Path("/own/opensearch")), first, found=own)
    assert changed == replace(first, opensearch="/own/opensearch", java="/own/java")


def test_settings_of_before_there_was_a_choice_are_read(tmp_path: Path) -> None:
    made = wanted(CLUSTER)
    path = tmp_path / "cluster.json"
    settings_file.write(path, made)
    kept = json.loads(path.read_text())
    for name in ("visibility", "opensearch", "java"):
        del kept[name]
    path.write_text(json.dumps(kept))
    assert settings_file.read(path) == made


def test_shards_have_to_be_clearly_more_than_histories() -> None:
    assert wanted(replace(CLUSTER, replicas={"history": 8})).replicas["history"] == 8
    with pytest.raises(InvalidSetting, match="too few for 9 history instances"):
        wanted(replace(CLUSTER, replicas={"history": 9}))


def test_the_file_gives_back_what_was_written(tmp_path: Path) -> None:
    made = wanted(replace(CLUSTER, dynamic_config={"history.rps": 7}))
    path = tmp_path / "cluster.json"
    settings_file.write(path, made)
    assert settings_file.read(path) == made


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"server": 1}', '"x"'])
def test_a_file_that_is_none_is_as_if_it_were_not_there(text: str, tmp_path: Path) -> None:
    path = tmp_path / "cluster.json"
    assert settings_file.read(path) is None
    path.write_text(text)
    assert settings_file.read(path) is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({"a": "1"}, {"a": "1"}, []),
        ({"a": "1", "b": "2"}, {"a": "1", "b": "3"}, ["b 2 -> 3"]),
        ({}, {"a": "1"}, ["a default -> 1"]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, ["c 2 -> default"]),
    ],
)
def test_differences_are_said(old: dict[str, Any], new: dict[str, Any], said: list[str]) -> None:
    assert settings_file.differences(old, new) == said


numbers = st.dictionaries(st.sampled_from(layout.roles()), st.integers(1, 4), min_size=1)


def scaled(last: ClusterSettings, to: dict[str, int]) -> ClusterSettings:
    """As a cluster is scaled that runs: nobody else can have its ports."""
    own = {(place.address, port) for place in last.places() for port in place.ports.values()}
    return settings_file.scaled(last, to, is_free=lambda port, address: (address, port) not in own)


@given(environment=environments, replicas=numbers)
def test_scaled_is_what_up_keeps_and_nothing_but_the_numbers(
    environment: Environment, replicas: dict[str, int]
) -> None:
    first = wanted(environment)
    made = scaled(first, replicas)
    assert made.replicas == {**first.replicas, **replicas}
    stayed = set(made.ports) & set(first.ports)
    kept = {name: first.ports[name] for name in stayed}
    assert {name: made.ports[name] for name in stayed} == kept
    assert replace(made, replicas=first.replicas, ports=first.ports) == first
    assert wanted(replace(CLUSTER, ports=environment.ports), made) == made
    assert scaled(made, first.replicas).replicas == first.replicas


def test_scaling_keeps_to_the_rule_of_the_shards() -> None:
    first = wanted(CLUSTER)
    with pytest.raises(InvalidSetting, match="64 history shards are too few for 9"):
        scaled(first, {"history": 9})
