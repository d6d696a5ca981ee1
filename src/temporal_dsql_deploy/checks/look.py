"""Ways to look at values of which some may not be known, for all families."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy.checks.model import Finding, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.containers import Container
from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.tasks import Task
from temporal_dsql_deploy.plan.values import UNKNOWN, Sensitive, at, listed

LATER = "is known only after apply"


@dataclass(frozen=True, slots=True)
class Inside:
    """A container, and where it stands."""

    task: Task
    container: Container
    index: int

    @property
    def address(self) -> str:
        """Of its task definition."""
        return self.task.definition.address

    def __getitem__(self, path: str) -> Any:
        """What its definition has at a dotted path; None where there is nothing."""
        return at(self.container.definition, path)

    def wrong(self, path: str, evidence: str, symptom: str = "", fix: str = "") -> Finding:
        """A finding about an attribute of it."""
        where = f"container_definitions.{self.index}.{path}".rstrip(".")
        text = f"container {self.container.name}: {evidence}"
        return Finding(self.address, where, text, symptom, fix)


def opaque(value: Any) -> bool:
    """Whether nothing is known of a value."""
    return value is UNKNOWN or isinstance(value, Sensitive)


def on(value: Any, *, default: bool = False) -> bool | None:
    """Whether a switch is on; None where that is not known. Some attributes have it as text."""
    if opaque(value):
        return None
    return default if value is None or value == "" else str(value).lower() == "true"


def texts(value: Any) -> tuple[str, ...] | None:
    """The items of a list of texts; None where not all are known."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or any(opaque(one) for one in value):
        return None
    return tuple(str(one) for one in value)


def blocks(value: Any) -> tuple[Mapping[str, Any], ...]:
    """The blocks of a kind that are known of."""
    return tuple(one for one in listed(value) if isinstance(one, Mapping))


def definitions(subject: Subject) -> tuple[Task, ...]:
    """Each task definition once, however many services run it."""
    return tuple({task.definition.address: task for task in reversed(subject.tasks)}.values())[::-1]


def inside(tasks: Iterable[Task]) -> Iterator[Inside]:
    """All containers of tasks, as far as they are known: see `hidden`."""
    for task in tasks:
        for index, container in enumerate(task.containers or ()):
            yield Inside(task, container, index)


def main(task: Task) -> Inside | None:
    """The container that a task is for; None where its containers are not known."""
    return next((one for one in inside([task]) if one.container is task.main), None)


def hidden(tasks: Iterable[Task]) -> Iterator[Unjudged]:
    """The tasks whose containers are not known."""
    for task in tasks:
        if task.containers is None:
            yield Unjudged(task.definition.address, f"what is in its containers {LATER}")


def known(resources: Iterable[Resource], path: str) -> dict[str, Resource]:
    """Resources by the text at a path, without those where there is none."""
    return {found: one for one in resources if isinstance(found := one[path], str)}


def parameters(subject: Subject) -> dict[str, Resource]:
    """SSM parameters of the plan by name and by ARN, either of which a container may name."""
    made = subject.plan.of_type("aws_ssm_parameter")
    return {**known(made, "name"), **known(made, "arn")}


def several(roles: Mapping[str, Task]) -> bool | None:
    """Whether any role runs as more than one task; None where no number is known."""
    counts = [task.replicas for task in roles.values() if task.replicas is not None]
    return max(counts) > 1 if counts else None


def number(value: Any) -> float | None:
    """A number that may be written as text; None for anything else."""
    try:
        return None if opaque(value) or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
