"""Findings that are known and accepted: a file says which, and why."""

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.checks import registry
from temporal_dsql_deploy.checks.judge import Judgement
from temporal_dsql_deploy.checks.model import Finding, Outcome, Suppressed, Verdict
from temporal_dsql_deploy.errors import InvalidSetting

EXAMPLE = """\
[[suppress]]
rule = "fit-zone-lost"
reason = "one zone is enough for a development environment"

[[suppress]]
rule = "reach-leak"
resource = "module.bastion.*"
reason = "the bastion goes with ticket OPS-12"
until = 2027-03-31
"""
"""A file of suppressions."""
_KEYS = {"rule": str, "reason": str, "resource": str, "until": date}
_REQUIRED = ("rule", "reason")


@dataclass(frozen=True, slots=True)
class Suppression:
    """Findings of one rule that are accepted."""

    rule: str
    reason: str
    resource: str = "*"
    """Pattern of the addresses that it is for; `*` and `?` stand for any characters."""
    until: date | None = None
    """Last day on which it holds; None for always."""

    def covers(self, rule: str, finding: Finding, today: date) -> bool:
        """Whether it accepts a finding on a day."""
        if rule != self.rule or (self.until is not None and today > self.until):
            return False
        # Brackets of an address are no pattern.
        return fnmatchcase(finding.resource, self.resource.replace("[", "[[]"))


def read(path: Path) -> tuple[Suppression, ...]:
    """The suppressions in a TOML file. Raises InvalidSetting, which names the entry."""
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise InvalidSetting(
            f"{path} cannot be read", cause=str(error.strerror), fix="correct the path"
        ) from error
    except UnicodeDecodeError as error:
        raise _wrong(str(path), f"it is not UTF-8: {error.reason}") from error


def parse(text: str, name: str) -> tuple[Suppression, ...]:
    """The suppressions in a text that is called `name` in messages. Raises InvalidSetting."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _wrong(name, str(error)) from error
    entries = document.pop("suppress", [])
    if document:
        raise _wrong(name, f"it says {next(iter(document))!r}, and only [[suppress]] is known")
    if not isinstance(entries, list):
        raise _wrong(name, "suppress is no list of tables: write [[suppress]]")
    return tuple(_entry(entry, f"{name}, entry {index}") for index, entry in enumerate(entries, 1))


def apply(
    judgement: Judgement, suppressions: Sequence[Suppression], today: date
) -> tuple[Judgement, list[str]]:
    """The judgement without the findings that are accepted, and notes about suppressions.

    A note says which suppression is over, and which covers nothing.
    """
    used: set[Suppression] = set()
    outcomes = tuple(_without(one, suppressions, today, used) for one in judgement.outcomes)
    notes = []
    for one in suppressions:
        if one.until is not None and today > one.until:
            notes.append(f"the suppression of {one.rule} ended on {one.until}: {one.reason}")
        elif one not in used:
            notes.append(
                f"the suppression of {one.rule} on {one.resource} covers nothing: delete it"
            )
    return Judgement(outcomes), notes


def _without(
    outcome: Outcome, suppressions: Iterable[Suppression], today: date, used: set[Suppression]
) -> Outcome:
    """The outcome without what is covered; the suppressions that cover it are added to `used`."""
    left: list[Finding] = []
    covered: list[Suppressed] = []
    for finding in outcome.findings:
        mine = [one for one in suppressions if one.covers(outcome.rule.id, finding, today)]
        used.update(mine)
        if mine:
            covered.append(Suppressed(finding, mine[0].reason))
        else:
            left.append(finding)
    if not covered:
        return outcome
    verdict = Verdict.NG if left else Verdict.SKIP if outcome.unjudged else Verdict.OK
    return replace(outcome, verdict=verdict, findings=tuple(left), suppressed=tuple(covered))


def _entry(entry: Any, name: str) -> Suppression:
    if not isinstance(entry, Mapping):
        raise _wrong(name, "it is no table: write [[suppress]]")
    for key, value in entry.items():
        if key not in _KEYS:
            raise _wrong(name, f"{key!r} is not one of {', '.join(_KEYS)}")
        if not isinstance(value, _KEYS[key]) or isinstance(value, datetime):
            kind = "a date such as 2027-03-31" if key == "until" else "a text"
            raise _wrong(name, f"{key} is no {kind.removeprefix('a ')}")
    for key in _REQUIRED:
        if not str(entry.get(key, "")).strip():
            raise _wrong(name, f"it has no {key}")
    known = registry.rules()
    if entry["rule"] not in known:
        near = difflib.get_close_matches(entry["rule"], known, n=1)
        guess = f": did you mean {near[0]}?" if near else ""
        raise _wrong(name, f"there is no rule {entry['rule']!r}{guess}")
    return Suppression(**entry)


def _wrong(name: str, cause: str) -> InvalidSetting:
    return InvalidSetting(
        f"{name} is not right as a file of suppressions",
        cause=cause,
        fix="correct it; docs/guides/checks.md has an example",
    )
