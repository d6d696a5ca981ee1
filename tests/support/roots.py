"""Directories of Terraform, initialised apart from where they are."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from temporal_dsql_deploy.terraform import commands, find, mirror
from temporal_dsql_deploy.terraform.copy import lay_out
from temporal_dsql_deploy.terraform.run import Terraform

_BLOCK = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
_ATTRIBUTE = re.compile(r"^  (\w+)\s+= (.*?)(?=^  \w|\Z)", re.MULTILINE | re.DOTALL)


@contextmanager
def initialised(directory: Path) -> Iterator[Terraform]:
    """Terraform in a copy of the directory, with providers, modules, a local backend."""
    with (
        tempfile.TemporaryDirectory() as folder,
        mirror.configured(mirror.find(None)) as variables,
    ):
        # A graph is drawn only with a backend that is set up; this one needs nobody.
        local = {"backend_override.tf": 'terraform {\n  backend "local" {}\n}\n'}
        here = lay_out(directory, Path(folder), local)
        apart = {**variables, "TF_DATA_DIR": "", "TF_WORKSPACE": ""}
        terraform = Terraform(find.find(), here, apart)
        terraform.run(commands.init())
        yield terraform


def edges(terraform: Terraform) -> dict[str, set[str]]:
    """What waits for what: resources by the address that they have in the source."""
    text = subprocess.run(
        [terraform.binary.path, "graph"],
        cwd=terraform.directory,
        env={**os.environ, **terraform.environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found: dict[str, set[str]] = {}
    for one, other in re.findall(r'^\s*"([^"]+)" -> "([^"]+)";', text, re.MULTILINE):
        found.setdefault(one, set()).add(other)
    return found


def waits_for(graph: dict[str, set[str]], address: str) -> set[str]:
    """All that a resource waits for, directly or not."""
    seen: set[str] = set()
    remaining = [address]
    while remaining:
        for other in graph.get(remaining.pop(), set()) - seen:
            seen.add(other)
            remaining.append(other)
    return seen


@dataclass(frozen=True, slots=True)
class Block:
    """A variable or an output as its source has it."""

    name: str
    text: str
    attributes: dict[str, str]

    @property
    def shape(self) -> str:
        """The type without the defaults that stand inside it, and without blanks."""
        return _without_defaults("".join(self.attributes.get("type", "").split()))


def blocks(directory: Path, kind: str) -> dict[str, Block]:
    """Variables or outputs of a module, by name."""
    found = {}
    for path in sorted(directory.glob("*.tf")):
        for what, name, text in _BLOCK.findall(path.read_text()):
            if what == kind:
                attributes = {key: value.strip() for key, value in _ATTRIBUTE.findall(text)}
                found[name] = Block(name, text, attributes)
    return found


def _without_defaults(text: str) -> str:
    """`optional(number,3)` becomes `optional(number)`, however deep it stands."""
    made, depth, skipping = "", 0, 0
    openers: list[bool] = []
    for index, letter in enumerate(text):
        if letter in "([{":
            openers.append(text[:index].endswith("optional"))
            depth += 1
        elif letter in ")]}":
            if skipping == depth:
                skipping = 0
            openers.pop()
            depth -= 1
        elif letter == "," and not skipping and openers and openers[-1]:
            skipping = depth
        if not skipping:
            made += letter
    return made
