"""`scale`: more and fewer instances, and nothing else is touched."""

import json
import signal
import time
from collections.abc import Iterator

import pytest

from tests.support.cluster import Cluster, actions, by_name, standing_cluster
from tests.support.deploy import Deploy

pytestmark = [
    pytest.mark.needs("temporal-server"),
    pytest.mark.needs("postgresql"),
    pytest.mark.needs("loopback addresses"),
]


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with standing_cluster(tmp_path_factory.mktemp("scale")) as made:
        yield made


@pytest.fixture
def cluster(standing: Cluster) -> Iterator[Cluster]:
    """One that runs."""
    standing.up()
    yield standing
    standing.deploy.end_started()


def drains(cluster: Cluster, role: str, key: str) -> str:
    """What the server of an instance reads of its drain."""
    lines = (cluster.data / "run" / role / "dynamic.yaml").read_text().splitlines()
    at = lines.index(f"{key}:")
    return lines[at + 1].partition("value:")[2].strip().strip('"')


def test_more_of_two_roles(cluster: Cluster) -> None:
    before = cluster.pids()
    wanted = ("history=2", "frontend=2")
    changes = {
        "history-1": "update",
        "history-2": "start",
        "frontend-1": "update",
        "frontend-2": "start",
    }
    planned = cluster.deploy.json("scale", "cluster", *wanted, "--dry-run")
    assert actions(planned) == changes
    assert cluster.pids() == before

    more = cluster.deploy.json("scale", "cluster", *wanted)
    assert actions(more) == changes
    assert more["probe"]["ok"], more["probe"]
    # Whoever ran goes on, and is told that it has to drain from now on.
    after = cluster.pids()
    assert {name: after[name] for name in before} == before
    assert drains(cluster, "history-1", "history.shutdownDrainDuration") == "5s"
    parts = by_name(cluster.status())
    assert all(parts[name]["in_ring"] for name in ("history-1", "history-2", "frontend-2"))
    assert parts["history-1"]["shards"] + parts["history-2"]["shards"] == 64
    assert parts["history-1"]["shards"]
    assert parts["history-2"]["shards"]
    assert cluster.up()["changes"] == []


def test_and_fewer_again(cluster: Cluster) -> None:
    cluster.up("--replicas", "history=2", "--replicas", "frontend=2")
    before = cluster.pids()
    fewer = cluster.deploy.json("scale", "cluster", "history=1", "frontend=1")
    assert actions(fewer) == {
        "history-1": "update",
        "history-2": "stop",
        "frontend-1": "update",
        "frontend-2": "stop",
    }
    assert fewer["probe"]["ok"], fewer["probe"]
    stopped = {"history-2", "frontend-2"}
    assert cluster.pids() == {name: before[name] for name in before if name not in stopped}
    assert drains(cluster, "history-1", "history.shutdownDrainDuration") == "0s"
    assert by_name(cluster.status())["history-1"]["shards"] == 64
    assert cluster.deploy.json("scale", "cluster", "history=1")["changes"] == []


def test_nothing_but_the_numbers_changes(cluster: Cluster) -> None:
    before = cluster.pids()
    text = cluster.text()
    cluster.settings(f"{text}\n[replicas]\nmatching = 1\n[dynamic_config]\n'matching.rps' = 1000")
    try:
        done = cluster.deploy.run("scale", "cluster", "matching=2", "--json")
        assert "the environment's file says matching = 1" in done.stderr
        after = cluster.pids()
        assert {name: after[name] for name in before} == before
        assert set(after) - set(before) == {"matching-2"}
    finally:
        cluster.settings(text)
        cluster.deploy.run("scale", "cluster", "matching=1")


def test_nobody_is_restarted_by_the_way(cluster: Cluster) -> None:
    before = cluster.pids()
    path = cluster.data / "run" / "history-1.json"
    text = path.read_text()
    run = json.loads(text)
    # As if another version of this tool had started it.
    run["settings"]["variables"]["TEMPORAL_OF_OLD"] = "1"
    path.write_text(json.dumps(run))
    try:
        refused = cluster.deploy.run("scale", "cluster", "history=2", check=False)
        assert refused.returncode == 4, refused.stderr
        assert "nothing is scaled while history-1 would be restarted" in refused.stderr
        assert cluster.pids() == before
    finally:
        path.write_text(text)


def test_what_is_interrupted_is_undone(cluster: Cluster) -> None:
    before = cluster.pids()
    scale = cluster.deploy.start("scale", "cluster", "history=2")
    assert scale.stderr is not None
    # It has started the new one, and waits for it.
    while not (cluster.data / "run" / "history-2.json").exists():
        assert scale.poll() is None
        time.sleep(0.02)
    scale.send_signal(signal.SIGINT)
    _, errors = scale.communicate(timeout=120)
    assert scale.returncode == 130, errors
    assert "went back to what ran before" in errors
    assert cluster.pids() == before
    assert cluster.up()["changes"] == []


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("histroy=2", "there is no role 'histroy'"),
        ("history", "ROLE=N 'history' is not right"),
        ("history=0", "a role has 1 to 50 instances"),
        ("history=9", "64 history shards are too few for 9 history instances"),
    ],
)
def test_what_cannot_be_is_refused(cluster: Cluster, wanted: str, said: str) -> None:
    before = cluster.pids()
    refused = cluster.deploy.run("scale", "cluster", wanted, check=False)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert cluster.pids() == before


def test_one_process_cannot_be_scaled(deploy: Deploy) -> None:
    deploy.run("up", "local")
    refused = deploy.run("scale", "local", "history=2", check=False)
    assert refused.returncode == 2
    assert "environment local cannot be scaled to history=2" in refused.stderr


def test_what_does_not_run_is_not_scaled(deploy: Deploy) -> None:
    refused = deploy.run("scale", "cluster", "history=2", check=False)
    assert refused.returncode == 1
    assert "it has not been started yet" in refused.stderr
