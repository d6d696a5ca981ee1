"""IAM policy documents: what is in them, and what IAM makes of it."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any

from temporal_dsql_deploy.plan import UNKNOWN, Sensitive

Context = Mapping[str, str]
"""What is known of a request, by condition key in lower case."""


class CannotRead(Exception):
    """A policy is not known, or is no policy; the reason is its text."""


class Answer(Enum):
    """What IAM would say to a request, as far as a plan tells."""

    YES = "allowed"
    MAYBE = "depends"
    """On a condition that a plan does not decide."""
    NO = "not allowed"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy; everything that may be one or many is many."""

    effect: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    principals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By kind: AWS, Service, Federated; `*` under `AWS`."""
    not_principals: bool = False
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Values by operator and key."""
    name: str = ""
    """Its Sid, or else its number."""

    @property
    def allows(self) -> bool:
        """Whether its effect is Allow."""
        return self.effect == "Allow"

    def about_action(self, action: str) -> bool:
        """Whether it speaks of an action."""
        if self.not_actions:
            return not any(matches(one, action, case=False) for one in self.not_actions)
        return any(matches(one, action, case=False) for one in self.actions)

    def about_resource(self, resource: str) -> bool:
        """Whether it speaks of a resource; a statement without resources speaks of its own."""
        if self.not_resources:
            return not any(matches(one, resource) for one in self.not_resources)
        return not self.resources or any(matches(one, resource) for one in self.resources)


@cache
def _compiled(pattern: str, case: bool) -> re.Pattern[str]:  # noqa: FBT001 - a key of the cache
    parts = (
        ".*" if part == "*" else "." if part == "?" else re.escape(part)
        for part in re.split(r"([*?])", pattern)
    )
    return re.compile("".join(parts), re.DOTALL if case else re.DOTALL | re.IGNORECASE)


def matches(pattern: str, text: str, *, case: bool = True) -> bool:
    """Whether a pattern of IAM, with `*` and `?`, is for a text."""
    if pattern == "*":
        return True
    if "*" not in pattern and "?" not in pattern:
        return pattern == text if case else pattern.lower() == text.lower()
    return _compiled(pattern, case).fullmatch(text) is not None


def whole_service(action: str) -> bool:
    """Whether a pattern is for all actions, or for all of one service."""
    return action.strip("*") == "" or action.partition(":")[2].strip("*") == ""


def parse(value: Any) -> tuple[Statement, ...]:
    """The statements of a policy as an attribute has it. Raises CannotRead."""
    if value is UNKNOWN:
        raise CannotRead("the policy is known only after the apply")
    if isinstance(value, Sensitive):
        raise CannotRead("the policy must not be shown")
    if not isinstance(value, str):
        raise CannotRead("there is no policy document")
    return _parsed(value)


@cache
def _parsed(text: str) -> tuple[Statement, ...]:
    try:
        document = json.loads(text)
        given = document.get("Statement") or []
        listed = [given] if isinstance(given, dict) else list(given)
        return tuple(_statement(one, str(number)) for number, one in enumerate(listed))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise CannotRead("the policy is not JSON of the form that IAM takes") from error


def _statement(given: Mapping[str, Any], number: str) -> Statement:
    effect = given["Effect"]
    if effect not in {"Allow", "Deny"}:
        raise ValueError(effect)
    who = given.get("Principal", {})
    return Statement(
        effect=effect,
        actions=_many(given.get("Action")),
        not_actions=_many(given.get("NotAction")),
        resources=_many(given.get("Resource")),
        not_resources=_many(given.get("NotResource")),
        principals={"AWS": (who,)}
        if isinstance(who, str)
        else {kind: _many(one) for kind, one in who.items()},
        not_principals="NotPrincipal" in given,
        conditions={
            operator: {key: _many(values) for key, values in keys.items()}
            for operator, keys in (given.get("Condition") or {}).items()
        },
        name=str(given.get("Sid") or number),
    )


def _many(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, list):
        return tuple(_word(one) for one in value)
    return (_word(value),)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise TypeError(value)


def holds(conditions: Mapping[str, Mapping[str, tuple[str, ...]]], known: Context) -> bool | None:
    """Whether all conditions hold; None where what is known does not decide it."""
    answers = [
        _one_holds(operator, key, values, known)
        for operator, keys in conditions.items()
        for key, values in keys.items()
    ]
    if False in answers:
        return False
    return None if None in answers else True


def _one_holds(operator: str, key: str, values: tuple[str, ...], known: Context) -> bool | None:
    value = known.get(key.lower())
    if value is None:
        return None
    plain = operator.rsplit(":", 1)[-1].removesuffix("IfExists")
    wanted = plain.replace("Not", "", 1)
    if wanted in {"StringEquals", "Bool"}:
        found = value in values
    elif wanted == "StringEqualsIgnoreCase":
        found = value.lower() in {one.lower() for one in values}
    elif wanted in {"StringLike", "ArnLike", "ArnEquals"}:
        found = any(matches(one, value) for one in values)
    else:
        return None
    return found if plain == wanted else not found


def _perhaps(one: Statement, action: str) -> bool | None:
    """Whether a statement speaks of some resource of an action's service: all, some or none."""
    if not one.resources or "*" in one.resources:
        return True
    services = [
        resource.split(":")[2] if resource.count(":") > 1 else "*" for resource in one.resources
    ]
    if not any(matches(service, action.partition(":")[0].lower()) for service in services):
        return False
    return True if one.allows else None


def decide(
    statements: Iterable[Statement],
    action: str,
    resource: str | None,
    known: Context,
) -> Answer:
    """What a policy says to an action on a resource; None for the resource where it is not known.

    A Deny wins, else an Allow is needed (IAM user guide, policy evaluation logic).
    """
    allowed: set[bool | None] = set()
    denied: set[bool | None] = set()
    for one in statements:
        if not one.about_action(action):
            continue
        here = _perhaps(one, action) if resource is None else one.about_resource(resource)
        if here is not False:
            decided = holds(one.conditions, known)
            (allowed if one.allows else denied).add(decided if here else None)
    if True in denied:
        return Answer.DENIED
    if True in allowed:
        return Answer.MAYBE if None in denied else Answer.YES
    return Answer.MAYBE if None in allowed else Answer.NO
