"""AWS Backup: selections, which moto lacks; tags and plans, which it reads or ends wrongly."""

import json
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from moto.backup.exceptions import ResourceNotFoundException
from moto.backup.models import BackupBackend, Plan
from moto.backup.responses import BackupResponse
from moto.core.utils import unix_time

from temporal_dsql_deploy.rehearsal.aws.extensions.patch import Method, add, wrap


def _selections(plan: Plan) -> dict[str, dict[str, Any]]:
    kept: dict[str, dict[str, Any]] = vars(plan).setdefault("selections", {})
    return kept


def _path(response: BackupResponse) -> tuple[Plan, str]:
    """The plan and the selection id (or "") of /backup/plans/PLAN/selections/SELECTION."""
    parts = response.path.strip("/").split("/")
    plan = response.backup_backend.get_backup_plan(parts[2], None)
    return plan, parts[4] if len(parts) > 4 else ""


def _found(response: BackupResponse) -> dict[str, Any]:
    plan, selection = _path(response)
    if selection not in _selections(plan):
        raise ResourceNotFoundException(f"no selection {selection} in {plan.backup_plan_id}")
    return _selections(plan)[selection]


@add(BackupResponse)
def create_backup_selection(self: BackupResponse) -> str:
    """What a plan backs up."""
    plan, _ = _path(self)
    asked = json.loads(self.body)
    answer = {
        "SelectionId": str(uuid4()),
        "BackupPlanId": plan.backup_plan_id,
        "CreationDate": unix_time(),
    }
    _selections(plan)[str(answer["SelectionId"])] = answer | {
        "BackupSelection": asked["BackupSelection"]
    }
    return json.dumps(answer)


@add(BackupResponse)
def get_backup_selection(self: BackupResponse) -> str:
    """One of them."""
    return json.dumps(_found(self))


@add(BackupResponse)
def list_backup_selections(self: BackupResponse) -> str:
    """All of a plan."""
    plan, _ = _path(self)
    return json.dumps({"BackupSelectionsList": list(_selections(plan).values())})


@add(BackupResponse)
def delete_backup_selection(self: BackupResponse) -> str:
    """Remove one."""
    plan, _ = _path(self)
    del _selections(plan)[_found(self)["SelectionId"]]
    return ""


@wrap(BackupResponse)
def list_tags(_original: Method, self: BackupResponse) -> str:
    """moto takes the last part but one of the path, right only for a path that ends with "/"."""
    arn = unquote(self.path).partition("/tags/")[2].rstrip("/")
    return json.dumps({"Tags": self.backup_backend.list_tags(resource_arn=arn)})


@wrap(BackupBackend)
def delete_backup_plan(original: Method, self: BackupBackend, backup_plan_id: str) -> object:
    """A deleted plan is gone; moto goes on to show it, and the provider waits for its end."""
    answer = original(self, backup_plan_id)
    del self.plans[backup_plan_id]
    return answer
