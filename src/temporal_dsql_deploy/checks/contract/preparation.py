"""What one container prepares for another in a volume, and the texts for a shell that do it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.mounts import ONCE, mounts, words
from temporal_dsql_deploy.checks.contract.places import Place, containers, judged
from temporal_dsql_deploy.checks.model import Said, Unjudged
from temporal_dsql_deploy.checks.subject import Subject

_WRITTEN = re.compile(r">\s*(/[\w./-]+)")
_OWNED = re.compile(r"\bchown\s+(?:-R\s+)?[\w:.-]+\s+(/[\w./-]+)")
_SHELL = re.compile(r"(^|/)(ba|da|a)?sh$")
_SHELL_TEXT = re.compile(r"\s(?:>|&&|\|\|?|;)\s|\n|\$[A-Z{(]")
_API = "ECS API, ContainerDefinition and Volume"


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
    return place.parts("dependsOn")


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
    for place in containers(subject):
        if isinstance(place, Unjudged):
            yield place
            continue
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
        # COMPLETE lets a start go on without its file where writing it failed.
        if "SUCCESS" not in found:
            said = f"condition is {found[0]}" if found else f"it does not wait for {name}"
            yield place.finding("dependsOn", said)


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
        if not ONCE & set(conditions) and not _started_with(place, other):
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
    yield from _owned(place, other)
    yield from _files(place, other)


def _owned(place: Place, other: Place) -> Iterator[Said]:
    """Folders that a container gives to the user of another, which is to write there."""
    mine, theirs = mounts(place), mounts(other)
    for path in _OWNED.findall(words(other)):
        volume = next((name for name, (at, _) in theirs.items() if at == path), None)
        if volume is None:
            yield other.finding("mountPoints", f"it prepares {path}, where no volume is mounted")
        elif mine.get(volume) != (path, True):
            yield place.finding("mountPoints", f"{volume} is to be written at {path}, and is not")


def _files(place: Place, other: Place) -> Iterator[Said]:
    """Files that a container writes for another."""
    mine, theirs = mounts(place), mounts(other)
    for file in sorted(set(_WRITTEN.findall(words(other)))):
        if file in words(place) and not any(file.startswith(f"{p}/") for p, _ in mine.values()):
            yield place.finding("mountPoints", f"{file} is in no volume of {place.container.name}")
        if not any(file.startswith(f"{path}/") for path, _ in theirs.values()):
            yield other.finding("mountPoints", f"{file} is in no volume")


@FAMILY.rule(
    "shell",
    holds="A command that is text for a shell is given to one, and as who may do what it says.",
    symptom="The image's own program gets the text as an argument and exits, or runs as if there "
    "were none; `chown: Operation not permitted` where it is not root.",
    fix='entryPoint ["/bin/sh", "-ec"] with the text as the one command; user 0 for chown.',
    source="ECS API, ContainerDefinition: entryPoint, command, user",
)
def shell(subject: Subject) -> Iterator[Said]:
    """Texts are told by what only a shell reads in them."""

    def judge(place: Place) -> Iterator[Said]:
        entry = [str(word) for word in place.definition.get("entryPoint") or []]
        command = [str(word) for word in place.definition.get("command") or []]
        starts = entry or command
        sh = bool(starts and _SHELL.search(starts[0]))
        if not sh and command and any(" " in w and _SHELL_TEXT.search(w) for w in command):
            yield place.finding("entryPoint", "the command is text for a shell, and there is none")
        if sh and entry and re.fullmatch(r"-[a-z]*c", entry[-1]) and not command:
            yield place.finding("command", f"`{' '.join(entry)}` without a text")
        user = place.definition.get("user")
        root = str(user).split(":")[0] in {"0", "root"}
        # Grafana's image runs as 472; of others the user is not known.
        known = user is not None or "grafana" in place.container.image
        if known and not root and _OWNED.search(" ".join(command)):
            yield place.finding("user", f"user is {user or '472'}, and the command has a chown")

    return judged(containers(subject), judge)
