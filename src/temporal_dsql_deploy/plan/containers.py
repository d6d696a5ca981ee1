"""The containers of a task definition."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy.plan.model import Resource


@dataclass(frozen=True, slots=True)
class Container:
    """One container of an ECS task definition."""

    name: str
    image: str
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    """ARN of the secret or parameter, by the variable that gets its value."""
    ports: tuple[int, ...]
    """Container ports."""
    definition: Mapping[str, Any]
    """Everything, in the words of the ECS API: camelCase."""


def containers(task_definition: Resource | Mapping[str, Any]) -> tuple[Container, ...] | None:
    """The containers of an `aws_ecs_task_definition`; None where they are not known.

    It may be a resource or the `before` or `after` of a change.
    """
    values = task_definition.values if isinstance(task_definition, Resource) else task_definition
    text = values.get("container_definitions")
    if not isinstance(text, str):
        return None
    return tuple(_container(definition) for definition in json.loads(text))


def _container(definition: Mapping[str, Any]) -> Container:
    return Container(
        name=definition.get("name", ""),
        image=definition.get("image", ""),
        environment={pair["name"]: pair["value"] for pair in definition.get("environment") or []},
        secrets={pair["name"]: pair["valueFrom"] for pair in definition.get("secrets") or []},
        ports=tuple(port["containerPort"] for port in definition.get("portMappings") or []),
        definition=definition,
    )
