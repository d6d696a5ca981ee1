"""The EC2 instances of a cluster, and what is left on them for tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.capacity.instances import instance_types
from temporal_dsql_deploy.platforms.ecs.clients import Clients, batches

_AT_ONCE = 100
"""Instances that one DescribeContainerInstances takes (ECS API reference)."""
_TRUNK = "ecs.awsvpc-trunk-id"
"""An attribute of instances that have a trunk interface (ECS developer guide, container instance
ENI)."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One container instance."""

    arn: str
    ec2: str
    """Id of the EC2 instance."""
    type: str
    availability_zone: str
    status: str
    """ACTIVE, DRAINING, REGISTERING and so on."""
    connected: bool
    """Whether its agent is in touch with ECS."""
    provider: str
    """Capacity provider."""
    tasks: int
    """That run or start on it."""
    cpu: int
    """Units that are left; 1024 are a vCPU."""
    memory: int
    """MiB that are left."""
    interfaces: int | None
    """Network interfaces that are left for tasks; None for a type that is not known."""

    @property
    def usable(self) -> bool:
        """Whether ECS places tasks on it."""
        return self.status == "ACTIVE" and self.connected


def look(cluster: str, clients: Clients) -> list[Instance]:
    """The instances of a cluster. Raises what `aws.told` makes of a refusal."""
    with aws.calling("list the instances (ecs:ListContainerInstances)"):
        pages = clients.ecs.get_paginator("list_container_instances").paginate(cluster=cluster)
        arns = [arn for page in pages for arn in page["containerInstanceArns"]]
    found = []
    for some in batches(arns, _AT_ONCE):
        with aws.calling("describe the instances (ecs:DescribeContainerInstances)"):
            said = clients.ecs.describe_container_instances(
                cluster=cluster, containerInstances=some
            )
        found += [parse(one) for one in said["containerInstances"]]
    return sorted(found, key=lambda one: one.arn)


def parse(said: Mapping[str, Any]) -> Instance:
    """An instance of the ECS API."""
    attributes = {one["name"]: one.get("value", "") for one in said.get("attributes", [])}
    left = {one["name"]: one.get("integerValue", 0) for one in said.get("remainingResources", [])}
    tasks = said.get("runningTasksCount", 0) + said.get("pendingTasksCount", 0)
    kind = attributes.get("ecs.instance-type", "")
    return Instance(
        arn=said["containerInstanceArn"],
        ec2=said.get("ec2InstanceId", ""),
        type=kind,
        availability_zone=attributes.get("ecs.availability-zone", ""),
        status=said.get("status", ""),
        connected=said.get("agentConnected", False),
        provider=said.get("capacityProviderName", ""),
        tasks=tasks,
        cpu=left.get("CPU", 0),
        memory=left.get("MEMORY", 0),
        interfaces=_interfaces(kind, tasks, trunking=_TRUNK in attributes),
    )


def _interfaces(kind: str, tasks: int, *, trunking: bool) -> int | None:
    """Every task of network mode awsvpc takes one, and there are no others here."""
    known = instance_types().get(kind)
    return None if known is None else max(0, known.room(trunking=trunking).interfaces - tasks)


def in_words(instances: Sequence[Instance]) -> dict[str, str]:
    """What is left, by capacity provider."""
    said = {}
    for provider in sorted({one.provider for one in instances}):
        mine = [one for one in instances if one.provider == provider]
        usable = [one for one in mine if one.usable]
        left = ["?" if one.interfaces is None else str(one.interfaces) for one in usable]
        said[provider or "no capacity provider"] = (
            f"{len(usable)} of {len(mine)} instances take tasks; left: {' + '.join(left) or 0} "
            f"network interfaces, {sum(one.cpu for one in usable) / 1024:g} vCPU, "
            f"{sum(one.memory for one in usable)} MiB"
        )
    return said
