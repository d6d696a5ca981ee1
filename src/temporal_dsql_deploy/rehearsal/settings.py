"""What the emulated ECS is told about this machine: one file, written before its process starts.

It may be written anew while that runs: images, hosts and variables are those of the file when a
task starts, and `worn` holds within a second.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.errors import InvalidSetting
from temporal_dsql_deploy.runtime import files

SECONDS: Mapping[str, float] = {
    "drain": 1,
    "health_interval": 2,
    "instance_boot": 1,
    "placement": 600,
    "start_period": 300,
    "stopped_task_kept": 3600,
    "tick": 0.25,
}
"""Times that are shortened, or may be, in seconds.

`drain`: how long a task that leaves still runs, while its names lead past it. `health_interval`:
at most, between two runs of a container's health check until it is well, five times as long
afterwards. `instance_boot`: from an EC2 instance to its registration. `placement`: how long a task
of a capacity provider waits for an instance. `start_period`: at most, of a health check.
`stopped_task_kept`: how long ECS shows a task that has stopped (an hour, ECS developer guide,
stopped-task-errors). `tick`: how often the scheduler looks.
"""


@dataclass(frozen=True, slots=True)
class RehearsalSettings:
    """How the emulated ECS starts containers on this machine."""

    folder: str
    """Where it keeps its things; containers are known again by it."""
    network: str
    """The Docker network whose addresses are those of the VPC."""
    bridge: str
    """The device of that network."""
    gateway: str
    """The address of this machine there: task metadata, DNS and the emulated AWS listen on it."""
    images: Mapping[str, str] = field(default_factory=dict)
    """Local images by the image of a task definition, with or without its tag."""
    placeholders: Mapping[str, str] = field(default_factory=dict)
    """Local images that answer on a container's ports in its place, by its name or its image."""
    hosts: Mapping[str, str] = field(default_factory=dict)
    """Addresses by name, for every task."""
    worn: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Ids of the security groups of addresses that are no task's: those of data stores."""
    environment: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    """Variables to set, or with None to leave out, by a pattern of task definition families."""
    architecture: str = "amd64"
    """Of the images, where the task definition has another."""
    pause: str = "dsql-deploy-base:amd64"
    """A local image with a program `sleep`: it holds the network of each task."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """By the name of a ulimit: the most that this machine lets a container have."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Of SECONDS, those that are otherwise."""

    def second(self, name: str) -> float:
        """One of SECONDS."""
        return float(self.seconds.get(name, SECONDS[name]))

    def image(self, name: str) -> str | None:
        """The local image for one of a task definition: by its exact name, else without its tag."""
        return self.images.get(name) or self.images.get(without_tag(name))

    def placeholder(self, container: str, image: str) -> str | None:
        """The image that plays a container, if one does."""
        names = (container, image, without_tag(image))
        return next((self.placeholders[name] for name in names if name in self.placeholders), None)


def without_tag(image: str) -> str:
    """The name of an image alone."""
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    return folder + slash + last.partition(":")[0]


def read(path: Path) -> RehearsalSettings:
    """The settings of a file. Raises InvalidSetting."""
    try:
        said: Any = json.loads(path.read_text(encoding="utf-8"))
        return _checked(RehearsalSettings(**said))
    except (OSError, ValueError, TypeError) as error:
        raise InvalidSetting(
            f"{path} is no file of settings for a rehearsal",
            cause=str(error),
            fix="let the rehearsal write it: dsql-deploy rehearse ENV",
        ) from error


def _checked(settings: RehearsalSettings) -> RehearsalSettings:
    unknown = sorted(settings.seconds.keys() - SECONDS.keys())
    if unknown:
        raise ValueError(f"seconds has no {', '.join(unknown)}; there are {', '.join(SECONDS)}")
    return settings


def write(path: Path, settings: RehearsalSettings) -> None:
    """Replace the file in one step; it has the password of the database. Raises OSError."""
    files.write(path, json.dumps(asdict(settings), indent=2) + "\n", 0o600)
