"""Mutants of policies: every action gone or widened, every resource widened."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from temporal_dsql_deploy.plan import Plan, Resource
from tests.support.mutants.model import Mutant, with_values


def mutants(plan: Plan, resource: Resource, attribute: str, kind: str) -> Iterator[Mutant]:
    """The mutants of a policy that stands as JSON in an attribute."""
    text = resource.values.get(attribute)
    if not isinstance(text, str):
        return
    document = json.loads(text)
    for index, statement in enumerate(document["Statement"]):
        name = statement.get("Sid") or str(index)
        for where, what, detail, other in _of_statement(statement):
            changed = [other if n == index else s for n, s in enumerate(document["Statement"])]
            made = partial(_with, plan, resource, attribute, document, changed)
            yield Mutant(kind, resource.address, f"{name}.{where}", what, detail, made)


def _of_statement(
    statement: Mapping[str, Any],
) -> Iterator[tuple[str, str, str, Mapping[str, Any] | None]]:
    """Place in it, what is done, the same with values, and the statement afterwards."""
    actions = _listed(statement.get("Action"))
    for action in actions:
        left = [one for one in actions if one != action]
        gone = {**statement, "Action": left} if left else None
        yield action, "deleted", f"{action} deleted", gone
        wide = f"{action.partition(':')[0]}:*" if ":" in action else action
        if wide not in actions:
            others = {**statement, "Action": [wide if one == action else one for one in actions]}
            yield action, "widened", f"{action} -> {wide}", others
    resources = _listed(statement.get("Resource"))
    for number, one in enumerate(resources):
        if one != "*":
            wider = [*resources[:number], "*", *resources[number + 1 :]]
            yield f"Resource.{number}", "widened", f"{one} -> *", {**statement, "Resource": wider}


def _with(
    plan: Plan,
    resource: Resource,
    attribute: str,
    document: Mapping[str, Any],
    statements: list[Mapping[str, Any] | None],
) -> Plan:
    text = json.dumps({**document, "Statement": [one for one in statements if one is not None]})
    return with_values(plan, resource, {**resource.values, attribute: text})


def _listed(value: Any) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)
