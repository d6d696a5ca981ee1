"""Plans with known values and without AWS: known, distinct, the same again, and nothing made up."""

import re
from pathlib import Path

import pytest

from temporal_dsql_deploy.errors import ConfigurationRejected, VariableRejected
from temporal_dsql_deploy.plan import UNKNOWN, containers, read_plan
from temporal_dsql_deploy.plan.values import unknown_paths
from temporal_dsql_deploy.terraform import commands, find, known
from temporal_dsql_deploy.terraform.known import Case, Settings
from temporal_dsql_deploy.terraform.run import Terraform

pytestmark = pytest.mark.needs("terraform")

ENVIRONMENTS = Path(__file__).parents[2] / "terraform" / "envs"
SMALL = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }

  backend "s3" {}
}

variable "roles" {
  type = list(string)

  validation {
    condition     = length(var.roles) > 0
    error_message = "roles needs one at least."
  }
}

variable "region" {
  type    = string
  default = "eu-central-1"
}

provider "aws" {
  region              = var.region
  allowed_account_ids = ["210987654321"]
}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

locals {
  where = "${data.aws_caller_identity.current.account_id}/${data.aws_region.current.name}"
}

resource "aws_iam_role" "this" {
  for_each           = toset(var.roles)
  name               = "temporal-${each.key}"
  assume_role_policy = "{}"
}

resource "aws_security_group" "this" {
  for_each = toset(var.roles)
  name     = "temporal-${each.key}"
}

resource "aws_ecs_task_definition" "this" {
  for_each           = toset(var.roles)
  family             = each.key
  execution_role_arn = aws_iam_role.this[each.key].arn
  container_definitions = jsonencode([{
    name  = each.key
    image = "x:1"
    environment = [
      { name = "ROLE", value = aws_iam_role.this[each.key].arn },
      { name = "GROUP", value = aws_security_group.this[each.key].id },
      { name = "WHERE", value = local.where },
      { name = "TEMPLATE", value = "$${x}" },
    ]
  }])
}

resource "aws_ssm_parameter" "invented" {
  name  = "/x"
  type  = "String"
  value = one(values(aws_iam_role.this)[*].create_date)
}

output "groups" {
  value = [for group in aws_security_group.this : group.id]
}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    directory = tmp_path / "root"
    directory.mkdir()
    (directory / "main.tf").write_text(SMALL)
    return directory


def test_values_are_known_and_the_same_again_and_refusals_do_not_disturb(small: Path) -> None:
    cases = [
        Case("two", {"roles": ["history", "matching"]}),
        Case("none", {"roles": []}),
        Case("wrong", {"roles": 3}),
        Case("elsewhere", {"roles": ["history"], "region": "us-east-2"}),
    ]
    two, none, wrong, elsewhere = known.plans(small, cases)
    # `one` of two is refused by Terraform itself: also an outcome.
    assert two.plan is None
    assert isinstance(two.error, ConfigurationRejected)
    assert none.refused_because("roles needs one at least.")
    assert isinstance(none.error, VariableRejected)
    assert wrong.plan is None
    assert elsewhere.plan is not None
    (found,) = containers(elsewhere.plan['aws_ecs_task_definition.this["history"]']) or ()
    assert found.environment["ROLE"] == "arn:aws:iam::123456789012:role/temporal-history"
    assert found.environment["WHERE"] == "123456789012/us-east-2"
    assert found.environment["TEMPLATE"] == "${x}"
    # Terraform invents a date of creation; that is not passed on as if it were known.
    assert elsewhere.plan["aws_ssm_parameter.invented"]["value"] is UNKNOWN
    (again,) = known.plans(small, [cases[3]])
    assert again.plan == elsewhere.plan


