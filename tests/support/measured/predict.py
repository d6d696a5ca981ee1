"""What the rules say of a mutant, and what of that a rehearsal should show."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from temporal_dsql_deploy.checks import Finding, Rule, Subject, judge
from temporal_dsql_deploy.plan import Plan
from tests.support.measured import differs
from tests.support.mutants import Mutant, mutants
from tests.support.mutants.firewall import TYPES as FIREWALL

NOTHING = "nothing"
SHOWN = ("refused", "place", "start", "stuck", "path", "count")
"""How something broken is seen, in the order in which a mutant meets it: what AWS refuses is not
there at all, what has no place does not start."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """Said before anything is measured."""

    id: str
    kind: str
    detail: str
    rules: list[str]
    """That say something which they do not say of the plan itself."""
    expected: list[str]
    """Of SHOWN, what comes first first; empty where nothing is to be seen."""
    symptom: str
    """Of the rule that expects what comes first, else of the first rule."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """A mutant that is not measured."""

    kind: str
    why: str


def predict(plan: Plan, mutant: Mutant) -> Prediction | Unseen:
    """What to expect of a mutant of a plan in which no rule finds anything."""
    if why := differs.why_not(plan, mutant):
        return Unseen(mutant.kind, why)
    findings = judge(Subject(mutant.make())).findings
    unplayed = differs.shows()["unplayed"]
    if parts := [unplayed[rule.id] for rule, _ in findings if rule.id in unplayed]:
        return Unseen(mutant.kind, parts[0])
    shown = [(_shown(plan, mutant, rule, finding), rule, finding) for rule, finding in findings]
    expected = [how for how in SHOWN if any(how == one for one, _, _ in shown)]
    cannot = [one for one, _, _ in shown if one not in SHOWN and one != NOTHING]
    if cannot and not expected:
        return Unseen(mutant.kind, cannot[0])
    first = next((one for how, _, one in shown if how in expected[:1]), None)
    said = first or (findings[0][1] if findings else None)
    return Prediction(
        mutant.id,
        mutant.kind,
        mutant.detail,
        sorted({rule.id for rule, _ in findings}),
        expected,
        said.symptom if said else "",
    )


def _shown(plan: Plan, mutant: Mutant, rule: Rule, finding: Finding) -> str:
    begins = differs.shows()["begins"].items()
    said = next((how for words, how in begins if finding.symptom.startswith(words)), None)
    how = str(said or differs.shows()["rules"].get(rule.id, f"no word on {rule.id}"))
    if how == "path" and _to_itself(plan, mutant):
        return "a role with one task does not leave it on the way to itself"
    return how


def _to_itself(plan: Plan, mutant: Mutant) -> bool:
    if mutant.address.startswith("output."):
        return False
    rule = plan[mutant.address]
    own = rule["security_group_id"]
    return rule.type in FIREWALL and own == rule["referenced_security_group_id"]


def drawn(plan: Plan, seed: int, count: int) -> tuple[list[Prediction], list[Unseen]]:
    """So many mutants, of as many kinds and rules as there are; and those that were passed over.

    Kinds take turns. Within a kind those come first whose rules no mutant before has.
    """
    chance = Random(seed)  # noqa: S311 - a seed is what makes a choice repeatable
    kinds: dict[str, list[Mutant]] = {}
    unseen: list[Unseen] = []
    for mutant in mutants(plan):
        if why := differs.why_not(plan, mutant):
            unseen.append(Unseen(mutant.kind, why))
        else:
            kinds.setdefault(mutant.kind, []).append(mutant)
    for some in kinds.values():
        chance.shuffle(some)
    turns = [_fresh(plan, some, unseen) for some in kinds.values()]
    found: list[Prediction] = []
    harmless = 0
    while turns and len(found) < count:
        for turn in list(turns):
            one = next(turn, None)
            if one is None:
                turns.remove(turn)
            elif len(found) < count and (one.expected or harmless < count // _HARMLESS):
                found.append(one)
                harmless += not one.expected
    return found, unseen


_HARMLESS = 3
"""One of so many breaks nothing."""
_LOOKED_AT = 12
"""Mutants of a kind that are judged for one that says something new."""


def _fresh(plan: Plan, some: Sequence[Mutant], unseen: list[Unseen]) -> Iterator[Prediction]:
    seen: set[str] = set()
    kept: list[Prediction] = []
    for number, mutant in enumerate(some, 1):
        one = predict(plan, mutant)
        if isinstance(one, Unseen):
            unseen.append(one)
            continue
        key = json.dumps([one.rules, one.expected])
        if key not in seen:
            seen.add(key)
            yield one
        else:
            kept.append(one)
        if number % _LOOKED_AT == 0 and kept:
            yield kept.pop(0)
    yield from kept
