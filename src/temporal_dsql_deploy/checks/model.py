"""What a check says: rules, findings, and what could not be judged."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from temporal_dsql_deploy.checks.subject import Subject


class Verdict(StrEnum):
    """What came of a rule."""

    OK = "OK"
    NG = "NG"
    SKIP = "SKIP"
    """It could not be judged, or not for all that it is about."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be."""

    resource: str
    """Address of the resource that is responsible; empty where none is."""
    attribute: str
    """Dotted path of the attribute in it; empty where the resource as a whole is meant."""
    evidence: str
    """What was found, with the values."""
    symptom: str = ""
    """What it would cause; empty for what the rule says."""
    fix: str = ""
    """What to do; empty for what the rule says."""


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Something that a rule is about and that the plan does not tell enough of."""

    resource: str
    """Address; empty where it is about the plan as a whole."""
    reason: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What was looked at, in a phrase."""

    text: str


class CannotJudge(Exception):
    """A rule has nothing to judge by; the reason is its text."""


class SwitchedOff(Exception):
    """The plan itself leaves out what a rule is about, so that it holds; the reason is its text."""


Said = Finding | Unjudged | Seen


@dataclass(frozen=True, slots=True)
class Rule:
    """One statement that must hold of a plan."""

    id: str
    """`<family>-<suffix>`; stays the same over versions."""
    family: str
    holds: str
    """What must be so: one sentence."""
    symptom: str
    """What is seen in a running cluster where it is not so."""
    fix: str
    source: str
    """Where the fact behind it comes from."""
    check: Callable[["Subject"], Iterator[Said]]
    """Raises CannotJudge."""
    seeds: tuple[str, ...] = ()
    """Rows of docs/reference/requirements.md that it proves."""
    meaning: str = ""
    """Where a fact overrules the letter of such a row: what is proven in its place, and why."""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that is known and accepted."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one rule on one plan."""

    rule: Rule
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    """Complete: symptom and fix are filled in."""
    unjudged: tuple[Unjudged, ...] = ()
    seen: tuple[str, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    """Findings that a file of suppressions covers; they are not among the findings."""
