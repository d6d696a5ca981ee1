"""Findings as SARIF: what code hosts demand of it."""

from pathlib import PurePosixPath
from typing import Any

from temporal_dsql_deploy.checks import Judgement, Verdict, registry, sarif
from temporal_dsql_deploy.checks.model import Finding, Outcome, Suppressed, Unjudged

FIRST, SECOND = list(registry.rules().values())[:2]
FOUND = Finding("module.a.aws_x.y", "port", "it is 3", "it hangs", "make it 4")
AGAIN = Finding("module.a.aws_x.y", "port", "it is 5", "it hangs", "make it 4")
NOWHERE = Finding("", "", "there are two", "it hangs", "take one out")


def log(judgement: Judgement) -> Any:
    places = {FOUND.resource: ("terraform/main.tf", 12)}
    made = sarif.document(
        judgement, name="dev", version="1.2.3", file="my plan.json", place=places.get
    )
    assert made["version"] == "2.1.0"
    (run,) = made["runs"]
    return run


def test_every_rule_is_described_and_found_by_its_index() -> None:
    ok, ng = Outcome(FIRST, Verdict.OK), Outcome(SECOND, Verdict.NG, (FOUND,))
    run = log(Judgement((ok, ng)))
    driver = run["tool"]["driver"]
    assert driver["version"] == "1.2.3"
    assert [rule["id"] for rule in driver["rules"]] == [FIRST.id, SECOND.id]
    (result,) = run["results"]
    assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == SECOND.id
    assert result["level"] == "error"
    for words in (FOUND.evidence, FOUND.symptom, FOUND.fix):
        assert words in result["message"]["text"]


def test_a_finding_stands_at_its_line_or_else_in_what_was_judged() -> None:
    run = log(Judgement((Outcome(FIRST, Verdict.NG, (FOUND, NOWHERE)),)))
    there, whole = (result["locations"][0] for result in run["results"])
    assert there["physicalLocation"] == {
        "artifactLocation": {"uri": "terraform/main.tf"},
        "region": {"startLine": 12},
    }
    assert there["logicalLocations"][0]["fullyQualifiedName"] == "module.a.aws_x.y.port"
    assert whole["physicalLocation"] == {
        "artifactLocation": {"uri": "my%20plan.json"},
        "region": {"startLine": 1},
    }
    assert "logicalLocations" not in whole
    assert not PurePosixPath(there["physicalLocation"]["artifactLocation"]["uri"]).is_absolute()


def test_fingerprints_tell_findings_apart_and_stay_when_values_change() -> None:
    def prints(*findings: Finding) -> list[str]:
        run = log(Judgement((Outcome(FIRST, Verdict.NG, findings),)))
        return [
            result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]
        ]

    assert prints(FOUND) == prints(AGAIN)
    assert len(set(prints(FOUND, AGAIN, NOWHERE))) == 3


def test_accepted_findings_and_what_was_not_judged_are_told_as_such() -> None:
    accepted = Outcome(FIRST, Verdict.OK, suppressed=(Suppressed(FOUND, "ticket OPS-12"),))
    untold = Outcome(SECOND, Verdict.SKIP, unjudged=(Unjudged("aws_x.z", "it is not known"),))
    run = log(Judgement((accepted, untold)))
    (result,) = run["results"]
    assert result["suppressions"] == [{"kind": "external", "justification": "ticket OPS-12"}]
    (said,) = run["invocations"][0]["toolExecutionNotifications"]
    assert said["associatedRule"] == {"id": SECOND.id, "index": 1}
    assert "aws_x.z: it is not known" in said["message"]["text"]


def test_a_file_that_is_not_below_is_named_by_a_whole_uri() -> None:
    judgement = Judgement((Outcome(FIRST, Verdict.NG, (NOWHERE,)),))
    made = sarif.document(
        judgement, name="x", version="1", file="/a b/plan.json", place=lambda _: None
    )
    (result,) = made["runs"][0]["results"]
    where = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert where == {"uri": "file:///a%20b/plan.json"}


def test_each_environment_has_a_log_of_its_own_and_texts_that_github_takes() -> None:
    run = log(Judgement(tuple(Outcome(rule, Verdict.OK) for rule in registry.rules().values())))
    assert run["automationDetails"] == {"id": "dsql-deploy-check/dev/"}
    for rule in run["tool"]["driver"]["rules"]:
        assert len(rule["shortDescription"]["text"]) <= 1024, rule["id"]
        assert len(rule["fullDescription"]["text"]) <= 1024, rule["id"]
