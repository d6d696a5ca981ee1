"""Checks of what only some features of Temporal use: the paths that plain workflows do not take.

Which feature takes which path was measured and read in the source of temporal-server 1.32.2; the
table is in checks.py.
"""

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from functools import partial

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.batch.v1 import BatchOperationTermination
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.deployment.v1 import WorkerDeploymentOptions, WorkerDeploymentVersion
from temporalio.api.enums.v1 import (
    RoutingConfigUpdateState,
    TaskQueueType,
    WorkerVersioningMode,
    WorkflowIdConflictPolicy,
)
from temporalio.api.nexus.v1 import Endpoint, EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import (
    CreateNexusEndpointRequest,
    DeleteNexusEndpointRequest,
    ListNexusEndpointsRequest,
    ListSearchAttributesRequest,
)
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DeleteWorkerDeploymentRequest,
    DeleteWorkerDeploymentVersionRequest,
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    DescribeWorkerDeploymentRequest,
    DescribeWorkerDeploymentResponse,
    ListWorkerDeploymentsRequest,
    PollWorkflowTaskQueueRequest,
    SetWorkerDeploymentCurrentVersionRequest,
    StartBatchOperationRequest,
    StartWorkflowExecutionRequest,
    StopBatchOperationRequest,
)
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import TerminatedError
from temporalio.service import RPCError, RPCStatusCode

from temporal_dsql_deploy.operations.probe import workflows
from temporal_dsql_deploy.operations.probe.trial import POLL, LeftOut, Trial, Unexpected
from temporal_dsql_deploy.platforms.temporal_api import CallFailed, call, proto_duration

IDENTITY = "dsql-deploy probe"
NAME = "dsql-deploy-probe"
"""How the names of all that a probe makes begin."""
_BUILD = "probe"
_ABANDONED = timedelta(minutes=10)
"""Age of an endpoint whose probe is gone for sure."""
_POLLED = timedelta(minutes=6)
"""Age of a worker deployment whose worker has not polled for the five minutes that it must not."""
_DEPLOYMENTS = 20
"""Of probes, that a namespace may have at a time; its limit is 100 (matching.maxDeployments)."""
_AT_ONCE = 3
"""Deployments that a probe has deleted, so that each of them is done in time; it leaves one."""
_TRANSFER = 0.3
"""Seconds until a task that was accepted is counted; matching keeps an answer for some seconds, so
that asking too early costs them (temporal-server 1.32.2, matching_engine.go: PutCache)."""
_NOT_HERE = (RPCStatusCode.UNIMPLEMENTED,)
_WAIT = (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION)


async def start(trial: Trial) -> None:
    """A start is acknowledged; asked once and again by itself, so that the cause is kept."""
    request = StartWorkflowExecutionRequest(
        namespace=trial.client.namespace,
        workflow_id=f"{trial.prefix}-start",
        workflow_type=WorkflowType(name="dsql-deploy-probe-start"),
        task_queue=TaskQueue(name=trial.unattended),
        request_id=uuid.uuid4().hex,
        identity=IDENTITY,
        workflow_execution_timeout=proto_duration(trial.limit),
        workflow_id_conflict_policy=(
            WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
        ),
    )
    trial.unfinished.add(request.workflow_id)
    await trial.persist(lambda: trial.client.workflow_service.start_workflow_execution(request))


async def task_queue(trial: Trial) -> None:
    """A task queue can be described: matching alone answers that."""
    await trial.persist(lambda: _described(trial, trial.prefix, stats=False))


async def task_delivery(trial: Trial) -> None:
    """The task of the workflow of `start` waits in its task queue, where nobody polls for it."""
    await start(trial)
    await asyncio.sleep(_TRANSFER)
    while True:
        found = await _described(trial, trial.unattended, stats=True)
        if not found.HasField("stats"):
            raise LeftOut("this server does not count the tasks of a task queue")
        if found.stats.approximate_backlog_count or found.stats.tasks_add_rate:
            break
        await asyncio.sleep(1)
    trial.undo.append(lambda: _taken(trial))


async def _described(trial: Trial, name: str, *, stats: bool) -> DescribeTaskQueueResponse:
    request = DescribeTaskQueueRequest(
        namespace=trial.client.namespace,
        task_queue=TaskQueue(name=name),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        report_stats=stats,
    )
    return await trial.client.workflow_service.describe_task_queue(request)


