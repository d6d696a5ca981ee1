"""`schema` of an environment that stands on AWS: its Terraform tells which cluster is meant."""

import os
from pathlib import Path

import pytest

from temporal_dsql_deploy.rehearsal.aws.server import EmulatedAws
from tests.support import dsql, schema_folder
from tests.support.cluster import NETWORK
from tests.support.deploy import Deploy
from tests.support.deployed import stands

pytestmark = [
    pytest.mark.needs("loopback addresses"),
    pytest.mark.needs("postgresql"),
    pytest.mark.needs("terraform"),
]


@pytest.fixture(autouse=True)
def _nobody_elses_settings(aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("AWS_", "PG")):
            monkeypatch.delenv(name)
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)


def test_the_endpoint_is_that_of_its_terraform(
    aws: EmulatedAws, deploy: Deploy, tmp_path: Path
) -> None:
    file = stands(tmp_path, {"dsql_cluster_endpoint": dsql.HOST})
    folder = schema_folder.write(tmp_path / "schema")
    with dsql.running(tmp_path / "dsql", f"127.{NETWORK}.9.1") as cluster:
        deploy.environment |= {**aws.environment(), **cluster.environment}
        words = ["ours", f"--file={file}", f"--certificates={cluster.authority}"]
        done = deploy.run("schema", "setup", *words, f"--schema={folder}")
    assert f"postgres at {dsql.HOST} (Aurora DSQL)" in done.stdout
    assert cluster.users == ["admin"]


def test_an_environment_without_a_cluster_is_told(
    aws: EmulatedAws, deploy: Deploy, tmp_path: Path
) -> None:
    deploy.environment |= aws.environment()
    file = stands(tmp_path, {})
    words = ["schema", "setup", "ours", f"--file={file}", f"--schema={tmp_path}"]
    refused = deploy.run(*words, check=False)
    assert refused.returncode == 3
    assert "environment ours has no dsql_cluster_endpoint [not-applied]" in refused.stderr
