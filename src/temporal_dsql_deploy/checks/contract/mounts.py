"""Volumes of a task, and who mounts them."""

from collections.abc import Iterator, Mapping

from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.places import Place, containers, judged
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.values import UNKNOWN

ONCE = frozenset({"SUCCESS", "COMPLETE"})
_API = "ECS API, ContainerDefinition and Volume"


def mounts(place: Place) -> dict[str, tuple[str, bool]]:
    """Path in the container, and whether it may write there, by volume."""
    found: dict[str, tuple[str, bool]] = {}
    for point in place.parts("mountPoints"):
        path, writes = str(point.get("containerPath") or ""), point.get("readOnly") is not True
        found[str(point.get("sourceVolume"))] = (path.rstrip("/"), writes)
    return found


def words(place: Place) -> str:
    """Entry point and command as one text."""
    return " ".join(place.container.words)


def awaited(place: Place) -> bool:
    """Whether another container waits until this one has ended."""
    return any(
        dependency.get("containerName") == place.container.name
        and str(dependency.get("condition")) in ONCE
        for other in place.task.containers or ()
        for dependency in Place(place.task, other).parts("dependsOn")
    )


_RELATIVE = (
    "The task does not start: `CannotStartContainerError: ... invalid volume specification`."
)


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
                yield place.finding(f"mountPoints.{number}.containerPath", what, _RELATIVE)

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
