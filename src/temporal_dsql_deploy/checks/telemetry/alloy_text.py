"""The configuration of Grafana Alloy: blocks with labels, attributes as they are written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from temporal_dsql_deploy.checks.telemetry.yaml_text import NotRead

_OPEN = re.compile(r'([\w.]+)(?:\s+"([^"]*)")?\s*\{$')
_ATTRIBUTE = re.compile(r'("[^"]+"|[\w.]+)\s*=\s*(.*)$')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


@dataclass
class Block:
    """One block: a component, or a part of one."""

    name: str
    label: str
    attributes: dict[str, str] = field(default_factory=dict)
    blocks: list["Block"] = field(default_factory=list)

    def all(self, name: str) -> Iterator["Block"]:
        """Blocks of a name right inside of it."""
        return (each for each in self.blocks if each.name == name)

    def text(self, name: str) -> str | None:
        """An attribute that is a text."""
        value = self.attributes.get(name, "")
        return value[1:-1] if _QUOTED.fullmatch(value) else None


def read(text: str) -> Block:
    """All of a configuration as one block without a name. Raises NotRead."""
    stack = [Block("", "")]
    lines = [_bare(line) for line in text.splitlines()]
    lines = [line for line in lines if line]
    index = 0
    while index < len(lines):
        line = lines[index]
        index += 1
        if line == "}":
            if len(stack) == 1:
                raise NotRead("a brace too many")
            stack.pop()
        elif opened := _OPEN.fullmatch(line):
            block = Block(opened[1], opened[2] or "")
            stack[-1].blocks.append(block)
            stack.append(block)
        elif given := _ATTRIBUTE.fullmatch(line):
            value = given[2]
            while _depth(value) > 0 and index < len(lines):
                value += " " + lines[index]
                index += 1
            stack[-1].attributes[given[1]] = value
        else:
            raise NotRead(line)
    if len(stack) > 1:
        raise NotRead(f"{stack[-1].name} has no end")
    return stack[0]


def _bare(line: str) -> str:
    """A line without its comment."""
    pieces = re.split(r'("(?:[^"\\]|\\.)*")', line)
    kept = ""
    for index, piece in enumerate(pieces):
        if index % 2 == 0 and "//" in piece:
            return (kept + piece.partition("//")[0]).strip()
        kept += piece
    return kept.strip()


def _depth(value: str) -> int:
    plain = _QUOTED.sub("", value)
    return sum(plain.count(c) for c in "[{(") - sum(plain.count(c) for c in ")}]")
