"""Findings as SARIF 2.1.0, which code hosts show beside the code.

The format is https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from temporal_dsql_deploy.checks.judge import Judgement
from temporal_dsql_deploy.checks.model import Finding, Outcome, Rule

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_PRINT = "primaryLocationLineHash"
"""The one fingerprint that GitHub reads. Where it is absent GitHub takes the text of the line, and
two findings of a rule on one resource would be one."""
Place = Callable[[str], tuple[str, int] | None]
"""File, relative to where the document is read, and line of a resource's address."""


def document(
    judgement: Judgement, *, name: str, version: str, file: str, place: Place
) -> dict[str, Any]:
    """The SARIF log of a judgement.

    `name` tells what was judged apart from what else is: a code host keeps one log of each.
    `file` is what was judged: the place of a finding whose resource has none of its own.
    Suppressed findings are in it with their reasons; what could not be judged is a notification.
    """
    rules = [outcome.rule for outcome in judgement.outcomes]
    results = []
    for index, outcome in enumerate(judgement.outcomes):
        said = [(finding, "") for finding in outcome.findings]
        said += [(each.finding, each.reason) for each in outcome.suppressed]
        seen: Counter[tuple[str, str]] = Counter()
        for finding, reason in said:
            made = _result(outcome.rule, finding, place(finding.resource) or (file, 0))
            key = (finding.resource, finding.attribute)
            made["ruleIndex"] = index
            made["partialFingerprints"] = {_PRINT: _fingerprint(outcome.rule, key, seen[key])}
            if reason:
                made["suppressions"] = [{"kind": "external", "justification": reason}]
            seen[key] += 1
            results.append(made)
    run = {
        "automationDetails": {"id": f"dsql-deploy-check/{name}/"},
        "tool": {
            "driver": {
                "name": "dsql-deploy check",
                "version": version,
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "results": results,
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    _notification(outcome, index)
                    for index, outcome in enumerate(judgement.outcomes)
                    if outcome.unjudged
                ],
            }
        ],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.holds},
        "fullDescription": {"text": f"{rule.holds} Otherwise: {rule.symptom}"},
        "help": {"text": f"{rule.fix}\n\nSource: {rule.source}"},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": [rule.family, *rule.seeds]},
    }


def _result(rule: Rule, finding: Finding, there: tuple[str, int]) -> dict[str, Any]:
    file, line = there
    # GitHub demands a line also where there is none.
    physical = {"artifactLocation": {"uri": _uri(file)}, "region": {"startLine": line or 1}}
    location: dict[str, Any] = {"physicalLocation": physical}
    if finding.resource:
        name = ".".join(part for part in (finding.resource, finding.attribute) if part)
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "resource"}]
    said = f"{finding.evidence}\nSymptom: {finding.symptom}\nFix: {finding.fix}"
    return {
        "ruleId": rule.id,
        "level": "error",
        "message": {"text": said},
        "locations": [location],
    }


def _uri(file: str) -> str:
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _fingerprint(rule: Rule, key: tuple[str, str], number: int) -> str:
    """The same for the same finding in another run, whatever its values are by then."""
    text = "\n".join((rule.id, *key, str(number)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _notification(outcome: Outcome, index: int) -> dict[str, Any]:
    said = (
        f"{one.resource}: {one.reason}" if one.resource else one.reason for one in outcome.unjudged
    )
    return {
        "associatedRule": {"id": outcome.rule.id, "index": index},
        "level": "note",
        "message": {"text": f"{outcome.rule.id} could not be judged: {'; '.join(said)}"},
    }
