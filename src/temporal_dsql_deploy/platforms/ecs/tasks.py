"""The tasks of a cluster's services, as ECS says they are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.platforms.ecs.clients import Clients, batches
from temporal_dsql_deploy.platforms.ecs.services import Service

_AT_ONCE = 100
"""Tasks that one DescribeTasks takes (ECS API reference)."""
RUNNING, STOPPED = "RUNNING", "STOPPED"
"""What a task is wanted to be: one that is being started or stopped still says RUNNING or PENDING
in its status. ECS keeps a stopped task for an hour at least."""

_ON_PURPOSE = ("ServiceSchedulerInitiated", "UserInitiated")
"""Stop codes: also those of a task whose health check failed, which the scheduler replaces."""


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a task."""

    name: str
    status: str = ""
    health: str = ""
    """HEALTHY, UNHEALTHY, or UNKNOWN: it has no health check, or none has succeeded yet."""
    runtime_id: str = ""
    """What a session of SSM names it by."""
    exit_code: int | None = None
    reason: str = ""
    """Why it did not start, or ended."""


@dataclass(frozen=True, slots=True)
class Task:
    """One task."""

    arn: str
    component: str
    service: str
    """Name of its service."""
    address: str
    """Its own in the VPC; empty until it has one."""
    availability_zone: str
    status: str
    """PROVISIONING, PENDING, ACTIVATING, RUNNING, DEACTIVATING, STOPPING, DEPROVISIONING or
    STOPPED."""
    health: str
    """HEALTHY, UNHEALTHY or UNKNOWN, of its essential containers."""
    task_definition: str
    """ARN."""
    deployment: str = ""
    """Id of the deployment that has started it."""
    started: datetime | None = None
    """When its containers ran."""
    stopped: datetime | None = None
    stopped_reason: str = ""
    stop_code: str = ""
    containers: Sequence[Container] = ()
    instance: str = ""
    """ARN of the container instance; empty on Fargate, and until it is placed."""

    @property
    def id(self) -> str:
        """The last part of its ARN: log streams end with it."""
        return self.arn.rpartition("/")[2]

    @property
    def failed(self) -> bool:
        """Whether it never started, ended by itself, or was not healthy: nobody has stopped it."""
        return self.stop_code not in _ON_PURPOSE or "health checks" in self.stopped_reason

    @property
    def why(self) -> str:
        """Why it stopped: what its containers say, else what ECS says of the task."""
        said = [f"{one.name}: {one.reason}" for one in self.containers if one.reason]
        codes = [
            f"{one.name} ended with exit code {one.exit_code}"
            for one in self.containers
            if one.exit_code
        ]
        return "; ".join([*said, *codes]) or self.stopped_reason or "no reason is said"

    @property
    def revision(self) -> int:
        """Of its task definition."""
        return int(self.task_definition.rpartition(":")[2])


def look(
    services: Sequence[Service], clients: Clients, *, wanted: str = RUNNING
) -> dict[str, list[Task]]:
    """The tasks of these services by component, the oldest first.

    `wanted` is RUNNING, or STOPPED for those that ended. Raises what `aws.told` makes of a refusal.
    """
    return {one.component: list(_tasks(one, clients, wanted)) for one in services}


def _tasks(service: Service, clients: Clients, wanted: str) -> list[Task]:
    with aws.calling(f"list the tasks of {service.name} (ecs:ListTasks)"):
        pages = clients.ecs.get_paginator("list_tasks").paginate(
            cluster=service.cluster, serviceName=service.name, desiredStatus=wanted
        )
        arns = [arn for page in pages for arn in page["taskArns"]]
    found = list(_described(service, arns, clients))
    return sorted(found, key=lambda one: (one.started is None, one.started, one.arn))


def _described(service: Service, arns: Sequence[str], clients: Clients) -> Iterator[Task]:
    for some in batches(arns, _AT_ONCE):
        with aws.calling("describe tasks (ecs:DescribeTasks)"):
            said = clients.ecs.describe_tasks(cluster=service.cluster, tasks=some)
        yield from (parse(service.component, service.name, one) for one in said["tasks"])


def parse(component: str, service: str, said: Mapping[str, Any]) -> Task:
    """A task of the ECS API."""
    return Task(
        arn=said["taskArn"],
        component=component,
        service=service,
        address=_address(said),
        availability_zone=said.get("availabilityZone", ""),
        status=said["lastStatus"],
        health=said.get("healthStatus", "UNKNOWN"),
        task_definition=said["taskDefinitionArn"],
        deployment=said.get("startedBy", ""),
        started=_time(said.get("startedAt")),
        stopped=_time(said.get("stoppedAt")),
        stopped_reason=said.get("stoppedReason", ""),
        stop_code=said.get("stopCode", ""),
        containers=[_container(one) for one in said.get("containers", [])],
        instance=said.get("containerInstanceArn", ""),
    )


def _container(said: Mapping[str, Any]) -> Container:
    return Container(
        name=said["name"],
        status=said.get("lastStatus", ""),
        health=said.get("healthStatus", ""),
        runtime_id=said.get("runtimeId", ""),
        exit_code=said.get("exitCode"),
        reason=said.get("reason", ""),
    )


def _address(said: Mapping[str, Any]) -> str:
    """Of its network interface, which the attachment knows before the containers do."""
    for attachment in said.get("attachments", []):
        details = {one["name"]: one.get("value", "") for one in attachment.get("details", [])}
        if address := details.get("privateIPv4Address"):
            return str(address)
    interfaces = [
        face for one in said.get("containers", []) for face in one.get("networkInterfaces", [])
    ]
    return next((str(one.get("privateIpv4Address", "")) for one in interfaces), "")


def _time(said: datetime | None) -> datetime | None:
    return None if said is None else said.astimezone(UTC)
