"""The YAML that configurations of collectors are written in: mappings, lists, plain values.

No anchors, no tags, no multiple documents: what is written otherwise is refused, never guessed.
"""

import re
from typing import Any

_KEY = re.compile(r"""("[^"]*"|'[^']*'|[^\s#:\[\]{},"'][^:#]*?)\s*:(?:\s+(.*))?$""")
_COMMENT = re.compile(r"(^|\s)#.*$")
_Line = tuple[int, str]


class NotRead(Exception):
    """The text is written in a way that this reader does not know."""


def read(text: str) -> Any:
    """Mappings as dicts, lists as lists, everything else as text, null as None. Raises NotRead."""
    lines = [
        (len(line) - len(line.lstrip(" ")), _bare(line).strip())
        for line in text.splitlines()
        if _bare(line).strip()
    ]
    if not lines:
        return None
    if lines[0][1][0] in "[{":
        if len(lines) > 1:
            raise NotRead(lines[1][1])
        return _value(lines[0][1])
    value, rest = _block(lines, lines[0][0])
    if rest:
        raise NotRead(rest[0][1])
    return value


def _bare(line: str) -> str:
    """A line without its comment."""
    quoted = re.split(r"""("[^"]*"|'[^']*')""", line)
    for index in range(0, len(quoted), 2):
        if _COMMENT.search(quoted[index]):
            return "".join(quoted[:index]) + _COMMENT.sub("", quoted[index])
    return line


def _block(lines: list[_Line], indent: int) -> tuple[Any, list[_Line]]:
    """What begins with the first line, and the lines after it."""
    if lines[0][1].startswith(("- ", "-")) and lines[0][1][:2] in {"-", "- "}:
        return _list(lines, indent)
    return _mapping(lines, indent)


def _list(lines: list[_Line], indent: int) -> tuple[list[Any], list[_Line]]:
    items: list[Any] = []
    while lines and lines[0][0] == indent and lines[0][1][:2] in {"-", "- "}:
        inner = lines[0][1][1:].lstrip(" ")
        column = indent + len(lines[0][1]) - len(inner)
        if inner and inner[:2] not in {"-", "- "} and not _KEY.match(inner):
            items.append(_value(inner))
            lines = lines[1:]
            continue
        lines = [(column, inner), *lines[1:]] if inner else lines[1:]
        if not lines or lines[0][0] <= indent:
            items.append(None)
            continue
        item, lines = _block(lines, lines[0][0])
        items.append(item)
    return items, lines


def _mapping(lines: list[_Line], indent: int) -> tuple[dict[str, Any], list[_Line]]:
    found: dict[str, Any] = {}
    while lines and lines[0][0] == indent:
        match = _KEY.match(lines[0][1])
        if not match:
            raise NotRead(lines[0][1])
        key, said = match[1].strip("\"'"), match[2]
        lines = lines[1:]
        if said and said[0] in "|>":
            folded = [line for line in lines if line[0] > indent]
            taken = next((i for i, line in enumerate(lines) if line[0] <= indent), len(lines))
            found[key], lines = "\n".join(text for _, text in folded[:taken]), lines[taken:]
        elif said:
            found[key] = _value(said)
        elif lines and (lines[0][0] > indent or _is_item(lines[0], indent)):
            found[key], lines = _block(lines, lines[0][0])
        else:
            found[key] = None
    if lines and lines[0][0] > indent:
        raise NotRead(lines[0][1])
    return found, lines


def _is_item(line: _Line, indent: int) -> bool:
    return line[0] == indent and line[1][:2] in {"-", "- "}


def _value(text: str) -> Any:
    text = text.strip()
    if text[:1] in "&*!":
        raise NotRead(text)
    if text.startswith(("[", "{")):
        if text[-1] != {"[": "]", "{": "}"}[text[0]]:
            raise NotRead(text)
        return _flow(text)
    if text in {"null", "~"}:
        return None
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _flow(text: str) -> Any:
    parts = _split(text[1:-1])
    if text[0] == "[":
        return [_value(part) for part in parts]
    pairs = [part.partition(":") for part in parts]
    return {key.strip().strip("\"'"): _value(value) for key, _, value in pairs}


def _split(text: str) -> list[str]:
    """What stands between commas that are in no bracket and in no quotes."""
    parts, depth, quote, part = [], 0, "", ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        depth += (character in "[{" and not quote) - (character in "]}" and not quote)
        if character == "," and not depth and not quote:
            parts.append(part)
            part = ""
        else:
            part += character
    parts.append(part)
    return [each for each in parts if each.strip()]
