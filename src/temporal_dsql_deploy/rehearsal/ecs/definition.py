"""A task definition as plain data: what has to be placed, and what has to be started, in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy.capacity.instances import Room

START, COMPLETE, SUCCESS, HEALTHY = "START", "COMPLETE", "SUCCESS", "HEALTHY"
_INTERVAL, _TIMEOUT, _RETRIES = 30, 5, 3
"""Of a health check that says none (ECS API, HealthCheck)."""
_STOP_SECONDS = 30
"""ECS_CONTAINER_STOP_TIMEOUT of the agent."""
_CPU, _MEMORY = 256, 512
"""Of a task that names no size: only that something is taken."""


@dataclass(frozen=True, slots=True)
class Check:
    """The health check of a container; times in seconds."""

    command: Sequence[str]
    """With its first word, CMD or CMD-SHELL."""
    interval: float
    timeout: float
    retries: int
    start_period: float

    def words(self) -> list[str]:
        """What is run in the container."""
        if self.command[0] == "CMD-SHELL":
            return ["/bin/sh", "-c", *self.command[1:]]
        return [*self.command[1:]] if self.command[0] == "CMD" else [*self.command]


@dataclass(frozen=True, slots=True)
class Part:
    """One container of a task."""

    name: str
    image: str
    said: Mapping[str, Any]
    """As the task definition says it."""

    @property
    def essential(self) -> bool:
        """Whether the task ends with it."""
        return bool(self.said.get("essential", True))

    @property
    def check(self) -> Check | None:
        """Its health check; none where it has none, or NONE."""
        said = self.said.get("healthCheck") or {}
        command = said.get("command") or []
        if not command or command[0] == "NONE":
            return None
        return Check(
            tuple(command),
            float(said.get("interval") or _INTERVAL),
            float(said.get("timeout") or _TIMEOUT),
            int(said.get("retries") or _RETRIES),
            float(said.get("startPeriod") or 0),
        )

    @property
    def after(self) -> dict[str, str]:
        """The conditions it waits for, by container."""
        return {one["containerName"]: one["condition"] for one in self.said.get("dependsOn") or []}

    @property
    def stop_seconds(self) -> int:
        """From SIGTERM to SIGKILL."""
        return int(self.said.get("stopTimeout") or _STOP_SECONDS)

    @property
    def environment(self) -> dict[str, str]:
        """Its variables, without secrets."""
        return {one["name"]: one.get("value", "") for one in self.said.get("environment") or []}

    @property
    def secrets(self) -> dict[str, str]:
        """Where each secret variable comes from."""
        return {one["name"]: one["valueFrom"] for one in self.said.get("secrets") or []}

    @property
    def ports(self) -> dict[str, int]:
        """Its ports by the name of the mapping, or by their number."""
        mappings = self.said.get("portMappings") or []
        return {
            str(one.get("name") or one["containerPort"]): one["containerPort"] for one in mappings
        }

    @property
    def log(self) -> Mapping[str, str]:
        """Options of its log driver awslogs; empty with another or none."""
        said = self.said.get("logConfiguration") or {}
        options: Mapping[str, str] = said.get("options") or {}
        return options if said.get("logDriver") == "awslogs" else {}

    @property
    def restarts(self) -> float | None:
        """Seconds it has to run before it is started again when it ends; None for never."""
        policy = self.said.get("restartPolicy") or {}
        return float(policy.get("restartAttemptPeriod") or 300) if policy.get("enabled") else None


@dataclass(frozen=True, slots=True)
class Definition:
    """A revision of a task definition."""

    arn: str
    family: str
    revision: int
    room: Room
    """What it takes of an instance."""
    parts: Sequence[Part]
    volumes: Sequence[str] = ()
    constraints: Sequence[tuple[str, str]] = ()
    """Type and expression of its own placement constraints."""

    def part(self, name: str) -> Part:
        """A container by its name. Raises KeyError."""
        return {part.name: part for part in self.parts}[name]

    @property
    def checked(self) -> list[Part]:
        """Essential containers that have a health check: the task is as healthy as they are."""
        return [part for part in self.parts if part.essential and part.check]

    def port(self, name: str) -> int | None:
        """The port of the mapping of this name."""
        return next((part.ports[name] for part in self.parts if name in part.ports), None)


def read(said: Any) -> Definition:
    """A task definition of moto's."""
    parts = tuple(Part(one["name"], one["image"], one) for one in said.container_definitions)
    sized = [part.said for part in parts]
    memory = [int(one.get("memory") or one.get("memoryReservation") or 0) for one in sized]
    room = Room(
        int(said.cpu or sum(int(one.get("cpu") or 0) for one in sized) or _CPU),
        int(said.memory or sum(memory) or _MEMORY),
        1 if said.network_mode == "awsvpc" else 0,
    )
    return Definition(
        said.arn,
        said.family,
        int(said.revision),
        room,
        parts,
        tuple(volume["name"] for volume in said.volumes or []),
        tuple((one["type"], one.get("expression", "")) for one in said.placement_constraints or []),
    )


def overridden(part: Part, overrides: Mapping[str, Any] | None) -> Part:
    """The container as the overrides of a RunTask make it."""
    for one in (overrides or {}).get("containerOverrides") or []:
        if one.get("name") not in {None, part.name}:
            continue
        said = {**part.said, **{key: one[key] for key in ("cpu", "memory") if one.get(key)}}
        if one.get("command"):
            said["command"] = one["command"]
        variables = {item["name"]: item for item in said.get("environment") or []}
        variables |= {item["name"]: item for item in one.get("environment") or []}
        said["environment"] = list(variables.values())
        part = Part(part.name, part.image, said)
    return part


def startable(definition: Definition, reached: Mapping[str, Sequence[str]]) -> list[Part]:
    """Containers that have not been started and whose conditions are met.

    `reached` has for each container what it has come to: START once it was started, then HEALTHY,
    COMPLETE, SUCCESS.
    """
    return [
        part
        for part in definition.parts
        if part.name not in reached
        and all(condition in reached.get(name, ()) for name, condition in part.after.items())
    ]


def never(definition: Definition, reached: Mapping[str, Sequence[str]]) -> Part | None:
    """A container whose condition cannot be met any more, if there is one."""
    for part in definition.parts:
        for name, condition in part.after.items():
            ended = COMPLETE in reached.get(name, ())
            if part.name not in reached and ended and condition not in {*reached[name], START}:
                return part
    return None


def stop_order(parts: Sequence[Part]) -> list[list[Part]]:
    """Containers in the order of their stop: who depends on others stops before them."""
    left, order = list(parts), []
    while left:
        needed = {name for part in left for name in part.after}
        first = [part for part in left if part.name not in needed] or left
        order.append(first)
        left = [part for part in left if part not in first]
    return order
