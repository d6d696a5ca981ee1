"""The processes that may hold leases, as ECS and their task definitions tell."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy import aws, topology
from temporal_dsql_deploy.capacity.connections import Settings
from temporal_dsql_deploy.capacity.connections import read as settings_of
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed


@dataclass(frozen=True, slots=True)
class Holders:
    """The tasks of the roles that take leases."""

    running: int
    held: int
    """Connections that they hold at most, by the law of their pools, unless they reconnected."""
    limit: int | None
    """Leases that are given at most; None where no role takes any."""
    oldest: float
    """Seconds that a connection, open or dead, may lie in a reservoir with its lease."""


@dataclass(frozen=True, slots=True)
class _Role:
    running: int
    settings: Settings


def holders(deployed: Deployed, ecs: Any) -> Holders:
    """Of all roles, with one call of ECS for the services and one for each task definition.

    Raises NotApplied, and what `aws.told` makes of a refusal.
    """
    found = [role for role in _roles(deployed, ecs) if role.settings.lease]
    return Holders(
        running=sum(role.running for role in found),
        held=sum(role.running * role.settings.pool.held for role in found),
        limit=min((role.settings.lease_limit for role in found), default=None),
        oldest=max((r.settings.pool.lifetime + r.settings.pool.jitter for r in found), default=0.0),
    )


def _roles(deployed: Deployed, ecs: Any) -> Iterator[_Role]:
    for role, service in _services(deployed, ecs).items():
        container = deployed.output("services")[role]["container_name"]
        with aws.calling("read task definitions (ecs:DescribeTaskDefinition)"):
            said = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])
        environment = next(
            (
                {pair["name"]: pair["value"] for pair in one.get("environment", [])}
                for one in said["taskDefinition"]["containerDefinitions"]
                if one["name"] == container
            ),
            {},
        )
        yield _Role(service["runningCount"], settings_of(environment))


def _services(deployed: Deployed, ecs: Any) -> Mapping[str, Any]:
    """What ECS says of the service of each role; nothing of one that is gone."""
    services = deployed.output("services")
    roles = {services[one]["service_name"]: one for one in topology.load().roles if one in services}
    with aws.calling("see what runs (ecs:DescribeServices)"):
        said = ecs.describe_services(
            cluster=deployed.output("ecs_cluster_name"), services=list(roles)
        )
    return {roles[one["serviceName"]]: one for one in said["services"]}
