"""Which values a plan without AWS takes, without running Terraform."""

from pathlib import Path

import pytest

from temporal_dsql_deploy.terraform import known, variables
from temporal_dsql_deploy.terraform.find import Binary
from temporal_dsql_deploy.terraform.run import Terraform


def region(folder: Path, *var_files: Path) -> str:
    planning = known._Planning(
        folder,
        Terraform(Binary(Path("terraform"), "1.11.4"), folder),
        known.Settings(var_files=var_files),
    )
    return planning._region(known.Case("x"))


@pytest.mark.parametrize(
    "name",
    ["terraform.tfvars", "terraform.tfvars.json", "a.auto.tfvars", "a.auto.tfvars.json"],
)
def test_files_that_terraform_reads_by_itself_are_values(name: str, tmp_path: Path) -> None:
    assert variables.automatic(tmp_path) == []
    (tmp_path / name).touch()
    assert variables.automatic(tmp_path) == [tmp_path / name]


def test_a_variable_of_the_environment_is_a_value_of_what_is_declared(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('variable "size" {}\n')
    environment = {"TF_VAR_size": "1", "TF_VAR_of_another": "1", "size": "1"}
    assert variables.of_environment(tmp_path, environment) == {"size"}


def test_the_region_is_that_of_the_file_that_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TF_VAR_region", raising=False)
    assert region(tmp_path) == known.REGION
    monkeypatch.setenv("TF_VAR_region", "eu-one-1")
    assert region(tmp_path) == "eu-one-1"
    (tmp_path / "terraform.tfvars").write_text('region = "eu-two-1"')
    assert region(tmp_path) == "eu-two-1"
    (tmp_path / "terraform.tfvars.json").write_text('{"region": "eu-three-1"}')
    assert region(tmp_path) == "eu-three-1"
    (tmp_path / "a.auto.tfvars").write_text('region = "eu-four-1"')
    assert region(tmp_path) == "eu-four-1"
    (tmp_path / "b.json").write_text('{"region": "eu-five-1"}')
    assert region(tmp_path, tmp_path / "b.json") == "eu-five-1"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('provider "aws" { region = "eu-one-1" }', "eu-one-1"),
        (
            'provider "aws" {\n  default_tags {\n    tags = {}\n  }\n  region = "eu-one-1"\n}',
            "eu-one-1",
        ),
        ('provider "aws" {\n  region = var.place\n}', "eu-four-1"),
        ('provider "aws" {\n  region = local.place\n}', "eu-three-1"),
        (
            (
                'provider "aws" {\n  alias = "far"\n  region = "us-one-1"\n}\n'
                'provider "aws" {\n  region = "eu-one-1"\n}'
            ),
            "eu-one-1",
        ),
        ('provider "random" {}', known.REGION),
    ],
)
def test_the_region_is_the_one_that_the_provider_is_given(
    text: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TF_VAR_place", raising=False)
    monkeypatch.delenv("TF_VAR_region", raising=False)
    declared = '\nvariable "place" {\n  default = "eu-two-1"\n}\n'
    (tmp_path / "main.tf").write_text(f'{text}{declared}locals {{\n  place = "eu-three-1"\n}}\n')
    if found == "eu-four-1":
        assert region(tmp_path) == "eu-two-1"
        (tmp_path / "terraform.tfvars").write_text('place = "eu-four-1"')
    assert region(tmp_path) == found


@pytest.mark.parametrize("name", ["x.tfvars", "x.json"])
def test_a_file_that_is_no_text_is_left_to_terraform(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b'\xff\xfe{"region')
    assert region(tmp_path, tmp_path / name) == known.REGION
