"""The real Terraform applies to the emulated AWS, finds nothing more to do, and destroys it all."""

import shutil
from pathlib import Path

import pytest

from temporal_dsql_deploy.rehearsal.aws.server import EmulatedAws
from tests.support import aws as account
from tests.support import certificate
from tests.support.terraform_env import environment, override

EVERY_TYPE = Path(__file__).parent / "every_type"


@pytest.mark.needs("terraform")
@pytest.mark.timeout(600)
def test_every_type_of_resource_is_applied_planned_empty_and_destroyed(
    aws: EmulatedAws, tmp_path: Path
) -> None:
    directory = tmp_path / "every_type"
    shutil.copytree(EVERY_TYPE, directory)
    override(directory, whole=True)
    certificate.write(directory / "certificate", "every.test")
    account.grafana_secret(aws, "every")
    with environment(directory, aws) as every:
        assert every.apply()
        assert every.plan() == []
        every.destroy()
    assert account.log(aws) == ""
