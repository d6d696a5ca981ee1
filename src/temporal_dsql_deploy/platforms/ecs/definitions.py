"""What task definitions say of their containers; a revision never changes, so it is read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.platforms.ecs.clients import Clients


@dataclass(frozen=True, slots=True)
class Definition:
    """One container of a task definition."""

    name: str
    essential: bool
    checked: bool
    """Whether it has a health check; without one it is never HEALTHY."""
    log_group: str = ""
    """Of CloudWatch; empty where it logs elsewhere."""
    log_prefix: str = ""
    """Its streams are PREFIX/NAME/TASK, as the driver awslogs names them."""

    def stream(self, task: str) -> str:
        """The log stream of the task with this id."""
        return f"{self.log_prefix}/{self.name}/{task}"


def read(task_definition: str, clients: Clients) -> list[Definition]:
    """The containers of a task definition, by its ARN; the first essential one first.

    Raises what `aws.told` makes of a refusal.
    """
    if task_definition not in clients.definitions:
        with aws.calling("read the task definition (ecs:DescribeTaskDefinition)"):
            said = clients.ecs.describe_task_definition(taskDefinition=task_definition)
        clients.definitions[task_definition] = said["taskDefinition"]["containerDefinitions"]
    found = [_parse(one) for one in clients.definitions[task_definition]]
    return sorted(found, key=lambda one: not one.essential)


def _parse(said: Mapping[str, Any]) -> Definition:
    options = said.get("logConfiguration", {}).get("options", {})
    return Definition(
        name=said["name"],
        essential=said.get("essential", True),
        checked=bool(said.get("healthCheck")),
        log_group=options.get("awslogs-group", ""),
        log_prefix=options.get("awslogs-stream-prefix", ""),
    )


def is_checked(task_definition: str, clients: Clients) -> bool:
    """Whether any container of it has a health check. Raises as `read` does."""
    return any(one.checked for one in read(task_definition, clients))
