"""What the Terraform behind a plan declares, as far as a plan does not say it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
    """Module and `type.name` of an address, without indices."""
    parts: list[str] = []
    depth = 0
    word = ""
    for character in address:
        depth += (character == "[") - (character == "]")
        if character == "." and depth == 0:
            parts.append(word)
            word = ""
        elif depth == 0 and character != "]":
            word += character
    parts.append(word)
    return ".".join(parts[:-2]), ".".join(parts[-2:])
