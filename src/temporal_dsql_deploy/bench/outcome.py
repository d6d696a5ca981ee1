"""What became of the workflows of an iteration, as the server has it: read once, at the end."""

import asyncio
import re
import time
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    ListWorkflowExecutionsRequest,
    ListWorkflowExecutionsResponse,
)
from temporalio.service import RPCError, RPCStatusCode, ServiceClient

from temporal_dsql_deploy.bench.numbers import Numbers

_PAGE = 1000
_SIDE_BY_SIDE = 50
_ASKING = 60.0
_TIMEOUT = timedelta(seconds=30)
_RUNNING = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
_COMPLETED = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED


@dataclass(slots=True)
class Outcome:
    """The workflows of one iteration, by their number; times are Unix seconds of the server."""

    numbers: "array[int]" = field(default_factory=lambda: array("q"))
    """Of those that have completed, each once, in no order."""
    closed: "array[float]" = field(default_factory=lambda: array("d"))
    """When, in the order of `numbers`."""
    failed: dict[int, tuple[str, float]] = field(default_factory=dict)
    """How and when others have closed."""
    running: set[int] = field(default_factory=set)
    seen: Numbers = field(default_factory=Numbers)
    """All of them."""
    started: dict[int, float] = field(default_factory=dict)
    """When those were started that the generator has timed."""
    unlisted: int = 0
    """How many could not be asked for one by one."""
    state_transitions: int = 0
    """Of all, children included."""

    def failures(self) -> Counter[str]:
        """How many have failed, by how."""
        return Counter(how for how, _ in self.failed.values())

    def place(self, number: int, one: WorkflowExecutionInfo) -> None:
        """Put a workflow where it belongs."""
        self.seen.add(number)
        if one.status == _RUNNING:
            self.running.add(number)
        elif one.status == _COMPLETED:
            self.numbers.append(number)
            self.closed.append(_unix(one.close_time))
        else:
            name = WorkflowExecutionStatus.Name(one.status)
            how = name.removeprefix("WORKFLOW_EXECUTION_STATUS_").replace("_", " ").capitalize()
            self.failed[number] = (how, _unix(one.close_time))


async def read(client: ServiceClient, namespace: str, prefix: str, timed: set[int]) -> Outcome:
    """List all workflows whose ids begin with the prefix. Raises RPCError.

    A workflow that closes while the list is read may be listed twice, as open and as closed: each
    number is placed once.
    """
    outcome = Outcome()
    number_of = re.compile(re.escape(prefix) + r"-(\d+)").fullmatch
    request = ListWorkflowExecutionsRequest(
        namespace=namespace, page_size=_PAGE, query=f"WorkflowId STARTS_WITH '{prefix}-'"
    )
    while True:
        page: ListWorkflowExecutionsResponse = (
            await client.workflow_service.list_workflow_executions(
                request, retry=True, timeout=_TIMEOUT
            )
        )
        for one in page.executions:
            match = number_of(one.execution.workflow_id)
            number = int(match[1]) if match else None
            if number is not None and number in outcome.seen:
                continue
            outcome.state_transitions += one.state_transition_count
            if number is None:
                continue
            outcome.place(number, one)
            if number in timed:
                outcome.started[number] = _unix(one.start_time)
        request.next_page_token = page.next_page_token
        if not page.next_page_token:
            return outcome


async def ask_history(
    client: ServiceClient, namespace: str, prefix: str, numbers: Iterable[int], outcome: Outcome
) -> None:
    """Ask the history service for workflows that visibility does not have, or has as running.

    Visibility may be behind; history is what counts. It is asked for as many as a minute allows,
    and the others are `unlisted`.
    """
    limit = asyncio.Semaphore(_SIDE_BY_SIDE)
    deadline = time.monotonic() + _ASKING

    async def one(number: int) -> None:
        async with limit:
            if time.monotonic() > deadline:
                outcome.unlisted += number not in outcome.seen
                return
            request = DescribeWorkflowExecutionRequest(namespace=namespace)
            request.execution.workflow_id = f"{prefix}-{number}"
            try:
                answer = await client.workflow_service.describe_workflow_execution(
                    request, retry=True, timeout=_TIMEOUT
                )
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    outcome.unlisted += number not in outcome.seen
                return
            outcome.running.discard(number)
            if number not in outcome.seen:
                outcome.state_transitions += answer.workflow_execution_info.state_transition_count
            outcome.place(number, answer.workflow_execution_info)

    await asyncio.gather(*(one(number) for number in numbers))


def _unix(time: Timestamp) -> float:
    return time.seconds + time.nanos / 1e9
