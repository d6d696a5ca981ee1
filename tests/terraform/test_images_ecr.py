"""Amazon ECR, emulated: repositories that are made, the login, and whose registry it is."""

import json
from pathlib import Path

import pytest

from temporal_dsql_deploy.environments.find import find
from temporal_dsql_deploy.errors import MissingError, NotForPlatform, WrongAccount
from temporal_dsql_deploy.images import ecr
from temporal_dsql_deploy.operations.images import push
from temporal_dsql_deploy.rehearsal.aws.server import ACCOUNT, REGION, EmulatedAws
from tests.support.aws import client

KIND = "application/vnd.docker.distribution.manifest.v2+json"
VARIABLES = """\
variable "region" {
  type    = string
  default = "eu-west-1"
}
variable "account_id" {
  type    = string
  default = null
}
"""


@pytest.fixture(autouse=True)
def _emulated(aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)


def test_a_repository_is_made_once_as_terraform_makes_it(aws: EmulatedAws) -> None:
    assert ecr.repositories(REGION, ["temporal-dsql"]) == {}
    assert ecr.make(REGION, "temporal-dsql", {"Name": "temporal-dsql"})
    assert not ecr.make(REGION, "temporal-dsql", {})
    assert ecr.repositories(REGION, ["temporal-dsql", "other"]) == {"temporal-dsql": True}
    emulated = client(aws, "ecr")
    (one,) = emulated.describe_repositories()["repositories"]
    assert one["imageScanningConfiguration"] == {"scanOnPush": True}
    assert one["imageTagMutability"] == "IMMUTABLE"
    said = emulated.get_lifecycle_policy(repositoryName="temporal-dsql")
    assert json.loads(said["lifecyclePolicyText"]) == ecr.LIFECYCLE


def test_a_repository_whose_tags_move_is_told_apart(aws: EmulatedAws) -> None:
    client(aws, "ecr").create_repository(repositoryName="movable")
    assert ecr.repositories(REGION, ["movable"]) == {"movable": False}


def test_the_login_is_that_of_the_account() -> None:
    registry = ecr.logged_in(ACCOUNT, REGION)
    assert registry.host == f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
    assert registry.user == "AWS"
    assert registry.password
    assert not registry.plain


def test_what_a_repository_holds_is_listed_newest_first(aws: EmulatedAws) -> None:
    emulated = client(aws, "ecr")
    emulated.create_repository(repositoryName="held")
    for number in (1, 2):
        manifest = {
            "schemaVersion": 2,
            "mediaType": KIND,
            "config": {"digest": f"sha256:{number:064d}"},
        }
        emulated.put_image(
            repositoryName="held", imageManifest=json.dumps(manifest), imageTag=f"sha-{number}"
        )
    found = ecr.pushed(REGION, "held")
    assert {one["tag"] for one in found} == {"sha-1", "sha-2"}
    assert all(one["digest"].startswith("sha256:") for one in found)
    assert ecr.pushed(REGION, "absent") == []


@pytest.mark.needs("terraform")
def test_the_registry_is_that_of_the_environments_account_and_region(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "variables.tf").write_text(VARIABLES)
    file = tmp_path / "ours.toml"
    file.write_text('platform = "ecs"\nterraform = "root"\n')
    ours = find("ours", file=file)
    assert push.own(ours, None, None) == push.Account(ACCOUNT, "eu-west-1")
    assert push.own(ours, "us-east-2", None) == push.Account(ACCOUNT, "us-east-2")
    (tmp_path / "root" / "terraform.tfvars").write_text('account_id = "210987654321"\n')
    with pytest.raises(WrongAccount):
        push.own(ours, None, None)
    (tmp_path / "root" / "terraform.tfvars").write_text("region = null\n")
    (tmp_path / "root" / "variables.tf").write_text('variable "region" {}\n')
    with pytest.raises(MissingError):
        push.own(ours, None, None)
    with pytest.raises(NotForPlatform):
        push.own(find("cluster"), None, None)
