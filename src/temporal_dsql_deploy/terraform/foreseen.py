"""What the first plan of a variable set would say, foreseen from the plans of other sets.

Both plans of some sets teach which attributes of a resource, by its address, nobody knows before an
apply. Another set is then planned once, with the values that are foreseen, and its plan shows
whether they were right. Where it has a resource that was not seen before, or an attribute that may
be configured or made up by Terraform, nothing is foreseen: it is planned twice like the first.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from temporal_dsql_deploy.plan import UNKNOWN, Plan
from temporal_dsql_deploy.plan.reader import resource_after
from temporal_dsql_deploy.plan.values import unknown_paths
from temporal_dsql_deploy.terraform import invented

_Path = tuple[str, ...]
"""Names of attributes; the places of a list are one."""


class _NotForeseen(Exception):
    """A value that tells nothing of the first plan, or a resource that no other set has."""


@dataclass(frozen=True, slots=True)
class Foresight:
    """What both plans of some sets of one region have taught."""

    account: str
    region: str
    overrides: invented.Overrides = field(default_factory=dict)
    """For every resource that one of them has."""
    _seen: dict[str, dict[_Path, list[tuple[Any, bool]]]] = field(default_factory=dict)
    """By address and attribute: a value of the second plan, and whether the first knew it."""

    def learn(self, first: Plan, second: Plan, overrides: invented.Overrides) -> None:
        """Take in the two plans of a set; `second` as Terraform has made it with `overrides`."""
        before = {change.address: change.after for change in first.changes}
        for change in second.changes:
            seen = self._seen.setdefault(change.address, {})
            for path, observed in _observations(change.after, before.get(change.address), ()):
                if observed not in seen.setdefault(path, []):
                    seen[path].append(observed)
        self.overrides.update({**overrides, **self.overrides})

    def first_plan(self, second: Plan) -> Plan | None:
        """The first plan of a set whose second one was made with `overrides`.

        None where that is not certain, or where it would have led to other overrides. What only
        a first plan refuses, a `for_each` over what is not known, is not seen where each resource
        of the set stood in the first plan of another.
        """
        try:
            changes = tuple(
                replace(change, after=after, unknown=unknown_paths(after))
                for change in second.changes
                for after in [_first(change.after, (), self._of(change.address))]
            )
        except _NotForeseen:
            return None
        resources = tuple(
            resource for change in changes if (resource := resource_after(change)) is not None
        )
        first = replace(second, changes=changes, resources=resources)
        wanted = invented.of_resources(first, account=self.account, region=self.region)
        there = {change.address for change in changes}
        given = {name: each for name, each in self.overrides.items() if name in there}
        return first if wanted == given else None

    def _of(self, address: str) -> Mapping[_Path, list[tuple[Any, bool]]]:
        if address not in self._seen:
            raise _NotForeseen
        return self._seen[address]


def teachers(sets: Sequence[Mapping[str, Any]], count: int) -> list[int]:
    """The numbers of the sets that have the most values of variables between them."""
    values = {number: set(_leaves(variables, ())) for number, variables in enumerate(sets)}
    chosen: list[int] = []
    seen: set[tuple[_Path, str]] = set()
    while values and len(chosen) < count:
        best = max(values, key=lambda number: len(values[number] - seen))
        seen |= values.pop(best)
        chosen.append(best)
    return chosen


def _leaves(value: Any, path: _Path) -> Iterator[tuple[_Path, str]]:
    if not isinstance(value, Mapping):
        yield path, repr(value)
        return
    for name, part in value.items():
        yield from _leaves(part, (*path, name))


def _observations(now: Any, before: Any, path: _Path) -> Iterator[tuple[_Path, tuple[Any, bool]]]:
    if before is UNKNOWN:
        yield path, (now, False)
    elif isinstance(now, Mapping) and isinstance(before, Mapping) and now:
        for name, part in now.items():
            yield from _observations(part, before.get(name), (*path, name))
    elif isinstance(now, list) and isinstance(before, list) and now and len(now) == len(before):
        for parts in zip(now, before, strict=True):
            yield from _observations(*parts, (*path, ""))
    else:
        yield path, (now, True)


def _first(now: Any, path: _Path, seen: Mapping[_Path, list[tuple[Any, bool]]]) -> Any:
    """A value of a second plan as the first had it. Raises _NotForeseen."""
    if now is UNKNOWN:
        return UNKNOWN
    observed = seen.get(path, [])
    configured = all(known for _, known in observed)
    whole = not isinstance(now, (str, Mapping, list))
    if invented.may_be_made_up(now) or (whole and not configured):
        told = {known for value, known in observed if _alike(now, value, known=known)}
        if len(told) != 1:
            raise _NotForeseen
        return now if told.pop() else UNKNOWN
    if not configured:
        return UNKNOWN
    if isinstance(now, Mapping):
        return {name: _first(part, (*path, name), seen) for name, part in now.items()}
    if isinstance(now, list):
        return [_first(part, (*path, ""), seen) for part in now]
    return now


def _alike(now: Any, value: Any, *, known: bool) -> bool:
    """Whether a value that may be made up is of the same origin as one of the same attribute."""
    if isinstance(now, str) and not known:
        # Those are another in each run.
        return isinstance(value, str) and invented.may_be_made_up(value)
    return type(now) is type(value) and bool(now == value)
