"""The verb `check`: environments by their real Terraform, plans in files, what goes wrong."""

import json
import os
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from temporal_dsql_deploy.plan import writer
from tests.support import plans
from tests.support.deploy import Deploy

pytestmark = pytest.mark.needs("terraform")
_MINUTES = 900.0
"""Seconds that planning may take on a busy machine."""
SCHEMA = plans.ROOT / "docs" / "reference" / "schemas" / "check.schema.json"


@pytest.fixture
def deploy(tmp_path: Path) -> Deploy:
    made = Deploy(tmp_path)
    made.environment.pop("AWS_PROFILE", None)
    return made


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_an_environment_is_proven_and_its_plan_kept(deploy: Deploy, name: str) -> None:
    said = deploy.run(
        "check",
        name,
        "--strict",
        "--json",
        "--save-plan",
        "kept.json",
        "--sarif",
        "kept.sarif",
        timeout=_MINUTES,
    )
    result = json.loads(said.stdout)
    jsonschema.validate(result, json.loads(SCHEMA.read_text()))
    assert result["ok"]
    assert result["source"] == "known-values"
    assert result["counts"]["NG"] == result["counts"]["SKIP"] == 0
    assert (deploy.cwd / "kept.json").stat().st_mode & 0o077 == 0
    log = json.loads((deploy.cwd / "kept.sarif").read_text())
    assert log["runs"][0]["results"] == []
    again = json.loads(deploy.run("check", "--plan", "kept.json", "--json").stdout)
    assert {rule["rule"]: rule["verdict"] for rule in again["rules"]} == {
        rule["rule"]: "SKIP" if rule["family"] == "interface" and unknown(again, rule) else "OK"
        for rule in result["rules"]
    }


def unknown(result: dict[str, object], rule: dict[str, object]) -> bool:
    """Whether a plan in a file has lost what a rule is about: descriptions of variables."""
    found: list[dict[str, object]] = result["rules"]  # type: ignore[assignment]
    return any(each["rule"] == rule["rule"] and each["verdict"] == "SKIP" for each in found)


def test_what_is_wrong_is_found_with_file_and_line(deploy: Deploy) -> None:
    values = deploy.cwd / "wrong.tfvars"
    values.write_text(
        'capacity = { instance_type = "m7g.large", instance_count = 1, max_size = 1 }\n'
    )
    said = deploy.run(
        "check", "dev", "--var-file", str(values), "--json", check=False, timeout=_MINUTES
    )
    assert said.returncode == 1, said.stdout + said.stderr
    result = json.loads(said.stdout)
    found = {rule["rule"]: rule["findings"] for rule in result["rules"] if rule["findings"]}
    assert found
    assert {name.split("-")[0] for name in found} == {"fit"}
    finding = found["fit-at-rest"][0]
    line = (plans.ROOT / finding["file"]).read_text().splitlines()[finding["line"] - 1]
    assert line.startswith('resource "')
    text = deploy.run(
        "check", "dev", "--var-file", str(values), check=False, timeout=_MINUTES
    ).stdout
    for words in ("NG   fit-at-rest", "symptom", "fix", finding["resource"], " of "):
        assert words in text


def test_the_readme_shows_what_one_forgotten_rule_looks_like(deploy: Deploy) -> None:
    plan = plans.of("dev")
    forgotten = 'aws_vpc_security_group_ingress_rule.this["history-to-matching-grpc"]'
    left = [one for one in plan.resources if not one.address.endswith(forgotten)]
    changes = [one for one in plan.changes if not one.address.endswith(forgotten)]
    assert len(left) == len(plan.resources) - 1
    less = replace(plan, resources=tuple(left), changes=tuple(changes))
    (deploy.cwd / "plan.json").write_text(json.dumps(writer.document(less)))
    said = deploy.run("check", "--plan", "plan.json", check=False)
    assert said.returncode == 1
    text = (plans.ROOT / "README.md").read_text()
    shown = text.partition("looks like this:\n\n```text\n")[2].partition("```")[0]
    assert shown.count("\n") > 5
    for line in shown.splitlines():
        assert line in said.stdout


def test_what_the_environment_accepts_is_in_its_folder(deploy: Deploy, tmp_path: Path) -> None:
    accepted = tmp_path / "accepted.toml"
    accepted.write_text('[[suppress]]\nrule = "network-zones"\nreason = "to see"\n')
    said = deploy.run("check", "dev", "--suppressions", str(accepted), timeout=_MINUTES)
    assert "covers nothing: delete it" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "there is nothing to judge"),
        (["local"], 2, "has no Terraform to plan"),
        (["nowhere"], 3, "there is no environment 'nowhere'"),
        (["dev", "--plan", "p.json", "--save-plan", "x"], 2, "goes with none of"),
        (["dev", "--plan", "p.json", "--var-file", "x"], 2, "goes with none of"),
        (["--plan", "-", "--state", "-"], 2, "cannot both be stdin"),
        (["--plan", "none.json"], 2, "none.json cannot be read"),
        (["../x", "--plan", "p.json"], 3, "there is no environment '../x'"),
        (["dev", "--sarif", "no/x.sarif"], 3, "correct --sarif"),
        (["dev", "--save-plan", "no/x.json"], 3, "correct --save-plan"),
        (["--plan", "p.json"], 2, "there is no Temporal cluster"),
        (["--plan", "p.json", "--state", "none.json"], 2, "none.json cannot be read"),
    ],
)
def test_what_cannot_be_judged_is_refused(
    deploy: Deploy, arguments: list[str], code: int, words: str
) -> None:
    empty = {"format_version": "1.2", "resource_changes": []}
    (deploy.cwd / "p.json").write_text(json.dumps(empty))
    refused = deploy.run("check", *arguments, check=False)
    assert refused.returncode == code, refused.stderr
    assert words in refused.stderr
    assert not refused.stdout


def test_a_file_that_cannot_be_written_is_told_before_the_work(deploy: Deploy) -> None:
    refused = deploy.run("check", "dev", "--save-plan", os.devnull + "/x", check=False)
    assert refused.returncode == 3


def test_explain_prints_what_a_rule_is_about(deploy: Deploy) -> None:
    said = deploy.run("explain", "reach-needed").stdout
    for words in ("reach-needed (rule)", "Otherwise:", "What to do:", "Source:"):
        assert words in said
    assert deploy.run("explain", "not-a-plan").stdout.startswith("not-a-plan (error, exit code 2)")
    assert deploy.run("explain", "nonsense", check=False).returncode == 2
    assert json.loads(deploy.run("explain", "reach-needed", "--json").stdout)["kind"] == "rule"
