"""What became of the workflows of an iteration, as the server has it: read once, at the end."""

import re
from array import array
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    ListWorkflowExecutionsRequest,
    ListWorkflowExecutionsResponse,
)
from temporalio.service import ServiceClient

_PAGE = 1000
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
    started: dict[int, float] = field(default_factory=dict)
    """When those of `wanted_starts` were started."""
    state_transitions: int = 0
    """Of all, children included."""

    def seen(self) -> set[int]:
        """The numbers of all workflows that the server has."""
        return {*self.numbers, *self.failed, *self.running}

    def failures(self) -> Counter[str]:
        """How many have failed, by how."""
        return Counter(how for how, _ in self.failed.values())


async def read(
    client: ServiceClient,
    namespace: str,
    prefix: str,
    wanted_starts: set[int],
) -> Outcome:
    """List all workflows whose ids begin with the prefix. Raises RPCError.

    A workflow that closes while the list is read may stand on two pages: the later one counts.
    """
    outcome = Outcome()
    completed: dict[int, float] = {}
    number_of = re.compile(re.escape(prefix) + r"-(\d+)").fullmatch
    request = ListWorkflowExecutionsRequest(
        namespace=namespace, page_size=_PAGE, query=f"WorkflowId STARTS_WITH '{prefix}-'"
    )
    transitions: dict[str, int] = {}
    while True:
        page: ListWorkflowExecutionsResponse = (
            await client.workflow_service.list_workflow_executions(
                request, retry=True, timeout=_TIMEOUT
            )
        )
        for one in page.executions:
            transitions[one.execution.run_id] = one.state_transition_count
            if match := number_of(one.execution.workflow_id):
                _place(outcome, completed, int(match[1]), one, wanted_starts)
        request.next_page_token = page.next_page_token
        if not page.next_page_token:
            break
    outcome.numbers.extend(completed)
    outcome.closed.extend(completed.values())
    outcome.state_transitions = sum(transitions.values())
    return outcome


def _place(
    outcome: Outcome,
    completed: dict[int, float],
    number: int,
    one: WorkflowExecutionInfo,
    wanted_starts: set[int],
) -> None:
    if number in wanted_starts:
        outcome.started[number] = _unix(one.start_time)
    if one.status == _RUNNING:
        if number not in completed and number not in outcome.failed:
            outcome.running.add(number)
        return
    outcome.running.discard(number)
    if one.status == _COMPLETED:
        completed[number] = _unix(one.close_time)
    else:
        name = WorkflowExecutionStatus.Name(one.status)
        how = name.removeprefix("WORKFLOW_EXECUTION_STATUS_").replace("_", " ").capitalize()
        outcome.failed[number] = (how, _unix(one.close_time))


def _unix(time: Timestamp) -> float:
    return time.seconds + time.nanos / 1e9
