"""The workflows of a benchmark and their activity; as small as what they measure allows."""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow

STEPS = 10
"""Activities of a state-transitions workflow, one after the other."""
_TIMEOUT = timedelta(minutes=1)


@activity.defn(name="work")
async def work(seconds: float) -> None:
    """Take that long; with 0 nothing at all."""
    if seconds:
        await asyncio.sleep(seconds)


async def _work(seconds: float) -> None:
    await workflow.execute_activity(
        work, seconds, start_to_close_timeout=_TIMEOUT + timedelta(seconds=seconds)
    )


@workflow.defn(name="simple")
class Simple:
    """Nothing: what it takes is what any workflow takes."""

    @workflow.run
    async def run(self) -> None:
        """Return at once."""


@workflow.defn(name="multi-activity")
class MultiActivity:
    """Activities, two fifths of them side by side, then the others one after the other."""

    @workflow.run
    async def run(self, count: int, seconds: float) -> None:
        """Run `count` activities of `seconds` each."""
        parallel = count * 2 // 5
        await asyncio.gather(*(_work(seconds) for _ in range(parallel)))
        for _ in range(count - parallel):
            await _work(seconds)


@workflow.defn(name="timer")
class Timer:
    """A timer, which the history service fires."""

    @workflow.run
    async def run(self, seconds: float) -> None:
        """Sleep."""
        await workflow.sleep(timedelta(seconds=seconds))


@workflow.defn(name="child")
class Child:
    """A child of `child-workflow`: of a name of its own, so that it is not counted as a start."""

    @workflow.run
    async def run(self) -> None:
        """Return at once."""


@workflow.defn(name="child-workflow")
class Parent:
    """Children, all side by side."""

    @workflow.run
    async def run(self, count: int) -> None:
        """Run them to their ends."""
        identifier = workflow.info().workflow_id
        await asyncio.gather(
            *(
                workflow.execute_child_workflow(Child.run, id=f"{identifier}-child-{number}")
                for number in range(count)
            )
        )


@workflow.defn(name="state-transitions")
class StateTransitions:
    """Activities one after the other: many state transitions for one workflow."""

    @workflow.run
    async def run(self, seconds: float) -> None:
        """Run them."""
        for _ in range(STEPS):
            await _work(seconds)


ALL = [Simple, MultiActivity, Timer, Child, Parent, StateTransitions]
