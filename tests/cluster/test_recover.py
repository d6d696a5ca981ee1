"""`recover`: what is wrong is said, the least that cures it is done, and it is proved."""

import os
import signal
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from temporal_dsql_deploy.persistence.database import Database, connect
from temporal_dsql_deploy.platforms.cluster import parts
from temporal_dsql_deploy.platforms.cluster import settings as settings_file
from temporal_dsql_deploy.platforms.processes import ports, supervisor
from temporal_dsql_deploy.platforms.processes.directory import Directory
from tests.support.cluster import (
    Cluster,
    by_name,
    free_network,
    standing_cluster,
    started_elsewhere,
    until,
)
from tests.support.deploy import Deploy

pytestmark = [
    pytest.mark.needs("temporal-server"),
    pytest.mark.needs("postgresql"),
    pytest.mark.needs("loopback addresses"),
    # Before everything is rebuilt it looks and probes more than once.
    pytest.mark.timeout(900),
]
ROLES = ["history-1", "matching-1", "frontend-1", "worker-1"]


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with standing_cluster(tmp_path_factory.mktemp("recover")) as made:
        yield made


@pytest.fixture
def cluster(standing: Cluster) -> Iterator[Cluster]:
    """One that runs; a test breaks it."""
    standing.up()
    yield standing
    standing.deploy.end_started()


def recover(cluster: Cluster, *options: str) -> Any:
    result = cluster.deploy.json("recover", "cluster", *options)
    assert result["ok"], result
    assert result["probe"]["ok"], result["probe"]
    healthy(cluster)
    return result


def healthy(cluster: Cluster) -> None:
    """Everything serves, and nothing is left to be changed."""
    parts = by_name(cluster.status())
    assert {part["state"] for part in parts.values()} == {"SERVING"}
    assert parts["history-1"]["shards"] == 64
    assert cluster.up()["changes"] == []


def repairs(result: Any) -> list[tuple[str, list[str]]]:
    return [(one["repair"]["action"], one["repair"]["names"]) for one in result["repairs"]]


def kill(cluster: Cluster, *names: str) -> None:
    pids = cluster.pids()
    for name in names:
        os.kill(pids[name], signal.SIGKILL)


def unchanged(before: dict[str, int], after: dict[str, int]) -> set[str]:
    return {name for name in before if after[name] == before[name]}


def database(cluster: Cluster) -> Database:
    directory = Directory(cluster.data, "cluster", [])
    return parts.database(cluster.run("database").settings, directory)


def test_where_nothing_is_wrong_nothing_is_done(cluster: Cluster) -> None:
    before = cluster.pids()
    result = recover(cluster)
    assert (result["wrong"], result["repairs"]) == ([], [])
    assert cluster.pids() == before


def test_the_dead_are_started_and_nobody_else_is_touched(cluster: Cluster) -> None:
    before = cluster.pids()
    kill(cluster, "database", "matching-1", "ui")
    planned = cluster.deploy.json("recover", "cluster", "--dry-run", check=False)
    assert planned["repair"]["action"] == "start"
    assert "matching-1 does not run: was killed by signal 9" in planned["wrong"]
    assert cluster.pids() == before
    assert repairs(recover(cluster)) == [("start", ["database", "matching-1", "ui"])]
    assert unchanged(before, cluster.pids()) == {"history-1", "frontend-1", "worker-1"}


def test_one_that_is_frozen_is_restarted_and_nobody_else(cluster: Cluster) -> None:
    before = cluster.pids()
    os.kill(before["matching-1"], signal.SIGSTOP)
    done = repairs(recover(cluster))
    assert ("restart", ["matching-1"]) in done
    assert unchanged(before, cluster.pids()) == set(before) - {"matching-1"}


def test_all_started_at_once_on_new_addresses_while_the_old_rows_are_fresh(
    cluster: Cluster,
) -> None:
    started_elsewhere(cluster, free_network())
    result = recover(cluster)
    assert {action for action, _ in repairs(result)} <= {"restart", "clean"}, result
    with connect(database(cluster)) as connection:
        rows = connection.execute("SELECT DISTINCT rpc_address FROM cluster_membership").fetchall()
    assert {address for (address,) in rows} == {
        cluster.run(name).settings["address"] for name in ROLES
    }


_ROW = """
INSERT INTO cluster_membership SELECT 0, %s, '192.0.2.1', 6934, 2, now() AT TIME ZONE 'UTC',
    (now() AT TIME ZONE 'UTC') - interval '1 hour', (now() AT TIME ZONE 'UTC') + interval '1 day'
"""


def test_old_rows_alone_are_deleted(cluster: Cluster) -> None:
    before = cluster.pids()
    with connect(database(cluster)) as connection:
        connection.execute(_ROW.encode(), [uuid.uuid4().bytes])
    assert repairs(recover(cluster)) == [("clean", [])]
    assert cluster.pids() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("said", ["start history-1", "worker-1: SERVING", "SERVING and in the"])
