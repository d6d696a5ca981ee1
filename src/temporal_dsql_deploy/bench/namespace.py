"""The namespace of a benchmark: made, looked at for what an earlier run has left, and emptied.

A namespace may be somebody else's too. What a benchmark looks at, counts and terminates are only
workflows whose id says that a benchmark has started them.
"""

import asyncio
import time
import uuid
from datetime import timedelta

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
from temporalio.service import RPCStatusCode, ServiceClient

from temporal_dsql_deploy.bench import failed
from temporal_dsql_deploy.errors import ResidueFound
from temporal_dsql_deploy.platforms import temporal_api
from temporal_dsql_deploy.platforms.temporal_api import CallFailed, call, proto_duration

RETENTION = timedelta(hours=24)
PREFIX = "benchmark"
"""Of the namespaces that are looked at for what an earlier benchmark has left."""
IDS = "dsql-deploy-bench-"
"""How the ids of all workflows begin that a benchmark starts."""
_MARK = "benchmark-mark"
"""Type of the workflow that is open as long as a benchmark runs: others see it."""
_PATIENCE = 60.0
_POLL = 0.25
_SETTLED = 1.5
"""Seconds between two counts of which both must be zero: a visibility store may be behind."""
_SECONDS = 10.0


def ids_of(run: str) -> str:
    """How the ids of all workflows of one run begin."""
    return f"{IDS}{run}-"


def _open(prefix: str) -> str:
    return f"WorkflowId STARTS_WITH '{prefix}' AND ExecutionStatus = 'Running'"


async def make(client: ServiceClient, name: str) -> bool:
    """Register the namespace when it is not there, and wait until it can be used.

    Whether it was made. Raises BenchmarkFailed.
    """
    request = RegisterNamespaceRequest(
        namespace=name,
        workflow_execution_retention_period=proto_duration(RETENTION),
        description="Made by dsql-deploy bench; its workflows are gone a day after they closed.",
    )
    made = False
    try:
        # Not asked for by its name: a frontend remembers for a second that there is none.
        there = name in await temporal_api.namespaces(client)
    except CallFailed as error:
        raise failed.cluster("namespaces could not be listed", error) from error
    if not there:
        try:
            await call(client.workflow_service.register_namespace(request), seconds=_SECONDS)
            made = True
        except CallFailed as error:
            # Two may do this at once, as a generator and workers that are started together.
            if error.status is not RPCStatusCode.ALREADY_EXISTS:
                raise failed.cluster(f"the namespace {name} could not be made", error) from error
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            # Each frontend refreshes its list of namespaces on its own.
            await count(client, name, _open(IDS))
            return made
        except CallFailed as error:
            if time.monotonic() > deadline:
                raise failed.cluster(f"the namespace {name} cannot be used", error) from error
        await asyncio.sleep(_POLL)


async def mark(client: ServiceClient, name: str, run: str, limit: timedelta) -> None:
    """Show that a benchmark runs, for `limit` at most. Raises BenchmarkFailed."""
    request = StartWorkflowExecutionRequest(
        namespace=name,
        workflow_id=mark_of(run),
        workflow_type=WorkflowType(name=_MARK),
        # Nobody polls it: the workflow is there to be seen.
        task_queue=TaskQueue(name=_MARK),
        request_id=uuid.uuid4().hex,
        workflow_execution_timeout=proto_duration(limit),
    )
    try:
        await call(client.workflow_service.start_workflow_execution(request), seconds=_SECONDS)
    except CallFailed as error:
        raise failed.cluster(f"no workflow can be started in namespace {name}", error) from error


async def is_marked(client: ServiceClient, name: str) -> bool:
    """Whether a benchmark runs in the namespace. Raises CallFailed."""
    query = f"{_open(IDS)} AND WorkflowType = '{_MARK}'"
    return bool(await count(client, name, query))


async def count(client: ServiceClient, name: str, query: str) -> int:
    """How many workflows visibility has for a query. Raises CallFailed."""
    request = CountWorkflowExecutionsRequest(namespace=name, query=query)
    answer = await call(
        client.workflow_service.count_workflow_executions(request, retry=True), seconds=_SECONDS
    )
    return answer.count


