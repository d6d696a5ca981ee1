"""What a task takes: the numbers of a task definition, however Terraform has them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy.plan.containers import Container
from temporal_dsql_deploy.plan.tasks import Task

_WITH_UNIT = re.compile(r"([0-9.]+)\s*(vcpu|gb)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Measure:
    """What ECS takes from an instance for one task."""

    cpu: int
    """ECS CPU units."""
    memory_mib: int
    interfaces: int


def whole(value: Any) -> int | None:
    """CPU units or MiB of `512`, `"512"`, `".5 vCPU"` and `"1 GB"`; None where it is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    said = _WITH_UNIT.fullmatch(str(value).strip())
    try:
        return int(float(said[1]) * (1024 if said[2] else 1)) if said else None
    except ValueError:
        return None


def reserved_mib(container: Container) -> int:
    """MiB that ECS takes for a container: what it reserves, or else its limit; 0 for neither."""
    said = container.definition
    return whole(said.get("memoryReservation")) or whole(said.get("memory")) or 0


def limit_mib(container: Container) -> int:
    """MiB above which a container is killed; 0 where only the task limits it."""
    return whole(container.definition.get("memory")) or 0


def cpu_of(container: Container) -> int:
    """CPU units of a container; 0 for what is left."""
    return whole(container.definition.get("cpu")) or 0


def measure(task: Task) -> Measure | None:
    """What one task takes; None where the plan does not tell.

    Where the task has no size of its own, ECS adds up its containers (ECS developer guide,
    task_definition_parameters).
    """
    cpu = _total(task.definition["cpu"], map(cpu_of, task.containers or ()), task)
    memory = _total(task.definition["memory"], map(reserved_mib, task.containers or ()), task)
    mode = task.definition["network_mode"]
    if cpu is None or memory is None or not isinstance(mode, str | None):
        return None
    return Measure(cpu, memory, 1 if mode == "awsvpc" else 0)


def _total(said: Any, parts: Iterable[int], task: Task) -> int | None:
    if said is None:
        return None if task.containers is None else sum(parts)
    return whole(said)
