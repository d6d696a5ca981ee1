"""The few calls to a Temporal cluster's gRPC API that more than one package makes."""

import logging
from datetime import timedelta
from functools import cache

from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    GetClusterInfoRequest,
    ListNamespacesRequest,
)
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import ConnectConfig, RPCError, ServiceClient

from temporal_dsql_deploy.platforms.protocol import State

_SYSTEM_NAMESPACE = "temporal-system"
_TIMEOUT = timedelta(seconds=2)


@cache
def runtime() -> Runtime:
    """The SDK's runtime without its log, which goes to stdout, between the results."""
    logging.getLogger("temporalio").addHandler(logging.NullHandler())
    return Runtime(telemetry=TelemetryConfig(logging=None))


async def connect(address: str) -> ServiceClient:
    """A client of any gRPC service of Temporal; it connects with its first call."""
    config = ConnectConfig(target_host=address, lazy=True, runtime=runtime())
    return await ServiceClient.connect(config)


async def health(address: str, service: str) -> State:
    """Ask gRPC health of `address` for `service`, whose full name topology.json has.

    The empty name is of no use: it is SERVING at once (measured with temporal-server 1.32.2).
    """
    try:
        client = await connect(address)
        serving = await client.check_health(service=service, timeout=_TIMEOUT)
    except (RPCError, RuntimeError):
        return State.UNREACHABLE
    return State.SERVING if serving else State.NOT_SERVING


async def server_version(client: ServiceClient) -> str:
    """The version that the server gives for itself, such as 1.32.0."""
    info = await client.workflow_service.get_cluster_info(GetClusterInfoRequest(), timeout=_TIMEOUT)
    return info.server_version


async def namespaces(client: ServiceClient) -> dict[str, timedelta]:
    """Retention of every namespace but the system's own, by name."""
    found: dict[str, timedelta] = {}
    token = b""
    while True:
        page = await client.workflow_service.list_namespaces(
            ListNamespacesRequest(page_size=100, next_page_token=token), timeout=_TIMEOUT
        )
        for namespace in page.namespaces:
            name = namespace.namespace_info.name
            if name != _SYSTEM_NAMESPACE:
                retention = namespace.config.workflow_execution_retention_ttl
                found[name] = retention.ToTimedelta()
        token = page.next_page_token
        if not token:
            return found


async def namespace_exists(client: ServiceClient, name: str) -> bool:
    """Whether the frontend knows the namespace already."""
    try:
        await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=name), timeout=_TIMEOUT
        )
    except RPCError:
        return False
    return True
