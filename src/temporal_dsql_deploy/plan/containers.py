"""The containers of a task definition."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.values import listed


@dataclass(frozen=True, slots=True)
class Container:
    """One container of an ECS task definition."""

    name: str
    image: str
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    """ARN of the secret or parameter, by the variable that gets its value."""
    ports: tuple[int, ...]
    """Container ports, those of a range aside."""
    definition: Mapping[str, Any]
    """Everything, in the words of the ECS API: camelCase."""

    @property
    def words(self) -> tuple[str, ...]:
        """Entry point and command, as one command line."""
        parts = (listed(self.definition.get(key)) for key in ("entryPoint", "command"))
        return tuple(str(word) for part in parts for word in part)


def containers(task_definition: Resource | Mapping[str, Any]) -> tuple[Container, ...] | None:
    """The containers of an `aws_ecs_task_definition`; None where they cannot be told.

    It may be a resource or the `before` or `after` of a change.
    """
    values = task_definition.values if isinstance(task_definition, Resource) else task_definition
    text = values.get("container_definitions")
    if not isinstance(text, str):
        return None
    try:
        return tuple(_container(definition) for definition in json.loads(text))
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        # Not what ECS takes: AWS will say so, and here it is opaque.
        return None


def _container(definition: Mapping[str, Any]) -> Container:
    return Container(
        name=str(definition.get("name") or ""),
        image=str(definition.get("image") or ""),
        environment=_pairs(definition.get("environment"), "value"),
        secrets=_pairs(definition.get("secrets"), "valueFrom"),
        ports=tuple(
            # A mapping may have a containerPortRange in its place.
            port["containerPort"]
            for port in definition.get("portMappings") or []
            if "containerPort" in port
        ),
        definition=definition,
    )


def _pairs(given: Any, key: str) -> dict[str, str]:
    # ECS takes a variable without a value, which is empty.
    values = {str(pair["name"]): pair.get(key) for pair in given or []}
    return {name: "" if value is None else str(value) for name, value in values.items()}
