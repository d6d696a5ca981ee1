"""An index of workflows as it should be and as it is: mapping and sort order, field by field.

What the server expects is the index template that its own temporal-elasticsearch-tool writes. An
index made before that template, or under a name that it does not match, has another mapping: the
server starts on it all the same, and its queries find nothing or fail.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

TEMPLATE = "temporal_visibility_v1_template"
"""Name of the legacy index template (temporalio/temporal tools/elasticsearch/tasks.go)."""
PATTERN = "temporal_visibility_v1"
"""How the name of an index begins that the template is for."""
_SORT = "index.sort."
_ABSENT = None


@dataclass(frozen=True, slots=True)
class Definition:
    """What an index, or a template of one, says of itself, as far as the server depends on it."""

    fields: Mapping[str, Mapping[str, Any]]
    """Parameters of each field by its name; of one within another, by both names with a dot."""
    options: Mapping[str, Any]
    """What else the mapping says, such as `dynamic`."""
    sort: Mapping[str, Any]
    """Settings index.sort.*, which are fixed when an index is made."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which an index is not as it should be."""

    what: str
    """`field CloseTime`, `mapping option dynamic`, `setting index.sort.field`."""
    expected: str
    found: str
    """Empty where it is not there at all."""
    addable: bool
    """Whether the index can still get it: a field that it lacks, or an option of its mapping."""

    def __str__(self) -> str:
        if not self.found:
            return f"{self.what} is missing, {self.expected} is expected"
        return f"{self.what} is {self.found}, {self.expected or 'nothing'} is expected"


def template(answer: Mapping[str, Any]) -> Definition:
    """What `GET _template/temporal_visibility_v1_template?flat_settings=true` answers."""
    return _definition(answer[TEMPLATE])


def index(answer: Mapping[str, Any]) -> Definition:
    """What `GET NAME?flat_settings=true` answers; an alias of one index is followed."""
    (only,) = answer.values()
    return _definition(only)


def body(document: Mapping[str, Any]) -> Definition:
    """What is written to make a template or an index; settings may be one within the other."""
    return _definition({**document, "settings": dict(_flat(document.get("settings", {})))})


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _definition(document: Mapping[str, Any]) -> Definition:
    mapping = document.get("mappings", {})
    settings = document.get("settings", {})
    return Definition(
        fields=dict(_fields(mapping.get("properties", {}))),
        options={name: value for name, value in mapping.items() if name != "properties"},
        sort={name: value for name, value in settings.items() if name.startswith(_SORT)},
    )


def _fields(properties: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, field in properties.items():
        within = field.get("properties", {})
        yield prefix + name, {key: part for key, part in field.items() if key != "properties"}
        yield from _fields(within, f"{prefix}{name}.")


def differences(expected: Definition, found: Definition) -> list[Difference]:
    """In what `found` is not as `expected`.

    Fields beyond those expected are none: the server adds one for each custom search attribute.
    """
    told = []
    for name, parameters in expected.fields.items():
        if name not in found.fields:
            told.append(_difference(f"field {name}", parameters, _ABSENT, addable=True))
        elif found.fields[name] != parameters:
            told.append(_difference(f"field {name}", parameters, found.fields[name]))
    for kind, wanted, there, changes in (
        # An option can be set again, but there is no way to take one back.
        ("mapping option", expected.options, found.options, True),
        ("setting", expected.sort, found.sort, False),
    ):
        told += [
            _difference(
                f"{kind} {name}",
                wanted.get(name),
                there.get(name),
                addable=changes and name in wanted,
            )
            for name in sorted({*wanted, *there})
            if wanted.get(name) != there.get(name)
        ]
    return told


def _difference(what: str, expected: Any, found: Any, *, addable: bool = False) -> Difference:
    return Difference(what, shown(expected), shown(found), addable)


def shown(value: Any) -> str:
    """A field by its type, with whatever else it says; any other value as it stands.

    Empty for what is not there.
    """
    if value is _ABSENT:
        return ""
    if not isinstance(value, Mapping):
        return value if isinstance(value, str) else json.dumps(value)
    more = {key: part for key, part in value.items() if key != "type"}
    kind = str(value.get("type", "an object"))
    return f"{kind} {json.dumps(more, sort_keys=True)}" if more else kind
