"""Values that AWS would give, invented: by type of resource, from `known_values.json`."""

import hashlib
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any

from temporal_dsql_deploy.plan import UNKNOWN, Change, Plan
from temporal_dsql_deploy.plan.reader import resource_after
from temporal_dsql_deploy.plan.values import unknown_paths

Overrides = dict[str, dict[str, Any]]
"""Values of attributes by address of the resource."""
PARTITION = "aws"


@cache
def table() -> dict[str, Any]:
    """`known_values.json`: `data` and `resources`, each by type."""
    text = resources.files("temporal_dsql_deploy.terraform") / "known_values.json"
    made: dict[str, Any] = json.loads(text.read_text())
    return made


def of_data(*, account: str, region: str) -> dict[str, dict[str, Any]]:
    """What data sources answer, by type: two of one type answer the same."""
    words = {"account": account, "region": region, "partition": PARTITION}
    return {kind: _filled(values, words) for kind, values in table()["data"].items()}


def of_resources(plan: Plan, *, account: str, region: str) -> Overrides:
    """What AWS would give the resources that a plan creates, for what the plan does not know."""
    made: Overrides = {}
    for resource in plan.resources:
        templates = table()["resources"].get(resource.type) if resource.mode == "managed" else None
        wanted = {name: t for name, t in (templates or {}).items() if resource[name] is UNKNOWN}
        if not wanted:
            continue
        planned = {name: v for name, v in resource.values.items() if isinstance(v, str)}
        words = {
            **_from_address(resource.address),
            "account": account,
            "region": region,
            "partition": PARTITION,
        }
        made[resource.address] = _filled(wanted, _Words({**planned, **words}))
    return made


def only(plan: Plan, first: Plan, overrides: Overrides) -> Plan:
    """`plan` with nothing in it that Terraform has made up itself.

    Terraform fills every attribute of an overridden resource that AWS would give and that has no
    value in the override, with 8 random characters, 0, false or nothing. Those, and every text that
    one of those 8 characters went into, are unknown again. `first` is the plan without overrides.
    """
    before = {change.address: change.after for change in first.changes}
    words = {run for after in before.values() for text in _texts(after) for run in _runs(text)}
    random: set[str] = set()

    def restored(now: Any, then: Any) -> Any:
        if then is UNKNOWN:
            made_up = {text for text in _texts(now) if _RANDOM.fullmatch(text)} - words
            # What a reference to a given value has made known is known.
            if len(made_up) < len(set(_texts(now))):
                return now
            random.update(made_up)
            return UNKNOWN
        if isinstance(now, Mapping) and isinstance(then, Mapping):
            return {key: restored(part, then.get(key)) for key, part in now.items()}
        if isinstance(now, list) and isinstance(then, list) and len(now) == len(then):
            return [restored(*pair) for pair in zip(now, then, strict=True)]
        return now

    changes = []
    for change in plan.changes:
        given = overrides.get(change.address)
        after = change.after
        if given is not None and after is not None:
            after = {**restored(after, before[change.address]), **_given(after, given)}
        changes.append((change, after))
    cleaned = tuple(_with_after(change, _without(after, random)) for change, after in changes)
    outputs = {
        name: replace(output, value=_without(output.value, random))
        for name, output in plan.outputs.items()
    }
    resources_after = (resource_after(change) for change in cleaned)
    kept = tuple(resource for resource in resources_after if resource is not None)
    return replace(plan, changes=cleaned, resources=kept, outputs=outputs)


def may_be_made_up(value: Any) -> bool:
    """Whether Terraform fills attributes of an overridden resource with such a value."""
    if isinstance(value, str):
        return _RANDOM.fullmatch(value) is not None
    return value is not UNKNOWN and value is not None and not value


def _given(after: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: after[name] for name in given if name in after}


class _Words(dict[str, str]):
    """Words of a template; an attribute that is not known is named after the address."""

    def __missing__(self, key: str) -> str:
        return self["slug"]


def _from_address(address: str) -> dict[str, str]:
    digest = hashlib.sha256(address.encode()).hexdigest()
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    number = int(digest, 16)
    return {
        "hex8": digest[:8],
        "hex16": digest[:16],
        "hex17": digest[:17],
        "HEX17": digest[:17].upper(),
        "id26": "".join(letters[number >> 5 * place & 31] for place in range(26)),
        "octet": str(number % 254 + 1),
        "uuid": str(uuid.UUID(digest[:32])),
        "slug": re.sub(r"[^a-z0-9]+", "-", address.lower()).strip("-"),
    }


def _filled(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return value.format_map(words)
    if isinstance(value, Mapping):
        return {key: _filled(part, words) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, words) for part in value]
    return value


_RANDOM = re.compile(r"[a-z0-9]{8}")


def _runs(text: str) -> list[str]:
    """The parts of a text that one of Terraform's own values could be."""
    return re.findall(r"[a-z0-9]{8,}", text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def _without(value: Any, random: set[str]) -> Any:
    if isinstance(value, str):
        return value if random.isdisjoint(_runs(value)) else UNKNOWN
    if isinstance(value, Mapping):
        return {key: _without(part, random) for key, part in value.items()}
    if isinstance(value, list):
        return [_without(part, random) for part in value]
    return value


def _with_after(change: Change, after: Mapping[str, Any] | None) -> Change:
    return replace(change, after=after, unknown=unknown_paths(after))