async def _taken(trial: Trial) -> None:
    """Take the waiting task: in a queue that nobody asks again it would be kept for ever."""
    request = PollWorkflowTaskQueueRequest(
        namespace=trial.client.namespace,
        task_queue=TaskQueue(name=trial.unattended),
        identity=IDENTITY,
    )
    await trial.client.workflow_service.poll_workflow_task_queue(request)


async def parent_close(trial: Trial) -> None:
    """A parent ends, and its eleven children are terminated.

    Ten and more are left to a workflow of the worker role (history.parentClosePolicyThreshold),
    which history starts at the frontend.
    """
    handle = await trial.start(workflows.Family.run, "family", trial.unattended)
    children = await handle.result()
    trial.unfinished.discard(handle.id)
    trial.unfinished.update(children)
    await asyncio.gather(*(_terminated(trial, child) for child in children))


async def _terminated(trial: Trial, identifier: str) -> None:
    """Wait until a workflow is terminated. Raises Unexpected when it ends otherwise."""
    try:
        await trial.client.get_workflow_handle(identifier).result()
    except WorkflowFailureError as error:
        if not isinstance(error.cause, TerminatedError):
            raise
        trial.unfinished.discard(identifier)
        return
    raise Unexpected(f"workflow {identifier} completed instead of being terminated")


async def batch(trial: Trial) -> None:
    """A batch job terminates an open workflow.

    A namespace has one batch job at a time (frontend.MaxConcurrentBatchOperationPerNamespace):
    another one is waited for. Raises LeftOut when it does not end.
    """
    handle = await trial.start(workflows.Conversation.run, "batch")
    request = StartBatchOperationRequest(
        namespace=trial.client.namespace,
        job_id=f"{trial.prefix}-batch-job",
        reason=IDENTITY,
        executions=[WorkflowExecution(workflow_id=handle.id)],
        termination_operation=BatchOperationTermination(identity=IDENTITY),
    )
    while True:
        try:
            await trial.client.workflow_service.start_batch_operation(request)
            break
        except RPCError as error:
            if error.status is not RPCStatusCode.RESOURCE_EXHAUSTED:
                raise
            if trial.left() < POLL * 40:
                raise LeftOut("another batch job of this namespace does not end") from error
        await asyncio.sleep(POLL * 10)
    stop = StopBatchOperationRequest(
        namespace=trial.client.namespace, job_id=request.job_id, reason=IDENTITY, identity=IDENTITY
    )
    # One that hangs would keep every other batch job of the namespace from starting.
    trial.undo.append(lambda: trial.client.workflow_service.stop_batch_operation(stop))
    await _terminated(trial, handle.id)


async def nexus(trial: Trial) -> None:
    """A workflow calls a Nexus operation of the same cluster, by an endpoint made for it."""
    endpoint = await _endpoint(trial)
    trial.undo.append(lambda: _without(trial, endpoint))
    handle = await trial.start(workflows.Caller.run, "nexus", endpoint.spec.name)
    await trial.finished(handle, "Hello, Nexus")


async def _endpoint(trial: Trial) -> Endpoint:
    service = trial.client.operator_service
    try:
        there = await service.list_nexus_endpoints(ListNexusEndpointsRequest(page_size=100))
        target = EndpointTarget.Worker(namespace=trial.client.namespace, task_queue=trial.prefix)
        spec = EndpointSpec(name=trial.prefix, target=EndpointTarget(worker=target))
        made = await service.create_nexus_endpoint(CreateNexusEndpointRequest(spec=spec))
    except RPCError as error:
        if error.status in _NOT_HERE:
            raise LeftOut(f"this server has no Nexus: {error.message}") from error
        raise
    for one in there.endpoints:
        if one.spec.name.startswith(f"{NAME}-") and _age(one.created_time) > _ABANDONED:
            with contextlib.suppress(CallFailed):
                await call(_without(trial, one))
    return made.endpoint


def _age(made: Timestamp) -> timedelta:
    return datetime.now(UTC) - made.ToDatetime(UTC)


