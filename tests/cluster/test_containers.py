"""The environment `cluster` in containers: the same verbs, the same probe, the same oracle."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from temporal_dsql_deploy import interrupts, topology
from temporal_dsql_deploy.platforms import temporal_api
from temporal_dsql_deploy.platforms.cluster.containers import compose
from temporal_dsql_deploy.platforms.protocol import State
from tests.support import cluster_faults
from tests.support.cluster import actions, by_name, until
from tests.support.container_cluster import ContainerCluster, cluster_in_containers
from tests.support.container_images import Images
from tests.support.containers import DOCKER
from tests.support.deploy import free_ports

pytestmark = [
    pytest.mark.needs("container engine"),
    pytest.mark.needs("compose"),
    pytest.mark.needs("temporal-server"),
    pytest.mark.needs("postgresql"),
    pytest.mark.timeout(900),
]

HOUSE = topology.load()
ROLES = list(HOUSE.roles)
COMPOSES = [
    words
    for words in (["docker-compose"], ["docker", "compose"])
    if shutil.which(words[0])
    and subprocess.run([*words, "version"], capture_output=True, check=False).returncode == 0
]
"""Those that are here: the file is for both."""
EVERYTHING = ["database", *(f"{role}-1" for role in ROLES), "ui"]


@pytest.fixture(scope="module")
def stood(
    docker: dict[str, str], role_images: Images, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ContainerCluster]:
    with cluster_in_containers(tmp_path_factory.mktemp("containers"), docker, role_images) as made:
        yield made


@pytest.fixture
def cluster(stood: ContainerCluster) -> Iterator[ContainerCluster]:
    """It runs, whatever the test before has left."""
    if len(stood.alive()) < len(EVERYTHING):
        stood.up()
    yield stood
    stood.deploy.end_started()


@pytest.fixture
def new(
    docker: dict[str, str], role_images: Images, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ContainerCluster]:
    """One that was never started."""
    with cluster_in_containers(tmp_path_factory.mktemp("new"), docker, role_images) as made:
        yield made


def test_up_proves_it_and_up_again_changes_nothing(stood: ContainerCluster) -> None:
    first = stood.up("--namespace", "orders")
    assert actions(first) == {
        **dict.fromkeys(EVERYTHING, "start"),
        **dict.fromkeys(["namespace default", "namespace orders"], "create"),
    }
    assert first["probe"]["ok"], first["probe"]
    status = stood.status()
    assert status["healthy"]
    parts = by_name(status)
    assert list(parts) == EVERYTHING
    assert {part["state"] for part in parts.values()} == {"SERVING"}
    assert all(parts[f"{role}-1"]["in_ring"] for role in ROLES)
    assert parts["history-1"]["shards"] == 64
    assert status["facts"]["ring"] == "history 1, matching 1, frontend 1, worker 1"
    pids = stood.pids()
    assert stood.up()["changes"] == []
    assert stood.pids() == pids


def test_it_runs_without_privileges_and_is_reached_from_this_machine_alone(
    cluster: ContainerCluster,
) -> None:
    for name, one in cluster.containers().items():
        if not one["State"]["Running"]:
            continue
        host = one["HostConfig"]
        bindings = host["PortBindings"] or {}
        assert all(to["HostIp"] == "127.0.0.1" for ports in bindings.values() for to in ports)
        assert not host["Privileged"], name
        if any(role in name for role in ROLES):
            assert host["CapDrop"] == ["ALL"], name
            assert one["Config"]["User"] == "1000:1000", name
    # Docker shows variables to whoever may ask it.
    password = (cluster.data / "secrets" / "database_password").read_text()
    assert password not in json.dumps(cluster.containers())
    assert (cluster.data / "secrets").stat().st_mode & 0o777 == 0o700


def test_logs_and_pages_are_those_of_all_and_of_each(cluster: ContainerCluster) -> None:
    lines = cluster.run("logs", "--json", "--tail", "4000").stdout.splitlines()
    assert {json.loads(line)["component"] for line in lines} == {
        *("database", "schema", *ROLES, "ui")
    }
    one = cluster.run("logs", "--component", "matching-1", "--level", "info", "--json").stdout
    found = [json.loads(line) for line in one.splitlines()]
    assert {line["fields"]["instance"] for line in found} == {"matching-1"}
    assert len(found) == 100
    times = [datetime.fromisoformat(line["time"]) for line in found]
    # The server's own threads may write a line some milliseconds after the time that it says.
    assert all(after > before - timedelta(seconds=1) for before, after in pairwise(times))
    following = cluster.deploy.start("logs", "cluster", "--follow", "--tail", "0", "--json")
    cluster.run("probe", "--deadline", "60")
    assert following.stdout is not None
    assert json.loads(following.stdout.readline())["component"] in {"database", *ROLES, "ui"}
    following.send_signal(signal.SIGINT)
    assert following.wait(timeout=30) in {0, 130}
    opened = cluster.deploy.json("open", "cluster", "ui")
    assert opened["url"] == f"http://127.0.0.1:{cluster.ports['ui']}"


def test_scale_starts_more_and_takes_them_away_again(cluster: ContainerCluster) -> None:
    before = cluster.pids()
    more = json.loads(
        cluster.run("scale", "history=2", "frontend=2", "--deadline", "60", "--json").stdout
    )
    assert actions(more) == {"history-2": "start", "frontend-2": "start"}
    parts = by_name(cluster.status())
    assert parts["history-2"]["shards"]
    assert parts["frontend-2"]["in_ring"]
    doctor = cluster.run_group("membership", "doctor")
    assert doctor.returncode == 0, doctor.stdout
    fewer = json.loads(
        cluster.run("scale", "history=1", "frontend=1", "--deadline", "60", "--json").stdout
    )
    assert actions(fewer) == {"history-2": "stop", "frontend-2": "stop"}
    assert cluster.pids() == before


def test_restart_and_other_settings_concern_what_they_concern(cluster: ContainerCluster) -> None:
    before = cluster.pids()
    cluster.run("restart", "worker-1", "--deadline", "60")
    now = cluster.pids()
    assert {name for name in before if now[name] != before[name]} == {"worker-1"}
    option = ("--dynamic-config-value", "matching.rps=1000")
    planned = cluster.deploy.json("up", "cluster", *option, "--dry-run")
    roles = [f"{role}-1" for role in ROLES]
    assert actions(planned) == dict.fromkeys(roles, "restart")
    assert "TEMPORAL_DYNAMIC_CONFIG {} ->" in planned["changes"][0]["detail"]
    changed = cluster.up(*option)
    assert actions(changed) == dict.fromkeys(roles, "restart")
    assert changed["probe"]["ok"], changed["probe"]
    after = cluster.pids()
    assert {name for name in now if now[name] == after[name]} == {"database", "ui"}


def test_a_change_that_is_interrupted_is_taken_back(cluster: ContainerCluster) -> None:
    before = cluster.alive()
    up = cluster.deploy.start("up", "cluster", "--dynamic-config-value", "matching.rps=900")
    assert up.stderr is not None
    # Its roles are new containers by then, and none of them runs.
    until(up.stderr, "bringing the schema")
    up.send_signal(signal.SIGINT)
    _, said = up.communicate(timeout=180)
    assert up.returncode == 130
    assert "went back to what ran before" in said
    assert sorted(cluster.alive()) == sorted(before)
    assert cluster.deploy.json("up", "cluster", "--dry-run")["changes"] == []


def test_docker_kill_of_each_role_loses_nothing(cluster: ContainerCluster) -> None:
    """With one of each there is an outage; whatever was acknowledged is completed all the same."""

    def pairs() -> None:
        for pair in (("history", "frontend"), ("matching", "worker")):
            for role in pair:
                (container,) = [one for one in cluster.alive() if role in one]
                cluster.command("kill", container)
            status = by_name(cluster.status())
            for role in pair:
                assert status[f"{role}-1"]["state"] == "STOPPED"
                assert "was killed by signal 9" in status[f"{role}-1"]["note"]
            assert actions(cluster.up()) == {f"{role}-1": "start" for role in pair}

    file = cluster.deploy.folder / "acknowledged"
    found = asyncio.run(cluster_faults.judged(cluster.address, file, pairs))
    assert found.losses == []
    assert found.acknowledged > 0


def test_down_stops_all_within_the_stop_timeout_and_up_goes_on(cluster: ContainerCluster) -> None:
    stopped = cluster.deploy.json("down", "cluster")["stopped"]
    assert stopped == {"was_running": True, "killed": False}
    # 143 is the Web UI's own answer to SIGTERM.
    codes = {name: one["State"]["ExitCode"] for name, one in cluster.containers().items()}
    assert set(codes.values()) <= {0, 143}, codes
    assert {part["state"] for part in cluster.status()["components"]} == {"STOPPED"}
    again = cluster.up()
    # No namespace is made again: the data are those of before.
    assert actions(again) == dict.fromkeys(EVERYTHING, "start")
    assert again["probe"]["ok"], again["probe"]


def test_recover_mends_what_has_died(cluster: ContainerCluster) -> None:
    for name in cluster.alive():
        if "matching" in name or "database" in name:
            cluster.command("kill", name)
    mended = cluster.run("recover", "--deadline", "60", "--yes", check=False)
    assert mended.returncode == 0, mended.stderr
    assert cluster.status()["healthy"]


def test_another_runtime_is_refused_and_says_what_to_do(cluster: ContainerCluster) -> None:
    refused = cluster.run("up", "--runtime", "processes", check=False)
    assert refused.returncode == 2
    assert "runs as containers and cannot become processes" in refused.stderr
    assert "dsql-deploy destroy cluster" in refused.stderr


def test_what_is_interrupted_is_undone(new: ContainerCluster) -> None:
    up = new.deploy.start("up", "cluster")
    assert up.stderr is not None
    until(up.stderr, "bringing the schema")
    up.send_signal(signal.SIGINT)
    assert up.wait(timeout=120) == 130
    assert new.left() == []
    assert not (new.data / "containers.json").exists()


def test_what_is_missing_is_told_before_anything_is_started(new: ContainerCluster) -> None:
    with socket.create_server(("127.0.0.1", new.ports["ui"])):
        refused = new.run("up", check=False)
    assert refused.returncode == 3
    assert f"127.0.0.1:{new.ports['ui']}, which is to be the ui port, is taken" in refused.stderr
    assert f"process {os.getpid()}" in refused.stderr
    lacking = new.run("up", check=False, TEMPORAL_IMAGE="nobody-has-built-this:1")
    assert lacking.returncode == 3
    assert "the image nobody-has-built-this:1 is not on this machine" in lacking.stderr
    assert "dsql-deploy images build cluster" in lacking.stderr
    silent = new.run("up", check=False, DOCKER_HOST="unix:///nowhere")
    assert silent.returncode == 3
    assert "Docker's engine does not answer" in silent.stderr
    assert "systemctl start docker" in silent.stderr
    alone = new.run("up", check=False, PATH="/nowhere")
    assert alone.returncode == 3
    assert "there is no docker on this machine" in alone.stderr
    assert new.left() == []
    lacks = new.deploy.json("doctor", "cluster", check=False)
    first = lacks["capabilities"][0]["requirements"]
    assert {one["name"] for one in first} >= {"Docker's engine", "Docker Compose", "TEMPORAL_IMAGE"}
    assert all(one["ok"] for one in first), first


@pytest.mark.parametrize("words", COMPOSES, ids=" ".join)
def test_compose_alone_starts_it_and_stops_it_in_time(
    words: list[str], docker: dict[str, str], role_images: Images, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    password.write_text("for-a-test")
    password.chmod(0o644)
    published = ("TEMPORAL_FRONTEND_PORT", "TEMPORAL_HTTP_PORT", "TEMPORAL_UI_PORT")
    ports = dict(zip(published, map(str, free_ports(len(published))), strict=True))
    variables = {
        **{name: text for name, text in os.environ.items() if not name.startswith("TEMPORAL_")},
        **docker,
        **role_images.variables(),
        **ports,
        "TEMPORAL_DATABASE_PASSWORD_FILE": str(password),
    }
    project = f"alone-{os.getpid()}-{len(words)}"

    def composed(*asked: str) -> str:
        file = ("--project-name", project, "--file", str(compose.file()))
        return command(variables, *words, *file, *asked)

    def states() -> dict[str, Any]:
        own = f"label=com.docker.compose.project={project}"
        ids = command(variables, DOCKER, "ps", "-aq", "--filter", own).split()
        found = json.loads(command(variables, DOCKER, "inspect", *ids)) if ids else []
        return {
            one["Config"]["Labels"]["com.docker.compose.service"]: one["State"] for one in found
        }

    try:
        composed("up", "--detach")
        assert states()["schema"]["ExitCode"] == 0
        assert states()["matching"]["Health"]["Status"] == "healthy"
        address = f"127.0.0.1:{ports['TEMPORAL_FRONTEND_PORT']}"
        service = HOUSE.roles["frontend"].health_service
        assert interrupts.run(temporal_api.health(address, service)) is State.SERVING
        began = {name: one["StartedAt"] for name, one in states().items() if name != "schema"}
        composed("up", "--detach")
        assert began == {n: one["StartedAt"] for n, one in states().items() if n != "schema"}
        composed("stop")
        assert {one["ExitCode"] for one in states().values()} <= {0, 143}, states()
    finally:
        composed("down", "--volumes")
    assert states() == {}
    assert project not in command(variables, DOCKER, "volume", "ls")
    assert project not in command(variables, DOCKER, "network", "ls")


def command(variables: dict[str, str], *words: str) -> str:
    done = subprocess.run(words, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def test_destroy_leaves_nothing(cluster: ContainerCluster) -> None:
    project = cluster.project
    assert cluster.left()
    cluster.run("destroy", "--yes")
    assert cluster.left() == []
    assert project not in cluster.command("volume", "ls")
    assert not cluster.data.exists()
