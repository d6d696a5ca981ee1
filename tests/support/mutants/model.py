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
