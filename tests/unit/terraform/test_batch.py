"""The wrapper that calls an environment for each case, and the plan of it taken apart again."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.plan import UNKNOWN, plan_of_test
from temporal_dsql_deploy.terraform import batch
from temporal_dsql_deploy.terraform.batch import Batch, Entry
from temporal_dsql_deploy.terraform.run import Terraform

ROOT = """# What it is.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
  backend "s3" {
    key = "x"
  }
}

provider "aws" {
  region = var.region
}

variable "roles" {
  type = list(string)
}

variable "region" {
  type    = string
  default = "eu-west-1"
}

output "groups" { value = module.temporal.groups }

output "key" {
  value     = "}"
  sensitive = true
}
"""
PREFIXES = ('module.case["0000"]', 'module.case["0001"]')


def found(text: str = ROOT) -> list[batch.Block]:
    return list(batch.blocks(text))


def test_blocks_with_their_kind_and_labels() -> None:
    kinds = [(block.kind, block.labels) for block in found()]
    assert kinds == [
        ("terraform", ()),
        ("provider", ("aws",)),
        ("variable", ("roles",)),
        ("variable", ("region",)),
        ("output", ("groups",)),
        ("output", ("key",)),
    ]
    assert all(map(batch.is_for_both, found()))
    assert [block.kind for block in found("x = 1\n")] == [""]


@pytest.mark.parametrize(
    "text",
    [
        'provider "aws" {\n  alias = "other"\n}\n',
        'provider "grafana" {\n}\n',
        'import {\n  to = aws_vpc.this\n  id = "vpc-1"\n}\n',
        'check "x" {\n}\n',
        'variable "x" {\n  ephemeral = true\n}\n',
        'output "x" {\n  value = 1\n  sensitive = false\n}\n',
        'module "x" {\n  source = "./x"\n}\n',
        "locals {\n  x = path.module\n}\n",
        "locals {\n  x = <<EOT\n}\nEOT\n}\n",
        "/* A comment\n*/\n",
    ],
)
def test_what_is_something_else_in_a_module_is_not_wrapped(text: str) -> None:
    assert not all(map(batch.is_for_both, found(text)))


def test_the_module_has_neither_provider_nor_backend() -> None:
    text = batch.of_module(found())
    assert "provider " not in text
    assert "backend" not in text
    assert "required_providers" in text
    assert 'variable "roles"' in text


def test_the_wrapper_declares_and_passes_on_every_variable() -> None:
    text = batch.of_wrapper(found(), frozenset({"roles"}))
    blocks = {(block.kind, *block.labels): block.text for block in found(text)}
    assert "default = null" in blocks["variable", "roles"]
    assert 'default = "eu-west-1"' in blocks["variable", "region"]
    assert "roles = try(each.value.roles, var.roles)" in blocks["module", "case"]
    assert "region = try(each.value.region, var.region)" in blocks["module", "case"]
    assert "sensitive = true" in blocks["output", "key"]
    assert "sensitive" not in blocks["output", "groups"]
    assert "backend" not in text


def test_a_case_fits_that_gives_what_is_needed_and_nothing_unheard_of() -> None:
    terraform = Terraform.__new__(Terraform)
    made = Batch(terraform, frozenset({"roles", "region"}), frozenset({"roles"}))
    assert made.fits({"roles"})
    assert made.fits({"roles", "region"})
    assert not made.fits({"region"})
    assert not made.fits({"roles", "other"})


def test_overrides_stand_at_the_addresses_of_the_wrapper() -> None:
    entries = [Entry({"x": "${y}"}, {}), Entry({}, {"aws_vpc.this": {"id": "vpc-1"}})]
    document = json.loads(batch.document(entries, {"aws_region": {"name": "eu-west-1"}}))
    (override,) = document["override_resource"]
    assert override["target"] == f"{PREFIXES[1]}.aws_vpc.this"
    assert override["values"] == {"id": "vpc-1"}
    (cases,) = document["run"]["plan"]["variables"].values()
    assert cases == {"0000": {"x": "$${y}"}, "0001": {}}


def change(module: str, address: str) -> dict[str, object]:
    return {
        "address": f"{module}.{address}",
        "module_address": module,
        "mode": "managed",
        "type": "terraform_data",
        "name": "x",
        "change": {"actions": ["create"], "before": None, "after": {}, "after_unknown": {}},
    }


def test_a_plan_is_split_into_what_each_case_would_have_said_alone() -> None:
    output = {
        "actions": ["create"],
        "before": None,
        "after": {"0000": ["a"]},
        "after_unknown": {"0000": [False], "0001": True},
        "before_sensitive": False,
        "after_sensitive": {"0001": True},
    }
    secret = {**output, "after": {"0000": 1, "0001": 2}, "after_unknown": False}
    whole = {
        "plan_format_version": "1.2",
        "resource_changes": [
            change(PREFIXES[0], "terraform_data.x"),
            change(f"{PREFIXES[1]}.module.a[0]", "terraform_data.x[1]"),
        ],
        "output_changes": {"known": output, "secret": {**secret, "after_sensitive": True}},
    }
    one, two = (plan_of_test(message) for message in batch.split(whole, 2))
    assert [(each.address, each.module) for each in one.resources] == [("terraform_data.x", "")]
    assert [(each.address, each.module) for each in two.resources] == [
        ("module.a[0].terraform_data.x[1]", "module.a[0]")
    ]
    assert one.outputs["known"].value == ["a"]
    assert two.outputs["known"].value is UNKNOWN
    assert not one.outputs["known"].sensitive
    assert two.outputs["known"].sensitive
    assert one.outputs["secret"].sensitive
    assert plan_of_test(batch.split(whole, 2)[1], revealed=True).outputs["secret"].value == 2


@given(st.lists(st.integers(0, 3)))
def test_nothing_is_lost_or_mixed_up_in_splitting(owners: list[int]) -> None:
    changes = [
        change(f'module.case["{owner:04}"]', f"terraform_data.x[{number}]")
        for number, owner in enumerate(owners)
    ]
    parts = batch.split({"resource_changes": changes}, 4)
    found = {
        (owner, each["address"])
        for owner, part in enumerate(parts)
        for each in part["test_plan"]["resource_changes"]
    }
    assert found == {(o, f"terraform_data.x[{n}]") for n, o in enumerate(owners)}
