"""Run rules over a plan."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from temporal_dsql_deploy.checks import registry
from temporal_dsql_deploy.checks.model import (
    CannotJudge,
    Finding,
    Outcome,
    Rule,
    Seen,
    SwitchedOff,
    Unjudged,
    Verdict,
)
from temporal_dsql_deploy.checks.subject import Subject


@dataclass(frozen=True, slots=True)
class Judgement:
    """What all rules say of one plan."""

    outcomes: tuple[Outcome, ...]

    @property
    def findings(self) -> tuple[tuple[Rule, Finding], ...]:
        """Every finding with its rule."""
        return tuple((each.rule, found) for each in self.outcomes for found in each.findings)

    def of(self, rule: str) -> Outcome:
        """What came of one rule. Raises KeyError."""
        return {each.rule.id: each for each in self.outcomes}[rule]


def judge(subject: Subject, rules: Iterable[Rule] | None = None) -> Judgement:
    """The outcome of each rule, in the order of the rules; None for all there are."""
    wanted = registry.rules().values() if rules is None else rules
    return Judgement(tuple(_outcome(rule, subject) for rule in wanted))


def _outcome(rule: Rule, subject: Subject) -> Outcome:
    findings: list[Finding] = []
    unjudged: list[Unjudged] = []
    seen: list[str] = []
    try:
        for said in rule.check(subject):
            match said:
                case Finding():
                    findings.append(_complete(said, rule, subject.secrets))
                case Unjudged():
                    unjudged.append(said)
                case Seen():
                    seen.append(said.text)
    except SwitchedOff as reason:
        seen.append(str(reason))
    except CannotJudge as reason:
        unjudged.append(Unjudged("", str(reason)))
    verdict = Verdict.NG if findings else Verdict.SKIP if unjudged else Verdict.OK
    return Outcome(rule, verdict, tuple(findings), tuple(unjudged), tuple(seen))


def _complete(finding: Finding, rule: Rule, secrets: tuple[str, ...]) -> Finding:
    """With symptom and fix, and without what must not be printed."""
    return replace(
        finding,
        evidence=_hidden(finding.evidence, secrets),
        symptom=_hidden(finding.symptom or rule.symptom, secrets),
        fix=_hidden(finding.fix or rule.fix, secrets),
    )


def _hidden(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        text = text.replace(secret, "(sensitive)")
    return text
