"""`schema` as its users meet it: on a stand-in for Aurora DSQL, and on the cluster's PostgreSQL."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import temporal_server
from temporal_dsql_deploy import topology
from temporal_dsql_deploy.platforms.cluster import schema_files
from tests.support import dsql, schema_folder
from tests.support.cluster import NETWORK, standing_cluster
from tests.support.deploy import Deploy
from tests.support.schema_verbs import Verbs

pytestmark = [pytest.mark.needs("postgresql"), pytest.mark.needs("loopback addresses")]
NEWEST = list(schema_folder.VERSIONS)[-1]
OTHER = {
    "1.0": {"a.sql": "CREATE TABLE executions_visibility(id INT PRIMARY KEY);"},
    "9.0": {"b.sql": "CREATE TABLE executions_more(id INT PRIMARY KEY);"},
}
"""Of another schema, whose newest version is above that of the cluster's default store."""


@pytest.fixture
def dsql_cluster(tmp_path: Path) -> Iterator[dsql.Cluster]:
    with dsql.running(tmp_path / "dsql", f"127.{NETWORK}.9.1") as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def _nobody_elses_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("AWS_", "PG")):
            monkeypatch.delenv(name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return schema_folder.write(tmp_path / "schema")


@pytest.fixture
def verbs(deploy: Deploy, dsql_cluster: dsql.Cluster, folder: Path) -> Verbs:
    return Verbs(deploy, dsql_cluster, folder)


def test_from_nothing_to_the_newest(verbs: Verbs, dsql_cluster: dsql.Cluster) -> None:
    before = verbs.run("status", check=False)
    assert before.returncode == 1, before.stderr
    assert "no schema yet" in before.stdout
    refused = verbs.run("upgrade", check=False)
    assert refused.returncode == 3
    assert "schema setup" in refused.stderr
    assert "no schema yet" in verbs.run("setup", "--dry-run").stdout

    assert "applied: 1.0, 1.1" in verbs.run("setup", "--version", "1.1").stdout
    assert "to be applied: 1.2, 1.10" in verbs.run("status", check=False).stdout
    assert "applied: 1.2, 1.10" in verbs.run("upgrade").stdout
    assert "applied: nothing" in verbs.run("setup").stdout
    assert f"wanted is {NEWEST}: nothing to do" in verbs.run("status").stdout
    assert set(dsql_cluster.users) == {"admin"}


def test_what_would_be_refused_is_refused_before(verbs: Verbs) -> None:
    refused = verbs.run("upgrade", "--dry-run", check=False)
    assert refused.returncode == 3
    assert "has no schema to be upgraded" in refused.stderr
    refused = verbs.run("setup", "--version", "2.0", check=False)
    assert refused.returncode == 2
    assert "it has 1.0, 1.1, 1.2, 1.10" in refused.stderr


def test_an_older_version_is_not_asked_for_what_a_newer_one_has_dropped(verbs: Verbs) -> None:
    verbs.run("setup")
    older = json.loads(verbs.run("status", "--version", "1.1", "--json").stdout)
    assert (older["version"], older["wanted"], older["ok"]) == (NEWEST, "1.1", True)
    assert json.loads(verbs.run("upgrade", "--version", "1.1", "--json").stdout)["applied"] == []


def test_a_role_without_rights_is_told_what_it_lacks(verbs: Verbs) -> None:
    refused = verbs.run("setup", "--user", "reader", check=False)
    assert refused.returncode == 3
    assert "database role reader may not do what the schema needs" in refused.stderr


def test_who_has_no_right_is_told_which(verbs: Verbs, deploy: Deploy) -> None:
    deploy.environment |= {"AWS_SECRET_ACCESS_KEY": "of another"}
    refused = verbs.run("status", check=False)
    assert refused.returncode == 3
    assert "dsql:DbConnectAdmin" in refused.stderr
    refused = verbs.run("status", "--user", "temporal", check=False)
    assert "AWS IAM GRANT temporal TO" in refused.stderr


def test_without_credentials_it_is_said(verbs: Verbs, deploy: Deploy, tmp_path: Path) -> None:
    for name in dsql.CREDENTIALS:
        deploy.environment.pop(name)
    deploy.environment |= {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
    }
    refused = verbs.run("status", check=False)
    assert refused.returncode == 3
    assert "there are no AWS credentials" in refused.stderr


def test_another_in_the_place_of_the_cluster_is_not_believed(
    deploy: Deploy, dsql_cluster: dsql.Cluster, folder: Path
) -> None:
    words = ["schema", "status", "dev", f"--endpoint={dsql.HOST}", f"--schema={folder}"]
    deploy.environment |= dsql_cluster.environment
    refused = deploy.run(*words, check=False)
    assert refused.returncode == 3
    assert "a certificate that is not trusted here" in refused.stderr
    other = f"--endpoint=other.dsql.{dsql.REGION}.on.aws"
    words = [*words[:3], other, words[4], f"--certificates={dsql_cluster.authority}"]
    refused = deploy.run(*words, check=False)
    assert "the certificate of another host" in refused.stderr
    assert dsql_cluster.users == []


def test_where_nobody_listens_it_is_a_matter_of_the_way(deploy: Deploy, folder: Path) -> None:
    words = ["schema", "status", "dev", f"--endpoint={dsql.HOST}", f"--schema={folder}"]
    deploy.environment |= {**dsql.CREDENTIALS, "PGHOSTADDR": f"127.{NETWORK}.9.2"}
    refused = deploy.run(*words, check=False)
    assert refused.returncode == 3
    assert "from inside its VPC" in refused.stderr


def test_what_is_no_endpoint_is_told_apart(deploy: Deploy, folder: Path) -> None:
    words = ["schema", "status", "dev", f"--schema={folder}", "--endpoint"]
    refused = deploy.run(*words, "10.0.0.1", check=False)
    assert refused.returncode == 2
    assert "it is an address" in refused.stderr


def test_an_environment_of_this_machine_has_a_database_of_its_own(
    deploy: Deploy, folder: Path
) -> None:
    words = ["schema", "status", "cluster", f"--schema={folder}"]
    refused = deploy.run(*words, check=False, CLUSTER_ENDPOINT=dsql.HOST)
    assert refused.returncode == 2
    assert "has a database of its own" in refused.stderr
    refused = deploy.run(*words, check=False)
    assert refused.returncode == 1
    assert "not-running" in refused.stderr
    refused = deploy.run("schema", "status", "local", f"--schema={folder}", check=False)
    assert refused.returncode == 2
    assert "makes its own schema there" in refused.stderr


def test_which_schema_is_told_where_it_cannot_be_known(
    deploy: Deploy, dsql_cluster: dsql.Cluster
) -> None:
    deploy.environment |= dsql_cluster.environment
    words = ["schema", "status", "dev", f"--endpoint={dsql.HOST}"]
    refused = deploy.run(*words, check=False)
    assert refused.returncode == 2
    assert "schema/dsql/temporal of the source tree" in refused.stderr
    refused = deploy.run(*words, "--store=visibility", check=False)
    assert "on AWS it is in OpenSearch" in refused.stderr
    refused = deploy.run(*words, "--store=index", check=False)
    assert "known are: default, visibility" in refused.stderr


def test_with_an_endpoint_the_environment_is_a_name(verbs: Verbs) -> None:
    assert "no schema yet" in verbs.run("status", environment="of-nobody", check=False).stdout
    refused = verbs.run("status", environment="../dev", check=False)
    assert refused.returncode == 3
    assert "there is no environment" in refused.stderr


@pytest.mark.needs("temporal-server")
def test_the_stores_of_the_cluster_have_the_schema_of_its_server(
    tmp_path_factory: pytest.TempPathFactory, folder: Path
) -> None:
    with standing_cluster(tmp_path_factory.mktemp("schema")) as cluster:
        cluster.up()
        wanted = topology.servers()["temporal-server"].schema
        for store, version in (
            ("default", wanted.default.version),
            ("visibility", wanted.visibility.version),
        ):
            words = ["schema", "status", "cluster", f"--store={store}"]
            found = cluster.deploy.json(*words)
            assert (found["engine"], found["version"]) == ("PostgreSQL", version)
            assert found["ok"]
        other = schema_folder.write(folder.with_name("visibility"), OTHER)
        for verb in ("status", "setup", "upgrade"):
            words = ["schema", verb, "cluster", f"--schema={other}"]
            refused = cluster.deploy.run(*words, check=False)
            assert refused.returncode == 3
            assert "of another schema" in refused.stderr


@pytest.mark.needs("temporal-server")
def test_a_server_of_the_users_own_brings_its_own_schema(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("schema")
    for name in ("temporal-server", "temporal-sql-tool"):
        (folder / name).symlink_to(temporal_server.folder() / name)
    with standing_cluster(folder) as cluster:
        server = folder / "temporal-server"
        told = cluster.deploy.run("up", "cluster", f"--temporal-server={server}").stderr
        assert "schema of visibility: by temporal-sql-tool" in told
        refused = cluster.deploy.run("schema", "status", "cluster", check=False)
        assert refused.returncode == 2
        assert "a temporal-server that was not built here" in refused.stderr
        whole = schema_files.of_store("default")
        assert cluster.deploy.json("schema", "status", "cluster", f"--schema={whole}")["ok"]


def test_a_folder_that_is_no_schema_is_named(verbs: Verbs, tmp_path: Path) -> None:
    refused = verbs.run("status", f"--schema={tmp_path}", check=False)
    assert refused.returncode == 3
    assert f"{tmp_path} is no schema of Temporal" in refused.stderr
    assert f"{tmp_path}/schema would be" in refused.stderr
