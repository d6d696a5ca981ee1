"""Write a plan as `terraform show -json` does: for a plan that Terraform keeps in no file."""

from collections.abc import Iterable, Mapping
from typing import Any

from temporal_dsql_deploy.plan.model import Action, Change, Output, Plan, Resource
from temporal_dsql_deploy.plan.values import UNKNOWN, Sensitive

_ACTIONS = {
    Action.CREATE: ["create"],
    Action.READ: ["read"],
    Action.UPDATE: ["update"],
    Action.DELETE: ["delete"],
    Action.FORGET: ["forget"],
    Action.NO_OP: ["no-op"],
}


def document(plan: Plan) -> dict[str, Any]:
    """The document of a plan, which `read_plan` reads back to the same plan.

    What is sensitive is in it as it is, and marked, as in Terraform's own. A plan that was read
    without being revealed has lost these values; they become null.
    """
    return {
        "format_version": "1.2",
        "terraform_version": plan.terraform_version,
        "variables": {name: {"value": value} for name, value in plan.variables.items()},
        "planned_values": {"root_module": _modules(plan.resources)},
        "resource_changes": [_change(change) for change in plan.changes],
        "resource_drift": [_change(change) for change in plan.drift],
        "output_changes": {name: _output(output) for name, output in plan.outputs.items()},
        "complete": plan.complete,
        "errored": plan.errored,
        "applyable": plan.applyable,
    }


def _modules(resources: Iterable[Resource]) -> dict[str, Any]:
    by_module: dict[str, list[dict[str, Any]]] = {"": []}
    for resource in resources:
        by_module.setdefault(resource.module, []).append(_resource(resource))
    root = by_module.pop("")
    children = [{"address": name, "resources": parts} for name, parts in by_module.items()]
    return {"resources": root, "child_modules": children}


def _resource(resource: Resource) -> dict[str, Any]:
    return {
        **_identity(resource),
        "values": _known(resource.values),
        "sensitive_values": _marks(resource.values, resource.sensitive),
    }


def _change(change: Change) -> dict[str, Any]:
    order = ["create", "delete"] if change.create_before_destroy else ["delete", "create"]
    body = {
        "actions": _ACTIONS.get(change.action, order),
        "before": _known(change.before),
        "after": _known(change.after),
        "after_unknown": _unknown(change.after),
        "before_sensitive": _marks(change.before, change.sensitive),
        "after_sensitive": _marks(change.after, change.sensitive),
        "replace_paths": [path.split(".") for path in change.replace_paths],
        **({"importing": {}} if change.importing else {}),
    }
    more = {
        "module_address": change.module,
        "action_reason": change.reason,
        "previous_address": change.previous_address,
        "deposed": change.deposed,
    }
    return {
        **_identity(change),
        **{key: value for key, value in more.items() if value},
        "change": body,
    }


def _identity(part: Resource | Change) -> dict[str, Any]:
    index = {} if part.index is None else {"index": part.index}
    return {
        "address": part.address,
        "mode": part.mode,
        "type": part.type,
        "name": part.name,
        # Some readers of plans, checkov one of them, look for it.
        "provider_name": f"registry.terraform.io/hashicorp/{part.type.partition('_')[0]}",
        **index,
    }


def _output(output: Output) -> dict[str, Any]:
    return {
        "actions": ["create"],
        "before": _known(output.before),
        "after": _known(output.value),
        "after_unknown": _unknown(output.value),
        "before_sensitive": False,
        "after_sensitive": output.sensitive,
    }


def _known(value: Any) -> Any:
    """A value without what is not known: keys are left out, items of lists are null."""
    if isinstance(value, Mapping):
        return {key: _known(part) for key, part in value.items() if part is not UNKNOWN}
    if isinstance(value, list | tuple):
        return [_known(part) for part in value]
    return None if value is UNKNOWN or isinstance(value, Sensitive) else value


def _unknown(value: Any) -> Any:
    """True wherever something is not known, in the shape of the value."""
    if isinstance(value, Mapping):
        inside = {key: _unknown(part) for key, part in value.items()}
        return {key: part for key, part in inside.items() if part is not False}
    if isinstance(value, list | tuple):
        return [_unknown(part) for part in value]
    return value is UNKNOWN


def _marks(value: Any, paths: Iterable[str], here: str = "") -> Any:
    """True wherever one of the dotted paths leads, in the shape of the value."""
    if here and here in paths:
        return True
    if isinstance(value, Mapping):
        inside = {
            key: _marks(part, paths, f"{here}.{key}".lstrip(".")) for key, part in value.items()
        }
        return {key: part for key, part in inside.items() if part is not False and part != {}}
    if isinstance(value, list | tuple):
        return [_marks(part, paths, f"{here}.{index}") for index, part in enumerate(value)]
    return False
