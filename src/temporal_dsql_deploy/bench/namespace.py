"""The namespace of a benchmark: made, looked at for what an earlier run has left, and emptied."""

import asyncio
import time
import uuid
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from temporalio.api.batch.v1 import BatchOperationTermination
from temporalio.api.common.v1 import WorkflowType
from temporalio.api.enums.v1 import BatchOperationState
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    DescribeBatchOperationRequest,
    RegisterNamespaceRequest,
    StartBatchOperationRequest,
    StartWorkflowExecutionRequest,
)
from temporalio.service import ServiceClient

from temporal_dsql_deploy.errors import BenchmarkFailed, ResidueFound
from temporal_dsql_deploy.platforms import temporal_api
from temporal_dsql_deploy.platforms.temporal_api import CallFailed, call

RETENTION = timedelta(hours=24)
PREFIX = "benchmark"
"""Of the namespaces that are looked at for what an earlier benchmark has left."""
_OPEN = "ExecutionStatus = 'Running'"
_MARK = "benchmark-run"
"""Type of the workflow that is open as long as a benchmark runs: others see it, and wait."""
_PATIENCE = 60.0
_POLL = 0.2
_SECONDS = 10.0


async def make(client: ServiceClient, name: str) -> bool:
    """Register the namespace when it is not there, and wait until it can be used.

    Whether it was made. Raises BenchmarkFailed.
    """
    retention = Duration()
    retention.FromTimedelta(RETENTION)
    request = RegisterNamespaceRequest(
        namespace=name,
        workflow_execution_retention_period=retention,
        description="Made by dsql-deploy bench; its workflows are gone a day after they closed.",
    )
    try:
        made = not await temporal_api.namespace_exists(client, name)
        if made:
            await call(client.workflow_service.register_namespace(request), seconds=_SECONDS)
    except CallFailed as error:
        raise BenchmarkFailed(
            f"the namespace {name} could not be made",
            cause=str(error),
            fix="look at the cluster: dsql-deploy probe ENV",
        ) from error
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            # Each frontend refreshes its list of namespaces on its own.
            await count(client, name, _OPEN)
            return made
        except CallFailed as error:
            if time.monotonic() > deadline:
                raise BenchmarkFailed(
                    f"the namespace {name} cannot be used {_PATIENCE:g} s after it was made",
                    cause=str(error),
                    fix="look at the cluster: dsql-deploy probe ENV",
                ) from error
        await asyncio.sleep(_POLL)


async def mark(client: ServiceClient, name: str, limit: timedelta) -> None:
    """Show that a benchmark runs, for `limit` at most. Raises BenchmarkFailed."""
    timeout = Duration()
    timeout.FromTimedelta(limit)
    request = StartWorkflowExecutionRequest(
        namespace=name,
        workflow_id=f"{_MARK}-{uuid.uuid4().hex}",
        workflow_type=WorkflowType(name=_MARK),
        # Nobody polls it: the workflow is there to be seen.
        task_queue=TaskQueue(name=_MARK),
        request_id=uuid.uuid4().hex,
        workflow_execution_timeout=timeout,
    )
    try:
        await call(client.workflow_service.start_workflow_execution(request), seconds=_SECONDS)
    except CallFailed as error:
        raise BenchmarkFailed(
            f"no workflow can be started in namespace {name}",
            cause=str(error),
            fix="look at the cluster: dsql-deploy probe ENV",
        ) from error


async def count(client: ServiceClient, name: str, query: str) -> int:
    """How many workflows visibility has for a query. Raises CallFailed."""
    request = CountWorkflowExecutionsRequest(namespace=name, query=query)
    answer = await call(
        client.workflow_service.count_workflow_executions(request), seconds=_SECONDS
    )
    return answer.count


async def refuse_residue(client: ServiceClient, own: str) -> None:
    """Look at all namespaces of benchmarks for open workflows.

    Raises ResidueFound, which names them, BenchmarkFailed when the cluster does not say.
    """
    try:
        names = await temporal_api.namespaces(client)
        looked_at = [name for name in names if name.startswith(PREFIX) or name == own]
        counts = await asyncio.gather(*(count(client, name, _OPEN) for name in looked_at))
    except CallFailed as error:
        raise BenchmarkFailed(
            "the namespaces of earlier benchmarks could not be looked at",
            cause=str(error),
            fix="look at the cluster: dsql-deploy probe ENV",
        ) from error
    left = {name: found for name, found in zip(looked_at, counts, strict=True) if found}
    if left:
        listed = ", ".join(f"{found} in {name}" for name, found in left.items())
        raise ResidueFound(
            "workflows of another benchmark are open, and would distort this one",
            cause=listed,
            fix="wait for it if it still runs; if it was killed, end them with: "
            + " && ".join(by_hand(name) for name in left),
        )


def by_hand(name: str) -> str:
    """The command that ends all workflows of a namespace."""
    return (
        f"temporal workflow terminate --namespace {name} "
        f'--query "{_OPEN}" --reason "benchmark ended" --yes'
    )


async def empty(client: ServiceClient, name: str, *, unmark: bool) -> str:
    """Terminate what is still open, and see that nothing is; what went wrong, or nothing.

    What shows that a benchmark runs stays, without `unmark`.
    """
    query = _OPEN if unmark else f"{_OPEN} AND WorkflowType != '{_MARK}'"
    deadline = time.monotonic() + _PATIENCE
    try:
        while found := await count(client, name, query):
            await _terminate_all(client, name, query, deadline)
            if time.monotonic() > deadline:
                return f"{found} workflows are still open after {_PATIENCE:g} s"
            await asyncio.sleep(_POLL)
    except (CallFailed, TimeoutError) as error:
        return str(error) or f"not done after {_PATIENCE:g} s"
    return ""


async def _terminate_all(client: ServiceClient, name: str, query: str, deadline: float) -> None:
    """One batch operation of the server, to its end."""
    job = uuid.uuid4().hex
    start = StartBatchOperationRequest(
        namespace=name,
        job_id=job,
        visibility_query=query,
        reason="benchmark ended",
        termination_operation=BatchOperationTermination(identity="dsql-deploy bench"),
    )
    await call(client.workflow_service.start_batch_operation(start), seconds=_SECONDS)
    describe = DescribeBatchOperationRequest(namespace=name, job_id=job)
    while True:
        answer = await call(
            client.workflow_service.describe_batch_operation(describe), seconds=_SECONDS
        )
        if answer.state != BatchOperationState.BATCH_OPERATION_STATE_RUNNING:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"the batch operation {job} has not ended")
        await asyncio.sleep(_POLL)
