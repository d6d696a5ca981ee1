"""The number of shards stays what the first apply made it: that very resource, applied."""

import re
from pathlib import Path

import pytest

from temporal_dsql_deploy.errors import DeployError
from temporal_dsql_deploy.terraform import commands, find
from temporal_dsql_deploy.terraform.run import Terraform
from tests.terraform.readme import ROOT

pytestmark = pytest.mark.needs("terraform")
CLUSTER = ROOT / "terraform" / "modules" / "temporal-cluster"


def block(name: str, head: str) -> str:
    """A block of a file of the cluster, as it stands there."""
    text = (CLUSTER / name).read_text()
    found = re.search(rf"^{re.escape(head)} \{{\n.*?^\}}\n", text, re.MULTILINE | re.DOTALL)
    assert found, head
    return found[0]


def plan(terraform: Terraform, shards: int) -> Path:
    out = terraform.directory / "plan"
    terraform.run(commands.plan(out=out, variables={"history_shards": shards}))
    return out


def test_the_number_of_shards_cannot_change_after_the_first_apply(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(
        block("variables.tf", 'variable "history_shards"')
        + block("guards.tf", 'resource "terraform_data" "history_shards"')
    )
    terraform = Terraform(find.find(), tmp_path)
    terraform.run(commands.init())
    terraform.run(commands.apply(plan(terraform, 512)))

    for other in (256, 1024):
        with pytest.raises(DeployError) as refused:
            plan(terraform, other)
        said = " ".join(f"{refused.value.message} {refused.value.cause}".split())
        assert f"history_shards is 512 since the first apply and cannot become {other}" in said

    again = terraform.document(commands.show(plan(terraform, 512)))
    changes = [change["change"]["actions"] for change in again.get("resource_changes", [])]
    assert changes == [["no-op"]]
    terraform.run(commands.destroy(variables={"history_shards": 512}))
