"""What ECS refuses of a task definition or a service, and moto takes: rules over plain data.

Sources: ECS API reference, RegisterTaskDefinition, PortMapping, HealthCheck, MountPoint and
PlacementStrategy; the words are those of public reports.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from temporal_dsql_deploy.rehearsal.ecs.definition import Definition

_HEALTH = {"interval": (5, 300), "timeout": (2, 60), "retries": (1, 10), "startPeriod": (0, 300)}
"""What a health check may say (ECS API, HealthCheck)."""
_PORTS = 65535
_AWSVPC, _FARGATE = "awsvpc", "FARGATE"
_PACKED = ("cpu", "memory")
_SPREAD = ("instanceId", "host")


def of_definition(asked: Mapping[str, Any]) -> str:
    """Why ecs:RegisterTaskDefinition is refused; empty where it is taken."""
    return next(_of_definition(asked), "")


def _of_definition(asked: Mapping[str, Any]) -> Iterator[str]:
    volumes = {one.get("name") for one in asked.get("volumes") or ()}
    on_fargate = _FARGATE in (asked.get("requiresCompatibilities") or ())
    for one in asked.get("containerDefinitions") or ():
        if asked.get("networkMode") == _AWSVPC:
            yield from _of_ports(one.get("portMappings") or ())
        yield from _of_health(one.get("healthCheck") or {})
        for mount in one.get("mountPoints") or ():
            if mount.get("sourceVolume") not in volumes:
                yield f"Unknown volume '{mount.get('sourceVolume')}'."
        if on_fargate and (one.get("linuxParameters") or {}).get("tmpfs"):
            yield "Tmpfs is not supported on container when using Fargate launch type."
    yield from _of_sizes(asked)


def _of_ports(mappings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for one in mappings:
        own = one.get("containerPort") or 0
        if not 0 < own <= _PORTS:
            yield "Invalid 'containerPort' setting for container."
        if one.get("hostPort") not in {None, 0, own}:
            yield (
                "When networkMode=awsvpc, the host ports and container ports in port mappings "
                "must match."
            )


def _of_health(check: Mapping[str, Any]) -> Iterator[str]:
    for name, (least, most) in _HEALTH.items():
        value = check.get(name)
        if value is not None and not least <= value <= most:
            yield f"Health check {name} must be between {least} and {most}."


def _of_sizes(asked: Mapping[str, Any]) -> Iterator[str]:
    inside = asked.get("containerDefinitions") or ()
    for name, said in (("cpu", asked.get("cpu")), ("memory", asked.get("memory"))):
        held = [int(one.get(name) or 0) for one in inside]
        if not said:
            continue
        if name == "cpu" and sum(held) > int(said):
            yield "Total of the containers' 'cpu' is above that of the task."
        if name == "memory" and max(held, default=0) > int(said):
            yield "Invalid setting for container. 'memory' is above that of the task."


def of_service(
    asked: Mapping[str, Any],
    definition: Definition,
    network_mode: str | None,
    providers: Collection[str],
) -> str:
    """Why ecs:CreateService or UpdateService is refused; empty where it is taken.

    `asked` is all that the service would have, `providers` what capacity providers there are.
    """
    return next(_of_service(asked, definition, network_mode, providers), "")


def _of_service(
    asked: Mapping[str, Any],
    definition: Definition,
    network_mode: str | None,
    providers: Collection[str],
) -> Iterator[str]:
    network = (asked.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    if network_mode == _AWSVPC and not network.get("subnets"):
        yield "Network Configuration must be provided when networkMode 'awsvpc' is specified."
    if network_mode != _AWSVPC and network.get("subnets"):
        yield (
            "Network Configuration is not valid for the given networkMode of this task definition."
        )
    strategy = [one.get("capacityProvider") for one in asked.get("capacityProviderStrategy") or ()]
    for name in strategy:
        if name not in providers and not str(name).startswith(_FARGATE):
            yield f"The specified capacity provider '{name}' was not found."
    on_fargate = asked.get("launchType") == _FARGATE or any(
        str(name).startswith(_FARGATE) for name in strategy
    )
    if network.get("assignPublicIp") == "ENABLED" and not on_fargate:
        yield "Assign public IP is not supported for this launch type."
    yield from _of_placement(asked.get("placementStrategy") or ())
    connect = asked.get("serviceConnectConfiguration") or {}
    for one in connect.get("services") or () if connect.get("enabled") else ():
        if definition.port(one.get("portName") or "") is None:
            yield f"portName '{one.get('portName')}' was not found in the task definition."


def _of_placement(strategies: Sequence[Mapping[str, str]]) -> Iterator[str]:
    for one in strategies:
        kind, field = one.get("type"), one.get("field") or ""
        spreads = field in _SPREAD or field.startswith("attribute:")
        if (kind == "spread" and not spreads) or (kind == "binpack" and field not in _PACKED):
            yield f"Invalid placement strategy: {kind} by '{field}'."
