"""Who listens where: each role on its own ports, on nobody else's, and what answers there.

What the multi-role example of temporalio/samples-server asks of its containers, asked of processes.
"""

import urllib.request
from collections.abc import Iterator

import psutil
import pytest

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.platforms import ring
from temporal_dsql_deploy.platforms.processes.record import Record
from tests.support.cluster import NETWORK, Cluster
from tests.support.deploy import Deploy

pytestmark = [
    pytest.mark.needs("temporal-server"),
    pytest.mark.needs("postgresql"),
    pytest.mark.needs("loopback addresses"),
]

HOUSE = topology.load()
NAMES = ["history-1", "history-2", "matching-1", "frontend-1", "worker-1"]
Runs = dict[str, Record]


@pytest.fixture(scope="module", params=[NETWORK, 0], ids=["own addresses", "one address"])
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runs]:
    """By name the run record of each process of a cluster that has been probed."""
    cluster = Cluster(Deploy(tmp_path_factory.mktemp("ports")))
    cluster.settings(f"network = {request.param}\n[replicas]\nhistory = 2")
    try:
        assert cluster.up()["probe"]["ok"]
        yield {path.stem: cluster.run(path.stem) for path in cluster.records()}
    finally:
        cluster.destroy()


def listening(pid: int) -> set[tuple[str, int]]:
    connections = psutil.Process(pid).net_connections(kind="tcp")
    return {
        (one.laddr.ip, one.laddr.port) for one in connections if one.status == psutil.CONN_LISTEN
    }


def test_each_process_listens_on_its_ports_and_on_no_other(runs: Runs) -> None:
    assert sorted(runs) == sorted([*NAMES, "database", "ui"])
    for name, run in runs.items():
        settings = run.settings
        own = {(settings["address"], port) for port in settings["ports"].values()}
        assert listening(run.process.pid) == own, name
        assert listening(run.keeper.pid) == set(), f"the keeper of {name}"


def test_the_ports_are_those_of_the_role(runs: Runs) -> None:
    for name in NAMES:
        settings = runs[name].settings
        standard = {
            **HOUSE.roles[settings["component"]].ports,
            "metrics": HOUSE.metrics_port,
        }
        assert settings["ports"].keys() == standard.keys(), name
        if settings["address"] != "127.0.0.1":
            assert settings["ports"] == standard, name


def test_every_membership_port_answers_and_knows_all_the_others(runs: Runs) -> None:
    roles = [runs[name].settings for name in NAMES]
    everybody = {f"{role['address']}:{role['ports']['membership']}" for role in roles}
    for role in roles:
        seen = ring.view(role["address"], role["ports"]["membership"], seconds=10)
        assert ring.reachable(seen) == everybody, role
        assert {one.grpc for one in seen if one.role == role["component"]} == {
            f"{other['address']}:{other['ports']['grpc']}"
            for other in roles
            if other["component"] == role["component"]
        }


def test_every_metrics_port_answers(runs: Runs) -> None:
    for name in NAMES:
        settings = runs[name].settings
        address = f"{settings['address']}:{settings['ports']['metrics']}"
        with urllib.request.urlopen(f"http://{address}{HOUSE.metrics_path}") as page:
            assert f'service_name="{settings["component"]}"' in page.read().decode()
