"""Checks of what nearly everybody uses: a function returns when it works, and else raises."""

import asyncio
import contextlib

from temporalio.client import (
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleSpec,
    ScheduleState,
    WorkflowExecutionStatus,
)

from temporal_dsql_deploy.operations.probe import workflows
from temporal_dsql_deploy.operations.probe.trial import POLL, Trial, Unexpected, expect
from temporal_dsql_deploy.platforms.temporal_api import CallFailed, call


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
    expect(await handle.query(workflows.Conversation.state), "waiting")
    await handle.signal(workflows.Conversation.say, "done")
    await trial.finished(handle, "done")


async def child_workflow(trial: Trial) -> None:
    """A workflow runs another as its child."""
    handle = await trial.start(workflows.Parent.run, "parent", "child")
    await trial.finished(handle, "Hello, child")


async def schedule(trial: Trial) -> None:
    """A schedule, triggered twice, starts a workflow each time; then it is deleted.

    Before the second it has to learn from history that the first has ended.
    """
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
        await _acted(trial, handle, times=1)
        await handle.trigger()
        await _acted(trial, handle, times=2)
    finally:
        # Also when the creation was cut off half way: a schedule has no end of its own.
        with contextlib.suppress(CallFailed):
            await call(handle.delete())


async def _acted(trial: Trial, schedule: ScheduleHandle, *, times: int) -> None:
    """Wait until a schedule has acted so often, and until the last workflow has completed."""
    while len(actions := (await schedule.describe()).info.recent_actions) < times:
        await asyncio.sleep(POLL)
    started = actions[-1].action
    if not isinstance(started, ScheduleActionExecutionStartWorkflow):
        raise Unexpected(f"the schedule did {started!r}")
    handle = trial.client.get_workflow_handle(
        started.workflow_id, run_id=started.first_execution_run_id
    )
    await trial.finished(handle, "Hello, schedule")


async def visibility(trial: Trial) -> None:
    """The closed workflow of the first check is found in a list by its task queue."""
    wanted = f"{trial.prefix}-workflow"
    while True:
        async for found in trial.client.list_workflows(f"TaskQueue = '{trial.prefix}'"):
            if found.id == wanted and found.status is WorkflowExecutionStatus.COMPLETED:
                return
        await asyncio.sleep(POLL)
