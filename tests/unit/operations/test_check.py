"""`check` of a plan in a file, and `explain`."""

import io
import json
import sys
from pathlib import Path

import pytest

from temporal_dsql_deploy.checks import registry
from temporal_dsql_deploy.errors import InvalidSetting, NotAPlan, UnknownChoice
from temporal_dsql_deploy.operations.check import Options, check_file
from temporal_dsql_deploy.operations.explain import codes, explain
from temporal_dsql_deploy.plan.writer import document
from tests.support import check_plans
from tests.support.draft import Draft

GROUPS = "network_configuration"


def written(folder: Path, draft: Draft) -> Path:
    path = folder / "plan.json"
    path.write_text(json.dumps(document(draft.plan())))
    return path


def broken() -> Draft:
    draft = check_plans.good()
    draft.service("history")[GROUPS][0]["assign_public_ip"] = True
    return draft


def test_a_finding_is_in_the_result_with_all_that_its_rule_says(tmp_path: Path) -> None:
    before = check_file(None, written(tmp_path, check_plans.good()), Options()).result
    assert before.environment == check_plans.PROJECT
    checked = check_file("shop", written(tmp_path, broken()), Options())
    result = checked.result
    assert not result.ok
    assert result.counts["NG"] > before.counts["NG"]
    (rule,) = (rule for rule in result.rules if rule.rule == "network-task-address")
    assert rule.verdict == "NG"
    (finding,) = rule.findings
    assert finding.resource == "aws_ecs_service.history"
    assert "assign_public_ip" in finding.attribute
    assert all((finding.evidence, finding.symptom, finding.fix))
    (run,) = checked.sarif()["runs"]
    assert "network-task-address" in {each["ruleId"] for each in run["results"]}
    assert sum(result.counts.values()) == len(result.rules) == len(registry.rules())


def test_a_suppressed_finding_is_told_and_does_not_count(tmp_path: Path) -> None:
    accepted = tmp_path / "accepted.toml"
    accepted.write_text(
        '[[suppress]]\nrule = "network-task-address"\nreason = "a lab"\n'
        '[[suppress]]\nrule = "network-zones"\nreason = "nothing"\n'
    )
    options = Options(suppressions=accepted)
    result = check_file("shop", written(tmp_path, broken()), options).result
    (rule,) = (rule for rule in result.rules if rule.rule == "network-task-address")
    assert rule.verdict == "OK"
    assert [finding.suppressed for finding in rule.findings] == ["a lab"]
    assert [note for note in result.notes if "covers nothing" in note]
    with pytest.raises(InvalidSetting):
        check_file("shop", written(tmp_path, broken()), Options(suppressions=tmp_path / "no"))


def test_a_plan_without_a_cluster_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"format_version": "1.2", "resource_changes": []}))
    with pytest.raises(NotAPlan, match="there is no Temporal cluster"):
        check_file(None, path, Options())


def test_two_clusters_in_one_plan_are_refused(tmp_path: Path) -> None:
    draft = check_plans.good()
    draft.service("history")["cluster"] = "arn:aws:ecs:eu-west-1:123456789012:cluster/another"
    with pytest.raises(NotAPlan, match="there are 2 Temporal clusters"):
        check_file(None, written(tmp_path, draft), Options())


def test_a_state_can_be_judged_and_be_what_was_before(tmp_path: Path) -> None:
    made = document(check_plans.good().plan())
    state = tmp_path / "state.json"
    values = {**made["planned_values"], "outputs": {}}
    state.write_text(json.dumps({"format_version": "1.0", "values": values}))
    assert check_file(None, state, Options()).result.counts["OK"]
    plan = written(tmp_path, check_plans.good())
    assert check_file(None, plan, Options(state=state)).subject.before is not None
    with pytest.raises(NotAPlan, match="is not the JSON of a state"):
        check_file(None, plan, Options(state=plan))


def test_a_plan_of_stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = written(tmp_path, check_plans.good()).read_bytes()

    class Stdin:
        buffer = io.BytesIO(content)

    monkeypatch.setattr(sys, "stdin", Stdin)
    assert check_file("x", Path("-"), Options()).result.environment == "x"


def test_half_a_plan_is_spoken_of(tmp_path: Path) -> None:
    made = document(check_plans.good().plan())
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({**made, "errored": True}))
    result = check_file("x", path, Options()).result
    assert any("half way" in note for note in result.notes)
    assert result.errored


@pytest.mark.parametrize("code", sorted(codes()))
def test_every_code_is_explained(code: str) -> None:
    told = explain(code)
    assert told.text
    assert told.kind in {"rule", "family", "finding", "error"}
    assert (told.exit_code is None) == (told.kind != "error")
    assert bool(told.rules) == (told.kind == "family")


def test_a_code_that_is_none_names_what_is_near() -> None:
    with pytest.raises(UnknownChoice) as refused:
        explain("network-task-adress")
    assert "network-task-address" in refused.value.fix
