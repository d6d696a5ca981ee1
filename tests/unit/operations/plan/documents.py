"""Plans that change history's service and task definition, and what is said of them."""

import json
from typing import Any

from temporal_dsql_deploy.operations.plan.result import Source
from temporal_dsql_deploy.operations.plan.summary import summarise
from temporal_dsql_deploy.plan import read_plan
from tests.unit.plan.documents import change, plan

HISTORY = 'module.temporal.module.temporal_service["history"]'


FAMILY = "temporal-dev-temporal-history"


ARN = "arn:aws:ecs:eu-west-1:123456789012:task-definition"


def summary(*changes: dict[str, Any], **rest: Any) -> Any:
    """What is said of a plan of dev with these changes."""
    variables = {"project_name": {"value": "temporal-dev"}}
    document = plan(*changes, variables=variables, **rest)
    return summarise(read_plan(document), "dev", Source.TERRAFORM)


def definition(**environment: str) -> dict[str, Any]:
    """A task definition of history, with these variables; `image` is its image."""
    container = {
        "name": "temporal-history",
        "image": environment.pop("image", "registry/runtime:sha-1"),
        "environment": [{"name": name, "value": value} for name, value in environment.items()],
        "mountPoints": [],
    }
    return {"family": FAMILY, "cpu": "512", "container_definitions": json.dumps([container])}


def service(**rest: Any) -> dict[str, Any]:
    """The service of history."""
    return {
        "name": FAMILY,
        "task_definition": f"{ARN}/{FAMILY}:4",
        "deployment_minimum_healthy_percent": 50,
        "deployment_maximum_percent": 100,
        "desired_count": 3,
        **rest,
    }


def redeployed(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """A new version of the task definition of history, and its service."""
    unknown = {"arn": True, "revision": True}
    new = service()
    del new["task_definition"]
    return [
        change(
            f"{HISTORY}.aws_ecs_task_definition.this",
            "delete",
            "create",
            before={**before, "arn": f"{ARN}/{FAMILY}:4", "revision": 4},
            after=after,
            after_unknown=unknown,
            replace_paths=[["container_definitions"]],
        ),
        change(
            f"{HISTORY}.aws_ecs_service.this",
            "update",
            before=service(),
            after=new,
            after_unknown={"task_definition": True},
        ),
    ]
