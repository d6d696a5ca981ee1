"""Property 14: the dynamic configuration is a tmpfs that the server may fill."""

import re
from collections.abc import Iterator
from typing import Any

from temporal_dsql_deploy.checks.family import Family
from temporal_dsql_deploy.checks.look import (
    Inside,
    blocks,
    definitions,
    hidden,
    inside,
    main,
    number,
    opaque,
    texts,
)
from temporal_dsql_deploy.checks.model import CannotJudge, Said, Seen, SwitchedOff
from temporal_dsql_deploy.checks.subject import Subject

FAMILY = Family("mounts", "The dynamic configuration is a tmpfs that the server may fill")
DYNAMIC_CONFIG = "/etc/temporal/config/dynamicconfig"
_SERVER_USER = "1000"
"""temporalio/temporal docker/targets/server.Dockerfile: user temporal."""
_KNOWN = re.compile(
    "defaults|r[ow]|(no)?(suid|dev|exec|mand|(dir|rel|strict)?atime|diratime)|a?sync|dirsync|remount|"
    "r?(un)?bind(able)?|r?(private|shared|slave)|mode|[ug]id|nr_inodes|nr_blocks|mpol"
)
"""ECS API, Tmpfs: what mountOptions may be."""
_MEANT = (
    "The mount as written is empty, belongs to root and hides the file that the image has there, "
    "so the server would start without its dynamic configuration. Proven is that it belongs to the "
    "server's user, so that the entrypoint can write into it. Where no role has one, and each may "
    "write to its root file system, the file of the image is read, and a mount would hide it."
)


@FAMILY.rule(
    "dynamic-config",
    holds="Each Temporal role has a tmpfs for its dynamic configuration, noexec, nosuid, its own, "
    "where one of them has.",
    symptom="Without the mount nothing can be written there where the root file system is "
    "read-only; into a mount of root's the entrypoint may not write, and the server exits 1: "
    "`dynamic config: ... no such file or directory`.",
    fix=f'Mount a tmpfs at {DYNAMIC_CONFIG}, size 1, mountOptions ["uid=1000", "gid=1000", '
    '"noexec", "nosuid"].',
    source="ECS API, Tmpfs; measured with temporal-server 1.32.2",
    seeds=("S0-PR14", "S0-M1"),
    meaning=_MEANT,
)
def dynamic_config(subject: Subject) -> Iterator[Said]:
    """The tmpfs of the four roles."""
    if not subject.roles:
        raise CannotJudge("the plan has no Temporal role")
    yield from hidden(subject.roles.values())
    servers = [one for task in subject.roles.values() if (one := main(task))]
    if servers and not any(
        next(_mounts(one), None) or one["readonlyRootFilesystem"] is True for one in servers
    ):
        raise SwitchedOff("no role has a tmpfs: the file of the image is read")
    for one in servers:
        mounts = list(_mounts(one))
        if not mounts:
            yield one.wrong("linuxParameters.tmpfs", f"no tmpfs at {DYNAMIC_CONFIG}")
        for index, mount in mounts:
            yield from _options(one, f"linuxParameters.tmpfs.{index}", mount)
    yield Seen(f"{len(subject.roles)} roles")


@FAMILY.rule(
    "elsewhere",
    holds="Nothing but a Temporal role has that tmpfs.",
    symptom="It hides what the image has there, and nothing of the task writes into it.",
    fix="Take the mount out.",
    source="ECS API, Tmpfs",
    seeds=("S0-M1",),
)
def elsewhere(subject: Subject) -> Iterator[Said]:
    """The same mount in other containers."""
    tasks = definitions(subject)
    if not tasks:
        raise CannotJudge("the plan has no task definition")
    yield from hidden(tasks)
    for one in inside(tasks):
        if one.task.role and one.container is one.task.main:
            continue
        for index, _ in _mounts(one):
            yield one.wrong(f"linuxParameters.tmpfs.{index}", "it is no Temporal server")


