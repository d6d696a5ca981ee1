"""What DescribeServices, DescribeTasks and DescribeContainerInstances say: shapes of the API."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from temporal_dsql_deploy.capacity.instances import Room
from temporal_dsql_deploy.rehearsal.ecs import health
from temporal_dsql_deploy.rehearsal.ecs.model import (
    ACTIVE,
    FARGATE,
    PRIMARY,
    RUNNING,
    STOPPED,
    Container,
    Deployment,
    Instance,
    Service,
    Task,
)

_AGENT = {"agentVersion": "1.99.0", "dockerVersion": "DockerVersion: 25.0.8"}


def task(one: Task) -> dict[str, Any]:
    """A task."""
    said: dict[str, Any] = {
        "taskArn": one.arn,
        "clusterArn": one.cluster,
        "taskDefinitionArn": one.definition.arn,
        "lastStatus": one.status,
        "desiredStatus": one.desired,
        "launchType": one.launch,
        "group": one.group,
        "cpu": str(one.definition.room.cpu),
        "memory": str(one.definition.room.memory_mib),
        "connectivity": "CONNECTED",
        "healthStatus": one.health,
        "availabilityZone": one.zone,
        "attachments": _attachments(one),
        "containers": [_container(one, each) for each in one.containers],
        "overrides": one.overrides or {"containerOverrides": []},
        "tags": list(one.tags),
        "version": 1,
        "createdAt": _at(one.created),
    }
    given = {
        "startedBy": one.deployment or one.started_by,
        "containerInstanceArn": one.instance,
        "capacityProviderName": one.provider,
        "startedAt": _at(one.started),
        "stoppingAt": _at(one.stopping),
        "stoppedAt": _at(one.stopped),
        "stopCode": one.stop_code,
        "stoppedReason": one.stopped_reason,
    }
    return said | {name: value for name, value in given.items() if value}


def _attachments(one: Task) -> list[dict[str, Any]]:
    if not one.subnet:
        return []
    details = {
        "subnetId": one.subnet,
        "networkInterfaceId": one.interface,
        "macAddress": "02:42:" + ":".join(f"{int(part):02x}" for part in one.address.split(".")),
        "privateDnsName": f"ip-{one.address.replace('.', '-')}.ec2.internal",
        "privateIPv4Address": one.address,
    }
    return [
        {
            "id": one.interface.removeprefix("eni-"),
            "type": "ElasticNetworkInterface",
            "status": "DELETED" if one.status == STOPPED else "ATTACHED",
            "details": [{"name": name, "value": value} for name, value in details.items()],
        }
    ]


def _container(of: Task, one: Container) -> dict[str, Any]:
    interface = {"attachmentId": of.interface.removeprefix("eni-")}
    said: dict[str, Any] = {
        "containerArn": one.arn,
        "taskArn": of.arn,
        "name": one.part.name,
        "image": one.part.image,
        "lastStatus": one.status,
        "healthStatus": one.health if one.part.check else health.UNKNOWN,
        "networkInterfaces": [interface | {"privateIpv4Address": of.address}] if of.address else [],
        "cpu": str(one.part.said.get("cpu") or 0),
    }
    given = {
        "runtimeId": one.runtime_id,
        "imageDigest": one.digest,
        "reason": one.reason,
        "memory": str(one.part.said.get("memory") or ""),
    }
    if one.exit_code is not None:
        said["exitCode"] = one.exit_code
    return said | {name: value for name, value in given.items() if value}


def deployment(one: Deployment, service: Service, tasks: Sequence[Task]) -> dict[str, Any]:
    """A deployment with what it has of the service's tasks."""
    own = [each for each in tasks if each.deployment == one.id and each.desired == RUNNING]
    said: dict[str, Any] = {
        "id": one.id,
        "status": one.status,
        "taskDefinition": one.definition.arn,
        "desiredCount": service.desired if one.status == PRIMARY else 0,
        "runningCount": sum(each.status == RUNNING for each in own),
        "pendingCount": sum(each.status != RUNNING for each in own),
        "failedTasks": one.failures,
        "rolloutState": one.state,
        "rolloutStateReason": one.reason,
        "createdAt": _at(one.created),
        "updatedAt": _at(one.updated),
    }
    for name in (
        "capacityProviderStrategy",
        "launchType",
        "networkConfiguration",
        "platformVersion",
        "serviceConnectConfiguration",
    ):
        if one.asked.get(name):
            said[name] = one.asked[name]
    return said


def instance(one: Instance, tasks: Iterable[Task]) -> dict[str, Any]:
    """A container instance with what is left on it; `tasks` are those that are on it."""
    there = list(tasks)
    left = remaining(one, there)
    attributes = {
        "ecs.availability-zone": one.zone,
        "ecs.instance-type": one.type,
        "ecs.os-type": "linux",
        **one.attributes,
    }
    said: dict[str, Any] = {
        "containerInstanceArn": one.arn,
        "ec2InstanceId": one.id,
        "status": one.status,
        "agentConnected": one.status == ACTIVE,
        "runningTasksCount": sum(each.status == RUNNING for each in there),
        "pendingTasksCount": sum(
            each.status != RUNNING and each.desired == RUNNING for each in there
        ),
        "registeredResources": _resources(one.room),
        "remainingResources": _resources(left),
        "attributes": attributes,
        "versionInfo": _AGENT,
        "registeredAt": _at(one.registered),
        "version": 1,
    }
    return said | ({"capacityProviderName": one.provider} if one.provider else {})


def remaining(one: Instance, tasks: Iterable[Task]) -> Room:
    """What these tasks, which are on it, leave of an instance."""
    taken = [each.definition.room for each in tasks]
    return Room(
        one.room.cpu - sum(each.cpu for each in taken),
        one.room.memory_mib - sum(each.memory_mib for each in taken),
        one.room.interfaces - sum(each.interfaces for each in taken),
    )


def _resources(room: Room) -> list[dict[str, Any]]:
    numbers = {"CPU": room.cpu, "MEMORY": room.memory_mib}
    return [
        {"name": name, "type": "INTEGER", "integerValue": number}
        for name, number in numbers.items()
    ]


def on_fargate(one: Task) -> bool:
    """Whether it runs on no instance."""
    return one.launch == FARGATE


def _at(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
