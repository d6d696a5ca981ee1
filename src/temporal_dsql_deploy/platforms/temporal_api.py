"""Calls to a Temporal cluster's gRPC API: each within its time, and failing in one way."""

import asyncio
import logging
from collections.abc import Awaitable
from datetime import timedelta
from functools import cache
from typing import TypeVar

from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    GetClusterInfoRequest,
    ListNamespacesRequest,
)
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import ConnectConfig, RPCError, RPCStatusCode, ServiceClient

from temporal_dsql_deploy.platforms.protocol import State

_SYSTEM_NAMESPACE = "temporal-system"
_SECONDS = 2.0
T = TypeVar("T")


class CallFailed(Exception):
    """A call was not answered, or was answered with an error."""

    def __init__(self, reason: str, status: RPCStatusCode | None = None) -> None:
        super().__init__(reason)
        self.status = status
        """What the server answered with, None when it did not answer."""


@cache
def runtime() -> Runtime:
    """The SDK's runtime without its log, which goes to stdout, between the results."""
    logging.getLogger("temporalio").addHandler(logging.NullHandler())
    return Runtime(telemetry=TelemetryConfig(logging=None))


def proto_duration(length: timedelta) -> Duration:
    """A length of time as Temporal's requests have it."""
    duration = Duration()
    duration.FromTimedelta(length)
    return duration


async def connect(address: str) -> ServiceClient:
    """A client of any gRPC service of Temporal; it connects with its first call."""
    config = ConnectConfig(target_host=address, lazy=True, runtime=runtime())
    return await ServiceClient.connect(config)


async def call(answer: Awaitable[T], *, seconds: float = _SECONDS) -> T:
    """The answer to a call. Raises CallFailed, after `seconds` at the latest.

    The SDK's own time-outs do not cover the connection that a first call makes.
    """
    try:
        async with asyncio.timeout(seconds):
            return await answer
    except TimeoutError as error:
        raise CallFailed(f"no answer within {seconds:g} s") from error
    except RPCError as error:
        raise CallFailed(f"{error.status.name}: {error.message}", error.status) from error
    except RuntimeError as error:
        raise CallFailed(str(error)) from error


async def health(address: str, service: str) -> State:
    """Ask gRPC health of `address` for `service`, whose full name topology.json has.

    The empty name is of no use: it is SERVING at once (measured with temporal-server 1.32.2).
    """
    client = await connect(address)
    limit = timedelta(seconds=_SECONDS)
    try:
        serving = await call(client.check_health(service=service, timeout=limit))
    except CallFailed:
        return State.UNREACHABLE
    return State.SERVING if serving else State.NOT_SERVING


async def server_version(client: ServiceClient) -> str:
    """The version that the server gives for itself, such as 1.32.0. Raises CallFailed."""
    info = await call(client.workflow_service.get_cluster_info(GetClusterInfoRequest()))
    return info.server_version


async def namespaces(client: ServiceClient) -> dict[str, timedelta]:
    """Retention of every namespace but the system's own, by name. Raises CallFailed."""
    found: dict[str, timedelta] = {}
    token = b""
    while True:
        request = ListNamespacesRequest(page_size=100, next_page_token=token)
        page = await call(client.workflow_service.list_namespaces(request))
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
    request = DescribeNamespaceRequest(namespace=name)
    try:
        await call(client.workflow_service.describe_namespace(request))
    except CallFailed:
        return False
    return True
