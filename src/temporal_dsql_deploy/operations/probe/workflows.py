"""The workflows and the activity that the probe runs; they stay this small to be easy to read."""

import asyncio
from datetime import timedelta

import nexusrpc
from temporalio import activity, workflow

ACTIVITY_TIMEOUT = timedelta(seconds=30)
TIMER = timedelta(milliseconds=100)
CHILDREN = 11
"""Of a family. From ten on (history.parentClosePolicyThreshold) not history itself closes them."""


@activity.defn(name="dsql-deploy-probe-greet")
async def greet(name: str) -> str:
    """The one activity: it proves that activity tasks are delivered and answered."""
    return f"Hello, {name}"


@workflow.defn(name="dsql-deploy-probe-greeting")
class Greeting:
    """A workflow with one activity."""

    @workflow.run
    async def run(self, name: str) -> str:
        """Greet by way of the activity."""
        return await workflow.execute_activity(greet, name, start_to_close_timeout=ACTIVITY_TIMEOUT)


@workflow.defn(name="dsql-deploy-probe-timer")
class Timer:
    """A workflow that waits for a timer, which only the history service can fire."""

    @workflow.run
    async def run(self) -> str:
        """Sleep."""
        await workflow.sleep(TIMER)
        return "fired"


@workflow.defn(name="dsql-deploy-probe-conversation")
class Conversation:
    """A workflow that stays open until it is sent a signal, and can be queried meanwhile."""

    def __init__(self) -> None:
        self._word = ""

    @workflow.run
    async def run(self) -> str:
        """Wait for the signal and return what it said."""
        await workflow.wait_condition(lambda: bool(self._word))
        return self._word

    @workflow.signal
    def say(self, word: str) -> None:
        """End the workflow with this word."""
        self._word = word

    @workflow.query
    def state(self) -> str:
        """`waiting` until it has been signalled."""
        return self._word or "waiting"


@workflow.defn(name="dsql-deploy-probe-parent")
class Parent:
    """A workflow that runs another one as its child."""

    @workflow.run
    async def run(self, name: str) -> str:
        """Greet by way of a child workflow."""
        return await workflow.execute_child_workflow(
            Greeting.run, name, id=f"{workflow.info().workflow_id}-child"
        )


@workflow.defn(name="dsql-deploy-probe-family")
class Family:
    """A workflow that ends while its children are open."""

    @workflow.run
    async def run(self, task_queue: str) -> list[str]:
        """Start the children where nobody works on them, and leave them; their ids."""
        info = workflow.info()
        children = await asyncio.gather(
            *(
                workflow.start_child_workflow(
                    Conversation.run,
                    id=f"{info.workflow_id}-{number}",
                    task_queue=task_queue,
                    execution_timeout=info.execution_timeout,
                    parent_close_policy=workflow.ParentClosePolicy.TERMINATE,
                )
                for number in range(CHILDREN)
            )
        )
        return [child.id for child in children]


@nexusrpc.service(name="dsql-deploy-probe")
class Greeter:
    """A Nexus service."""

    greet: nexusrpc.Operation[str, str]


@nexusrpc.handler.service_handler(service=Greeter)
class GreeterHandler:
    """Answers calls of it."""

    @nexusrpc.handler.sync_operation
    async def greet(self, _: nexusrpc.handler.StartOperationContext, name: str) -> str:
        """Greet."""
        return f"Hello, {name}"


@workflow.defn(name="dsql-deploy-probe-caller")
class Caller:
    """A workflow that calls a Nexus operation."""

    @workflow.run
    async def run(self, endpoint: str) -> str:
        """Greet by way of the endpoint."""
        client = workflow.create_nexus_client(service=Greeter, endpoint=endpoint)
        return await client.execute_operation(Greeter.greet, "Nexus")


ALL = [Greeting, Timer, Conversation, Parent, Family, Caller]
