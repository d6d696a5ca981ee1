"""Names of a cluster's parts, from the names of resources."""

from collections.abc import Mapping
from typing import Any

from temporal_dsql_deploy.plan import Change, Plan
from temporal_dsql_deploy.plan.parts import component, project_of


def project(plan: Plan) -> str:
    """The variable project_name of a plan, or what the names of its services have in common."""
    given = plan.variables.get("project_name")
    if isinstance(given, str):
        return given
    return project_of(
        now(change).get("name") for change in plan.changes if change.type == "aws_ecs_service"
    )


def now(change: Change) -> Mapping[str, Any]:
    """What there is, or will be where there is nothing."""
    return change.before if change.before is not None else change.after or {}


def groups(plan: Plan, project_name: str) -> dict[str, str]:
    """Components by the id of their security group, as far as ids are known."""
    found = {}
    for change in plan.changes:
        if change.type == "aws_security_group":
            for side in (change.before, change.after):
                identity = (side or {}).get("id")
                if isinstance(identity, str):
                    found[identity] = component(now(change).get("name"), project_name)
    return found