def test_two_of_a_kind_are_told_apart(small: Path) -> None:
    (small / "main.tf").write_text(
        SMALL.replace("one(values(", 'join(",", values(').replace("create_date", "name")
    )
    plan = known.plan(small, {"roles": ["history", "matching"]})
    one, two = (
        plan[f'aws_security_group.this["{role}"]']["id"] for role in ("history", "matching")
    )
    assert one != two
    assert plan.outputs["groups"].value == [one, two]
    definitions = plan.of_type("aws_ecs_task_definition")
    groups = [(containers(one) or ())[0].environment["GROUP"] for one in definitions]
    assert groups == [one, two]
    assert plan.variables == {"roles": ["history", "matching"]}
    # The default of the variable, as nothing else names a region.
    assert ":eu-central-1:" in plan.of_type("aws_ssm_parameter")[0]["arn"]
    assert not list(small.glob(".terraform*"))


def test_the_first_plan_alone_knows_nothing_of_aws(small: Path) -> None:
    plan = known.plan(small, {"roles": ["history"]}, Settings(known=False))
    assert plan['aws_iam_role.this["history"]']["arn"] is UNKNOWN
    assert containers(plan['aws_ecs_task_definition.this["history"]']) is None


def test_the_first_plan_knows_the_volumes_and_the_share_of_a_sidecar() -> None:
    variables = {"telemetry": {"collector": "alloy"}}
    files = [ENVIRONMENTS / "dev" / "terraform.tfvars.example"]
    settings = Settings(known=False, var_files=files)
    plan = known.plan(ENVIRONMENTS / "dev", variables, settings)
    definitions = [one for one in plan.of_type("aws_ecs_task_definition") if one.name == "this"]
    servers = [one for one in definitions if "temporal_service" in one.module]
    assert len(servers) == 4
    names = [sorted(volume["name"] for volume in one["volume"]) for one in servers]
    assert names == [["alloy", "logs"]] * 4


def test_files_in_place_of_its_own(tmp_path: Path) -> None:
    settings = Settings(files={"main.tf": 'resource "terraform_data" "x" { input = 1 }'})
    plan = known.plan(tmp_path / "not" / "there", settings=settings)
    assert plan["terraform_data.x"]["input"] == 1


def test_what_does_not_parse_concerns_all_cases(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('resource "x" {')
    with pytest.raises(ConfigurationRejected, match=r"main\.tf:1"):
        known.plans(tmp_path, [Case("a"), Case("b")])


@pytest.mark.parametrize("name", ["dev", "bench", "prod"])
def test_everything_that_matters_is_known_in_the_environments(name: str) -> None:
    folder = ENVIRONMENTS / name
    plan = known.plan(folder, settings=Settings(var_files=[folder / "terraform.tfvars.example"]))
    definitions = plan.of_type("aws_ecs_task_definition")
    assert len(definitions) >= 6
    assert all(containers(one) for one in definitions)
    policies = plan.of_type("aws_iam_role_policy", "aws_s3_bucket_policy")
    assert policies
    assert [one.address for one in policies if not isinstance(one["policy"], str)] == []
    groups = [one["id"] for one in plan.of_type("aws_security_group")]
    assert len(set(groups)) == len(groups)
    rules = plan.of_type(
        "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"
    )
    assert {rule["security_group_id"] for rule in rules} <= set(groups)
    assert [name for name, out in plan.outputs.items() if unknown_paths(out.value)] == []


def test_a_plan_of_the_mocked_provider_reads_like_a_real_one(tmp_path: Path) -> None:
    """The same configuration without AWS resources, both ways."""
    text = 'resource "terraform_data" "x" {\n  input = { a = [1, "b"] }\n}\n'
    (tmp_path / "main.tf").write_text(text)
    mocked = known.plan(tmp_path)
    terraform = Terraform(find.find(), tmp_path)
    terraform.run(commands.plan(out=tmp_path / "plan"))
    real = read_plan(terraform.document(commands.show(tmp_path / "plan")))
    assert mocked.changes == real.changes
    assert mocked.resources == real.resources
    assert re.fullmatch(r"\d+\.\d+\.\d+", mocked.terraform_version)
