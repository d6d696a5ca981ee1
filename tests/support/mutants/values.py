"""Other values of a place: by the type of the value that is there, blind to what it is for."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from temporal_dsql_deploy.plan.values import UNKNOWN, Sensitive

_DURATION = re.compile(r"(\d+)(ms|s|m|h|d)")
Path = tuple[str | int, ...]


class _Deleted:
    """Stands for: the place is no longer there."""


DELETED = _Deleted()


def known(value: Any) -> bool:
    """Whether there is a value at all, and one that can be altered."""
    return value is not None and value is not UNKNOWN and not isinstance(value, Sensitive)


def altered(value: Any) -> Iterator[tuple[str, Any]]:
    """What can be done to a single value, and the value that it then has."""
    match value:
        case bool():
            yield "flipped", not value
        case int():
            yield from _number(value)
        case "true" | "false":
            yield "flipped", "false" if value == "true" else "true"
        case str() if re.fullmatch(r"\d+", value):
            yield from ((what, str(number)) for what, number in _number(int(value)))
        case str() if duration := _DURATION.fullmatch(value):
            yield "tenfold", f"{int(duration[1]) * 10}{duration[2]}"
            yield "without its unit", duration[1]
        case str():
            yield "changed", f"changed-{value}"
            if value:
                yield "emptied", ""


def _number(value: int) -> Iterator[tuple[str, int]]:
    if value:
        yield "a tenth", value // 10
        yield "tenfold", value * 10
    else:
        yield "one", 1


def put(tree: Any, path: Path, value: Any) -> Any:
    """A copy of a tree with another value at a path; what is beside the path is shared."""
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(tree, Mapping):
        copied = dict(tree)
        made = put(tree[str(key)], rest, value)
        if made is DELETED:
            del copied[str(key)]
        else:
            copied[str(key)] = made
        return copied
    items = list(tree)
    made = put(items[int(key)], rest, value)
    items[int(key) : int(key) + 1] = [] if made is DELETED else [made]
    return items


def nodes(tree: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every place of a tree that has a value, those that hold others too, from the top down."""
    if path and known(tree):
        yield path, tree
    if isinstance(tree, Mapping):
        for key, part in tree.items():
            yield from nodes(part, (*path, str(key)))
    elif isinstance(tree, Sequence) and not isinstance(tree, str):
        for index, part in enumerate(tree):
            yield from nodes(part, (*path, index))


def at(tree: Any, path: Path) -> Any:
    """What stands at a path."""
    for key in path:
        tree = tree[key]
    return tree
