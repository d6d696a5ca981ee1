"""Read what a folder of Terraform declares, and where: modules, variables, outputs, resources.

By line, of canonical files (`terraform fmt`): a block begins at the left edge and ends with a brace
there. Files in JSON syntax and modules that are not in a folder are left out.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from temporal_dsql_deploy.plan.configuration import Configuration, Declared, Module

_BLOCK = re.compile(r'(variable|output|resource|data|module)((?: "[^"]+")+) \{(.*)')
_ATTRIBUTE = re.compile(r"(?:  )?(\w+)\s*=\s*(.*)")
_HEREDOC = re.compile(r"<<-?(\w+)\s*$")
_DEEPEST = 20
"""Modules inside of modules; more is a circle."""


@dataclass(frozen=True, slots=True)
class _Block:
    kind: str
    labels: tuple[str, ...]
    line: int
    attributes: dict[str, str]
    """Right inside of it, with what stands on the same line."""


def read(folder: Path) -> Configuration:
    """The configuration of a root module. An unreadable file counts as empty."""
    return Configuration(dict(_modules(folder, folder, "", "", 0)), str(folder))


def _modules(
    folder: Path, root: Path, address: str, source: str, depth: int
) -> Iterator[tuple[str, Module]]:
    variables: dict[str, Declared] = {}
    outputs: dict[str, Declared] = {}
    lines: dict[str, tuple[str, int]] = {}
    calls: list[_Block] = []
    for path in sorted(folder.glob("*.tf")):
        file = os.path.relpath(path, root)
        for block in _blocks(path):
            match block.kind:
                case "variable":
                    default = "default" in block.attributes
                    variables[block.labels[0]] = _declared(block, file, default=default)
                case "output":
                    outputs[block.labels[0]] = _declared(block, file)
                case "resource" | "data":
                    prefix = "data." if block.kind == "data" else ""
                    lines[prefix + ".".join(block.labels)] = (file, block.line)
                case _:
                    calls.append(block)
    yield address, Module(source, variables, outputs, lines)
    for call in calls:
        said = call.attributes.get("source", "").strip('"')
        inner = f"{address}.module.{call.labels[0]}".lstrip(".")
        if said.startswith(("./", "../")) and (folder / said).is_dir() and depth < _DEEPEST:
            yield from _modules((folder / said).resolve(), root, inner, said, depth + 1)


def _declared(block: _Block, file: str, *, default: bool = False) -> Declared:
    text = block.attributes.get("description", "").strip().strip('"').strip()
    return Declared(bool(text), default, file, block.line)


def _blocks(path: Path) -> Iterator[_Block]:
    """The blocks at the left edge of a file."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    current: _Block | None = None
    heredoc = ""
    for number, line in enumerate(lines, start=1):
        if heredoc:
            heredoc = "" if line.strip() == heredoc else heredoc
            continue
        if found := _HEREDOC.search(line):
            heredoc = found[1]
        if current is None:
            opened = _BLOCK.fullmatch(line)
            if not opened:
                continue
            labels = tuple(re.findall(r'"([^"]+)"', opened[2]))
            current = _Block(opened[1], labels, number, dict(_inline(opened[3])))
            if opened[3].strip().endswith("}"):
                yield current
                current = None
        elif line == "}":
            yield current
            current = None
        elif given := _ATTRIBUTE.fullmatch(line):
            current.attributes[given[1]] = given[2]


def _inline(rest: str) -> Iterator[tuple[str, str]]:
    """The one attribute of a block that is written on one line."""
    if found := re.fullmatch(r"\s*(\w+)\s*=\s*(.*?)\s*\}\s*", rest):
        yield found[1], found[2]
