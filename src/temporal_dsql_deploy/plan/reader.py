"""Read what Terraform writes about plans and states.

The format is https://developer.hashicorp.com/terraform/internals/json-format; its major version 1.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.errors import NotAPlan
from temporal_dsql_deploy.plan.model import Action, Change, Output, Plan, Resource, State
from temporal_dsql_deploy.plan.values import marked_paths, merged, unknown_paths

_MAJOR = "1"
_MAKE = "make one: terraform plan -out=PLAN, then terraform show -json PLAN > plan.json"
_ACTIONS = {
    ("no-op",): Action.NO_OP,
    ("create",): Action.CREATE,
    ("read",): Action.READ,
    ("update",): Action.UPDATE,
    ("delete",): Action.DELETE,
    ("delete", "create"): Action.REPLACE,
    ("create", "delete"): Action.REPLACE,
    ("forget",): Action.FORGET,
    ("create", "forget"): Action.REPLACE,
}


def read(path: Path) -> Plan | State:
    """The plan or state in a file that `terraform show -json` has written.

    Raises NotAPlan, which says what the file is instead where that can be told.
    """
    document = parse(read_bytes(path), name=str(path))
    return read_plan(document, path) if "resource_changes" in document else _other(document, path)


def read_bytes(path: Path) -> bytes:
    """What is in a file. Raises NotAPlan."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotAPlan(f"{path} cannot be read", cause=str(error.strerror), fix=_MAKE) from error


def parse(content: bytes, *, name: str) -> dict[str, Any]:
    """The JSON object in `content`, which is called `name` in messages. Raises NotAPlan."""
    if content.startswith(b"PK"):
        raise NotAPlan(
            f"{name} is not the JSON of a plan",
            cause="it is a plan as `terraform plan -out` writes it, which only Terraform can read",
            fix=f"let Terraform read it: terraform show -json {name} > plan.json",
        )
    try:
        document = json.loads(content)
    except ValueError as error:
        raise NotAPlan(f"{name} is not the JSON of a plan", cause=str(error), fix=_MAKE) from error
    if not isinstance(document, dict):
        raise NotAPlan(
            f"{name} is not the JSON of a plan",
            cause=f"it holds a {type(document).__name__} where an object should be",
            fix=_MAKE,
        )
    return document


def read_plan(document: Mapping[str, Any], name: object = "the document") -> Plan:
    """The plan in what `terraform show -json PLANFILE` prints. Raises NotAPlan."""
    _check(document, name)
    if "planned_values" not in document and "resource_changes" not in document:
        raise NotAPlan(
            f"{name} is not the JSON of a plan",
            cause="it has neither planned_values nor resource_changes"
            + ("; it is a state" if "values" in document else ""),
            fix=_MAKE,
        )
    return _plan(document, str(document.get("terraform_version", "")))


def plan_of_test(message: Mapping[str, Any]) -> Plan:
    """The plan in a `test_plan` message of `terraform test -json -verbose`. Raises NotAPlan."""
    body = message.get("test_plan")
    if not isinstance(body, Mapping):
        raise NotAPlan(
            "the message holds no plan",
            cause=f"its type is {message.get('type')!r}, and it has no test_plan",
            fix="run terraform test with -json and -verbose, and a run block with command = plan",
        )
    _check({"format_version": body.get("plan_format_version", "")}, "the plan of terraform test")
    return _plan(body, "")


def read_state(document: Mapping[str, Any], name: object = "the document") -> State:
    """The state in what `terraform show -json` prints. Raises NotAPlan."""
    _check(document, name)
    values = document.get("values") or {}
    outputs = {
        key: Output(key, output.get("value"), sensitive=output.get("sensitive", False))
        for key, output in (values.get("outputs") or {}).items()
    }
    resources = (_resource(part, module) for part, module in _walk(values.get("root_module")))
    return State(
        terraform_version=str(document.get("terraform_version", "")),
        resources=_sorted(resources),
        outputs=outputs,
    )


def resource_after(change: Change) -> Resource | None:
    """What a change leaves behind; None where that is nothing."""
    if change.after is None or change.deposed or change.action == Action.FORGET:
        return None
    return Resource(
        address=change.address,
        module=change.module,
        mode=change.mode,
        type=change.type,
        name=change.name,
        index=change.index,
        values=change.after,
        unknown=change.unknown,
        sensitive=change.sensitive,
    )


def _other(document: Mapping[str, Any], path: Path) -> Plan | State:
    if "planned_values" in document:
        return read_plan(document, path)
    return read_state(document, path)


