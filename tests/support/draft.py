"""A plan in the making, for tests of checks, and what to ask of a judgement."""

import json
import re
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import pytest

from temporal_dsql_deploy.checks import Judgement, Subject, judge
from temporal_dsql_deploy.checks.family import Family
from temporal_dsql_deploy.checks.model import Finding, Outcome, Verdict
from temporal_dsql_deploy.plan import Output, Plan, Resource
from temporal_dsql_deploy.plan.configuration import Configuration

TASK = "aws_ecs_task_definition"
SERVICE = "aws_ecs_service"
ABSENT: Any = ...
"""In place of a value: what is there is taken out."""


@dataclass
class Draft:
    """A plan in the making: change what you like, then `plan()` or `subject()`."""

    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Attributes by address."""
    containers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Container definitions by name of the task; written into its definition by `plan()`."""
    outputs: dict[str, Any] = field(default_factory=dict)
    configuration: Configuration | None = None

    def add(self, address: str, **values: Any) -> dict[str, Any]:
        """A new resource, or another in its place."""
        self.values[address] = values
        return values

    def __getitem__(self, address: str) -> dict[str, Any]:
        return self.values[address]

    def task(self, name: str) -> dict[str, Any]:
        """Attributes of a task definition."""
        return self.values[f"{TASK}.{name}"]

    def service(self, name: str) -> dict[str, Any]:
        """Attributes of an ECS service."""
        return self.values[f"{SERVICE}.{name}"]

    def without(self, *addresses: str) -> "Draft":
        """This draft, after these resources have been taken out."""
        for address in addresses:
            del self.values[address]
            self.containers.pop(address.removeprefix(f"{TASK}."), None)
        return self

    def put(self, place: str, path: str, value: Any) -> "Draft":
        """This draft with another value at a dotted path, or without it where value is ABSENT.

        The place is an address, `NAME/NUMBER` for a container, or `outputs`.
        """
        if not path:
            return self.without(place)
        holder = self._holder(place)
        *way, last = path.split(".")
        for step in way:
            holder = holder[int(step)] if isinstance(holder, list) else holder[step]
        key: Any = int(last) if isinstance(holder, list) else last
        if value is ABSENT:
            del holder[key]
        else:
            holder[key] = value
        return self

    def _holder(self, place: str) -> Any:
        task, _, number = place.partition("/")
        if number.isdigit():
            return self.containers[task][int(number)]
        return self.outputs if place == "outputs" else self.values[place]

    def plan(self) -> Plan:
        """What has been drafted."""
        return Plan("1.13.5", tuple(map(self._resource, sorted(self.values))), outputs=self._told())

    def subject(self) -> Subject:
        """The plan as checks get it."""
        return Subject(self.plan(), configuration=self.configuration)

    def judged(self, family: Family) -> Judgement:
        """What a family says of it."""
        return judge(self.subject(), family.rules)

    def _told(self) -> dict[str, Output]:
        return {name: Output(name, value) for name, value in self.outputs.items()}

    def _resource(self, address: str) -> Resource:
        values = self.values[address]
        name = address.removeprefix(f"{TASK}.")
        if name in self.containers and address != name:
            text = json.dumps(self.containers[name])
            values = {"container_definitions": text, **values}
        module, mode, kind, label, index = _split(address)
        return Resource(address, module, mode, kind, label, index, values)


@dataclass(frozen=True)
class Break:
    """One thing that is wrong, and the rule that has to say so."""

    rule: str
    place: str
    """As `Draft.put` takes it."""
    path: str
    values: tuple[Any, ...]
    """Each of them is wrong."""
    says: tuple[str, str] | None = None
    """Resource and attribute of the finding; None for the place itself."""

    def expected(self) -> tuple[str, str]:
        """Resource and attribute that the finding has to name."""
        if self.says:
            return self.says
        task, _, number = self.place.partition("/")
        if number.isdigit():
            return f"{TASK}.{task}", f"container_definitions.{number}.{self.path}"
        return self.place, self.path

    def holds(self, family: Family, draft: Draft, value: Any) -> None:
        """Assert that the meant rule, and it alone of its family, finds it, and where."""
        draft.put(self.place, self.path, deepcopy(value))
        found = only(draft.judged(family), self.rule)
        assert self.expected() in [(one.resource, one.attribute) for one in found], found
        assert all(one.evidence and one.symptom and one.fix for one in found)

    @property
    def name(self) -> str:
        """For the list of tests."""
        return f"{self.rule} {self.place} {self.path}"


def every(breaks: Iterable[Break]) -> list[Any]:
    """Each break with each of its values, as parameters of a test."""
    return [
        pytest.param(one, value, id=f"{one.name} {index}")
        for one in breaks
        for index, value in enumerate(one.values)
    ]


def _split(address: str) -> tuple[str, str, str, str, str | int | None]:
    found = re.fullmatch(
        r"(?:(module\..*)\.)?(data\.)?(\w+)\.([\w-]+)(?:\[(?:\"(.+)\"|(\d+))])?", address
    )
    assert found, address
    index = found[5] or (int(found[6]) if found[6] else None)
    return found[1] or "", "data" if found[2] else "managed", found[3], found[4], index


def ng(outcome: Outcome) -> list[tuple[str, str]]:
    """Resource and attribute of each finding."""
    return [(found.resource, found.attribute) for found in outcome.findings]


def only(judgement: Judgement, rule: str) -> list[Finding]:
    """The findings of a rule, where no other one of the family has any."""
    others = {r.id for r, _ in judgement.findings} - {rule}
    assert not others, [found for r, found in judgement.findings if r.id in others]
    assert judgement.of(rule).verdict is Verdict.NG, judgement.of(rule)
    return list(judgement.of(rule).findings)


def verdicts(judgement: Judgement) -> dict[str, Verdict]:
    """By rule."""
    return {outcome.rule.id: outcome.verdict for outcome in judgement.outcomes}
