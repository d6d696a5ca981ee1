"""Read what Terraform writes about plans and states.

The format is https://developer.hashicorp.com/terraform/internals/json-format; its major version 1.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.errors import NotAPlan
from temporal_dsql_deploy.plan.model import Action, Change, Output, Plan, Resource, State
from temporal_dsql_deploy.plan.values import UNKNOWN, marked_paths, masked, merged, unknown_paths

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
    """The plan or state in a file that `terraform show -json` has written, `-` for stdin.

    Raises NotAPlan, which says what the file is instead where that can be told.
    """
    return read_either(*read_document(path))


def read_either(
    document: Mapping[str, Any], name: object = "the document", *, revealed: bool = False
) -> Plan | State:
    """The plan or state in what `terraform show -json` prints; see `read_plan`."""
    if "resource_changes" in document or "planned_values" in document:
        return read_plan(document, name, revealed=revealed)
    return read_state(document, name, revealed=revealed)


def read_document(path: Path) -> tuple[dict[str, Any], str]:
    """The JSON object in a file, `-` for stdin, and what it is called. Raises NotAPlan."""
    if str(path) == "-":
        return parse(sys.stdin.buffer.read(), name="stdin"), "stdin"
    return parse(read_bytes(path), name=str(path)), str(path)


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
    except (ValueError, RecursionError) as error:
        raise NotAPlan(f"{name} is not the JSON of a plan", cause=str(error), fix=_MAKE) from error
    if not isinstance(document, dict):
        raise NotAPlan(
            f"{name} is not the JSON of a plan",
            cause=f"it holds a {type(document).__name__} where an object should be",
            fix=_MAKE,
        )
    return document


def read_plan(
    document: Mapping[str, Any], name: object = "the document", *, revealed: bool = False
) -> Plan:
    """The plan in what `terraform show -json PLANFILE` prints. Raises NotAPlan.

    With `revealed` what is marked as sensitive is there too, for who looks into it and prints
    nothing of it.
    """
    _check(document, name)
    if "planned_values" not in document and "resource_changes" not in document:
        raise NotAPlan(
            f"{name} is not the JSON of a plan",
            cause="it has neither planned_values nor resource_changes"
            + ("; it is a state" if "values" in document else ""),
            fix=_MAKE,
        )
    with _guarded(name):
        return _plan(document, str(document.get("terraform_version", "")), revealed=revealed)


def plan_of_test(message: Mapping[str, Any], *, revealed: bool = False) -> Plan:
    """The plan in a `test_plan` message of `terraform test -json -verbose`.

    Raises NotAPlan; for `revealed` see `read_plan`.
    """
    body = message.get("test_plan")
    if not isinstance(body, Mapping):
        raise NotAPlan(
            "the message holds no plan",
            cause=f"its type is {message.get('type')!r}, and it has no test_plan",
            fix="run terraform test with -json and -verbose, and a run block with command = plan",
        )
    _check({"format_version": body.get("plan_format_version", "")}, "the plan of terraform test")
    with _guarded("the plan of terraform test"):
        return _plan(body, "", revealed=revealed)


def read_state(
    document: Mapping[str, Any], name: object = "the document", *, revealed: bool = False
) -> State:
    """The state in what `terraform show -json` prints. Raises NotAPlan.

    For `revealed` see `read_plan`.
    """
    _check(document, name)
    with _guarded(name):
        return _state(document, revealed=revealed)


def _state(document: Mapping[str, Any], *, revealed: bool) -> State:
    values = _object(document, "values")
    outputs = {
        key: Output(
            key,
            masked(output.get("value"), output.get("sensitive") is True and not revealed),
            sensitive=output.get("sensitive") is True,
        )
        for key, output in _object(values, "outputs").items()
    }
    parts = _walk(_object(values, "root_module"))
    resources = (_resource(part, module, revealed=revealed) for part, module in parts)
    return State(
        terraform_version=str(document.get("terraform_version", "")),
        resources=_sorted(resources),
        outputs=outputs,
    )


def managed(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Each managed resource of what `terraform show -json` prints of a state, as it stands there.

    For what `read_state` leaves out: `tainted`, `depends_on`. Empty for a state that has nothing.
    """
    root = _object(_object(document, "values"), "root_module")
    return [part for part, _ in _walk(root) if part["mode"] == "managed"]


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


