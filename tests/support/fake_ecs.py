"""ECS as plain data: it says what a test has written down, and remembers what it was asked for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed

ARN = "arn:aws:ecs:eu-west-1:123456789012"
CLUSTER = f"{ARN}:cluster/temporal-dev"
START = datetime(2026, 11, 22, 12, tzinfo=UTC)


def definition(component: str, revision: int) -> str:
    """ARN of a task definition."""
    return f"{ARN}:task-definition/temporal-dev-temporal-{component}:{revision}"


def deployment(component: str = "history", number: int = 1, **more: Any) -> dict[str, Any]:
    """A deployment of the ECS API: PRIMARY, COMPLETED and with one task, unless it is said."""
    return {
        "id": f"ecs-svc/{number}",
        "status": "PRIMARY",
        "taskDefinition": definition(component, number),
        "rolloutState": "COMPLETED",
        "desiredCount": 1,
        "runningCount": 1,
        "pendingCount": 0,
        "failedTasks": 0,
        "createdAt": START,
        **more,
    }


def service(component: str = "history", number: int = 1, **more: Any) -> dict[str, Any]:
    """A service of the ECS API with one task of its deployment `number`."""
    name = f"temporal-dev-temporal-{component}"
    return {
        "serviceName": name,
        "serviceArn": f"{ARN}:service/temporal-dev/{name}",
        "clusterArn": CLUSTER,
        "status": "ACTIVE",
        "desiredCount": 1,
        "runningCount": 1,
        "pendingCount": 0,
        "taskDefinition": definition(component, number),
        "deployments": [deployment(component, number)],
        "events": [],
        "capacityProviderStrategy": [{"capacityProvider": "temporal-dev-main"}],
        **more,
    }


def task(
    component: str = "history", number: int = 1, index: int = 1, **more: Any
) -> dict[str, Any]:
    """A task of the ECS API that runs well."""
    container = {"name": f"temporal-{component}", "lastStatus": "RUNNING", "runtimeId": "r-1"}
    return {
        "taskArn": f"{ARN}:task/temporal-dev/{component}-{number}-{index}",
        "group": f"service:temporal-dev-temporal-{component}",
        "availabilityZone": "eu-west-1a",
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
        "healthStatus": "HEALTHY",
        "taskDefinitionArn": definition(component, number),
        "startedBy": f"ecs-svc/{number}",
        "startedAt": START + timedelta(seconds=index),
        "containers": [container],
        "attachments": [
            {
                "type": "ElasticNetworkInterface",
                "details": [{"name": "privateIPv4Address", "value": f"10.0.{number}.{index}"}],
            }
        ],
        **more,
    }


@dataclass(frozen=True, slots=True)
class _Pages:
    """A paginator of boto3."""

    pages: Callable[..., Iterator[dict[str, Any]]]

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        """Page by page."""
        return self.pages(**asked)


@dataclass(slots=True)
class FakeEcs:
    """What ECS says: services by name, and all tasks."""

    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    health_check: bool = True
    instances: list[dict[str, Any]] = field(default_factory=list)

    def put(self, *services: dict[str, Any]) -> None:
        """Say these of now on."""
        self.services |= {one["serviceName"]: one for one in services}

    def describe_services(self, *, cluster: str, services: Sequence[str]) -> dict[str, Any]:
        """As ECS does: what it does not have is a failure, in an answer that is none."""
        assert cluster
        assert len(services) <= 10
        there = [self.services[name] for name in services if name in self.services]
        return {"services": there, "failures": []}

    def get_paginator(self, name: str) -> "_Pages":
        """Of the lists that it has."""
        return _Pages(
            {"list_tasks": self._tasks, "list_container_instances": self._instances}[name]
        )

    def _tasks(self, *, cluster: str, **asked: str) -> Iterator[dict[str, Any]]:
        """One task on each page."""
        assert cluster
        yield {"taskArns": []}
        wanted = (f"service:{asked['serviceName']}", asked.get("desiredStatus", "RUNNING"))
        for one in self.tasks:
            if (one["group"], one["desiredStatus"]) == wanted:
                yield {"taskArns": [one["taskArn"]]}

    def _instances(self, *, cluster: str) -> Iterator[dict[str, Any]]:
        assert cluster
        yield {"containerInstanceArns": [one["containerInstanceArn"] for one in self.instances]}

    def describe_container_instances(self, **asked: Any) -> dict[str, Any]:
        """As ECS does."""
        wanted = asked["containerInstances"]
        there = [one for one in self.instances if one["containerInstanceArn"] in wanted]
        return {"containerInstances": there}

    def describe_tasks(self, *, cluster: str, tasks: Sequence[str]) -> dict[str, Any]:
        """As ECS does."""
        assert cluster
        assert 1 <= len(tasks) <= 100
        return {"tasks": [one for one in self.tasks if one["taskArn"] in tasks]}

    def describe_task_definition(self, **asked: str) -> dict[str, Any]:
        """One container, with a log and a health check."""
        name = (
            asked["taskDefinition"]
            .rpartition("/")[2]
            .partition(":")[0]
            .removeprefix("temporal-dev-")
        )
        container: dict[str, Any] = {
            "name": name,
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": f"/ecs/temporal-dev/{name}",
                    "awslogs-stream-prefix": name,
                },
            },
        }
        if self.health_check:
            container["healthCheck"] = {"command": ["CMD", "true"]}
        return {"taskDefinition": {"containerDefinitions": [container]}}

    def update_service(self, *, cluster: str, service: str, **change: Any) -> dict[str, Any]:
        """Remember it; the number of tasks is as it is asked for at once."""
        assert cluster
        self.asked.append((service, change))
        if "desiredCount" in change:
            self.set_count(service, change["desiredCount"])
        if "forceNewDeployment" in change:
            self._deploy(self.services[service])
        return {"service": self.services[service]}

    def set_count(self, name: str, count: int) -> None:
        """So many tasks run, all well."""
        now = self.services[name]
        component = name.removeprefix("temporal-dev-temporal-")
        number = int(now["taskDefinition"].rpartition(":")[2])
        self.tasks = [one for one in self.tasks if one["group"] != f"service:{name}"]
        self.tasks += [task(component, number, index + 1) for index in range(count)]
        counts = {"desiredCount": count, "runningCount": count}
        primary = {**now["deployments"][0], **counts}
        self.services[name] = {**now, **counts, "deployments": [primary]}

    def _deploy(self, now: dict[str, Any]) -> None:
        name, number = now["serviceName"], len(self.asked) + 100
        primary = {**now["deployments"][0], "id": f"ecs-svc/{number}"}
        self.services[name] = {**now, "deployments": [primary]}
        for one in self.tasks:
            if one["group"] == f"service:{name}":
                one |= {
                    "startedBy": f"ecs-svc/{number}",
                    "taskArn": f"{one['taskArn']}-{number}",
                }

    def stop_task(self, *, cluster: str, task: str, reason: str) -> dict[str, Any]:
        """It ends, and another comes at once."""
        assert cluster
        assert reason
        self.asked.append(("stop_task", {"task": task}))
        old = next(one for one in self.tasks if one["taskArn"] == task)
        new = {**old, "taskArn": f"{task}-again"}
        self.tasks = [new if one is old else one for one in self.tasks]
        self.tasks.append({**old, "desiredStatus": "STOPPED", "lastStatus": "STOPPED"})
        return {"task": old}


@dataclass(slots=True)
class FakeLogs:
    """CloudWatch Logs: lines by stream."""

    streams: dict[str, list[str]] = field(default_factory=dict)

    def get_log_events(self, **asked: Any) -> dict[str, Any]:
        """Every line of the stream."""
        return {
            "events": [{"message": one} for one in self.streams.get(asked["logStreamName"], [])]
        }


def clients(ecs: FakeEcs, logs: FakeLogs | None = None, **more: Any) -> Clients:
    """These, in the place of those of boto3."""
    return Clients("eu-west-1", {"ecs": ecs, "logs": logs or FakeLogs(), **more})


def deployed(*components: str, **outputs: Any) -> Deployed:
    """An environment with these services."""
    services = {
        one: {
            "service_name": f"temporal-dev-temporal-{one}",
            "task_definition_arn": definition(one, 1),
            "container_name": f"temporal-{one}",
            "log_group_name": f"/ecs/temporal-dev/temporal-{one}",
            "replicas": 1,
        }
        for one in components
    }
    values = {
        "ecs_cluster_name": "temporal-dev",
        "ecs_cluster_arn": CLUSTER,
        "services": services,
        "start_order": list(components),
        **outputs,
    }
    return Deployed("dev", "123456789012", "eu-west-1", "temporal-dev", values)
