"""The benchmark on four roles as processes of their own, several of some, and PostgreSQL."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from temporal_dsql_deploy.platforms.cluster import parts, postgresql
from tests.cluster.test_json import check
from tests.support.bench_runs import EASY, SHORT
from tests.support.cluster import Cluster
from tests.support.deploy import Deploy

pytestmark = [
    pytest.mark.needs("temporal-server"),
    pytest.mark.needs("postgresql"),
    pytest.mark.needs("loopback addresses"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    deploy = Deploy(tmp_path_factory.mktemp("bench"))
    made = Cluster(deploy)
    try:
        made.up("--replicas", "frontend=2", "--replicas", "history=2")
        yield made
    finally:
        deploy.run("destroy", "cluster", "--yes", "--grace", "5", check=False)
        deploy.clean_up()


def bench(cluster: Cluster, *options: str) -> Any:
    words = ("bench", "run", "cluster", *SHORT, *EASY, *options, "--json")
    done = cluster.deploy.run(*words, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    result = json.loads(done.stdout)
    check("bench-run", result)
    return result


def test_all_roles_are_counted_and_their_pages_read(cluster: Cluster) -> None:
    result = bench(cluster, "--workload", "multi-activity", "--activity-count", "2")
    one = result["iterations"][0]
    assert one["counts"]["completed"] == one["counts"]["due"] == 40
    assert one["bottleneck"]["party"] == "none", one["bottleneck"]
    services = dict.fromkeys(("frontend", "history"), 2) | dict.fromkeys(("matching", "worker"), 1)
    assert result["system"]["services"] == services
    assert result["system"]["historyShards"] == 64
    assert result["system"]["environment"] == "cluster"
    assert one["serverCpu"] > 0
    # Asked by history, whose page is of megabytes, and by nobody else.
    assert one["persistence"]["UpdateWorkflowExecution"] > 0
    assert any(second["persistence"] for second in one["series"])


def test_a_slow_database_is_named(cluster: Cluster) -> None:
    with administrator(cluster) as database:
        database.execute("ALTER SYSTEM SET commit_siblings = 0")
        database.execute("ALTER SYSTEM SET commit_delay = 60000")
        database.execute("SELECT pg_reload_conf()")
        try:
            result = bench(cluster, "--rate", "40", "--duration", "8s")
        finally:
            database.execute("ALTER SYSTEM RESET ALL")
            database.execute("SELECT pg_reload_conf()")
    verdict = result["iterations"][0]["bottleneck"]
    assert verdict["party"] == "database", verdict


def administrator(cluster: Cluster) -> psycopg.Connection[Any]:
    settings = cluster.run("database").settings
    return psycopg.connect(
        host=settings["address"],
        port=settings["ports"]["postgresql"],
        user=postgresql.USER,
        password=Path(cluster.data / parts.PASSWORD).read_text(),
        dbname="postgres",
        autocommit=True,
    )
