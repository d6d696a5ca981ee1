"""What the probe tries, one function each: it returns when that works, and else raises."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    ScheduleState,
    WorkflowExecutionStatus,
    WorkflowHandle,
)

from temporal_dsql_deploy.operations.probe import workflows
from temporal_dsql_deploy.platforms.temporal_api import CallFailed, call

_POLL = 0.05


@dataclass
class Trial:
    """One run of the probe: its client, its names, and what it started."""

    client: Client
    prefix: str
    """Of every workflow id and schedule id; also the task queue."""
    limit: timedelta
    """How long a workflow may live: whatever becomes of the probe, none stays open for longer."""
    unfinished: set[str] = field(default_factory=set)
    """Ids of workflows that may still be open."""

    async def start(
        self, workflow: Callable[..., Awaitable[str]], name: str, *arguments: str
    ) -> WorkflowHandle[Any, str]:
        """Start a workflow of this run, noted so that it can be cleaned up."""
        identifier = f"{self.prefix}-{name}"
        self.unfinished.add(identifier)
        return await self.client.start_workflow(
            workflow,
            args=arguments,
            id=identifier,
            task_queue=self.prefix,
            execution_timeout=self.limit,
        )

    async def finished(self, handle: WorkflowHandle[Any, Any], wanted: str) -> None:
        """Wait for a workflow's end. Raises Unexpected when its result is not the wanted one."""
        self.unfinished.add(handle.id)
        _expect(await handle.result(), wanted)
        self.unfinished.discard(handle.id)


class Unexpected(Exception):
    """The cluster answered, with something else than it should have."""


def _expect(got: object, wanted: object) -> None:
    if got != wanted:
        raise Unexpected(f"the answer was {got!r}, not {wanted!r}")


async def workflow(trial: Trial) -> None:
    """A workflow with an activity completes."""
    handle = await trial.start(workflows.Greeting.run, "workflow", "Temporal")
    await trial.finished(handle, "Hello, Temporal")


async def timer(trial: Trial) -> None:
    """A workflow that sleeps wakes up."""
    handle = await trial.start(workflows.Timer.run, "timer")
    await trial.finished(handle, "fired")


async def signal(trial: Trial) -> None:
    """A signal reaches an open workflow."""
    handle = await trial.start(workflows.Conversation.run, "signal")
    await handle.signal(workflows.Conversation.say, "heard")
    await trial.finished(handle, "heard")


async def query(trial: Trial) -> None:
    """A query of an open workflow is answered."""
    handle = await trial.start(workflows.Conversation.run, "query")
    _expect(await handle.query(workflows.Conversation.state), "waiting")
    await handle.signal(workflows.Conversation.say, "done")
    await trial.finished(handle, "done")


async def child_workflow(trial: Trial) -> None:
    """A workflow runs another as its child."""
    handle = await trial.start(workflows.Parent.run, "parent", "child")
    await trial.finished(handle, "Hello, child")


async def schedule(trial: Trial) -> None:
    """A schedule, triggered once, starts a workflow that completes; then it is deleted."""
    action = ScheduleActionStartWorkflow(
        workflows.Greeting.run,
        "schedule",
        id=f"{trial.prefix}-scheduled",
        task_queue=trial.prefix,
        execution_timeout=trial.limit,
    )
    identifier = f"{trial.prefix}-schedule"
    handle = trial.client.get_schedule_handle(identifier)
    try:
        await trial.client.create_schedule(
            identifier,
            Schedule(action=action, spec=ScheduleSpec(), state=ScheduleState(paused=True)),
            trigger_immediately=True,
        )
        while not (actions := (await handle.describe()).info.recent_actions):
            await asyncio.sleep(_POLL)
        started = actions[0].action
        if not isinstance(started, ScheduleActionExecutionStartWorkflow):
            raise Unexpected(f"the schedule did {started!r}")
        workflow_handle = trial.client.get_workflow_handle(started.workflow_id)
        await trial.finished(workflow_handle, "Hello, schedule")
    finally:
        # Also when the creation was cut off half way: a schedule has no end of its own.
        with contextlib.suppress(CallFailed):
            await call(handle.delete())


async def visibility(trial: Trial) -> None:
    """The closed workflow of the first check is found in a list by its task queue."""
    wanted = f"{trial.prefix}-workflow"
    while True:
        async for found in trial.client.list_workflows(f"TaskQueue = '{trial.prefix}'"):
            if found.id == wanted and found.status is WorkflowExecutionStatus.COMPLETED:
                return
        await asyncio.sleep(_POLL)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is tried."""

    name: str
    run: Callable[[Trial], Awaitable[None]]
    meaning: str
    """What it means for users of the cluster when it fails, and where to look."""


FIRST = Check(
    "workflow",
    workflow,
    "no workflow makes progress: look for `network dial error` in the logs of history and matching",
)
"""The one that the others need: it runs alone, and before them."""

OTHERS = [
    Check("timer", timer, "workflows do not wake up: the history service does not process timers"),
    Check("signal", signal, "signals do not arrive: look at frontend and history"),
    Check("query", query, "queries hang: look at frontend and matching, and the path between them"),
    Check("child-workflow", child_workflow, "child workflows do not start: look at history"),
    Check(
        "schedule",
        schedule,
        "schedules do not act: they run in the worker role, look there and at its path to history",
    ),
    Check(
        "visibility",
        visibility,
        "lists and the Web UI do not show new workflows: look at the visibility store",
    ),
]
