"""What goes wrong in the emulated ECS because somebody asked for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from temporal_dsql_deploy.rehearsal.ecs import words
from temporal_dsql_deploy.rehearsal.ecs.model import FARGATE, LOST, RUNNING

if TYPE_CHECKING:
    from temporal_dsql_deploy.rehearsal.ecs.ecs import Ecs


@dataclass(slots=True)
class Faults:
    """Faults that last until they are cleared."""

    images: set[str] = field(default_factory=set)
    """Parts of names of images that cannot be pulled."""
    secrets: set[str] = field(default_factory=set)
    """Parts of names of secrets and parameters that are not there."""
    zones: set[str] = field(default_factory=set)
    """Availability Zones that are lost."""
    no_capacity: bool = False
    """Whether no instance joins any more."""

    def clear(self) -> None:
        """All is well again."""
        self.images.clear()
        self.secrets.clear()
        self.zones.clear()
        self.no_capacity = False


def do(ecs: "Ecs", asked: Mapping[str, Any]) -> dict[str, Any]:
    """Let something go wrong; see rehearsal.faults for what there is. Raises KeyError."""
    with ecs.lock:
        return _FAULTS[asked["fault"]](ecs, asked)


def _kill_tasks(ecs: "Ecs", asked: Mapping[str, Any]) -> dict[str, Any]:
    """Kill the containers of one task, or of some of a service."""
    tasks = [
        one
        for one in ecs.tasks.values()
        if one.status == RUNNING
        and (one.id == asked.get("task") or _is_named(one.service, asked.get("service")))
    ][: int(asked.get("count") or 1)]
    for task in tasks:
        ecs.docker.run(
            "kill", *(one.runtime_id for one in task.containers if one.status == RUNNING)
        )
    return {"tasks": [one.arn for one in tasks]}


def _is_named(arn: str, name: object) -> bool:
    return bool(name) and arn.rpartition("/")[2] == str(name).rpartition("/")[2]


def _lose_instance(ecs: "Ecs", asked: Mapping[str, Any]) -> dict[str, Any]:
    for fleet in ecs.fleets.values():
        for name in list(fleet.instances):
            if asked.get("instance") in {None, name}:
                fleet.lose(name)
                return {"instances": [name]}
    return {"instances": []}


def _lose_zone(ecs: "Ecs", asked: Mapping[str, Any]) -> dict[str, Any]:
    ecs.faults.zones.add(str(asked["zone"]))
    lost = []
    for fleet in ecs.fleets.values():
        lost += [name for name, one in fleet.instances.items() if one.zone == asked["zone"]]
        for name in [name for name in lost if name in fleet.instances]:
            fleet.lose(name)
    for task in ecs.tasks.values():
        if task.launch == FARGATE and task.zone == asked["zone"]:
            ecs.stop(task, LOST, words.lost(task.zone), abrupt=True)
    return {"instances": lost}


def _no_capacity(ecs: "Ecs", _asked: Mapping[str, Any]) -> dict[str, Any]:
    ecs.faults.no_capacity = True
    return {}


def _no_image(ecs: "Ecs", asked: Mapping[str, Any]) -> dict[str, Any]:
    ecs.faults.images.add(str(asked["image"]))
    return {}


def _no_secret(ecs: "Ecs", asked: Mapping[str, Any]) -> dict[str, Any]:
    ecs.faults.secrets.add(str(asked["secret"]))
    return {}


def _clear(ecs: "Ecs", _asked: Mapping[str, Any]) -> dict[str, Any]:
    ecs.faults.clear()
    for fleet in ecs.fleets.values():
        fleet.fill()
    return {}


_FAULTS = {
    "task killed": _kill_tasks,
    "instance lost": _lose_instance,
    "zone lost": _lose_zone,
    "capacity not arriving": _no_capacity,
    "image missing": _no_image,
    "secret missing": _no_secret,
    "clear": _clear,
}
