"""Values of attributes: what is not known before an apply has a value of its own, never null."""

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final, final


@final
class Unknown:
    """The value of what is known only after an apply. There is one; compare with `is UNKNOWN`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "(known after apply)"

    def __reduce__(self) -> str:
        # Copied or pickled it stays the one that there is.
        return "UNKNOWN"

    def __bool__(self) -> bool:
        # Neither yes nor no: an `if` on it would be a guess.
        raise TypeError("the value is known only after an apply: compare with `is UNKNOWN`")


UNKNOWN: Final = Unknown()


_KEY = secrets.token_bytes(32)
"""Of this process: no one can find out a value from its digest."""


@final
@dataclass(frozen=True, slots=True, repr=False)
class Sensitive:
    """Stands for a value that must not be shown. Two are equal where what they stand for is."""

    digest: bytes

    @classmethod
    def of(cls, value: Any) -> "Sensitive":
        """What stands for a value."""
        text = json.dumps(value, sort_keys=True, default=_hidden)
        return cls(hashlib.blake2b(text.encode(), key=_KEY, digest_size=16).digest())

    def __repr__(self) -> str:
        return "(sensitive)"

    def __bool__(self) -> bool:
        raise TypeError("the value is sensitive: compare with == or isinstance")


def _hidden(value: Any) -> list[str]:
    return [value.digest.hex()] if isinstance(value, Sensitive) else [repr(value)]


def masked(value: Any, marks: Any) -> Any:
    """`value` with Sensitive wherever `marks`, such as `after_sensitive`, say true.

    What is not known, and what is not there, says nothing and stays what it is.
    """
    if value is None or value is UNKNOWN or isinstance(value, Sensitive):
        return value
    if isinstance(value, Mapping) and isinstance(marks, Mapping):
        return {key: masked(part, marks.get(key)) for key, part in value.items()}
    if isinstance(value, list) and isinstance(marks, list):
        return [masked(part, mark) for part, mark in zip_longest(value, marks[: len(value)])]
    # Marks that do not fit, on a text that holds JSON or on a set, hide the whole.
    return Sensitive.of(value) if marked_paths(marks) else value


def merged(value: Any, unknown: Any) -> Any:
    """`value` of a plan with UNKNOWN wherever `unknown`, its `after_unknown`, says true.

    Terraform leaves an unknown key of an object out, and an unknown element of a list is null.
    """
    if unknown is True:
        return UNKNOWN
    if value is None and not marked_paths(unknown):
        return None
    if isinstance(unknown, Mapping):
        known: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
        inside = {key: merged(known.get(key), part) for key, part in unknown.items()}
        # A key that is absent from the value and not unknown is in `unknown` for its own parts.
        return {**known, **{k: v for k, v in inside.items() if k in known or v is not None}}
    if isinstance(unknown, list) and unknown:
        items = value if isinstance(value, list) else []
        pairs = zip_longest(items, unknown, fillvalue=None)
        return [merged(item, part) for item, part in pairs]
    return value


def unknown_paths(value: Any) -> frozenset[str]:
    """Dotted paths of every UNKNOWN in a value: `arn`, `network_configuration.0.subnets`."""
    return frozenset(".".join(path) for path in _unknown_paths(value, ()))


def marked_paths(marks: Any) -> frozenset[str]:
    """Dotted paths of every true in what Terraform marks values with: `after_sensitive`."""
    return frozenset(".".join(path) for path, value in _leaves(marks, ()) if value is True)


def listed(value: Any) -> Iterable[Any]:
    """The items of a list, none where it is null or not known."""
    return value if isinstance(value, list | tuple) else ()


def at(value: Any, path: str) -> Any:
    """What stands at a dotted path; None where nothing does, UNKNOWN below what is unknown."""
    if not path or value is UNKNOWN:
        return value
    parts: Mapping[str, Any] = {}
    if isinstance(value, Mapping):
        parts = value
    elif isinstance(value, list):
        parts = {str(index): part for index, part in enumerate(value)}
    # A key may hold dots itself, so the path is not simply split at them.
    for key, part in parts.items():
        if path == key or path.startswith(f"{key}."):
            return at(part, path[len(key) + 1 :])
    return None


def differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Dotted path, value before and value after of what differs; a list differs as a whole."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            below = f"{path}.{key}" if path else str(key)
            yield from differences(before.get(key), after.get(key), below)
    elif before is UNKNOWN or after is UNKNOWN or before != after:
        yield path, before, after


def _unknown_paths(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return (where for where, leaf in _leaves(value, path) if leaf is UNKNOWN)


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _leaves(part, (*path, str(key)))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _leaves(part, (*path, str(index)))
    else:
        yield path, value
