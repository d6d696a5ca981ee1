"""`restart`: instance by instance, each waited for, and nothing left down in silence."""

import os
import shutil
import signal
from collections.abc import Iterator

import pytest

from tests.support.cluster import Cluster, actions, by_name, standing_cluster, until
from tests.support.deploy import Deploy

pytestmark = [
    pytest.mark.needs("temporal-server"),
    pytest.mark.needs("postgresql"),
    pytest.mark.needs("loopback addresses"),
]


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with standing_cluster(tmp_path_factory.mktemp("restart")) as made:
        drain = 'history.shutdownDrainDuration="1s"'
        made.up("--replicas", "history=2", "--dynamic-config-value", drain)
        yield made


@pytest.fixture
def cluster(standing: Cluster) -> Iterator[Cluster]:
    """One that runs; a test may break it."""
    standing.up()
    yield standing
    standing.deploy.end_started()


def healthy(cluster: Cluster) -> None:
    """It serves, and nothing is left to be changed."""
    status = cluster.status()
    parts = by_name(status)
    assert {part["state"] for part in parts.values()} == {"SERVING"}
    histories = [part for part in parts.values() if part["name"] == "history"]
    assert all(part["in_ring"] and part["shards"] for part in histories)
    assert sum(part["shards"] for part in histories) == 64
    assert cluster.up()["changes"] == []


def test_a_role_of_two_comes_back_one_by_one(cluster: Cluster) -> None:
    before = cluster.pids()
    planned = cluster.deploy.json("restart", "cluster", "history", "ui", "--dry-run")
    assert [change["what"] for change in planned["changes"]] == ["history-1", "history-2", "ui"]
    assert cluster.pids() == before

    result = cluster.deploy.json("restart", "cluster", "history", "ui")
    assert [one["name"] for one in result["restarted"]] == ["history-1", "history-2", "ui"]
    assert result["probe"]["ok"], result["probe"]
    after = cluster.pids()
    assert {name for name in before if after[name] != before[name]} == {
        *("history-1", "history-2", "ui")
    }
    healthy(cluster)


def test_everything_but_the_database_is_restarted_in_the_order_of_start(cluster: Cluster) -> None:
    before = cluster.pids()
    result = cluster.deploy.json("restart", "cluster")
    expected = ["history-1", "history-2", "matching-1", "frontend-1", "worker-1", "ui"]
    assert [one["name"] for one in result["restarted"]] == expected
    assert result["probe"]["ok"], result["probe"]
    after = cluster.pids()
    assert [name for name in before if after[name] == before[name]] == ["database"]
    healthy(cluster)


def test_what_does_not_serve_comes_first(cluster: Cluster) -> None:
    os.kill(cluster.pids()["history-2"], signal.SIGKILL)
    result = cluster.deploy.json("restart", "cluster", "history")
    assert [one["name"] for one in result["restarted"]] == ["history-2", "history-1"]
    healthy(cluster)


def test_it_stops_at_the_first_that_does_not_come_back(cluster: Cluster) -> None:
    before = cluster.pids()
    folder = cluster.data / "run" / "matching-1"
    shutil.rmtree(folder)
    folder.touch()
    try:
        done = cluster.deploy.run("restart", "cluster", "matching", "frontend", check=False)
    finally:
        folder.unlink()
    assert done.returncode == 5, done.stderr
    assert "matching-1 has not come back [stopped-halfway]" in done.stderr
    assert "the configuration cannot be written" in done.stderr
    assert "matching-1: exited with code 3\n" in done.stderr
    assert "not touched: frontend-1\n" in done.stderr
    assert "restart cluster matching-1 frontend-1" in done.stderr
    assert cluster.pids()["frontend-1"] == before["frontend-1"]

    again = cluster.deploy.json("restart", "cluster", "frontend", "matching")
    assert [one["name"] for one in again["restarted"]] == ["matching-1", "frontend-1"]
    healthy(cluster)


def test_without_the_database_nothing_is_stopped(cluster: Cluster) -> None:
    before = cluster.pids()
    os.kill(before["database"], signal.SIGKILL)
    refused = cluster.deploy.run("restart", "cluster", "worker", check=False)
    assert refused.returncode == 1
    assert "database was killed by signal 9 before it was ready" in refused.stderr
    assert cluster.pids() == before
    assert cluster.run("worker-1").alive()
    # All roles need some seconds to find the database again, and `up` waits for them.
    assert actions(cluster.up()) == {"database": "start"}


@pytest.mark.parametrize("said", ["restart history-1", "history-1: SERVING", "restart history-2"])
def test_an_interruption_leaves_everything_running(cluster: Cluster, said: str) -> None:
    restart = cluster.deploy.start("restart", "cluster", "history", "worker")
    assert restart.stderr is not None
    until(restart.stderr, said)
    restart.send_signal(signal.SIGINT)
    _, errors = restart.communicate(timeout=120)
    assert restart.returncode == 5, errors
    assert "the restart was interrupted" in errors
    assert "worker-1" in errors.partition("not touched:")[2]
    healthy(cluster)


def test_what_a_killed_restart_leaves_is_put_right_by_the_next(cluster: Cluster) -> None:
    restart = cluster.deploy.start("restart", "cluster", "matching")
    assert restart.stderr is not None
    until(restart.stderr, "restart matching-1")
    restart.kill()
    restart.wait()
    result = cluster.deploy.json("restart", "cluster", "matching")
    assert result["probe"]["ok"], result["probe"]
    healthy(cluster)


def test_what_cannot_be_restarted_is_refused(cluster: Cluster) -> None:
    wrong = cluster.deploy.run("restart", "cluster", "histroy", check=False)
    assert wrong.returncode == 2
    assert "there is no role or instance 'histroy'" in wrong.stderr
    assert "history-2, matching-1" in wrong.stderr
    assert "did you mean history?" in wrong.stderr
    cluster.deploy.run("down", "cluster")
    stopped = cluster.deploy.run("restart", "cluster", check=False)
    assert stopped.returncode == 1
    assert "is not running" in stopped.stderr


def test_the_embedded_server_comes_back_with_its_settings(deploy: Deploy) -> None:
    deploy.run("up", "local", "--namespace", "orders")
    before = deploy.record()
    result = deploy.json("restart", "local")
    assert [one["name"] for one in result["restarted"]] == ["server"]
    assert result["probe"]["ok"], result["probe"]
    after = deploy.record()
    assert after.process != before.process
    assert after.settings == before.settings
    assert deploy.json("up", "local")["changes"] == []
