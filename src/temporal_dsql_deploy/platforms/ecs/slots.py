"""Names for tasks: `history-2` is a place that ECS fills again and again, with new tasks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from temporal_dsql_deploy.platforms.ecs.tasks import Task


@dataclass(slots=True)
class Slots:
    """Which task is in which place; a task keeps its place as long as it is there."""

    _taken: dict[str, dict[int, str]] = field(default_factory=dict)
    """By component and number of the place the ARN of a task."""

    def fill(self, component: str, tasks: Sequence[Task], wanted: int) -> dict[str, Task | None]:
        """The places of a component by name, with the task in each; None in one that is empty.

        There are as many as tasks are wanted, or as are there while more are.
        """
        count = max(wanted, len(tasks))
        arns = {one.arn: one for one in tasks}
        before = self._taken.get(component, {})
        taken = {at: arn for at, arn in before.items() if arn in arns and at <= count}
        for one in tasks:
            if one.arn not in taken.values():
                free = next(at for at in range(1, count + 1) if at not in taken)
                taken[free] = one.arn
        self._taken[component] = taken
        return {
            name(component, at, count): arns.get(taken.get(at, "")) for at in range(1, count + 1)
        }


def name(component: str, at: int, count: int) -> str:
    """Of a place; the component's own where it is the only one."""
    return component if count == 1 else f"{component}-{at}"
