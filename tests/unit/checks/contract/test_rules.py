"""The family `contract`: each rule where it holds, where not, and where nothing can be said."""

import pytest

from temporal_dsql_deploy.checks import Verdict, judge
from temporal_dsql_deploy.checks.contract import FAMILY
from tests.unit.checks.contract import cases_documents, cases_ecs, cases_environment
from tests.unit.checks.contract.case import Case
from tests.unit.checks.contract.good import LEASE, LIMITER, RESERVOIR, SERVER, good

CASES = (
    *cases_environment.LAB,
    *cases_environment.PLUGIN,
    *cases_environment.RUNTIME,
    *cases_environment.CLIENTS,
    *cases_ecs.HEALTH,
    *cases_ecs.CONNECT,
    *cases_ecs.TASKS,
    *cases_ecs.CONTAINERS,
    *cases_ecs.STOCK,
    *cases_documents.CASES,
)
RULES = {rule.id.removeprefix("contract-"): rule for rule in FAMILY.rules}
WITH_TESTS_OF_THEIR_OWN = {"shards-fixed", "connect-order"}
"""What they say rests on what was there before."""


@pytest.mark.parametrize("more", [{}, RESERVOIR, LEASE, LIMITER, {**LEASE, **LIMITER}])
def test_nothing_is_wrong_with_a_good_cluster(more: dict[str, str]) -> None:
    judged = good().everywhere(more).judged(FAMILY)
    assert judged.findings == ()
    skipped = {each.rule.id for each in judged.outcomes if each.verdict is Verdict.SKIP}
    assert all(rule.startswith(("contract-config-", "contract-dynamic-")) for rule in skipped)


def test_a_cluster_with_visibility_in_sql_needs_no_search() -> None:
    search = [name for name in SERVER if name.startswith("TEMPORAL_ELASTICSEARCH")]
    draft = good().everywhere({"TEMPORAL_VISIBILITY_STORE": "sql", **dict.fromkeys(search)})
    rules = [RULES["runtime-required"], RULES["runtime-typed"]]
    assert [each.verdict for each in judge(draft.subject(), rules).outcomes] == [Verdict.OK] * 2


def test_nothing_is_wrong_with_good_documents() -> None:
    draft = good()
    cases_documents.add(draft)
    judged = draft.judged(FAMILY)
    assert judged.findings == ()
    assert [each.rule.id for each in judged.outcomes if each.verdict is not Verdict.OK] == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_mistake_is_named_by_its_rule(case: Case) -> None:
    draft = good()
    case.spoil(draft)
    (outcome,) = judge(draft.subject(), [RULES[case.rule]]).outcomes
    assert outcome.verdict is Verdict.NG
    found = [(each.resource, each.attribute) for each in outcome.findings]
    assert (case.resource, case.attribute) in found
    assert all(each.evidence and each.symptom and each.fix for each in outcome.findings)
    # Nothing else of the cluster is blamed: other roles are as they were, unless all were changed.
    assert {resource for resource, _ in found} <= {case.resource} | _all_roles(found)


def _all_roles(found: list[tuple[str, str]]) -> set[str]:
    roles = {resource for resource, _ in found}
    return roles if len(roles) == 4 else set()


def test_every_rule_has_a_mistake_that_it_names() -> None:
    named = {f"contract-{case.rule}" for case in CASES}
    alone = {f"contract-{rule}" for rule in WITH_TESTS_OF_THEIR_OWN}
    assert named | alone == {rule.id for rule in FAMILY.rules}


def test_every_rule_says_what_it_is_and_where_that_comes_from() -> None:
    assert len({rule.id for rule in FAMILY.rules}) == len(FAMILY.rules)
    for rule in FAMILY.rules:
        assert rule.holds.endswith("."), rule.id
        assert all((rule.symptom, rule.fix, rule.source)), rule.id
        assert "facts" not in rule.source, rule.id
