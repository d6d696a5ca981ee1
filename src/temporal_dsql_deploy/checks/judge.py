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

_FAILURES = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


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


def judge(
    subject: Subject, rules: Iterable[Rule] | None = None, *, careful: bool = False
) -> Judgement:
    """The outcome of each rule, in the order of the rules; None for all there are.

    With `careful` a rule that fails on the plan, which is a mistake of the rule or a plan that
    Terraform never writes, is one that could not be judged; otherwise its error is raised.
    """
    wanted = registry.rules().values() if rules is None else rules
    failures = _FAILURES if careful else ()
    return Judgement(tuple(_outcome(rule, subject, failures) for rule in wanted))


def _outcome(rule: Rule, subject: Subject, failures: tuple[type[Exception], ...]) -> Outcome:
    findings: list[Finding] = []
    unjudged: list[Unjudged] = []
    seen: list[str] = []
    try:
        for said in rule.check(subject):
            match said:
                case Finding():
                    findings.append(_complete(said, rule, subject.secrets))
                case Unjudged():
                    hidden = _hidden(said.reason, subject.secrets)
                    unjudged.append(replace(said, reason=hidden))
                case Seen():
                    seen.append(_hidden(said.text, subject.secrets))
    except SwitchedOff as reason:
        seen.append(str(reason))
    except CannotJudge as reason:
        unjudged.append(Unjudged("", _hidden(str(reason), subject.secrets)))
    except failures as error:
        # What the other rules say must not be lost with it.
        unjudged.append(Unjudged("", f"the rule failed on this plan with {type(error).__name__}"))
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
