"""All mutants of a plan."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path as File
from typing import Any

from temporal_dsql_deploy.plan import Plan, Resource
from tests.support.mutants import firewall, policies
from tests.support.mutants.model import Mutant, Owners, with_output, with_values, without
from tests.support.mutants.values import DELETED, Path, altered, at, known, nodes, put

_HERE = File(__file__).parent
_TABLE = json.loads((_HERE / "places.json").read_text())
_OTHER_INSTANCES = {
    "a tenth": {"": "t4g.nano", ".search": "t3.small.search"},
    "tenfold": {"": "m7g.16xlarge", ".search": "m6g.12xlarge.search"},
}
_TASKS = "aws_ecs_task_definition"
_CONTAINERS = "container_definitions"
Rebuild = Callable[[Any], Plan]


@dataclass(frozen=True, slots=True)
class _Place:
    """A row of the table, with the path in steps."""

    type: str
    """Of a resource; empty in a container."""
    steps: tuple[str, ...]
    kind: str
    how: tuple[str, ...]
    values: tuple[Any, ...]
    """All that the place may hold, where that is a list."""
    excepted: tuple[str, ...]
    """Last steps that have a row of their own."""


def mutants(plan: Plan) -> Iterator[Mutant]:
    """Every mutant of a plan, in the order of addresses."""
    owners = Owners(plan)
    for resource in plan.resources:
        if resource.mode == "managed":
            yield from _of_resource(plan, resource, owners)
    yield from _of_replicas(plan)


@dataclass(frozen=True, slots=True)
class _Tree:
    """Values with places in them, and the way back to a plan."""

    address: str
    prefix: str
    """What stands before a place's path."""
    values: Mapping[str, Any]
    rebuild: Rebuild
    """The plan with other values."""
    owners: Owners


def _of_resource(plan: Plan, resource: Resource, owners: Owners) -> Iterator[Mutant]:
    if resource.type in firewall.TYPES:
        yield from firewall.mutants(plan, resource)
        return
    if kind := _TABLE["deleted"].get(resource.type):
        gone = partial(without, plan, resource.address)
        yield Mutant(kind, resource.address, "", "deleted", "deleted", gone)
    rebuild = partial(with_values, plan, resource)
    tree = _Tree(resource.address, "", resource.values, rebuild, owners)
    for place in _rows("resources"):
        if place.type == resource.type:
            yield from _of_tree(tree, place)
    if resource.type == _TASKS and isinstance(resource.values.get(_CONTAINERS), str):
        yield from _of_containers(plan, resource, owners)
    for attribute, kind in _policies(resource.type):
        yield from policies.mutants(plan, resource, attribute, kind)


def _of_containers(plan: Plan, task: Resource, owners: Owners) -> Iterator[Mutant]:
    inside = json.loads(task.values[_CONTAINERS])

    def rebuilt(index: int, container: Any) -> Plan:
        text = json.dumps([*inside[:index], container, *inside[index + 1 :]])
        return with_values(plan, task, {**task.values, _CONTAINERS: text})

    for index, container in enumerate(inside):
        name = f"{container['name']}."
        tree = _Tree(task.address, name, container, partial(rebuilt, index), owners)
        for place in _rows("containers"):
            yield from _of_tree(tree, place)


def _of_tree(tree: _Tree, place: _Place) -> Iterator[Mutant]:
    for path, value in nodes(tree.values):
        # A list without its items is what deleting them makes, and an empty block says nothing.
        if not _matches(path, place) or isinstance(value, list | tuple) or value == {}:
            continue
        attribute = tree.prefix + _named(tree.values, path)
        for what, other in _others(value, place, tree.owners):
            said = "deleted" if other is DELETED else f"{_short(value)} -> {_short(other)}"
            made = partial(_made, tree, path, other)
            yield Mutant(place.kind, tree.address, attribute, what, said, made)


def _made(tree: _Tree, path: Path, other: Any) -> Plan:
    return tree.rebuild(put(tree.values, path, other))


def _others(value: Any, place: _Place, owners: Owners) -> Iterator[tuple[str, Any]]:
    how = place.how
    if "delete" in how:
        yield "deleted", DELETED
    yield from ((f"{one} instead", one) for one in place.values if one != value)
    if "alter" in how and not isinstance(value, Mapping):
        another = owners.another(value)
        yield from [("another", another)] if another else altered(value)
    if "latest" in how:
        repository = str(value).partition("@")[0].rpartition(":")[0]
        yield "latest", f"{repository}:latest"
    if "instance" in how:
        suffix = ".search" if str(value).endswith(".search") else ""
        others = ((what, types[suffix]) for what, types in _OTHER_INSTANCES.items())
        yield from ((what, other) for what, other in others if other != value)


def _matches(path: Path, place: _Place) -> bool:
    if path[-1] in place.excepted:
        return False
    steps = place.steps
    if steps[-1] == "**":
        steps = steps[:-1]
        return len(path) >= len(steps) and _equal(path[: len(steps)], steps)
    return len(path) == len(steps) and _equal(path, steps)


def _equal(path: Path, steps: tuple[str, ...]) -> bool:
    return all(step in {"*", str(key)} for key, step in zip(path, steps, strict=True))


def _named(tree: Any, path: Path) -> str:
    """The path with the name of an item in place of its number, where it has one."""
    words: list[str] = []
    for depth, key in enumerate(path):
        item = at(tree, path[: depth + 1]) if isinstance(key, int) else None
        name = item.get("name") or item.get("containerPath") if isinstance(item, Mapping) else None
        words.append(str(name if isinstance(name, str) else key))
    return ".".join(words)


def _of_replicas(plan: Plan) -> Iterator[Mutant]:
    """How many tasks a running cluster has: the one place is the output `services`."""
    services = plan.outputs["services"].value if "services" in plan.outputs else {}
    for name, service in services.items():
        if not known(service.get("replicas")):
            continue
        for what, other in [("deleted", DELETED), *altered(service["replicas"])]:
            value = put(services, (name, "replicas"), other)
            said = "deleted" if other is DELETED else f"{service['replicas']} -> {other}"
            made = partial(with_output, plan, "services", value)
            yield Mutant("replicas", "output.services", f"{name}.replicas", what, said, made)


@cache
def _rows(table: str) -> tuple[_Place, ...]:
    return tuple(_place(row) for row in _TABLE[table])


def _place(row: Mapping[str, Any]) -> _Place:
    values = tuple(row.get("values", ()))
    how = tuple(row.get("how", () if values else ("delete", "alter")))
    steps = tuple(row["path"].split("."))
    return _Place(row.get("type", ""), steps, row["kind"], how, values, tuple(row.get("not", ())))


def _policies(type_: str) -> Iterator[tuple[str, str]]:
    for place, kind in _TABLE["policies"].items():
        of_type, attribute = place.split(".")
        if of_type == type_:
            yield attribute, kind


def _short(value: Any) -> str:
    text = json.dumps(value, default=repr)
    return text if len(text) <= 60 else f"{text[:57]}..."
