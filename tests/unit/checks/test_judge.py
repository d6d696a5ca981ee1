"""Rules are run, and what they say becomes an outcome each."""

import json
from collections.abc import Iterator

import pytest

from temporal_dsql_deploy.checks import Subject, Verdict, judge, registry
from temporal_dsql_deploy.checks.family import Family
from temporal_dsql_deploy.checks.model import (
    CannotJudge,
    Finding,
    Outcome,
    Said,
    Seen,
    SwitchedOff,
    Unjudged,
)
from temporal_dsql_deploy.plan import Plan, Resource

FOUND = Finding("aws_x.a", "b", "it is 3")
OWN = Finding("aws_x.a", "b", "it is 4", symptom="own symptom", fix="own fix")
UNTOLD = Unjudged("aws_x.c", "it is not known")


def outcome_of(*said: Said, reason: str = "", plan: Plan | None = None) -> Outcome:
    family = Family("f", "A family")

    @family.rule("r", holds="It holds.", symptom="S.", fix="F.", source="a source")
    def _(subject: Subject) -> Iterator[Said]:
        yield from said
        if reason:
            raise CannotJudge(reason)

    (outcome,) = judge(Subject(plan or Plan("")), family.rules).outcomes
    return outcome


@pytest.mark.parametrize(
    ("said", "reason", "verdict"),
    [
        ((), "", Verdict.OK),
        ((Seen("3 things"),), "", Verdict.OK),
        ((FOUND,), "", Verdict.NG),
        ((FOUND, UNTOLD), "", Verdict.NG),
        ((UNTOLD,), "", Verdict.SKIP),
        ((), "nothing is there", Verdict.SKIP),
        ((FOUND,), "the rest cannot be told", Verdict.NG),
    ],
)
def test_the_verdict_is_the_worst_of_what_was_said(
    said: tuple[Said, ...], reason: str, verdict: Verdict
) -> None:
    outcome = outcome_of(*said, reason=reason)
    assert outcome.rule.id == "f-r"
    assert outcome.verdict is verdict
    assert len(outcome.unjudged) == said.count(UNTOLD) + bool(reason)
    if reason:
        assert outcome.unjudged[-1] == Unjudged("", reason)


def test_a_finding_gets_the_words_of_its_rule_unless_it_has_its_own() -> None:
    first, second = outcome_of(FOUND, OWN).findings
    assert (first.symptom, first.fix) == ("S.", "F.")
    assert (second.symptom, second.fix) == ("own symptom", "own fix")


def test_what_the_plan_leaves_out_holds_and_says_so() -> None:
    family = Family("f", "A family")

    @family.rule("r", holds="It holds.", symptom="S.", fix="F.", source="a source")
    def _(subject: Subject) -> Iterator[Said]:
        yield Seen("3 things")
        raise SwitchedOff("leases are off")

    (outcome,) = judge(Subject(Plan("")), family.rules).outcomes
    assert outcome.verdict is Verdict.OK
    assert outcome.seen == ("3 things", "leases are off")


def test_what_is_sensitive_is_never_said() -> None:
    values = {"value": "hunter2-secret", "note": "short", "list": ["deep-secret"]}
    marked = frozenset({"value", "list.0"})
    resource = Resource("aws_x.a", "", "managed", "aws_x", "a", None, values, sensitive=marked)
    told = Finding("aws_x.a", "value", "it is hunter2-secret, short", fix="not deep-secret")
    (finding,) = outcome_of(told, plan=Plan("", (resource,))).findings
    assert finding.evidence == "it is (sensitive), short"
    assert finding.fix == "not (sensitive)"


def test_what_is_inside_of_something_sensitive_is_never_said_either() -> None:
    """A password in the environment makes Terraform mark the whole text of the containers."""
    containers = [
        {
            "name": "server",
            "image": "x",
            "environment": [{"name": "PASSWORD", "value": "hunter2-secret"}],
        }
    ]
    values = {
        "family": "shop-web",
        "container_definitions": json.dumps(containers),
        "options": {"deep": ["deep-secret"]},
    }
    marked = frozenset({"container_definitions", "options"})
    resource = Resource("aws_x.a", "", "managed", "aws_x", "a", None, values, sensitive=marked)
    plan = Plan("", (resource,))
    text = "server of shop-web has PASSWORD=hunter2-secret and deep-secret"
    hidden = "server of shop-web has PASSWORD=(sensitive) and (sensitive)"
    outcome = outcome_of(
        Finding("aws_x.a", "", text), Unjudged("aws_x.a", text), Seen(text), reason=text, plan=plan
    )
    assert outcome.findings[0].evidence == hidden
    assert [one.reason for one in outcome.unjudged] == [hidden, hidden]
    assert outcome.seen == (hidden,)


def test_a_rule_that_fails_takes_nothing_else_with_it() -> None:
    family = Family("f", "A family")

    @family.rule("r", holds="It holds.", symptom="S.", fix="F.", source="a source")
    def _(subject: Subject) -> Iterator[Said]:
        yield FOUND
        raise TypeError("unhashable")

    with pytest.raises(TypeError):
        judge(Subject(Plan("")), family.rules)
    (outcome,) = judge(Subject(Plan("")), family.rules, careful=True).outcomes
    assert outcome.verdict is Verdict.NG
    assert outcome.unjudged == (Unjudged("", "the rule failed on this plan with TypeError"),)


def test_the_region_and_the_account_are_those_of_ecs() -> None:
    def with_arn(kind: str, arn: str) -> Resource:
        return Resource(f"{kind}.a", "", "managed", kind, "a", None, {"arn": arn})

    plan = Plan(
        "",
        (
            with_arn("aws_acm_certificate", "arn:aws:acm:us-east-1:111111111111:certificate/x"),
            with_arn("aws_ecs_cluster", "arn:aws:ecs:eu-west-1:222222222222:cluster/x"),
        ),
    )
    subject = Subject(plan)
    assert (subject.region, subject.account) == ("eu-west-1", "222222222222")


def test_every_rule_is_written_as_all_are() -> None:
    rules = registry.rules()
    assert len(rules) == sum(len(family.rules) for family in registry.families())
    for identity, rule in rules.items():
        assert identity.startswith(f"{rule.family}-")
        for text in (rule.holds, rule.symptom, rule.fix):
            # A sentence, unless a name such as maxConns or grpc_health_probe begins it.
            first = text.split()[0]
            assert not first.isalpha() or first != first.lower(), (identity, text)
            assert text.rstrip()[-1] in ".`)", (identity, text)
        assert rule.source, identity
        assert "facts/" not in rule.source, identity


@pytest.mark.parametrize("family", registry.families(), ids=lambda family: family.name)
def test_a_plan_with_nothing_in_it_breaks_no_rule(family: Family) -> None:
    """No rule fails, or finds something, where there is nothing."""
    for outcome in judge(Subject(Plan("")), family.rules).outcomes:
        assert outcome.verdict is not Verdict.NG, outcome
