"""Plain data as YAML that means the same to every parser: values are encoded, never pasted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
# YAML 1.1, which some parsers still read, takes these words for bools or null.
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
_ASCII = range(0x20, 0x7F)
_QUOTED = '"\\#'
"""# too: no value may look like the comment that makes the server run a file as a template
(temporalio/temporal common/config/loader.go)."""


def dump(data: Mapping[str, Any]) -> str:
    """A block of YAML: mappings, sequences, strings, ints, bools and None.

    Strings become double-quoted ASCII. Raises TypeError for any other type, floats included, since
    none is needed and their texts differ from parser to parser; and ValueError for a key that is
    not one plain word, as those of the server are.
    """
    return "".join(f"{line}\n" for line in _mapping(data, ""))


def _mapping(data: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, value in data.items():
        if not _KEY.fullmatch(name) or name.lower() in _WORDS:
            raise ValueError(f"{name!r} is no key of the server's configuration")
        if isinstance(value, Mapping) and value:
            yield f"{indent}{name}:"
            yield from _mapping(value, indent + "  ")
        elif isinstance(value, (list, tuple)) and value:
            yield f"{indent}{name}:"
            yield from _sequence(value, indent + "  ")
        else:
            yield f"{indent}{name}: {_scalar(value)}"


def _sequence(data: Sequence[Any], indent: str) -> Iterator[str]:
    for value in data:
        if isinstance(value, Mapping) and value:
            first, *rest = _mapping(value, indent + "  ")
            yield f"{indent}- {first.strip()}"
            yield from rest
        else:
            yield f"{indent}- {_scalar(value)}"


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Mapping) and not value:
        return "{}"
    if isinstance(value, (list, tuple)) and not value:
        return "[]"
    raise TypeError(f"no YAML is known here for {type(value).__name__}")


def _string(text: str) -> str:
    return '"' + "".join(_character(one) for one in text) + '"'


def _character(one: str) -> str:
    code = ord(one)
    if code in _ASCII and one not in _QUOTED:
        return one
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
