"""What ECS can place on one EC2 instance, by its type: read from `instances.json`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CPU_UNITS = 1024
"""ECS CPU units of one vCPU (ECS developer guide, task_definition_parameters)."""


@dataclass(frozen=True, slots=True)
class Room:
    """What there is for tasks on one instance."""

    cpu: int
    """ECS CPU units."""
    memory_mib: int
    interfaces: int
    """Network interfaces for tasks of network mode awsvpc, one each."""


@dataclass(frozen=True, slots=True)
class InstanceType:
    """An EC2 instance type; the file says where each number comes from."""

    name: str
    vcpu: int
    memory_mib: int
    """Installed."""
    registered_mib: int
    """What ECS may count on at least: installed less what kernel and platform take."""
    interfaces: int
    branch_interfaces: int
    """Interfaces for tasks where the instance has a trunk; 0 where it cannot have one."""

    @property
    def family(self) -> str:
        """`m7g` of `m7g.large`."""
        return self.name.partition(".")[0]

    def room(self, *, trunking: bool) -> Room:
        """Room on an empty instance, with `awsvpcTrunking` switched on before it starts or not."""
        # The primary interface is the instance's own.
        tasks = self.interfaces - 1
        if trunking:
            tasks = max(tasks, self.branch_interfaces)
        return Room(self.vcpu * CPU_UNITS, self.registered_mib, tasks)


@cache
def instance_types() -> Mapping[str, InstanceType]:
    """All types of the table by name, by family and then from small to large; read once."""
    data = json.loads(Path(__file__).with_name("instances.json").read_text(encoding="utf-8"))
    overhead = data["memory_overhead"]
    found = {}
    for name, (vcpu, gib, interfaces, branches) in data["types"].items():
        installed = int(gib * 1024)
        taken = max(overhead["least_mib"], int(installed * overhead["fraction"]))
        found[name] = InstanceType(name, vcpu, installed, installed - taken, interfaces, branches)
    return found


def larger(name: str) -> tuple[InstanceType, ...]:
    """Types of the same family with more vCPU or memory, the smallest first. Raises KeyError."""
    known = instance_types()
    base = known[name]
    return tuple(
        each
        for each in known.values()
        if each.family == base.family
        and (each.vcpu, each.memory_mib) > (base.vcpu, base.memory_mib)
    )
