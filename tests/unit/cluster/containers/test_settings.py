"""What a cluster in containers runs with, and which runtime an environment has."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import InvalidSetting
from temporal_dsql_deploy.platforms.cluster import runtimes
from temporal_dsql_deploy.platforms.cluster.containers import compose, images
from temporal_dsql_deploy.platforms.cluster.containers import settings as settings_file
from temporal_dsql_deploy.platforms.cluster.containers.engine import Engine
from temporal_dsql_deploy.platforms.cluster.containers.platform import ContainerPlatform
from temporal_dsql_deploy.platforms.cluster.platform import ClusterPlatform

CLUSTER = Environment(name="x", platform="cluster", runtime="docker")
BUILT = {"TEMPORAL_IMAGE": "temporal-dsql-runtime:sha-1"}


@pytest.fixture(autouse=True)
def _nothing_is_asked_for_by_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in settings_file.IMAGES:
        monkeypatch.delenv(name, raising=False)


def test_the_defaults() -> None:
    made = settings_file.wanted(CLUSTER, None, BUILT)
    assert set(made.replicas.values()) == {1}
    assert made.ports == {"frontend": 7233, "http": 7243, "ui": 8080}
    assert made.images["TEMPORAL_IMAGE"] == "temporal-dsql-runtime:sha-1"
    assert made.images["TEMPORAL_ADMIN_TOOLS_IMAGE"] == "temporal-dsql-admin-tools"
    assert made.images["POSTGRES_IMAGE"].startswith("docker.io/library/postgres:16.")


def test_what_nobody_asks_for_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = replace(
        CLUSTER,
        replicas={"history": 2},
        ports={"frontend": 17233},
        history_shards=32,
        dynamic_config_values={"matching.rps": 7},
    )
    monkeypatch.setenv("TEMPORAL_UI_IMAGE", "mine/ui:1")
    first = settings_file.wanted(asked, None, BUILT)
    monkeypatch.delenv("TEMPORAL_UI_IMAGE")
    assert first.images["TEMPORAL_UI_IMAGE"] == "mine/ui:1"
    newer = {"TEMPORAL_IMAGE": "temporal-dsql-runtime:sha-2"}
    assert settings_file.wanted(CLUSTER, first, newer) == first


def test_what_was_written_is_read(tmp_path: Path) -> None:
    made = settings_file.wanted(CLUSTER, None, BUILT)
    settings_file.write(tmp_path / "x", made)
    assert settings_file.read(tmp_path / "x") == made
    (tmp_path / "x").write_text("{")
    assert settings_file.read(tmp_path / "x") is None


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        (replace(CLUSTER, network=70), "network means nothing with containers"),
        (replace(CLUSTER, visibility="opensearch"), "visibility = opensearch means nothing"),
        (replace(CLUSTER, ports={"metrics": 9091}), "the metrics port means nothing"),
        (replace(CLUSTER, ports={"ui": 7243}), "the ports http and ui are both 7243"),
        (replace(CLUSTER, history_shards=8, replicas={"history": 2}), "8 history shards are too"),
    ],
)
def test_what_cannot_be_is_refused(environment: Environment, says: str) -> None:
    with pytest.raises(InvalidSetting, match=says):
        settings_file.wanted(environment, None, {})


def test_shards_hold_for_ever() -> None:
    first = settings_file.wanted(CLUSTER, None, {})
    with pytest.raises(InvalidSetting, match="has 64 history shards and cannot get 32"):
        settings_file.wanted(replace(CLUSTER, history_shards=32), first, {})
    with pytest.raises(InvalidSetting, match="too few"):
        settings_file.scaled(first, {"history": 9})
    assert settings_file.scaled(first, {"history": 2}).replicas["history"] == 2


def test_what_the_first_start_has_chosen_holds(tmp_path: Path) -> None:
    environment = replace(CLUSTER, data_dir=tmp_path, runtime=None)
    docker = replace(environment, runtime="docker")
    assert isinstance(runtimes.platform(environment, print), ClusterPlatform)
    assert isinstance(runtimes.platform(docker, print), ContainerPlatform)
    (tmp_path / "containers.json").touch()
    assert isinstance(runtimes.platform(environment, print), ContainerPlatform)
    runtimes.refuse_another(docker)
    processes = replace(environment, runtime="processes")
    # `down` and `destroy` have to find what is there.
    assert isinstance(runtimes.platform(processes, print), ContainerPlatform)
    with pytest.raises(InvalidSetting, match="runs as containers and cannot become processes"):
        runtimes.platform(processes, print).plan()
    (tmp_path / "containers.json").rename(tmp_path / "cluster.json")
    with pytest.raises(InvalidSetting, match="runs as processes and cannot become containers"):
        runtimes.platform(docker, print).plan()


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("temporal-dsql-runtime:sha-1", False),
        ("mine/runtime:1", False),
        ("docker.io/library/postgres:16.11", True),
        ("localhost/x", True),
        ("registry:5000/x", True),
    ],
)
def test_only_a_name_with_its_registry_is_fetched(name: str, published: bool) -> None:  # noqa: FBT001
    assert images.is_published(name) is published


def test_the_command_lines_of_compose() -> None:
    project = compose.Compose(("docker", "compose"), "2.40.3").on("x", Path("/f.yaml"))
    begin = ["docker", "compose", "--project-name", "x", "--file", "/f.yaml"]
    assert project.hashes() == [*begin, "config", "--hash=*"]
    assert project.create(only_missing=True) == [*begin, "create", "--no-recreate"]
    assert project.create(only_missing=False) == [*begin, "create"]
    assert project.remove(volumes=True) == [*begin, "down", "--remove-orphans", "--volumes"]
    assert "--volumes" not in project.remove(volumes=False)


def test_variables_that_steer_compose_are_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPOSE_PROFILES", "other")
    monkeypatch.setenv("TEMPORAL_IMAGE", "other")
    passed = compose.environment({"TEMPORAL_IMAGE": "mine"})
    assert "COMPOSE_PROFILES" not in passed
    assert passed["TEMPORAL_IMAGE"] == "mine"


@given(st.dictionaries(st.from_regex(r"[a-z-]{1,20}", fullmatch=True), st.just("0" * 64)))
def test_hashes_are_read(hashes: dict[str, str]) -> None:
    said = "".join(f"{name} {text}\n" for name, text in hashes.items())
    assert compose.parse_hashes(said) == hashes


def test_of_two_composes_one_that_is_new_enough_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    versions = {"docker": "", "/x/docker-compose": "1.29.2"}
    monkeypatch.setattr(compose, "_version", lambda words: versions[words[0]])
    monkeypatch.setattr("shutil.which", lambda name: f"/x/{name}")
    assert compose.find.__wrapped__(Engine("docker")).version == "1.29.2"
    versions["docker"] = "2.40.3"
    assert compose.find.__wrapped__(Engine("docker")).version == "2.40.3"
    versions.update({"docker": "", "/x/docker-compose": "1.25.0"})
    with pytest.raises(Exception, match=r"1\.25\.0 is too old"):
        compose.find.__wrapped__(Engine("docker"))