@contextmanager
def _guarded(name: object) -> Iterator[None]:
    """Whatever has another shape than Terraform gives it makes NotAPlan of the whole."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        cause = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise NotAPlan(
            f"{name} is not the JSON of a plan or state", cause=cause, fix=_MAKE
        ) from error


def _object(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """An object in a document, empty where it is absent or null. Raises TypeError."""
    return _shaped(document, key, Mapping) or {}


def _items(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """A list of objects in a document, empty where it is absent or null. Raises TypeError."""
    found: list[Mapping[str, Any]] = _shaped(document, key, list) or []
    for item in found:
        if not isinstance(item, Mapping):
            raise TypeError(f"{key} holds a {type(item).__name__} where an object should be")
    return found


def _text(document: Mapping[str, Any], key: str) -> str:
    """A string that has to be there. Raises KeyError and TypeError."""
    return str(_shaped({key: document[key] or ""}, key, str))


def _shaped(document: Mapping[str, Any], key: str, shape: type[Any]) -> Any:
    value = document.get(key)
    if value is None or isinstance(value, shape):
        return value
    should = {Mapping: "an object", list: "a list", bool: "true or false"}.get(shape, "a string")
    raise TypeError(f"{key} is a {type(value).__name__} where {should} should be")


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


def _plan(document: Mapping[str, Any], terraform_version: str, *, revealed: bool) -> Plan:
    planned = [_change(part, revealed=revealed) for part in _items(document, "resource_changes")]
    changes = tuple(sorted(planned, key=lambda change: change.address))
    return Plan(
        terraform_version=terraform_version,
        resources=_sorted(_planned(document, changes, revealed=revealed)),
        changes=changes,
        drift=tuple(
            _change(part, revealed=revealed) for part in _items(document, "resource_drift")
        ),
        outputs={
            name: _output(name, change, revealed=revealed)
            for name, change in sorted(_object(document, "output_changes").items())
        },
        variables={
            name: given.get("value") for name, given in _object(document, "variables").items()
        },
        complete=_shaped(document, "complete", bool) is not False,
        errored=_shaped(document, "errored", bool) is True,
        applyable=_shaped(document, "applyable", bool) is not False,
    )


def _planned(
    document: Mapping[str, Any], changes: Iterable[Change], *, revealed: bool
) -> Iterator[Resource]:
    """All that there will be. Changes know which values are unknown, so they come first."""
    seen: set[str] = set()
    gone: set[str] = set()
    for change in changes:
        resource = resource_after(change)
        (gone if resource is None else seen).add(change.address)
        if resource is not None:
            yield resource
    prior = _object(_object(document, "prior_state"), "values")
    trees = [_object(_object(document, "planned_values"), "root_module")]
    trees.append(_object(prior, "root_module"))
    for planned, tree in zip((True, False), trees, strict=True):
        for part, module in _walk(tree):
            # Of the state before, only what was read for this plan is true afterwards too.
            wanted = planned or part.get("mode") == "data"
            if wanted and part["address"] not in seen | (set() if planned else gone):
                seen.add(part["address"])
                yield _resource(part, module, revealed=revealed)


def _walk(module: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Every resource of a module tree, with the address of its module."""
    for resource in _items(module, "resources"):
        yield resource, module.get("address", "")
    for child in _items(module, "child_modules"):
        yield from _walk(child)


def _resource(part: Mapping[str, Any], module: str, *, revealed: bool) -> Resource:
    marks = part.get("sensitive_values") or {}
    return Resource(
        address=_text(part, "address"),
        module=module,
        mode=part.get("mode", "managed"),
        type=_text(part, "type"),
        name=_text(part, "name"),
        index=part.get("index"),
        values=_masked(_object(part, "values"), {} if revealed else marks),
        sensitive=marked_paths(marks),
    )


def _change(part: Mapping[str, Any], *, revealed: bool) -> Change:
    change = _object({"change": part["change"]}, "change")
    actions = tuple(map(str, change["actions"]))
    if actions not in _ACTIONS:
        raise NotAPlan(
            f"the plan does something with {part['address']} that this tool does not know",
            cause=f"its actions are {', '.join(actions)}",
            fix="use a newer version of this tool, or an older Terraform from 1.11 on",
        )
    after = merged(_shaped(change, "after", Mapping), change.get("after_unknown") or False)
    if after is UNKNOWN:
        raise TypeError(f"nothing is known of {part['address']}")
    # What is sensitive on one side may be the same on the other, and is hidden on both.
    marks = change.get("before_sensitive") or {}, change.get("after_sensitive") or {}
    before, after = (
        side if side is None or revealed else _masked(_masked(side, marks[0]), marks[1])
        for side in (_shaped(change, "before", Mapping), after)
    )
    return Change(
        address=_text(part, "address"),
        module=part.get("module_address", ""),
        mode=part.get("mode", "managed"),
        type=_text(part, "type"),
        name=_text(part, "name"),
        index=part.get("index"),
        action=_ACTIONS[actions],
        before=before,
        after=after,
        unknown=unknown_paths(after),
        sensitive=marked_paths(marks[0]) | marked_paths(marks[1]),
        replace_paths=tuple(".".join(map(str, path)) for path in change.get("replace_paths") or []),
        reason=part.get("action_reason", ""),
        create_before_destroy=actions == ("create", "delete"),
        importing=change.get("importing") is not None,
        previous_address=part.get("previous_address", ""),
        deposed=part.get("deposed", ""),
    )


def _masked(values: Mapping[str, Any], marks: Any) -> Mapping[str, Any]:
    if not isinstance(marks, Mapping):
        # All of it, each for itself: it stays an object.
        marks = dict.fromkeys(values, bool(marked_paths(marks)))
    found: Mapping[str, Any] = masked(values, marks)
    return found


def _output(name: str, change: Mapping[str, Any], *, revealed: bool) -> Output:
    sensitive = bool(change.get("after_sensitive"))
    marks = change.get("before_sensitive") or False, change.get("after_sensitive") or False
    if revealed:
        marks = False, False
    after = merged(change.get("after"), change.get("after_unknown") or False)
    return Output(
        name=name,
        value=masked(masked(after, marks[0]), marks[1]),
        before=masked(masked(change.get("before"), marks[0]), marks[1]),
        sensitive=sensitive,
    )


def _sorted(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    return tuple(sorted(resources, key=lambda resource: resource.address))
