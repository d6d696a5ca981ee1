"""All mutants of a plan."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path as File
from typing import Any

from temporal_dsql_deploy.plan import Plan, Resource
from tests.support.mutants import firewall, policies
from tests.support.mutants.model import Mutant, with_output, with_values, without
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

    steps: tuple[str, ...]
    kind: str
    how: tuple[str, ...]
    only: tuple[str, ...]


def mutants(plan: Plan) -> Iterator[Mutant]:
    """Every mutant of a plan, in the order of addresses."""
    for resource in plan.resources:
        if resource.mode == "managed":
            yield from _of_resource(plan, resource)
    yield from _of_replicas(plan)


def _of_resource(plan: Plan, resource: Resource) -> Iterator[Mutant]:
    if resource.type in firewall.TYPES:
        yield from firewall.mutants(plan, resource)
        return
    if kind := _TABLE["deleted"].get(resource.type):
        gone = partial(without, plan, resource.address)
        yield Mutant(kind, resource.address, "", "deleted", "deleted", gone)
    for place in _places(resource.type):
        yield from _of_tree(resource.address, resource.values, place, "", _values(plan, resource))
    if resource.type == _TASKS and isinstance(resource.values.get(_CONTAINERS), str):
        yield from _of_containers(plan, resource)
    for attribute, kind in _policies(resource.type):
        yield from policies.mutants(plan, resource, attribute, kind)


def _values(plan: Plan, resource: Resource) -> Rebuild:
    return lambda values: with_values(plan, resource, values)


def _of_containers(plan: Plan, task: Resource) -> Iterator[Mutant]:
    inside = json.loads(task.values[_CONTAINERS])

    def rebuilt(index: int, container: Any) -> Plan:
        text = json.dumps([*inside[:index], container, *inside[index + 1 :]])
        return with_values(plan, task, {**task.values, _CONTAINERS: text})

    for index, container in enumerate(inside):
        rebuild = partial(rebuilt, index)
        for place in _rows("containers"):
            name = f"{container['name']}."
            yield from _of_tree(task.address, container, place, name, rebuild)


def _of_tree(
    address: str, tree: Mapping[str, Any], place: _Place, prefix: str, rebuild: Rebuild
) -> Iterator[Mutant]:
    for path, value in nodes(tree):
        # A list without its items is what deleting them makes, and an empty block says nothing.
        if not _matches(path, place) or isinstance(value, list | tuple) or value == {}:
            continue
        attribute = prefix + _named(tree, path)
        for what, other in _others(value, place.how):
            said = "deleted" if other is DELETED else f"{_short(value)} -> {_short(other)}"
            made = partial(_made, rebuild, tree, path, other)
            yield Mutant(place.kind, address, attribute, what, said, made)


def _made(rebuild: Rebuild, tree: Any, path: Path, other: Any) -> Plan:
    return rebuild(put(tree, path, other))


def _others(value: Any, how: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    single = not isinstance(value, Mapping | list | tuple)
    if "delete" in how:
        yield "deleted", DELETED
    if "alter" in how and single:
        yield from altered(value)
    if "latest" in how:
        repository = str(value).partition("@")[0].rpartition(":")[0]
        yield "latest", f"{repository}:latest"
    if "instance" in how:
        suffix = ".search" if str(value).endswith(".search") else ""
        yield from ((what, types[suffix]) for what, types in _OTHER_INSTANCES.items())


def _matches(path: Path, place: _Place) -> bool:
    if place.only and path[-1] not in place.only:
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
        for what, other in _others(service["replicas"], ("delete", "alter")):
            value = put(services, (name, "replicas"), other)
            said = "deleted" if other is DELETED else f"{service['replicas']} -> {other}"
            made = partial(with_output, plan, "services", value)
            yield Mutant("replicas", "output.services", f"{name}.replicas", what, said, made)


def _places(type_: str) -> tuple[_Place, ...]:
    return tuple(_place(row) for row in _TABLE["resources"] if row["type"] == type_)


@cache
def _rows(table: str) -> tuple[_Place, ...]:
    return tuple(_place(row) for row in _TABLE[table])


def _place(row: Mapping[str, Any]) -> _Place:
    how = tuple(row.get("how", ("delete", "alter")))
    return _Place(tuple(row["path"].split(".")), row["kind"], how, tuple(row.get("only", ())))


def _policies(type_: str) -> Iterator[tuple[str, str]]:
    for place, kind in _TABLE["policies"].items():
        of_type, attribute = place.split(".")
        if of_type == type_:
            yield attribute, kind


def _short(value: Any) -> str:
    text = json.dumps(value, default=repr)
    return text if len(text) <= 60 else f"{text[:57]}..."
