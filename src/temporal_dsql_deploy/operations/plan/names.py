"""Names of a cluster's parts, from the names of resources."""

import re
from collections.abc import Mapping
from typing import Any

from temporal_dsql_deploy.plan import Change, Plan

_SERVER = re.compile(r"(?:^|-)temporal-([a-z]+)$")


def component(name: object, project: str) -> str:
    """`history` of `temporal-dev-temporal-history`, `benchmark-worker` of `x-benchmark-worker`."""
    text = str(name)
    if project and text.startswith(f"{project}-"):
        text = text.removeprefix(f"{project}-")
    server = _SERVER.search(text)
    return server[1] if server else text


def project(plan: Plan) -> str:
    """The variable project_name of a plan, or what the names of its services have in common."""
    given = plan.variables.get("project_name")
    if isinstance(given, str):
        return given
    services = [
        now(change).get("name") for change in plan.changes if change.type == "aws_ecs_service"
    ]
    found = (re.fullmatch(r"(.+)-temporal-[a-z]+", str(name)) for name in services)
    return next((match[1] for match in found if match), "")


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
