"""Container instances: EC2 instances whose user data name a cluster; they join, and leave."""

import time
from collections.abc import Callable, Iterable, Sequence
from random import Random

from temporal_dsql_deploy.capacity.instances import CPU_UNITS, Room, instance_types
from temporal_dsql_deploy.capacity.pool import Group
from temporal_dsql_deploy.rehearsal.aws.server import ACCOUNT
from temporal_dsql_deploy.rehearsal.ecs import world
from temporal_dsql_deploy.rehearsal.ecs.faults import Faults
from temporal_dsql_deploy.rehearsal.ecs.model import Instance, new_id
from temporal_dsql_deploy.rehearsal.ecs.placing import Host, Wish, missing
from temporal_dsql_deploy.rehearsal.ecs.world import Machine

_LEFT_OUT = 0.925
"""Of a type's memory, what ECS registers where nothing better is known."""


class Fleet:
    """The container instances of one region."""

    def __init__(self, region: str, faults: Faults, boot: Callable[[], float]) -> None:
        self.region = region
        self.instances: dict[str, Instance] = {}
        """By the id of EC2."""
        self._faults = faults
        self._boot = boot
        self._seen: dict[str, float] = {}
        self._chance = Random(0)  # noqa: S311 - of zones, not of secrets

    def look(self, now: float) -> list[Instance]:
        """Let those join that have booted; the ones that are gone."""
        there = {machine.id: machine for machine in world.machines(self.region)}
        for name, machine in there.items():
            first = self._seen.setdefault(name, now)
            if name not in self.instances and now >= first + self._boot():
                self._join(machine)
        lost = [one for name, one in self.instances.items() if name not in there]
        for one in lost:
            del self.instances[one.id]
        return lost

    def of(self, cluster: str) -> list[Instance]:
        """Those of a cluster, by its ARN."""
        return [one for one in self.instances.values() if one.cluster == cluster]

    def lose(self, instance: str) -> None:
        """End an EC2 instance; its Auto Scaling group starts another one, unless none may come."""
        auto_scaling = world.auto_scaling(self.region)
        world.ec2(self.region).terminate_instances([instance])
        for group in auto_scaling.autoscaling_groups.values():
            states = [one for one in group.instance_states if one.instance.id != instance]
            if len(states) < len(group.instance_states):
                group.instance_states = states
                self._fill(group.name)

    def _fill(self, group: str) -> None:
        if not self._faults.no_capacity:
            found = world.auto_scaling(self.region).autoscaling_groups[group]
            self._want(group, found.desired_capacity)

    def _want(self, group: str, count: int) -> None:
        """Let a group have so many instances; new ones come in zones that are not lost."""
        backend = world.auto_scaling(self.region)
        found = backend.autoscaling_groups[group]
        every = str(found.vpc_zone_identifier or "")
        lost = self._faults.zones
        there = world.subnets(self.region, every.split(","))
        usable = [one.id for one in there if one.zone not in lost]
        if there and not usable:
            return
        try:
            if there:
                found.vpc_zone_identifier = ",".join(usable)
            backend.set_desired_capacity(group, count)
        finally:
            found.vpc_zone_identifier = every

    def fill(self) -> None:
        """Let every group have the instances that it is to have."""
        for group in list(world.auto_scaling(self.region).autoscaling_groups):
            self._fill(group)

    def grow(self, wishes: Sequence[Wish], hosts: Sequence[Host], providers: Iterable[str]) -> None:
        """Start the instances that tasks wait for, as managed scaling does.

        Not while some of the group have yet to join: they may be enough.
        """
        if self._faults.no_capacity:
            return
        found = [world.provider(self.region, name) for name in providers]
        able = [one for one in found if one and one.scales and not self._is_booting(one.group)]
        groups = [
            Group(one.group, self._room(one.type), one.zones, 0, one.largest - one.desired)
            for one in able
        ]
        added = missing(wishes, hosts, groups, self._chance)
        for one in able:
            if number := added.get(one.group, 0):
                self._want(one.group, one.desired + number)

    def _is_booting(self, group: str) -> bool:
        machines = [one for one in world.machines(self.region) if one.group == group]
        return any(one.id not in self.instances for one in machines)

    def _join(self, machine: Machine) -> None:
        cluster = world.ecs(self.region).clusters.get(machine.cluster)
        if cluster is None or self._faults.no_capacity or machine.zone in self._faults.zones:
            return
        arn = f"arn:aws:ecs:{self.region}:{ACCOUNT}:container-instance/{cluster.name}/{new_id()}"
        self.instances[machine.id] = Instance(
            arn=arn,
            id=machine.id,
            cluster=str(cluster.arn),
            group=machine.group,
            type=machine.type,
            zone=machine.zone,
            room=self._room(machine.type),
            attributes=machine.attributes,
            provider=self._provider(machine.group),
            registered=time.time(),
        )

    def _provider(self, group: str) -> str:
        for name in list(world.ecs(self.region).capacity_providers):
            found = world.provider(self.region, name)
            if found and found.group == group:
                return found.name
        return ""

    def _room(self, kind: str) -> Room:
        trunking = world.is_trunking(self.region)
        if known := instance_types().get(kind):
            return known.room(trunking=trunking)
        return _of_moto(kind)


def _of_moto(kind: str) -> Room:
    """Of a type that our table has not: no trunk is known of it."""
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    said = INSTANCE_TYPES[kind]
    return Room(
        int(said["VCpuInfo"]["DefaultVCpus"]) * CPU_UNITS,
        int(int(said["MemoryInfo"]["SizeInMiB"]) * _LEFT_OUT),
        int(said["NetworkInfo"]["MaximumNetworkInterfaces"]) - 1,
    )
