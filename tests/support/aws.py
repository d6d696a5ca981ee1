"""The emulated AWS for tests, and what an account has before Terraform comes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from temporal_dsql_deploy.rehearsal.aws.server import REGION, EmulatedAws


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedAws]:
    """An empty account for the tests of a file."""
    with EmulatedAws(tmp_path_factory.mktemp("aws") / "log") as emulated:
        yield emulated


def client(aws: EmulatedAws, service: str) -> Any:
    """A client of boto3 that talks to `aws`, whatever this machine's settings are."""
    session = boto3.session.Session(
        aws_access_key_id="emulated",
        aws_secret_access_key="emulated",  # noqa: S106
        region_name=REGION,
    )
    return session.client(service, endpoint_url=aws.url)


def log(aws: EmulatedAws) -> str:
    """What it has complained of."""
    return Path(aws.log).read_text()


def grafana_secret(aws: EmulatedAws, project: str) -> None:
    """The administrator of Grafana, which its users make beforehand."""
    client(aws, "secretsmanager").create_secret(
        Name=f"{project}/grafana/admin",
        SecretString=json.dumps({"admin_user": "admin", "admin_password": "rehearsal"}),
    )
