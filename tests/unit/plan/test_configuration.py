"""What a configuration declares: from a plan's document, and from a folder."""

from pathlib import Path
from typing import Any

import pytest

from temporal_dsql_deploy.plan import read_configuration
from temporal_dsql_deploy.terraform.configuration import read

ROOT = """
variable "region" {
  description = "Where."
  type        = string
}

variable "note" { default = "" }

output "name" {
  value = module.shop["a"].name
}

module "shop" {
  source   = "../modules/shop"
  for_each = toset(["a"])
}

module "far" {
  source = "terraform-aws-modules/vpc/aws"
}
"""
SHOP = """
locals {
  text = <<-EOT
    variable "no" {
    }
  EOT
}

variable "size" {
  default = {
    description = "inside, and no description"
  }
}

resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

data "aws_region" "this" {}
"""
VPC = 1 + SHOP[: SHOP.index("resource")].count("\n")


def folder(tmp_path: Path) -> Path:
    (tmp_path / "env").mkdir()
    (tmp_path / "modules" / "shop").mkdir(parents=True)
    (tmp_path / "env" / "main.tf").write_text(ROOT)
    (tmp_path / "modules" / "shop" / "main.tf").write_text(SHOP)
    return tmp_path / "env"


def test_a_folder_says_what_is_declared_and_where(tmp_path: Path) -> None:
    found = read(folder(tmp_path))
    assert set(found.modules) == {"", "module.shop"}
    root, shop = found.modules[""], found.modules["module.shop"]
    region, note = root.variables["region"], root.variables["note"]
    assert (region.described, region.default, region.file, region.line) == (
        True,
        False,
        "main.tf",
        2,
    )
    assert (note.described, note.default) == (False, True)
    assert not root.outputs["name"].described
    assert shop.source == "../modules/shop"
    assert set(shop.variables) == {"size"}
    assert not shop.variables["size"].described
    assert found.place('module.shop["a"].aws_vpc.main') == ("../modules/shop/main.tf", 15)
    assert found.place("aws_vpc.other") is None


def test_a_circle_of_modules_ends(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('module "again" {\n  source = "./"\n}\n')
    assert 1 < len(read(tmp_path).modules) < 30


def test_a_file_that_cannot_be_read_counts_as_empty(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_bytes(b'\xff variable "x" {\n}\n')
    assert read(tmp_path).modules[""].variables == {}


def test_a_document_of_a_plan_says_it_too() -> None:
    module = {
        "variables": {"size": {"description": "How many."}, "note": {"default": ""}},
        "outputs": {"name": {"description": " "}},
    }
    calls = {"shop": {"source": "./shop", "module": {**module, "module_calls": {"in": {}}}}}
    root = {"variables": {"region": {"description": "Where."}}, "module_calls": calls}
    found = read_configuration({"configuration": {"root_module": root}})
    assert found is not None
    assert set(found.modules) == {"", "module.shop", "module.shop.module.in"}
    shop = found.modules["module.shop"]
    assert (shop.source, found.folder) == ("./shop", "")
    assert [shop.variables[name].described for name in ("size", "note")] == [True, False]
    assert [shop.variables[name].default for name in ("size", "note")] == [False, True]
    assert not shop.outputs["name"].described
    assert found.place("module.shop.aws_vpc.main") is None


def test_a_document_without_one_says_nothing() -> None:
    nothing: list[Any] = [{}, None, [], 3]
    for said in nothing:
        assert read_configuration({"configuration": said}) is None
    assert read_configuration({}) is None


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ('module.shop["a.b"].aws_vpc.main', VPC),
        ('module.shop["a]b.c"].aws_vpc.main["x[\\"y\\"].z"]', VPC),
        ("module.shop[0].aws_vpc.main[1]", VPC),
        ('module.shop["a"].data.aws_region.this', 1 + SHOP[: SHOP.index("data ")].count("\n")),
        ("module.data.aws_vpc.main", None),
        ("module.shop.aws_vpc.other", None),
    ],
)
def test_a_place_is_found_whatever_the_index(
    tmp_path: Path, address: str, line: int | None
) -> None:
    found = read(folder(tmp_path)).place(address)
    assert (found and found[1]) == line
