"""What a code means: a rule of `check`, a finding of `membership`, or an error."""

import difflib
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from temporal_dsql_deploy import errors
from temporal_dsql_deploy.checks import registry
from temporal_dsql_deploy.errors import DeployError, UnknownChoice
from temporal_dsql_deploy.operations.membership import kinds
from temporal_dsql_deploy.platforms.protocol import Result


@dataclass(frozen=True, slots=True)
class ExplainResult(Result):
    """A code in words."""

    code: str
    kind: str
    """`rule` or `family` of check, `finding` of membership, or `error`."""
    text: str
    """What a rule demands, what was found, or when an error comes."""
    symptom: str = ""
    """What is seen where a rule is broken, or what a finding does to the cluster."""
    fix: str = ""
    source: str = ""
    """Where the fact behind a rule or a finding comes from."""
    meaning: str = ""
    """Where a fact overrules the letter of a requirement: what is proven in its place, and why."""
    seeds: list[str] = field(default_factory=list)
    """Rows of docs/reference/requirements.md that a rule proves."""
    rules: list[str] = field(default_factory=list)
    """Of a family."""
    exit_code: int | None = None
    """Of an error."""


def explain(code: str) -> ExplainResult:
    """What a code means. Raises UnknownChoice, which names those that are near."""
    if rule := registry.rules().get(code):
        return ExplainResult(
            code=code,
            kind="rule",
            text=rule.holds,
            symptom=rule.symptom,
            fix=rule.fix,
            source=rule.source,
            meaning=rule.meaning,
            seeds=list(rule.seeds),
        )
    if found := kinds.by_code().get(code):
        return ExplainResult(
            code=code,
            kind="finding",
            text=found.text,
            symptom=found.symptom,
            fix=found.fix,
            source=found.source,
        )
    for family in registry.families():
        if family.name == code:
            rules = [rule.id for rule in family.rules]
            return ExplainResult(code=code, kind="family", text=f"{family.title}.", rules=rules)
    known = error_codes()
    if kind := known.get(code):
        text, fix = in_words(kind)
        return ExplainResult(code=code, kind="error", text=text, fix=fix, exit_code=kind.exit_code)
    near = difflib.get_close_matches(code, list(codes()), n=3, cutoff=0.5)
    guess = f"did you mean {' or '.join(near)}? " if near else ""
    raise UnknownChoice(
        f"there is no code {code!r}",
        cause="it is neither a rule of check, nor a finding of membership, nor an error's code",
        fix=f"{guess}all are in checks.md, membership.md and errors.md of docs/reference",
    )


def codes() -> Iterator[str]:
    """All codes that there are."""
    yield from (family.name for family in registry.families())
    yield from registry.rules()
    yield from kinds.by_code()
    yield from error_codes()


def in_words(kind: type[DeployError]) -> tuple[str, str]:
    """When an error comes, and what to do; the latter is empty where the error says it all."""
    when, _, fix = (inspect.getdoc(kind) or "").partition("\n\n")
    return " ".join(when.split()), " ".join(fix.split())


def error_codes() -> Mapping[str, type[DeployError]]:
    """The kind of error by its code."""
    kinds = (kind for _, kind in inspect.getmembers(errors, inspect.isclass))
    return {kind.code: kind for kind in kinds if issubclass(kind, DeployError)}