def _check(document: Mapping[str, Any], name: object) -> None:
    version = str(document.get("format_version", ""))
    if not version:
        is_state = "lineage" in document or "serial" in document
        raise NotAPlan(
            f"{name} is not the JSON of a plan or state",
            cause="it is a state file as a backend keeps it, which has no fixed format"
            if is_state
            else "it has no format_version, which Terraform always writes",
            fix="let Terraform print it: terraform show -json" if is_state else _MAKE,
        )
    if version.partition(".")[0] != _MAJOR:
        raise NotAPlan(
            f"{name} has a format that cannot be read",
            cause=f"its format_version is {version}; this tool reads {_MAJOR}.x",
            fix="use a Terraform from 1.11 on below 2",
        )


def _plan(document: Mapping[str, Any], terraform_version: str) -> Plan:
    changes = tuple(
        sorted(map(_change, document.get("resource_changes") or []), key=lambda c: c.address)
    )
    return Plan(
        terraform_version=terraform_version,
        resources=_sorted(_planned(document, changes)),
        changes=changes,
        drift=tuple(map(_change, document.get("resource_drift") or [])),
        outputs={
            name: _output(name, change)
            for name, change in sorted((document.get("output_changes") or {}).items())
        },
        variables={
            name: given.get("value") for name, given in (document.get("variables") or {}).items()
        },
        complete=document.get("complete", True),
        errored=document.get("errored", False),
        applyable=document.get("applyable", True),
    )


def _planned(document: Mapping[str, Any], changes: Iterable[Change]) -> Iterator[Resource]:
    """All that there will be. Changes know which values are unknown, so they come first."""
    seen: set[str] = set()
    gone: set[str] = set()
    for change in changes:
        resource = resource_after(change)
        (gone if resource is None else seen).add(change.address)
        if resource is not None:
            yield resource
    prior = (document.get("prior_state") or {}).get("values") or {}
    trees = (document.get("planned_values") or {}).get("root_module"), prior.get("root_module")
    for planned, tree in zip((True, False), trees, strict=True):
        for part, module in _walk(tree):
            # Of the state before, only what was read for this plan is true afterwards too.
            wanted = planned or part.get("mode") == "data"
            if wanted and part["address"] not in seen | (set() if planned else gone):
                seen.add(part["address"])
                yield _resource(part, module)


def _walk(module: Mapping[str, Any] | None) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Every resource of a module tree, with the address of its module."""
    if not module:
        return
    for resource in module.get("resources") or []:
        yield resource, module.get("address", "")
    for child in module.get("child_modules") or []:
        yield from _walk(child)


def _resource(part: Mapping[str, Any], module: str) -> Resource:
    return Resource(
        address=part["address"],
        module=module,
        mode=part.get("mode", "managed"),
        type=part["type"],
        name=part["name"],
        index=part.get("index"),
        values=part.get("values") or {},
        sensitive=marked_paths(part.get("sensitive_values") or {}),
    )


def _change(part: Mapping[str, Any]) -> Change:
    change = part["change"]
    actions = tuple(change["actions"])
    if actions not in _ACTIONS:
        raise NotAPlan(
            f"the plan does something with {part['address']} that this tool does not know",
            cause=f"its actions are {', '.join(actions)}",
            fix="use a newer version of this tool, or an older Terraform from 1.11 on",
        )
    after = merged(change.get("after"), change.get("after_unknown") or False)
    sensitive = marked_paths(change.get("before_sensitive") or {})
    return Change(
        address=part["address"],
        module=part.get("module_address", ""),
        mode=part.get("mode", "managed"),
        type=part["type"],
        name=part["name"],
        index=part.get("index"),
        action=_ACTIONS[actions],
        before=change.get("before"),
        after=after,
        unknown=unknown_paths(after),
        sensitive=sensitive | marked_paths(change.get("after_sensitive") or {}),
        replace_paths=tuple(".".join(map(str, path)) for path in change.get("replace_paths") or []),
        reason=part.get("action_reason", ""),
        create_before_destroy=actions == ("create", "delete"),
        previous_address=part.get("previous_address", ""),
        deposed=part.get("deposed", ""),
    )


def _output(name: str, change: Mapping[str, Any]) -> Output:
    return Output(
        name=name,
        value=merged(change.get("after"), change.get("after_unknown") or False),
        before=change.get("before"),
        sensitive=bool(change.get("after_sensitive")),
    )


def _sorted(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    return tuple(sorted(resources, key=lambda resource: resource.address))
