"""Volumes of a task, and what one container leaves in them for another."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.places import Place, containers, judged
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.values import UNKNOWN

_ONCE = frozenset({"SUCCESS", "COMPLETE"})
_WRITTEN = re.compile(r">\s*(/[\w./-]+)")
_API = "ECS API, ContainerDefinition and Volume"


def mounts(place: Place) -> dict[str, tuple[str, bool]]:
    """Path in the container, and whether it may write there, by volume."""
    found: dict[str, tuple[str, bool]] = {}
    for point in place.definition.get("mountPoints") or []:
        path, writes = str(point.get("containerPath") or ""), point.get("readOnly") is not True
        found[str(point.get("sourceVolume"))] = (path.rstrip("/"), writes)
    return found


def words(place: Place) -> str:
    """Entry point and command as one text."""
    given = (place.definition.get(key) or [] for key in ("entryPoint", "command"))
    return " ".join(str(word) for part in given for word in part)


@FAMILY.rule(
    "volume-declared",
    holds="Every volume that a container mounts is a volume of its task.",
    symptom="AWS refuses the task definition: `Unknown volume`.",
    fix="Add the `volume` block, or correct sourceVolume.",
    source=_API,
)
def volume_declared(subject: Subject) -> Iterator[Said]:
    """By name."""

    def judge(place: Place) -> Iterator[Said]:
        volumes = place.task.definition["volume"]
        if volumes is UNKNOWN:
            yield place.unjudged("the volumes of the task are known only after an apply")
            return
        known = {volume.get("name") for volume in volumes or [] if isinstance(volume, Mapping)}
        if UNKNOWN in known:
            yield place.unjudged("the names of its volumes are known only after an apply")
            return
        for number, (volume, (path, _)) in enumerate(mounts(place).items()):
            if volume not in known:
                what = f"{volume} is no volume of the task"
                yield place.finding(f"mountPoints.{number}.sourceVolume", what)
            if not path.startswith("/"):
                what = f"`{path}` is no absolute path"
                yield place.finding(f"mountPoints.{number}.containerPath", what)

    return judged(containers(subject), judge)


@FAMILY.rule(
    "volume-used",
    holds="Every volume of a task is mounted.",
    symptom="A container that was to share it writes to its own file system: nobody else sees it, "
    "and it is gone with the task.",
    fix="Mount the volume, or remove it.",
    source=_API,
)
def volume_used(subject: Subject) -> Iterator[Said]:
    """By at least one container."""
    seen = False
    for task in subject.tasks:
        volumes = task.definition["volume"]
        if task.containers is None or not isinstance(volumes, list):
            continue
        seen = True
        mounted = {v for one in task.containers for v in mounts(Place(task, one))}
        for number, volume in enumerate(volumes):
            name = volume.get("name") if isinstance(volume, Mapping) else None
            if isinstance(name, str) and name not in mounted:
                yield Finding(task.definition.address, f"volume.{number}", f"nobody mounts {name}")
    if not seen:
        raise CannotJudge("the plan has no task definition whose containers are known")


def _pairs(subject: Subject) -> Iterator[tuple[Place, Place]]:
    """Each container with one that it waits for to end, or whose file it is started with."""
    for task in subject.tasks:
        places = {one.name: Place(task, one) for one in task.containers or ()}
        for place in places.values():
            waits = {str(dep.get("containerName")) for dep in _dependencies(place)}
            for other in places.values():
                if other is not place and (
                    other.container.name in waits or _started_with(place, other)
                ):
                    yield place, other


def _dependencies(place: Place) -> list[Mapping[str, Any]]:
    found = place.definition.get("dependsOn")
    return [one for one in found or [] if isinstance(one, Mapping)]


def _started_with(place: Place, other: Place) -> bool:
    """Whether a container's command names a file that the other's command writes."""
    said = words(place)
    written = _WRITTEN.findall(words(other))
    return any(path in said for path in written) and other.definition.get("essential") is False


@FAMILY.rule(
    "init-order",
    holds="A container waits until the one that writes its files has ended well.",
    symptom="It starts without its configuration and exits, or takes the one in its image, in some "
    "starts and not in others.",
    fix="dependsOn with containerName and condition SUCCESS.",
    source="ECS API, ContainerDependency",
)
def init_order(subject: Subject) -> Iterator[Said]:
    """By the paths in their commands."""
    for place in _all(subject):
        names = {one.name for one in place.task.containers or ()}
        for number, dependency in enumerate(_dependencies(place)):
            name = dependency.get("containerName")
            if name not in names:
                path = f"dependsOn.{number}.containerName"
                yield place.finding(path, f"{name} is no container of the task")
    for place, other in _pairs(subject):
        if not _started_with(place, other):
            continue
        name = other.container.name
        found = [d.get("condition") for d in _dependencies(place) if d.get("containerName") == name]
        if not _ONCE & set(found):
            said = f"condition is {found[0]}" if found else f"it does not wait for {name}"
            yield place.finding("dependsOn", said)


def _all(subject: Subject) -> Iterator[Place]:
    for place in containers(subject):
        if isinstance(place, Place):
            yield place


@FAMILY.rule(
    "init-mounts",
    holds="What a container prepares for another lies in a volume that both mount, and that it may "
    "write.",
    symptom="The file is written into the file system of a container that is gone: the one that "
    "waits for it exits with `no such file or directory`, or may not write where it must.",
    fix="Mount the volume in both, at the path that the commands name.",
    source=_API,
)
def init_mounts(subject: Subject) -> Iterator[Said]:
    """Of containers that another waits for to end, or whose file it is started with."""
    for place in containers(subject):
        if isinstance(place, Unjudged):
            yield place
    for place, other in _pairs(subject):
        conditions = [
            d.get("condition")
            for d in _dependencies(place)
            if d.get("containerName") == other.container.name
        ]
        if not _ONCE & set(conditions) and not _started_with(place, other):
            continue
        yield from _shared(place, other)


def _shared(place: Place, other: Place) -> Iterator[Said]:
    mine, theirs = mounts(place), mounts(other)
    name, said = other.container.name, words(other)
    for volume in theirs:
        if volume not in mine:
            yield place.finding("mountPoints", f"{name} prepares {volume}, which is not mounted")
    for volume, (path, _) in mine.items():
        if volume not in theirs and path and path in said:
            yield other.finding("mountPoints", f"it prepares {path}, where {volume} is not mounted")
    for volume, (path, writes) in theirs.items():
        if not writes and path in said:
            yield other.finding("mountPoints", f"{volume} at {path} is read only")
    files = set(_WRITTEN.findall(said))
    for file in sorted(files):
        if file in words(place) and not any(file.startswith(f"{p}/") for p, _ in mine.values()):
            yield place.finding("mountPoints", f"{file} is in no volume of {place.container.name}")
        if not any(file.startswith(f"{path}/") for path, _ in theirs.values()):
            yield other.finding("mountPoints", f"{file} is in no volume")
