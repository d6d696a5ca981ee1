"""Which components an apply restarts, and why."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from temporal_dsql_deploy.operations.plan.names import now
from temporal_dsql_deploy.operations.plan.result import Restart
from temporal_dsql_deploy.plan import (
    UNKNOWN,
    Action,
    Change,
    Container,
    Plan,
    Sensitive,
    containers,
)
from temporal_dsql_deploy.plan.parts import component

_TRIGGERS = {
    "force_new_deployment",
    "load_balancer",
    "network_configuration",
    "platform_version",
    "service_connect_configuration",
    "service_registries",
    "task_definition",
    "triggers",
    "volume_configuration",
    "vpc_lattice_configurations",
}
"""Attributes of a service that ECS changes by a new deployment; it changes all others in place.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/update-service-parameters.html"""
_DEFINITION = "aws_ecs_task_definition"
_LONGEST = 40
"""Characters of a value that are shown."""
_SHOWN = ("cpu", "memory", "task_role_arn", "execution_role_arn", "network_mode")
"""Attributes of a task definition whose values say more than their names."""
_SILENT = {
    *_SHOWN,
    "arn",
    "arn_without_revision",
    "container_definitions",
    "id",
    "revision",
    "tags",
    "tags_all",
}


def restarts(plan: Plan, project: str) -> list[Restart]:
    """Every service that exists and changes, then task definitions that no service runs."""
    definitions = [
        change
        for change in plan.changing()
        if change.type == _DEFINITION and change.before is not None
    ]
    found = []
    used: set[str] = set()
    for change in plan.changing():
        if change.type == "aws_ecs_service" and change.before is not None:
            of_it = [one for one in definitions if _runs(change, one)]
            restart = _restart(change, of_it, project)
            if restart is not None:
                found.append(restart)
                used.update(restart.definitions)
    found += [
        Restart(
            component=component(now(one).get("family"), project),
            service=one.address,
            effect="the next task that is run is the new one; what runs is left alone",
            reasons=reasons(one),
        )
        for one in definitions
        if one.address not in used and one.action in {Action.UPDATE, Action.REPLACE}
    ]
    return found


def reasons(change: Change) -> list[str]:
    """What differs between the two versions of a task definition, in the words of ECS."""
    before, after = change.before or {}, change.after or {}
    said = list(_containers(before, after))
    said += [
        _pair(name.replace("_", " "), before.get(name), after.get(name))
        for name in _SHOWN
        if name in after and before.get(name) != after.get(name)
    ]
    said += [
        name.replace("_", " ")
        for path, _, new in change.differences()
        if (name := path.partition(".")[0]) not in _SILENT and new is not UNKNOWN
    ]
    return list(dict.fromkeys(said))


def _runs(service: Change, definition: Change) -> bool:
    """Whether a task definition is the one of a service: by its family, in the same module."""
    family = now(definition).get("family")
    arn = str(now(service).get("task_definition", ""))
    return arn.rpartition("/")[2].partition(":")[0] == family


def _restart(change: Change, definitions: list[Change], project: str) -> Restart | None:
    name = component(now(change).get("name"), project)
    used = [definition.address for definition in definitions]
    if change.action in {Action.DELETE, Action.FORGET}:
        gone = "its tasks stop" if change.action == Action.DELETE else "it is left to others"
        return Restart(name, change.address, f"the service is taken away: {gone}", [])
    if change.action == Action.REPLACE:
        said = [f"{path} changed" for path in change.replace_paths]
        said += [said for definition in definitions for said in reasons(definition)]
        return Restart(name, change.address, _anew(change), said, used)
    # What is merely computed anew by AWS starts nothing.
    paths = {
        path.partition(".")[0]
        for path, _, new in change.differences()
        if path == "task_definition" or new is not UNKNOWN
    } & _TRIGGERS
    said = []
    for definition in definitions:
        said += reasons(definition) or ["new task definition"]
    if "task_definition" in paths and not definitions:
        said.append("another task definition")
    others = sorted(paths - {"task_definition"})
    said += [f"{path.replace('_', ' ')} changed" for path in others]
    effect = f"its tasks are replaced {_pace(change)}" if said else ""
    said += _count(change)
    if not said:
        return None
    return Restart(name, change.address, effect or "its tasks are left alone", said, used)


def _anew(change: Change) -> str:
    after = change.after or {}
    stops = "the service is replaced: ALL its tasks stop, and it is made anew"
    if after.get("scheduling_strategy") == "DAEMON":
        return f"{stops} with a task on each instance"
    if after.get("desired_count") in (0, None):
        return f"{stops} with no tasks: start it again"
    return f"{stops} with {_short(after['desired_count'])}"


def _pace(change: Change) -> str:
    least = (change.after or {}).get("deployment_minimum_healthy_percent", 100)
    most = (change.after or {}).get("deployment_maximum_percent", 200)
    return f"a few at a time (min {least} %, max {most} %)"


def _count(change: Change) -> Iterator[str]:
    before, after = ((side or {}).get("desired_count") for side in (change.before, change.after))
    if before != after and after is not UNKNOWN:
        yield _pair("desired count", before, after)


def _containers(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    old, new = containers(before), containers(after)
    if new is None or old is None:
        sides = [side.get("container_definitions") for side in (before, after)]
        if any(isinstance(side, Sensitive) for side in sides):
            if sides[0] != sides[1]:
                yield "containers (sensitive)"
        elif UNKNOWN in sides or None in sides:
            yield "containers (known after apply)"
        elif sides[0] != sides[1]:
            yield "containers (unreadable)"
        return
    was = {one.name: one for one in old}
    will = {one.name: one for one in new}
    yield from (f"container {name} added" for name in will if name not in was)
    yield from (f"container {name} removed" for name in was if name not in will)
    main = new[0].name if new else ""
    for name, container in will.items():
        if name in was:
            prefix = "" if name == main else f"{name}: "
            yield from (f"{prefix}{said}" for said in _container(was[name], container))


def _container(old: Container, new: Container) -> Iterator[str]:
    if old.image != new.image:
        yield _pair("image", *_shortened(old.image, new.image))
    yield from _variables("environment", old.environment, new.environment)
    for name in sorted({*old.secrets, *new.secrets}):
        if old.secrets.get(name) != new.secrets.get(name):
            yield f"secret {name}"
    if old.ports != new.ports:
        yield _pair("ports", _list(old.ports), _list(new.ports))
    spoken_of = {"image", "environment", "secrets", "portMappings", "name"}
    for key in sorted({*old.definition, *new.definition} - spoken_of):
        # ECS leaves out what is empty.
        if (old.definition.get(key) or None) != (new.definition.get(key) or None):
            yield key


def _variables(what: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*old, *new}):
        if name not in new:
            yield f"{what} {name} removed"
        elif name not in old:
            yield f"{what} {name} = {_short(new[name])}"
        elif old[name] != new[name]:
            yield _pair(f"{what} {name}", old[name], new[name])


def _shortened(old: str, new: str) -> tuple[str, str]:
    """Only the tags or digests where the repository is the same."""
    for separator in ("@", ":"):
        repository, found, tag = new.rpartition(separator)
        if found and old.startswith(f"{repository}{separator}") and "/" not in tag:
            return old.removeprefix(f"{repository}{separator}"), tag
    return old, new


def _pair(what: str, old: object, new: object) -> str:
    before, after = _short(old), _short(new)
    return f"{what} {before} -> {after}" if before != after else f"{what} changed"


def _short(value: object) -> str:
    text = "-" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _list(ports: Iterable[int]) -> str:
    return ", ".join(map(str, ports)) or "-"
