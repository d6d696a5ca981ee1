"""What the probe leaves for a later one: worker deployments, on the embedded cluster."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    ListWorkerDeploymentsRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from temporal_dsql_deploy.operations.probe import features
from temporal_dsql_deploy.operations.probe.run import Question, ask
from tests.support.deploy import Deploy

TRIES = 15


def probed(runner: asyncio.Runner, address: str) -> str:
    """The name of the deployment that a probe has made."""
    names = ["worker-deployment"]
    found = ask(runner.get_loop(), Question(address, "default", 30, lambda _: None, names))
    assert found.ok, found
    assert not [check for check in found.checks if check.left_out], found
    return found.task_queue


async def until_listed(address: str, name: str) -> None:
    """The list is that of visibility, which takes a moment."""
    client = await Client.connect(address)
    request = ListWorkerDeploymentsRequest(namespace="default", page_size=100)
    while True:
        listed = await client.workflow_service.list_worker_deployments(request)
        if name in {one.name for one in listed.worker_deployments}:
            return
        await asyncio.sleep(0.1)


async def there(address: str, names: list[str]) -> list[str]:
    """Those of the deployments that there are."""
    client = await Client.connect(address)
    found = []
    for name in names:
        request = DescribeWorkerDeploymentRequest(namespace="default", deployment_name=name)
        try:
            await client.workflow_service.describe_worker_deployment(request)
            found.append(name)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
    return found


def test_a_later_probe_deletes_them_and_goes_on_where_it_cannot_yet(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy.run("up")
    address = deploy.address
    with asyncio.Runner() as runner:
        first = probed(runner, address)
        runner.run(until_listed(address, first))

        # Its worker has polled a moment ago: the server refuses.
        monkeypatch.setattr(features, "_POLLED", timedelta())
        second = probed(runner, address)
        assert runner.run(there(address, [first, second])) == [first, second]

        deploy.run("up", "--dynamic-config-value", 'matching.PollerHistoryTTL="1s"')
        for _ in range(TRIES):
            probed(runner, address)
            if not (left := runner.run(there(address, [first, second]))):
                break
        assert not left
