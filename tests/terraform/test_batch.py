"""Plans of many variable sets in one run: the same as one by one, whatever Terraform refuses."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from temporal_dsql_deploy.terraform import batch, known
from temporal_dsql_deploy.terraform.batch import Batch
from temporal_dsql_deploy.terraform.known import Case, Outcome, Settings

pytestmark = pytest.mark.needs("terraform")

ROOT = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }

  backend "s3" {
    key = "x"
  }
}

variable "roles" {
  type = list(string)

  validation {
    condition     = length(var.roles) > 0
    error_message = "roles needs one at least."
  }
}

variable "table" {
  type    = bool
  default = false
}

variable "size" {
  type    = object({ cpu = optional(number, 256), memory = optional(number) })
  default = {}
}

variable "password" {
  type      = string
  sensitive = true
  default   = "given"
}

variable "region" {
  type    = string
  default = "eu-central-1"
}

provider "aws" {
  region = var.region
}

data "aws_region" "current" {}

resource "aws_iam_role" "this" {
  for_each           = toset(var.roles)
  name               = "temporal-${each.key}"
  assume_role_policy = "{}"
}

resource "aws_dynamodb_table" "this" {
  count    = var.table ? 1 : 0
  name     = "leases"
  hash_key = "id"

  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_ecs_task_definition" "this" {
  for_each              = toset(var.roles)
  family                = each.key
  execution_role_arn    = aws_iam_role.this[each.key].arn
  cpu                   = var.size.cpu
  container_definitions = jsonencode([{ name = each.key, image = "x:1" }])
}

resource "aws_ssm_parameter" "password" {
  name  = "/${data.aws_region.current.name}/$${x}"
  type  = "SecureString"
  value = var.password
}

resource "aws_ssm_parameter" "made" {
  name  = "/made"
  type  = "String"
  value = join(",", values(aws_iam_role.this)[*].create_date)
}

output "roles" {
  description = "ARNs by role."
  value       = { for name, role in aws_iam_role.this : name => role.arn }
}

output "table" {
  value = one(aws_dynamodb_table.this[*].arn)
}

output "made" {
  value = values(aws_iam_role.this)[*].create_date
}

output "password" {
  value     = var.password
  sensitive = true
}
"""
CASES = [
    Case("one", {"roles": ["history"]}),
    Case("other resources", {"roles": ["history", "matching"], "table": True}),
    Case("refused", {"roles": []}),
    Case("secret", {"roles": ["worker"], "password": "${secret}", "size": {"memory": 512}}),
    Case("elsewhere", {"roles": ["history"], "region": "us-east-2"}),
    Case("no such variable", {"roles": ["history"], "nothing": 1}),
]


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bool]]:
    """How many entries each batch had, and whether it was planned."""
    seen: list[tuple[int, bool]] = []
    plans = Batch.plans

    def counted(
        self: Batch, entries: Sequence[batch.Entry], *others: object
    ) -> list[dict[str, object]] | None:
        found = plans(self, entries, *others)  # type: ignore[arg-type]
        seen.append((len(entries), found is not None))
        return found

    monkeypatch.setattr(Batch, "plans", counted)
    return seen


def root(tmp_path: Path, text: str = ROOT) -> Path:
    directory = tmp_path / "root"
    directory.mkdir()
    (directory / "main.tf").write_text(text)
    return directory


def alone(directory: Path, monkeypatch: pytest.MonkeyPatch) -> list[Outcome]:
    """Outcomes as they are without batches."""
    with monkeypatch.context() as patch:
        patch.setattr(batch, "wrapped", lambda *_: None)
        return known.plans(directory, CASES)


def test_a_batch_plans_what_each_case_alone_does(
    tmp_path: Path, batches: list[tuple[int, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sensitive is hidden, and equal where it is the same: nothing is hidden from this."""
    directory = root(tmp_path)
    (directory / "values.auto.tfvars").write_text('size = { cpu = 1024 }\nregion = "eu-west-3"\n')
    expected = alone(directory, monkeypatch)
    found = known.plans(directory, CASES)
    assert [outcome.plan for outcome in found] == [outcome.plan for outcome in expected]
    assert [type(outcome.error) for outcome in found] == [type(one.error) for one in expected]
    assert [outcome.problems for outcome in found] == [one.problems for one in expected]
    assert found[2].refused_because("roles needs one at least.")
    assert sum(count for count, planned in batches if planned) > 0


def test_first_plans_that_are_foreseen_change_nothing(
    tmp_path: Path, batches: list[tuple[int, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four sets teach, the others are planned once where their resources were seen."""
    directory = root(tmp_path)
    cases = [
        Case(f"{role} {cpu}", {"roles": [role, "matching"], "size": {"cpu": cpu}})
        for role in ("history", "worker")
        for cpu in (256, 512, 1024)
    ]
    cases += [Case("secret", {"roles": ["worker"], "password": "frontend"})]
    cases += [Case("table", {"roles": ["worker"], "table": True})]
    expected = known.plans(directory, cases, Settings(revealed=True))
    assert sum(count for count, _ in batches) == 2 * len(cases)
    batches.clear()
    monkeypatch.setattr(known, "_TEACHERS", 4)
    found = known.plans(directory, cases, Settings(revealed=True))
    assert [outcome.plan for outcome in found] == [outcome.plan for outcome in expected]
    assert all(planned for _, planned in batches)
    assert sum(count for count, _ in batches) < 2 * len(cases)
