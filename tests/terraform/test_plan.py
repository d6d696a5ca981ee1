"""`dsql-deploy plan` with the real Terraform, as its users run it."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from scripts.reference import REFERENCE
from temporal_dsql_deploy.errors import WrongAccount
from temporal_dsql_deploy.plan import Plan
from temporal_dsql_deploy.terraform import find, workdir
from tests.support.deploy import COMMAND, Deploy

pytestmark = pytest.mark.needs("terraform")

SCHEMA = json.loads((REFERENCE / "schemas" / "plan.schema.json").read_text())
ROOT_MODULE = """
variable "size" {
  default = 1
}

resource "terraform_data" "x" {
  input = var.size
}
"""


@pytest.fixture
def mine(deploy: Deploy) -> Path:
    """An environment on ECS whose Terraform needs neither AWS nor a network."""
    folder = deploy.folder / "tf"
    folder.mkdir()
    (folder / "main.tf").write_text(ROOT_MODULE)
    path = deploy.config / "dsql-deploy" / "environments" / "mine.toml"
    path.write_text(f'platform = "ecs"\nterraform = "{folder}"\n')
    return folder


def document(deploy: Deploy, *arguments: str) -> Any:
    made = json.loads(deploy.run("plan", "mine", "--json", *arguments).stdout)
    jsonschema.validate(made, SCHEMA)
    return made


def terraform(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [str(find.find().path), *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_plan_apply_and_plan_again(deploy: Deploy, mine: Path) -> None:
    out = deploy.cwd / "kept.plan"
    said = deploy.run("plan", "mine", "--out", "kept.plan")
    assert "mine: 1 to create, 0 to update, 0 to replace, 0 to delete" in said.stdout
    assert "warning" not in said.stderr
    assert document(deploy)["changes"] is True
    # What is printed is what applies what was kept, wherever it is typed.
    _, _, printed = said.stdout.splitlines()[-1].partition(", for: ")
    program, *arguments = shlex.split(printed)
    assert (program, arguments[-1]) == ("terraform", str(out))
    terraform(deploy.folder, *arguments)
    assert out.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in deploy.cwd.iterdir()] == ["kept.plan"]
    assert deploy.run("plan", "mine").stdout == "mine: no changes: what runs is what is written\n"
    again = document(deploy)
    assert (again["changes"], again["source"]) == (False, "terraform")
    assert again["terraform_version"] == find.find().version


def test_a_plan_that_is_spoken_against_is_not_kept(mine: Path, tmp_path: Path) -> None:
    def refuse(_plan: Plan) -> None:
        raise WrongAccount("another account")

    out = tmp_path / "kept.plan"
    with pytest.raises(WrongAccount):
        workdir.plan(workdir.Request(mine, out=out, check=refuse))
    assert not out.exists()


@pytest.mark.parametrize(("out", "why"), [("no/x.plan", "there is no folder"), (".", "a folder")])
def test_a_place_that_cannot_be_written_is_refused_before_terraform_starts(
    deploy: Deploy, mine: Path, out: str, why: str
) -> None:
    refused = deploy.run("plan", "mine", "--out", out, check=False)
    assert refused.returncode == 3
    assert why in refused.stderr
    assert not (mine / ".terraform").exists()
    assert not (mine / ".terraform.lock.hcl").exists()


def test_files_of_variables(deploy: Deploy, mine: Path) -> None:
    terraform(mine, "apply", "-auto-approve")
    (deploy.cwd / "two.tfvars").write_text("size = 2\n")
    assert document(deploy, "--var-file", "two.tfvars")["others"] == [
        {"address": "terraform_data.x", "action": "update", "attributes": ["input"]}
    ]


def test_a_plan_that_is_handed_in(deploy: Deploy, mine: Path) -> None:
    terraform(mine, "plan", "-out=x.plan")
    text = terraform(mine, "show", "-json", "x.plan")
    (deploy.cwd / "plan.json").write_text(text)
    made = document(deploy, "--plan", "plan.json")
    assert (made["source"], made["counts"]["create"]) == ("file", 1)
    piped = subprocess.run(
        [str(COMMAND), "plan", "mine", "--plan", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
        cwd=deploy.cwd,
        env=deploy.environment,
    )
    assert "mine: 1 to create" in piped.stdout
    refused = deploy.run("plan", "mine", "--plan", str(mine / "x.plan"), check=False)
    assert refused.returncode == 2
    assert "only Terraform can read" in refused.stderr


def test_offline_compares_with_nothing(deploy: Deploy, mine: Path) -> None:
    terraform(mine, "apply", "-auto-approve")
    before = sorted(mine.iterdir())
    said = deploy.run("plan", "mine", "--offline")
    assert "mine: 1 to create" in said.stdout
    assert "warning: nothing is compared with AWS" in said.stderr
    assert sorted(mine.iterdir()) == before


def test_offline_takes_the_example_where_there_are_no_values(deploy: Deploy, mine: Path) -> None:
    (mine / "main.tf").write_text(ROOT_MODULE.replace("  default = 1\n", ""))
    refused = deploy.run("plan", "mine", "--offline", check=False)
    assert refused.returncode == 2
    assert "the Terraform variable size has no value" in refused.stderr
    (mine / "terraform.tfvars.example").write_text("size = 1\n")
    said = deploy.run("plan", "mine", "--offline")
    assert "terraform.tfvars.example" in said.stderr
    (deploy.cwd / "mine.tfvars").write_text("sise = 2\n")
    said = deploy.run("plan", "mine", "--offline", "--var-file", "mine.tfvars")
    assert "terraform.tfvars.example, with mine.tfvars on top" in said.stderr
    assert "warning: mine.tfvars:1 gives sise a value" in said.stderr
    (mine / "terraform.tfvars").write_text("size = 1\n")
    assert "example" not in deploy.run("plan", "mine", "--offline").stderr


def test_what_terraform_warns_of_is_told(deploy: Deploy, mine: Path) -> None:
    (mine / "main.tf").write_text(
        f'{ROOT_MODULE}\nresource "terraform_data" "y" {{\n'
        '  depends_on = ["terraform_data.x"]\n}\n'
    )
    (mine / "terraform.tfvars").write_text("size = 1\nhistory_shard = 4096\n")
    for offline in ((), ("--offline",)):
        notes = document(deploy, *offline)["notes"]
        assert any("terraform.tfvars:2 gives history_shard" in note for note in notes), offline
        assert any("Quoted references are deprecated" in note for note in notes), offline
        assert not any("undeclared" in note for note in notes), offline


def test_a_folder_without_terraform_is_refused_online_and_offline(
    deploy: Deploy, mine: Path
) -> None:
    (mine / "main.tf").rename(mine / "main.txt")
    asked = (("plan", "mine"), ("plan", "mine", "--offline"), ("diagram", "mine"))
    for arguments in asked:
        refused = deploy.run(*arguments, check=False)
        assert refused.returncode == 3, arguments
        assert f"there is no Terraform in {mine} [missing]" in refused.stderr
    (mine / "main.txt").unlink()
    mine.rmdir()
    for arguments in asked:
        refused = deploy.run(*arguments, check=False)
        assert refused.returncode == 3, arguments
        assert f"there is no folder {mine} [missing]" in refused.stderr


def test_offline_never_says_what_runs(deploy: Deploy, mine: Path) -> None:
    (mine / "main.tf").write_text("# nothing\n")
    said = deploy.run("plan", "mine", "--offline").stdout
    assert said == "mine: no changes: its Terraform would make nothing in an empty account\n"


def test_offline_takes_values_from_json_and_from_the_environment(
    deploy: Deploy, mine: Path
) -> None:
    (mine / "main.tf").write_text(ROOT_MODULE.replace("  default = 1\n", ""))
    (mine / "terraform.tfvars.example").write_text("size = 1\n")
    assert "example" not in deploy.run("plan", "mine", "--offline", TF_VAR_size="2").stderr
    (mine / "terraform.tfvars.json").write_text('{"size": 2}')
    assert "example" not in deploy.run("plan", "mine", "--offline").stderr


def test_a_file_of_variables_that_is_no_text_is_refused(deploy: Deploy, mine: Path) -> None:
    (deploy.cwd / "x.tfvars").write_bytes(b'region = "\xff"\n')
    refused = deploy.run("plan", "mine", "--offline", "--var-file", "x.tfvars", check=False)
    assert refused.returncode != 0
    assert "error: " in refused.stderr


def test_a_refusal_is_a_document_too(deploy: Deploy, mine: Path) -> None:
    (mine / "main.tf").write_text('resource "terraform_data" "x" {\n  inptu = 1\n}')
    refused = deploy.run("plan", "mine", "--json", check=False)
    assert refused.returncode == 2
    error = json.loads(refused.stderr)["error"]
    assert error["code"] == "configuration-rejected"
    assert error["message"].startswith(f"{mine}/main.tf:2")
