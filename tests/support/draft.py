"""A plan in the making, for tests of checks, and what to ask of a judgement."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from temporal_dsql_deploy.checks import Judgement, Subject, judge
from temporal_dsql_deploy.checks.family import Family
from temporal_dsql_deploy.checks.model import Finding, Outcome, Verdict
from temporal_dsql_deploy.plan import Output, Plan, Resource
from temporal_dsql_deploy.plan.configuration import Configuration

TASK = "aws_ecs_task_definition"
SERVICE = "aws_ecs_service"


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
