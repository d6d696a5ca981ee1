"""What stands on AWS of an environment: the outputs of the real Terraform, of the right account."""

from pathlib import Path

import pytest

from temporal_dsql_deploy.environments.find import find
from temporal_dsql_deploy.errors import NotApplied, NotForPlatform, WrongAccount
from temporal_dsql_deploy.operations import deployed
from temporal_dsql_deploy.rehearsal.aws.server import ACCOUNT, REGION, EmulatedAws
from tests.support.deployed import stands

pytestmark = pytest.mark.needs("terraform")


@pytest.fixture(autouse=True)
def _emulated(aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)


def test_what_stands_is_told_by_the_outputs(tmp_path: Path) -> None:
    file = stands(tmp_path, {"services": {"ui": {"replicas": 1}}, "benchmark": None})
    found = deployed.find(find("ours", file=file))
    assert (found.account, found.region, found.project) == (ACCOUNT, REGION, "temporal-ours")
    assert found.output("services") == {"ui": {"replicas": 1}}
    for lacking in ("benchmark", "no_such_output"):
        with pytest.raises(NotApplied, match=lacking):
            found.output(lacking)


def test_an_environment_that_was_never_applied_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "main.tf").write_text('output "region" { value = "eu-west-1" }\n')
    file = tmp_path / "ours.toml"
    file.write_text('platform = "ecs"\nterraform = "root"\n')
    with pytest.raises(NotApplied, match="nothing of environment ours"):
        deployed.find(find("ours", file=file))


def test_another_account_is_refused(tmp_path: Path) -> None:
    pinned = stands(tmp_path, {}, account="210987654321")
    with pytest.raises(WrongAccount, match="pinned to account 210987654321"):
        deployed.find(find("ours", file=pinned))
    elsewhere = stands(tmp_path, {"aws_account_id": "210987654321"}, name="theirs")
    with pytest.raises(WrongAccount, match=f"credentials are of account {ACCOUNT}"):
        deployed.find(find("theirs", file=elsewhere))


def test_what_is_not_on_aws_is_refused() -> None:
    with pytest.raises(NotForPlatform, match="not on AWS"):
        deployed.find(find("cluster"))
