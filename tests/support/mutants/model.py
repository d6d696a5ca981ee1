"""What a mutant is, and the plan that it makes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from temporal_dsql_deploy.plan import Plan, Resource
from temporal_dsql_deploy.plan.model import Change, Output


@dataclass(frozen=True, slots=True)
class Mutant:
    """One thing in a plan that is deleted or has another value."""

    kind: str
    """A key of kinds.json."""
    address: str
    """Resource in which it is, or `output.NAME`."""
    attribute: str
    """Place in it, with the names of containers and variables in place of numbers."""
    what: str
    """`deleted`, `tenfold`, ...: what was done, without the values."""
    detail: str
    """The same with the values."""
    make: Callable[[], Plan]

    @property
    def id(self) -> str:
        """The same in every plan that has the place."""
        place = f"{self.address} {self.attribute}".rstrip()
        return f"{self.kind}: {place}: {self.what}"


class Owners:
    """What ids and ARNs of a plan stand for."""

    def __init__(self, plan: Plan) -> None:
        self._owner: dict[str, tuple[str, str]] = {}
        self._all: dict[tuple[str, str], list[str]] = {}
        for resource in plan.resources:
            for attribute in ("id", "arn"):
                value = resource.values.get(attribute)
                if isinstance(value, str):
                    self._owner.setdefault(value, (resource.type, attribute))
                    self._all.setdefault((resource.type, attribute), []).append(value)

    def another(self, value: Any) -> str | None:
        """Another resource of the type that `value` stands for; None where there is none."""
        kind = self._owner.get(value) if isinstance(value, str) else None
        if kind is None:
            return None
        same = sorted(set(self._all[kind]))
        following = same[(same.index(value) + 1) % len(same)]
        return following if following != value else None


def without(plan: Plan, address: str) -> Plan:
    """The plan as if a resource had never been written."""
    return replace(
        plan,
        resources=tuple(each for each in plan.resources if each.address != address),
        changes=tuple(each for each in plan.changes if each.address != address),
    )


def with_values(plan: Plan, resource: Resource, values: Mapping[str, Any]) -> Plan:
    """The plan with other attributes of a resource, in what will be and in what changes."""
    made = replace(resource, values=values)
    return replace(
        plan,
        resources=tuple(made if each is resource else each for each in plan.resources),
        changes=tuple(_changed(each, made) for each in plan.changes),
    )


def with_output(plan: Plan, name: str, value: Any) -> Plan:
    """The plan with another value of an output."""
    return replace(plan, outputs={**plan.outputs, name: Output(name, value)})


def _changed(change: Change, resource: Resource) -> Change:
    if change.address != resource.address or change.after is None:
        return change
    return replace(change, after=resource.values)
