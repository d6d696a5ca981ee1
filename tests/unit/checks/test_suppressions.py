"""Findings that are accepted, with a reason."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from temporal_dsql_deploy.checks import Judgement, Verdict, registry
from temporal_dsql_deploy.checks.model import Finding, Outcome, Unjudged
from temporal_dsql_deploy.checks.suppressions import EXAMPLE, Suppression, apply, parse, read
from temporal_dsql_deploy.errors import InvalidSetting

TODAY = date(2026, 11, 21)
RULE = next(iter(registry.rules().values()))
ONE = Finding('module.a["x"].aws_y.z', "b", "e", "s", "f")
TWO = Finding("module.b.aws_y.z", "b", "e", "s", "f")


def judged(*findings: Finding) -> Judgement:
    return Judgement((Outcome(RULE, Verdict.NG, findings),))


def test_an_accepted_finding_is_no_finding_and_is_not_forgotten() -> None:
    accepted = [Suppression(RULE.id, "we know", 'module.a["x"].*')]
    judgement, notes = apply(judged(ONE, TWO), accepted, TODAY)
    (outcome,) = judgement.outcomes
    assert outcome.verdict is Verdict.NG
    assert outcome.findings == (TWO,)
    assert [(each.finding, each.reason) for each in outcome.suppressed] == [(ONE, "we know")]
    assert not notes


def test_when_all_are_accepted_the_rule_holds_unless_something_was_not_judged() -> None:
    accepted = [Suppression(RULE.id, "we know")]
    judgement, _ = apply(judged(ONE, TWO), accepted, TODAY)
    assert judgement.outcomes[0].verdict is Verdict.OK
    assert not judgement.findings
    (outcome,) = judged(ONE).outcomes
    partly = Judgement((replace(outcome, unjudged=(Unjudged("", "not known"),)),))
    judgement, _ = apply(partly, accepted, TODAY)
    assert judgement.outcomes[0].verdict is Verdict.SKIP


@pytest.mark.parametrize(
    ("suppression", "note"),
    [
        (Suppression("another-rule", "r"), "covers nothing"),
        (Suppression(RULE.id, "r", "module.c.*"), "covers nothing"),
        (Suppression(RULE.id, "r", 'module.a["*"].*', date(2026, 11, 20)), "ended on 2026-11-20"),
    ],
)
def test_one_that_does_not_count_is_spoken_of(suppression: Suppression, note: str) -> None:
    judgement, notes = apply(judged(ONE), [suppression], TODAY)
    assert judgement.outcomes[0].findings == (ONE,)
    assert note in notes[0]


def test_one_holds_on_its_last_day() -> None:
    until = Suppression(RULE.id, "r", "*", TODAY)
    assert not apply(judged(ONE), [until], TODAY)[0].findings


def test_two_that_cover_the_same_are_both_used() -> None:
    _, notes = apply(judged(ONE), [Suppression(RULE.id, "a"), Suppression(RULE.id, "b")], TODAY)
    assert not notes


def test_the_example_of_the_guide_is_one() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "guides" / "checks.md").read_text()
    assert f"```toml\n{EXAMPLE}```" in guide
    first, second = parse(EXAMPLE, "example")
    assert first.resource == "*"
    assert first.until is None
    assert second.until == date(2027, 3, 31)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[suppress]]\nrule = 'x'\nreason = 'y'", "there is no rule 'x'"),
        (f"[[suppress]]\nrule = '{RULE.id}x'\nreason = 'y'", f"did you mean {RULE.id}"),
        (f"[[suppress]]\nrule = '{RULE.id}'", "it has no reason"),
        (f"[[suppress]]\nrule = '{RULE.id}'\nreason = ' '", "it has no reason"),
        ("[[suppress]]\nreason = 'y'", "it has no rule"),
        (f"[[suppress]]\nrule = '{RULE.id}'\nreason = 'y'\nwhen = 1", "'when' is not one of"),
        (f"[[suppress]]\nrule = '{RULE.id}'\nreason = 3", "reason is no text"),
        (
            f"[[suppress]]\nrule = '{RULE.id}'\nreason = 'y'\nuntil = 'soon'",
            "until is no date such as",
        ),
        (
            f"[[suppress]]\nrule = '{RULE.id}'\nreason = 'y'\nuntil = 2027-01-01T00:00:00",
            "until is no date such as",
        ),
        ("suppress = 3", "suppress is no list"),
        ("suppress = [3]", "it is no table"),
        ("[suppressed]", "only [[suppress]] is known"),
        ("[[suppress", "Expected"),
    ],
)
def test_a_file_that_is_not_right_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        parse(text, "f.toml")
    assert said in refused.value.cause
    assert "f.toml" in refused.value.message


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="cannot be read"):
        read(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"\xff")
    with pytest.raises(InvalidSetting) as refused:
        read(tmp_path / "latin.toml")
    assert "UTF-8" in refused.value.cause