def test_whatever_ends_it_the_next_goes_on(
    cluster: Cluster, said: str, number: signal.Signals
) -> None:
    kill(cluster, *ROLES)
    first = cluster.deploy.start("recover", "cluster")
    assert first.stderr is not None
    until(first.stderr, said)
    first.send_signal(number)
    _, errors = first.communicate(timeout=120)
    if number is signal.SIGINT:
        assert first.returncode == 5, errors
        assert "the recovery has stopped half way" in errors
        assert "recover cluster\n" in errors
        running = errors.partition("running: ")[2].partition("\n")[0].split(", ")
        assert {"database", "ui"} <= set(running)
    recover(cluster)


_MUTE = """
CREATE FUNCTION mute() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER mute BEFORE INSERT OR UPDATE ON cluster_membership FOR EACH ROW
    WHEN (NEW.rpc_address <> '{address}') EXECUTE FUNCTION mute();
DELETE FROM cluster_membership;
"""


def split(cluster: Cluster) -> None:
    """Let a second matching start where it finds nobody: a ring of its own, beside the others'.

    Its address is a new one: whoever knew the old one would ping it, and the rings would be one
    again. The others write a heartbeat every few seconds, so the database swallows theirs.
    """
    path = cluster.data / "cluster.json"
    before = settings_file.read(path)
    assert before is not None
    settings = settings_file.scaled(before, {"matching": 2}, is_free=ports.is_free)
    settings_file.write(path, settings)
    directory = Directory(cluster.data, "cluster", [])
    made = parts.all_parts("cluster", settings, directory)
    matching = next(part for part in made if part.place.name == "matching-2")
    with connect(database(cluster)) as connection:
        connection.execute(_MUTE.format(address=matching.place.address).encode())
        try:
            supervisor.start(matching.component(directory))
            until_found(cluster, "membership-split-ring")
        finally:
            connection.execute("DROP FUNCTION mute() CASCADE")


def until_found(cluster: Cluster, code: str) -> None:
    deadline = time.monotonic() + 60
    while code not in codes(cluster):
        assert time.monotonic() < deadline, code


def codes(cluster: Cluster) -> set[str]:
    found = cluster.deploy.json("membership", "doctor", "cluster", check=False)["findings"]
    return {one["code"] for one in found}


def test_of_a_split_ring_the_smaller_part_is_restarted(cluster: Cluster) -> None:
    split(cluster)
    before = cluster.pids()
    result = cluster.deploy.json("recover", "cluster")
    assert result["probe"]["ok"], result["probe"]
    assert any("membership-split-ring" in line for line in result["wrong"])
    assert repairs(result) == [("restart", ["matching-2"])]
    assert unchanged(before, cluster.pids()) == set(before) - {"matching-2"}
    cluster.deploy.run("scale", "cluster", "matching=1")
    healthy(cluster)


def test_what_only_a_probe_sees_is_rebuilt_after_a_question(cluster: Cluster) -> None:
    # Somebody has changed the file that a frontend reads again and again: it serves no namespace
    # now. Its gRPC health, which is of no namespace, says SERVING as before.
    file = cluster.data / "run" / "frontend-1" / "dynamic.yaml"
    file.write_text(f"{file.read_text()}frontend.namespaceRPS:\n  - value: 0\n")
    deadline = time.monotonic() + 60
    while cluster.deploy.run("probe", "cluster", "--deadline", "3", check=False).returncode == 0:
        assert time.monotonic() < deadline
    before = cluster.pids()
    refused = cluster.deploy.run("recover", "cluster", "--deadline", "3", check=False)
    assert refused.returncode == 4, refused.stderr
    assert "recover cluster --yes" in refused.stderr
    assert cluster.pids() == before

    first = cluster.deploy.start("recover", "cluster", "--deadline", "3", "--yes")
    assert first.stderr is not None
    until(first.stderr, "rebuild history-1, matching-1, frontend-1, worker-1")
    first.send_signal(signal.SIGINT)
    _, errors = first.communicate(timeout=120)
    assert first.returncode == 5, errors
    recover(cluster, "--yes")
    assert unchanged(before, cluster.pids()) == {"database", "ui"}


def test_what_cannot_be_started_is_said_and_the_rest_stands(cluster: Cluster) -> None:
    folder = cluster.data / "run" / "worker-1"
    kill(cluster, "worker-1")
    aside = folder.rename(folder.with_name("aside"))
    folder.touch()
    try:
        failed = cluster.deploy.run("recover", "cluster", "--yes", check=False)
    finally:
        folder.unlink()
        aside.rename(folder)
    assert failed.returncode == 1
    assert "the configuration cannot be written" in failed.stderr
    assert "still wrong: worker-1 does not run: exited with code 3" in failed.stdout
    recover(cluster)


def test_one_process_has_nothing_to_recover(deploy: Deploy) -> None:
    refused = deploy.run("recover", "local", check=False)
    assert refused.returncode == 2
    assert "restart local" in refused.stderr


def test_what_was_never_started_is_not_recovered(deploy: Deploy) -> None:
    refused = deploy.run("recover", "cluster", check=False)
    assert refused.returncode == 1
    assert "it has not been started yet" in refused.stderr
