"""What the Terraform behind a plan declares, as far as a plan does not say it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_INDEX = re.compile(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]')
"""Of `count` or `for_each`, whose keys may hold dots, brackets and quotes."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A variable or an output of a module."""

    described: bool
    default: bool = False
    """Whether a variable has one."""
    file: str = ""
    """Where it stands, relative to the root module; empty where a plan was read from a file."""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Module:
    """One module of a configuration."""

    source: str
    """As the call has it: `../../modules/vpc`; empty for the root."""
    variables: Mapping[str, Declared] = field(default_factory=dict)
    outputs: Mapping[str, Declared] = field(default_factory=dict)
    lines: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """File and line of each resource, by `type.name`; empty where a plan was read from a file."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """All modules that are called."""

    modules: Mapping[str, Module]
    """By address without indices, such as `module.temporal.module.vpc`; empty for the root."""
    folder: str = ""
    """The root module's folder, empty where a plan was read from a file."""

    def place(self, address: str) -> tuple[str, int] | None:
        """File and line of the resource at an address; None where that is not known."""
        module, resource = _split(address)
        found = self.modules.get(module)
        return found.lines.get(resource) if found else None


def _split(address: str) -> tuple[str, str]:
    """Module and `type.name` of an address, `data.type.name` of a data source, without indices."""
    parts = _INDEX.sub("", address).split(".")
    own = 3 if parts[-3:-2] == ["data"] and parts[-4:-3] != ["module"] else 2
    return ".".join(parts[:-own]), ".".join(parts[-own:])
