"""Which rules see a mutant, and which mutants nothing could see."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from temporal_dsql_deploy.checks import Rule, Subject, judge, registry
from temporal_dsql_deploy.plan import Plan
from tests.support.mutants.model import Mutant

_HERE = Path(__file__).parent
Said = tuple[str, str, str]
"""Resource, attribute and evidence of a finding."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one mutant."""

    plan: str
    """Name of the plan that was altered."""
    kind: str
    id: str
    detail: str
    rules: tuple[str, ...]
    """Rules that say something that they do not say of the plan itself: a meant one where there is
    one, else all."""
    meant: bool
    """Whether a rule that is meant for the kind is among them."""

    @property
    def key(self) -> str:
        """What equivalent.json is about: `dev: environment: address attribute: deleted`."""
        return f"{self.plan}: {self.id}"


@dataclass(frozen=True, slots=True)
class Equivalent:
    """Mutants that change nothing which a rule could speak of."""

    pattern: str
    """A regular expression that matches the whole of their keys."""
    reason: str
    partly: bool = False
    """Whether it is only about those among them that no rule sees: how much is too much differs
    from plan to plan."""


@cache
def meant() -> Mapping[str, tuple[str, ...]]:
    """How the ids of the rules that are meant for each kind begin."""
    table = json.loads((_HERE / "kinds.json").read_text())
    return {kind: tuple(begins) for kind, begins in table.items() if kind}


@cache
def equivalents() -> tuple[Equivalent, ...]:
    """All entries of equivalent.json."""
    rows = json.loads((_HERE / "equivalent.json").read_text())
    return tuple(Equivalent(**row) for row in rows)


def verdicts(name: str, plan: Plan, mutants: Iterable[Mutant]) -> Iterator[Verdict]:
    """What the rules say of each mutant of a plan."""
    rules = tuple(registry.rules().values())
    base = Subject(plan)
    before = {rule.id: _said(base, rule) for rule in rules}
    # What saw the last mutant of a kind is asked first: most often it sees the next one too.
    first = {
        kind: [rule for rule in rules if rule.id.startswith(begins)]
        for kind, begins in meant().items()
    }
    for mutant in mutants:
        made = Subject(mutant.make())
        asked = first[mutant.kind]
        seen = next((one for one in asked if _said(made, one) - before[one.id]), None)
        found: tuple[str, ...]
        if seen:
            asked.remove(seen)
            asked.insert(0, seen)
            found = (seen.id,)
        else:
            others = (one for one in rules if one not in asked)
            found = tuple(one.id for one in others if _said(made, one) - before[one.id])
        yield Verdict(name, mutant.kind, mutant.id, mutant.detail, found, seen is not None)


def about(entry: Equivalent, key: str) -> bool:
    """Whether an entry is about the mutant with a key."""
    return re.fullmatch(entry.pattern, key) is not None


def equivalent(verdict: Verdict, entries: Sequence[Equivalent]) -> Equivalent | None:
    """The first entry that is about a mutant."""
    possible = (one for one in entries if not (one.partly and verdict.rules))
    return next((one for one in possible if about(one, verdict.key)), None)


def mistakes(verdicts: Sequence[Verdict], entries: Sequence[Equivalent]) -> list[str]:
    """Entries that are about nothing, and those about a mutant that a rule sees."""
    found = []
    for entry in entries:
        matched = [one for one in verdicts if about(entry, one.key)]
        if entry.partly:
            matched = [one for one in matched if not one.rules]
        if not matched:
            found.append(f"{entry.pattern} matches no mutant")
        found += [
            f"{entry.pattern} says equivalent of what {', '.join(one.rules)} sees: {one.key}"
            for one in matched
            if one.rules
        ]
    return found


def _said(subject: Subject, rule: Rule) -> frozenset[Said]:
    return frozenset(
        (one.resource, one.attribute, one.evidence) for _, one in judge(subject, (rule,)).findings
    )
