"""The environment `cluster` as its users meet it: four roles, PostgreSQL, the Web UI."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import Iterator

import psutil
import pytest
from temporalio.client import Client

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.platforms.processes.record import Record
from tests.support.cluster import NETWORK, Cluster, actions, by_name, cluster_of, until
from tests.support.deploy import Deploy

pytestmark = [
    pytest.mark.needs("temporal-server"),
    pytest.mark.needs("postgresql"),
    pytest.mark.needs("loopback addresses"),
]

ROLES = list(topology.load().roles)
EVERYTHING = ["database", *(f"{role}-1" for role in ROLES), "ui"]


@pytest.fixture
def cluster(deploy: Deploy) -> Iterator[Cluster]:
    with cluster_of(deploy) as made:
        yield made


def test_its_whole_life(cluster: Cluster) -> None:
    first = cluster.up("--namespace", "orders")
    assert actions(first) == {
        **dict.fromkeys(EVERYTHING, "start"),
        **dict.fromkeys(["namespace default", "namespace orders"], "create"),
    }
    assert first["probe"]["ok"], first["probe"]
    pids = cluster.pids()

    status = cluster.status()
    assert status["healthy"]
    assert status["namespaces"] == ["default", "orders"]
    parts = by_name(status)
    assert list(parts) == EVERYTHING
    assert {part["state"] for part in parts.values()} == {"SERVING"}
    assert {name: part["pid"] for name, part in parts.items()} == pids
    assert all(parts[f"{role}-1"]["in_ring"] for role in ROLES)
    assert parts["history-1"]["shards"] == 64
    assert status["facts"]["ring"] == "history 1, matching 1, frontend 1, worker 1"
    assert parts["frontend-1"]["address"] == f"127.{NETWORK}.3.1:7233"
    for name, part in parts.items():
        assert_listens_where_it_should(cluster.run(name), part["pid"])

    assert cluster.up()["changes"] == []
    assert cluster.pids() == pids

    os.kill(pids["matching-1"], signal.SIGKILL)
    broken = cluster.status(check=False)
    assert not broken["healthy"]
    matching = by_name(broken)["matching-1"]
    assert matching["state"] == "STOPPED"
    assert "was killed by signal 9" in matching["note"]
    mended = cluster.up()
    assert actions(mended) == {"matching-1": "start"}
    assert mended["probe"]["ok"], mended["probe"]
    assert {**cluster.pids(), "matching-1": 0} == {**pids, "matching-1": 0}

    cluster.deploy.run("down", "cluster")
    assert not cluster.deploy.servers()
    stopped = cluster.status(check=False)
    assert {part["state"] for part in stopped["components"]} == {"STOPPED"}
    again = cluster.up()
    assert actions(again) == dict.fromkeys(EVERYTHING, "start")
    assert cluster.status()["namespaces"] == ["default", "orders"]
    assert again["probe"]["ok"], again["probe"]

    cluster.deploy.run("destroy", "cluster", "--yes")
    assert not cluster.data.exists()
    assert not cluster.deploy.servers()


def assert_listens_where_it_should(run: Record, pid: int) -> None:
    """On its own ports at its own address, and on nothing else (samples-server's own checks)."""
    listening = {
        (connection.laddr.ip, connection.laddr.port)
        for connection in psutil.Process(pid).net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    settings = run.settings
    assert listening == {(settings["address"], port) for port in settings["ports"].values()}, run


def test_settings_change_what_they_concern_and_nothing_else(cluster: Cluster) -> None:
    cluster.up("--replicas", "history=2", "--shards", "32")
    status = cluster.status()
    assert status["facts"]["ring"].startswith("history 2,")
    shards = [part["shards"] for part in status["components"] if part["name"] == "history"]
    assert sum(shards) == 32
    assert all(shards)
    pids = cluster.pids()

    refused = cluster.deploy.run("up", "cluster", "--shards", "64", check=False)
    assert refused.returncode == 2
    assert "has 32 history shards and cannot get 64" in refused.stderr

    planned = cluster.deploy.json("up", "cluster", "--replicas", "matching=2", "--dry-run")
    assert actions(planned) == {"matching-1": "update", "matching-2": "start"}
    assert cluster.pids() == pids

    option = ("--dynamic-config-value", "matching.rps=1000")
    changed = cluster.up(*option)
    roles = ["history-1", "history-2", "matching-1", "frontend-1", "worker-1"]
    assert actions(changed) == dict.fromkeys(roles, "restart")
    assert changed["probe"]["ok"], changed["probe"]
    now = cluster.pids()
    assert {name for name in pids if now[name] == pids[name]} == {"database", "ui"}

    smaller = actions(cluster.up("--replicas", "history=1"))
    assert smaller == {"history-2": "stop", "history-1": "update"}
    assert "history-2" not in cluster.pids()
    assert cluster.pids()["history-1"] == now["history-1"]
    assert cluster.up()["changes"] == []


def test_what_is_interrupted_is_undone(cluster: Cluster) -> None:
    up = cluster.deploy.start("up", "cluster")
    assert up.stderr is not None
    until(up.stderr, "takes connections")
    up.send_signal(signal.SIGINT)
    assert up.wait(timeout=60) == 130
    assert not cluster.deploy.servers()
    assert cluster.records() == []

    first = cluster.up()
    assert first["probe"]["ok"], first["probe"]
    before = {name: cluster.run(name) for name in EVERYTHING}
    up = cluster.deploy.start("up", "cluster", "--dynamic-config-value", "matching.rps=1000")
    assert up.stderr is not None
    until(up.stderr, "stopping")
    up.send_signal(signal.SIGTERM)
    assert up.wait(timeout=60) == 130
    after = {name: cluster.run(name) for name in EVERYTHING}
    assert {name: run.settings for name, run in after.items()} == {
        name: run.settings for name, run in before.items()
    }
    assert cluster.up()["changes"] == []


def test_of_two_at_once_one_waits_for_the_other(cluster: Cluster) -> None:
    both = [cluster.deploy.start("up", "cluster", "--json") for _ in range(2)]
    said = [one.communicate(timeout=120) for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert sum("waiting for" in errors for _, errors in said) == 1, said
    assert len(cluster.pids()) == len(EVERYTHING)


def test_on_one_address_everybody_has_ports_of_his_own(cluster: Cluster) -> None:
    cluster.settings("network = 0\n[replicas]\nfrontend = 2")
    assert cluster.up()["probe"]["ok"]
    parts = by_name(cluster.status())
    assert {part["in_ring"] for part in parts.values() if part["name"] in ROLES} == {True}
    assert all("127.0.0.1:" in part["address"] for part in parts.values())
    taken = [port for name in parts for port in cluster.run(name).settings["ports"].values()]
    assert len(taken) == len(set(taken))
    cluster.deploy.run("down", "cluster")
    cluster.up()
    assert taken == [
        port for name in parts for port in cluster.run(name).settings["ports"].values()
    ]


def test_a_port_that_is_taken_is_told_before_anything_is_started(cluster: Cluster) -> None:
    address = f"127.{NETWORK}.2.1"
    with socket.create_server((address, 7235)):
        refused = cluster.deploy.run("up", "cluster", check=False)
    assert refused.returncode == 3
    assert f"{address}:7235, which is to be the grpc port of matching-1, is taken" in refused.stderr
    assert f"process {os.getpid()}" in refused.stderr
    assert cluster.records() == []


def test_logs_are_those_of_all_and_of_each(cluster: Cluster) -> None:
    cluster.up("--replicas", "matching=2")
    lines = cluster.deploy.run("logs", "cluster", "--json", "--tail", "5000").stdout.splitlines()
    components = {line["component"] for line in map(json.loads, lines)}
    assert components == {"database", *ROLES, "ui"}
    one = cluster.deploy.run("logs", "cluster", "--component", "matching-2", "--json").stdout
    assert {json.loads(line)["fields"]["instance"] for line in one.splitlines()} == {"matching-2"}
    wrong = cluster.deploy.run("logs", "cluster", "--component", "matching-3", check=False)
    assert wrong.returncode == 2


def test_workflows_survive_the_death_of_everything(cluster: Cluster) -> None:
    cluster.up()
    address = by_name(cluster.status())["frontend-1"]["address"]
    asyncio.run(start(address, "survivor"))
    for pid in cluster.pids().values():
        os.kill(pid, signal.SIGKILL)
    again = cluster.up()
    assert actions(again) == dict.fromkeys(EVERYTHING, "start")
    assert again["probe"]["ok"], again["probe"]
    assert asyncio.run(describe(address, "survivor")) == "RUNNING"


async def start(address: str, name: str) -> None:
    client = await Client.connect(address)
    await client.start_workflow("any", id=name, task_queue="nobody")


async def describe(address: str, name: str) -> str:
    client = await Client.connect(address)
    found = await client.get_workflow_handle(name).describe()
    assert found.status is not None
    return found.status.name