async def refuse_residue(client: ServiceClient, own: str, address: str, run: str = "") -> None:
    """Look at all namespaces of benchmarks for open workflows of benchmarks other than `run`.

    Raises ResidueFound, which names them, BenchmarkFailed when the cluster does not say.
    """
    query = _open(IDS) + (f" AND WorkflowId NOT STARTS_WITH '{ids_of(run)}'" if run else "")
    try:
        names = await temporal_api.namespaces(client)
        looked_at = [name for name in names if name.startswith(PREFIX) or name == own]
        counts = await asyncio.gather(*(_count_if_there(client, name, query) for name in looked_at))
    except CallFailed as error:
        raise failed.cluster(
            "namespaces of earlier benchmarks could not be looked at", error
        ) from error
    left = {name: found for name, found in zip(looked_at, counts, strict=True) if found}
    if left:
        listed = ", ".join(f"{found} in {name}" for name, found in left.items())
        raise ResidueFound(
            "workflows of another benchmark are open, and would distort this one",
            cause=listed,
            fix="wait for it if it still runs; if it was killed, end them with: "
            + " && ".join(by_hand(name, address) for name in left),
        )


async def _count_if_there(client: ServiceClient, name: str, query: str) -> int:
    """The same of a namespace that is listed, and may not be there yet, or not any longer.

    A frontend lists what is stored, and counts only where its own list, which it refreshes every
    few seconds, has the namespace: one that another benchmark has made a moment ago is empty.
    """
    try:
        return await count(client, name, query)
    except CallFailed as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return 0
        raise


def by_hand(name: str, address: str, run: str = "") -> str:
    """The command that ends all workflows that benchmarks, or one run, have in a namespace."""
    prefix = ids_of(run) if run else IDS
    return (
        f"temporal workflow terminate --address {address} --namespace {name} "
        f'--query "{_open(prefix)}" --reason "benchmark ended" --yes'
    )


def mark_of(run: str) -> str:
    """The id of the workflow that shows that a run is there."""
    return f"{ids_of(run)}mark"


async def empty(
    client: ServiceClient, name: str, prefix: str, *, but: str = "", listed: bool = False
) -> str:
    """Terminate what is open whose id begins with the prefix, and see that nothing is.

    What went wrong, or nothing; the workflow `but` stays. It takes as long as it gets on: a
    server's batch operations terminate 50 workflows a second (worker.batcherRPS). Where all that
    was started is known to be `listed`, to have seen the last of it closed is enough.
    """
    query = _open(prefix) + (f" AND WorkflowId != '{but}'" if but else "")
    least: int | None = None
    deadline = time.monotonic() + _PATIENCE
    job = ""
    while True:
        try:
            found = await count(client, name, query)
            if not found and (least == 0 or (listed and least)):
                return ""
            if not least or found < least:
                least, deadline = found, time.monotonic() + _PATIENCE
            elif time.monotonic() > deadline:
                return f"{found} workflows are still open, no fewer for {_PATIENCE:g} s"
            if found and (not job or await _ended(client, name, job)):
                job = await _terminate_all(client, name, query)
        except CallFailed as error:
            # A server that was overloaded a moment ago may refuse a call, and take the next.
            if time.monotonic() > deadline:
                return str(error)
        await asyncio.sleep(_POLL if least else _SETTLED)


async def _terminate_all(client: ServiceClient, name: str, query: str) -> str:
    """Start one batch operation of the server; its id."""
    job = uuid.uuid4().hex
    start = StartBatchOperationRequest(
        namespace=name,
        job_id=job,
        visibility_query=query,
        reason="benchmark ended",
        termination_operation=BatchOperationTermination(identity="dsql-deploy bench"),
    )
    await call(client.workflow_service.start_batch_operation(start), seconds=_SECONDS)
    return job


async def _ended(client: ServiceClient, name: str, job: str) -> bool:
    """Whether a batch operation has come to its end; a namespace may have one at a time."""
    describe = DescribeBatchOperationRequest(namespace=name, job_id=job)
    answer = await call(
        client.workflow_service.describe_batch_operation(describe), seconds=_SECONDS
    )
    return answer.state != BatchOperationState.BATCH_OPERATION_STATE_RUNNING