@FAMILY.rule(
    "fargate",
    holds="A task with a tmpfs runs on EC2.",
    symptom="ECS refuses the task definition: a tmpfs is not supported on Fargate.",
    fix='Set requires_compatibilities = ["EC2"], and run it by a capacity provider of instances.',
    source="ECS API, LinuxParameters",
    seeds=("S0-M1",),
)
def fargate(subject: Subject) -> Iterator[Said]:
    """A tmpfs where there can be none."""
    tasks = definitions(subject)
    if not tasks:
        raise CannotJudge("the plan has no task definition")
    yield from hidden(tasks)
    for one in inside(tasks):
        compatible = texts(one.task.definition["requires_compatibilities"]) or ()
        service = one.task.service
        launch = service["launch_type"] if service else None
        if one["linuxParameters.tmpfs"] and ("FARGATE" in compatible or launch == "FARGATE"):
            yield one.wrong("linuxParameters.tmpfs", "a tmpfs in a task for Fargate")


@FAMILY.rule(
    "volume",
    holds="Every volume that a container mounts is one of its task.",
    symptom="ECS refuses the task definition: `ClientException: Unknown volume`.",
    fix="Declare the volume in the task definition.",
    source="ECS API, MountPoint",
)
def volume(subject: Subject) -> Iterator[Said]:
    """Volumes of mount points."""
    tasks = definitions(subject)
    if not tasks:
        raise CannotJudge("the plan has no task definition")
    yield from hidden(tasks)
    for one in inside(tasks):
        given = one.task.definition["volume"]
        names = [each.get("name") for each in blocks(given)]
        if opaque(given) or any(opaque(each) for each in names):
            continue
        for index, mount in enumerate(blocks(one["mountPoints"])):
            if mount.get("sourceVolume") not in names:
                said = f"{mount.get('sourceVolume')} is no volume of the task"
                yield one.wrong(f"mountPoints.{index}.sourceVolume", said)


def _mounts(one: Inside) -> Iterator[tuple[int, Any]]:
    for index, mount in enumerate(blocks(one["linuxParameters.tmpfs"])):
        if str(mount.get("containerPath")).rstrip("/") == DYNAMIC_CONFIG:
            yield index, mount


def _options(one: Inside, path: str, mount: Any) -> Iterator[Said]:
    options = list(texts(mount.get("mountOptions")) or ())
    user = str(one["user"] or _SERVER_USER).split(":")[0]
    for wanted in ("noexec", "nosuid"):
        if wanted not in options:
            yield one.wrong(f"{path}.mountOptions", f"no {wanted}")
    for option in options:
        if not _KNOWN.fullmatch(option.partition("=")[0]):
            said = f"ECS takes no option {option or 'without a name'}"
            yield one.wrong(f"{path}.mountOptions", said)
    owner = _option(options, "uid") or "0"
    mode = _option(options, "mode")
    if user.isdigit() and owner != user and not _open_to_all(mode):
        yield one.wrong(f"{path}.mountOptions", f"it belongs to user {owner}, the server is {user}")
    if user == _SERVER_USER and _option(options, "gid") != user:
        yield one.wrong(f"{path}.mountOptions", f"no gid={user}: it belongs to another group")
    if mode and owner == user and not re.fullmatch(r"[01]?[67][0-7]{2}|0[01]?[67][0-7]{2}", mode):
        yield one.wrong(f"{path}.mountOptions", f"mode={mode}: its owner may not write")
    size = number(mount.get("size"))
    if not size or size < 1:
        yield one.wrong(f"{path}.size", f"size {mount.get('size')}")


def _option(options: list[str], name: str) -> str | None:
    return next((o.partition("=")[2] for o in options if o.startswith(f"{name}=")), None)


def _open_to_all(mode: str | None) -> bool:
    # The default of a tmpfs is 1777, but ECS makes it with the options that it is given: 0755.
    return mode is not None and mode[-1] in "2367"
