"""How Docker is asked for the containers of a task: arguments as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy.rehearsal.ecs.definition import Definition, Part
from temporal_dsql_deploy.rehearsal.settings import RehearsalSettings

LABEL = "dsql-deploy.rehearsal"
"""Which rehearsal made a container or a volume: its folder."""
TASK, SERVICE, CONTAINER = f"{LABEL}.task", f"{LABEL}.service", f"{LABEL}.container"
_CLIENTS = ("PATH", "HOME", "DOCKER_", "SSH_", "BUILDKIT_", "XDG_")
"""Variables that mean something to Docker's client too begin so."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the containers of a task are."""

    task: str
    """Its id."""
    service: str
    """Empty where no service has started it."""
    address: str
    """Empty for one that Docker chooses."""
    hosts: Mapping[str, str]
    """Addresses by name."""

    @property
    def pause(self) -> str:
        """The container that holds the network of the task."""
        return f"ecs-{self.task}-pause"

    def container(self, name: str) -> str:
        """A container of the task."""
        return f"ecs-{self.task}-{name}"

    def volume(self, name: str) -> str:
        """A volume of the task."""
        return f"ecs-{self.task}-{name}"


def pause(place: Place, settings: RehearsalSettings) -> list[str]:
    """Run what holds the network namespace of a task, which its containers share."""
    address = ["--ip", place.address] if place.address else []
    named = f"ip-{place.address.replace('.', '-')}" if place.address else place.task[:12]
    return [
        *("run", "--detach", "--pull", "never"),
        *_labels(place, settings, "~internal~ecs~pause"),
        *("--name", place.pause),
        *("--hostname", named),
        *("--network", settings.network),
        *address,
        *("--dns", settings.gateway),
        *_each("--add-host", [f"{name}:{to}" for name, to in place.hosts.items()]),
        *("--entrypoint", "sleep"),
        settings.pause,
        "infinity",
    ]


def volumes(place: Place, definition: Definition, settings: RehearsalSettings) -> list[list[str]]:
    """Make the volumes of a task; empty ones belong to root."""
    label = f"{LABEL}={settings.folder}"
    return [
        ["volume", "create", "--label", label, place.volume(name)] for name in definition.volumes
    ]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One container of a task."""

    part: Part
    image: str
    """Local."""
    environment: Mapping[str, str]
    memory_mib: int
    """That it may have, where its part says none."""


def create(place: Place, wanted: Wanted, settings: RehearsalSettings) -> list[str]:
    """Make a container of a task. Its variables come from the caller's environment: see `given`."""
    part, environment = wanted.part, wanted.environment
    said = part.said
    words = said.get("entryPoint") or []
    return [
        *("create", "--pull", "never"),
        *_labels(place, settings, part.name),
        *("--name", place.container(part.name)),
        *("--network", f"container:{place.pause}"),
        *_each("--env", [_variable(name, value) for name, value in environment.items()]),
        *_sizes(wanted),
        *_linux(part),
        *_each("--volume", _mounts(place, part)),
        *_each("--ulimit", [_ulimit(one, settings) for one in said.get("ulimits") or []]),
        *(["--user", said["user"]] if said.get("user") else []),
        *(["--workdir", said["workingDirectory"]] if said.get("workingDirectory") else []),
        *(["--read-only"] if said.get("readonlyRootFilesystem") else []),
        *(["--privileged"] if said.get("privileged") else []),
        *("--stop-timeout", str(part.stop_seconds)),
        *(["--entrypoint", words[0]] if words else []),
        wanted.image,
        *words[1:],
        *(said.get("command") or []),
    ]


def given(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables of a container that Docker's client is given as its own.

    Command lines can be read by all; and a file of variables takes none of several lines.
    """
    return {name: value for name, value in environment.items() if not name.startswith(_CLIENTS)}


def _variable(name: str, value: str) -> str:
    return f"{name}={value}" if name.startswith(_CLIENTS) else name


def _labels(place: Place, settings: RehearsalSettings, container: str) -> list[str]:
    labels = {
        LABEL: settings.folder,
        TASK: place.task,
        SERVICE: place.service,
        CONTAINER: container,
    }
    return _each("--label", [f"{name}={value}" for name, value in labels.items()])


def _sizes(wanted: Wanted) -> list[str]:
    said = wanted.part.said
    memory = int(said.get("memory") or wanted.memory_mib)
    reserved = said.get("memoryReservation")
    # The agent gives a container without a number 2 shares, the least that there are.
    return [
        *("--cpu-shares", str(max(2, int(said.get("cpu") or 2)))),
        *("--memory", f"{memory}m", "--memory-swap", f"{memory}m"),
        *(["--memory-reservation", f"{reserved}m"] if reserved else []),
    ]


def _linux(part: Part) -> list[str]:
    linux = part.said.get("linuxParameters") or {}
    capabilities = linux.get("capabilities") or {}
    return [
        *(["--init"] if linux.get("initProcessEnabled") else []),
        *_each("--tmpfs", [_tmpfs(one) for one in linux.get("tmpfs") or []]),
        *_each("--cap-add", capabilities.get("add") or []),
        *_each("--cap-drop", capabilities.get("drop") or []),
    ]


def _tmpfs(one: Mapping[str, object]) -> str:
    options = one.get("mountOptions") or []
    listed = [f"size={one['size']}m", *(options if isinstance(options, list) else [])]
    return f"{one['containerPath']}:{','.join(listed)}"


def _mounts(place: Place, part: Part) -> list[str]:
    return [
        f"{place.volume(one['sourceVolume'])}:{one['containerPath']}"
        + (":ro" if one.get("readOnly") else "")
        for one in part.said.get("mountPoints") or []
    ]


def _ulimit(one: Mapping[str, Any], settings: RehearsalSettings) -> str:
    most = settings.limits.get(one["name"])
    soft, hard = (
        int(one[part]) if most is None else min(int(one[part]), most)
        for part in ("softLimit", "hardLimit")
    )
    return f"{one['name']}={soft}:{hard}"


def _each(option: str, values: Sequence[str]) -> list[str]:
    return [word for value in values for word in (option, value)]
