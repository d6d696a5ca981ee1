"""`dsql-deploy diagram`, with the real Terraform."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest

from scripts.reference import REFERENCE
from temporal_dsql_deploy.environments.find import find
from temporal_dsql_deploy.operations.diagram import diagram
from temporal_dsql_deploy.operations.plan.run import How
from tests.support.deploy import Deploy

pytestmark = pytest.mark.needs("terraform")

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((REFERENCE / "schemas" / "diagram.schema.json").read_text())
DRAWN = ROOT / "docs" / "reference" / "diagrams"


@pytest.mark.parametrize("name", ["dev", "bench", "prod"])
def test_the_pictures_in_the_documents_are_those_of_the_environments(name: str) -> None:
    var_files = [ROOT / "terraform" / "envs" / name / "terraform.tfvars.example"]
    _, svg = diagram(find(name), How(offline=True, var_files=var_files))
    assert (DRAWN / f"{name}.svg").read_bytes() == svg.encode(), "make diagrams"


def test_the_verb_writes_a_picture_and_says_where(deploy: Deploy) -> None:
    said = deploy.run("diagram", "dev")
    assert said.stdout == "dev: drawn in dev.svg\n"
    svg = (deploy.cwd / "dev.svg").read_text()
    assert ET.fromstring(svg).tag.endswith("svg")  # noqa: S314


def test_json_says_who_talks_to_whom(deploy: Deploy) -> None:
    drawn = json.loads(deploy.run("diagram", "dev", "--json").stdout)
    jsonschema.validate(drawn, SCHEMA)
    assert {"source": "history", "target": "matching", "port": 7235} in drawn["connections"]
    assert {"source": "instances", "api": "ecr.dkr"} in drawn["api_calls"]
    assert drawn["file"] is None
    assert list(deploy.cwd.iterdir()) == []


def test_what_is_no_plan_is_refused(deploy: Deploy) -> None:
    refused = deploy.run("diagram", "dev", "--plan", str(ROOT / "README.md"), check=False)
    assert refused.returncode == 2
    assert "README.md is not the JSON of a plan" in refused.stderr
    assert list(deploy.cwd.iterdir()) == []


def test_a_picture_is_utf_8_whatever_the_locale_is(deploy: Deploy) -> None:
    deploy.environment |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    said = deploy.run("diagram", "dev", "--out", "x.svg", "--json")
    assert json.loads(said.stdout)["file"] == "x.svg"
    written = (deploy.cwd / "x.svg").read_bytes()
    assert deploy.run("diagram", "dev", "--out", "-").stdout.encode() == written
    assert ET.fromstring(written.decode()).tag.endswith("svg")  # noqa: S314


@pytest.mark.parametrize("verb", ["plan", "diagram"])
def test_a_plan_of_stdin_and_an_environment_that_is_no_name(deploy: Deploy, verb: str) -> None:
    refused = deploy.run(verb, "dev", "--plan", "-", check=False)
    assert refused.returncode == 2
    assert "stdin is not the JSON of a plan" in refused.stderr
    refused = deploy.run(verb, "../dev", "--plan", "-", check=False)
    assert refused.returncode == 3
    assert "there is no environment '../dev'" in refused.stderr


def test_a_folder_that_is_not_there_is_refused_before_planning(deploy: Deploy) -> None:
    refused = deploy.run("diagram", "dev", "--out", "no/x.svg", "--terraform", "no", check=False)
    assert refused.returncode == 3
    assert f"there is no folder {deploy.cwd / 'no'}" in refused.stderr


def test_the_local_environment_has_nothing_to_draw(deploy: Deploy) -> None:
    refused = deploy.run("diagram", "local", check=False)
    assert refused.returncode == 2
    assert "its platform is local" in refused.stderr