def _without(trial: Trial, endpoint: Endpoint) -> Awaitable[object]:
    request = DeleteNexusEndpointRequest(id=endpoint.id, version=endpoint.version)
    return trial.client.operator_service.delete_nexus_endpoint(request)


async def worker_deployment(trial: Trial) -> None:
    """A version of a worker deployment becomes current, which matching has to be told.

    A version cannot be deleted before its worker has not polled for five minutes: a later probe
    does that. One deployment for all probes would hang with what broke under the one before.
    """
    try:
        await _make_room(trial)
        await _made_current(trial)
    except RPCError as error:
        if error.status in _NOT_HERE:
            raise LeftOut(f"this server has no worker deployments: {error.message}") from error
        raise


async def _make_room(trial: Trial) -> None:
    """Have the oldest deployments of earlier probes deleted. Raises LeftOut for too many."""
    request = ListWorkerDeploymentsRequest(namespace=trial.client.namespace, page_size=100)
    listed = await trial.client.workflow_service.list_worker_deployments(request)
    ours = [one for one in listed.worker_deployments if one.name.startswith(f"{NAME}-")]
    ages = {one.name: _age(one.create_time) for one in ours}
    oldest = sorted(ages, key=lambda name: ages[name], reverse=True)[:_AT_ONCE]
    trial.undo += [partial(_delete, trial, name) for name in oldest if ages[name] > _POLLED]
    if len(ours) >= _DEPLOYMENTS:
        raise LeftOut(f"the worker deployments of {len(ours)} earlier probes are not deleted yet")


async def _delete(trial: Trial, deployment: str) -> None:
    service, namespace = trial.client.workflow_service, trial.client.namespace
    with contextlib.suppress(RPCError):
        await _current(trial, deployment, "")
    version = WorkerDeploymentVersion(deployment_name=deployment, build_id=_BUILD)
    await service.delete_worker_deployment_version(
        DeleteWorkerDeploymentVersionRequest(
            namespace=namespace, deployment_version=version, skip_drainage=True, identity=IDENTITY
        )
    )
    await service.delete_worker_deployment(
        DeleteWorkerDeploymentRequest(
            namespace=namespace, deployment_name=deployment, identity=IDENTITY
        )
    )


async def _made_current(trial: Trial) -> None:
    """Poll as a worker of a new version, which makes it, and let it be current."""
    deployment, service = trial.prefix, trial.client.workflow_service
    options = WorkerDeploymentOptions(
        deployment_name=deployment,
        build_id=_BUILD,
        worker_versioning_mode=WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED,
    )
    poll = PollWorkflowTaskQueueRequest(
        namespace=trial.client.namespace,
        task_queue=TaskQueue(name=f"{trial.prefix}-versioned"),
        identity=IDENTITY,
        deployment_options=options,
    )
    look = DescribeWorkerDeploymentRequest(
        namespace=trial.client.namespace, deployment_name=deployment
    )
    polling = asyncio.ensure_future(service.poll_workflow_task_queue(poll))
    try:
        await _until_current(trial, deployment)
        trial.undo.append(lambda: _current(trial, deployment, ""))
        while _underway(await service.describe_worker_deployment(look)):
            await asyncio.sleep(POLL)
    finally:
        polling.cancel()
        with contextlib.suppress(asyncio.CancelledError, RPCError):
            await polling


def _underway(found: DescribeWorkerDeploymentResponse) -> bool:
    state = found.worker_deployment_info.routing_config_update_state
    return state == RoutingConfigUpdateState.ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS


async def _until_current(trial: Trial, deployment: str) -> None:
    while True:
        try:
            await _current(trial, deployment, _BUILD)
            return
        except RPCError as error:
            if error.status not in _WAIT:
                raise
        await asyncio.sleep(POLL)


def _current(trial: Trial, deployment: str, build: str) -> Awaitable[object]:
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=trial.client.namespace,
        deployment_name=deployment,
        build_id=build,
        identity=IDENTITY,
        ignore_missing_task_queues=True,
    )
    return trial.client.workflow_service.set_worker_deployment_current_version(request)


async def search_attributes(trial: Trial) -> None:
    """The search attributes are listed; with visibility in SQL one frontend asks another."""
    request = ListSearchAttributesRequest(namespace=trial.client.namespace)
    await trial.persist(lambda: trial.client.operator_service.list_search_attributes(request))
