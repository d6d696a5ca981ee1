"""What stays as the first apply made it: those very resources, applied."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from temporal_dsql_deploy.errors import DeployError
from temporal_dsql_deploy.terraform import commands, find
from temporal_dsql_deploy.terraform.run import Terraform
from tests.terraform.readme import ROOT

pytestmark = pytest.mark.needs("terraform")
CLUSTER = ROOT / "terraform" / "modules" / "temporal-cluster"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0e1d2c3b-0000-4000-8000-00000000000"


@dataclass(frozen=True, slots=True)
class Kept:
    """A variable, its value at the first apply, and what is said to others."""

    variable: str
    resource: str
    first: Any
    others: tuple[Any, ...]
    said: str
    """With the refused value in place of `{}`."""


KEPT = [
    Kept(
        "history_shards",
        "history_shards",
        512,
        (256, 1024),
        "history_shards is 512 since the first apply and cannot become {}",
    ),
    Kept(
        "project_name",
        "project_name",
        "temporal-dev",
        ("temporal-prod", "temporal-dev2"),
        "project_name is temporal-dev since the first apply and cannot become {}",
    ),
    Kept(
        "kms_key_arn",
        "kms_key",
        None,
        (f"{KEY}1",),
        "kms_key_arn cannot change after the first apply, when the key was made here",
    ),
    Kept(
        "kms_key_arn",
        "kms_key",
        f"{KEY}1",
        (None, f"{KEY}2"),
        f"kms_key_arn cannot change after the first apply, when the key was {KEY}1",
    ),
]


def block(name: str, head: str) -> str:
    """A block of a file of the cluster, as it stands there."""
    text = (CLUSTER / name).read_text()
    found = re.search(rf"^{re.escape(head)} \{{\n.*?^\}}\n", text, re.MULTILINE | re.DOTALL)
    assert found, head
    return found[0]


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: f"{kept.variable}: {kept.first}")
def test_what_the_first_apply_decided_is_refused_later(kept: Kept, tmp_path: Path) -> None:
    def given(value: Any) -> dict[str, Any]:
        return {} if value is None else {kept.variable: value}

    def plan(value: Any) -> Path:
        out = tmp_path / "plan"
        terraform.run(commands.plan(out=out, variables=given(value)))
        return out

    (tmp_path / "main.tf").write_text(
        block("variables.tf", f'variable "{kept.variable}"')
        + block("guards.tf", f'resource "terraform_data" "{kept.resource}"')
    )
    terraform = Terraform(find.find(), tmp_path)
    terraform.run(commands.init())
    terraform.run(commands.apply(plan(kept.first)))

    for other in kept.others:
        with pytest.raises(DeployError) as refused:
            plan(other)
        said = " ".join(f"{refused.value.message} {refused.value.cause}".split())
        assert kept.said.format(other) in said

    again = terraform.document(commands.show(plan(kept.first)))
    changes = [change["change"]["actions"] for change in again.get("resource_changes", [])]
    assert changes == [["no-op"]]
    terraform.run(commands.destroy(variables=given(kept.first)))
