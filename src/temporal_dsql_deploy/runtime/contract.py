"""contract.json: the part of the project's topology that the entrypoint needs, as data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Variable:
    """An environment variable that the entrypoint or the DSQL plugin reads."""

    name: str
    type: str
    """int, bool, duration, string, host, address, host_port or json."""
    required: bool
    """Whether it must be set, where `only_with` holds."""
    default: str | int | bool | None
    meaning: str
    choices: tuple[str, ...] = ()
    minimum: str | int | None = None
    maximum: str | int | None = None
    """ints, or durations."""
    only_with: str | None = None
    """NAME=VALUE of another variable without which this one is not read."""
    secret: bool = False
    requires: tuple[str, ...] = ()
    """Of the plugin's: variables without which it has no effect; bools are true."""
    mode: str = "both"
    """Of the plugin's: both, legacy or reservoir."""


@dataclass(frozen=True)
class Contract:
    """All of contract.json. It is generated: `make docs`."""

    roles: Mapping[str, Mapping[str, int]]
    """Ports by their names, by role."""
    metrics_port: int
    metrics_path: str
    max_join_duration: str
    drain: Mapping[str, str]
    """Dynamic config keys by which roles stop gently, as durations."""
    every: Mapping[str, Any]
    """Dynamic config of every environment."""
    environments: Mapping[str, Mapping[str, Any]]
    """Dynamic config that an environment has besides or instead, by its name."""
    plugins: Mapping[str, Mapping[str, Any]]
    """Dynamic config that a default store needs, by the name of its plugin."""
    runtime: Mapping[str, Variable]
    """What the entrypoint reads."""
    plugin: Mapping[str, Variable]
    """What the DSQL plugin reads."""
    rules: Mapping[str, str]
    """What the server does with an environment that breaks a rule, by the rule's id."""


@cache
def load() -> Contract:
    """The contract; read once."""
    data = json.loads(Path(__file__).with_name("contract.json").read_text(encoding="utf-8"))
    parsed = {
        "runtime": _variables(data["runtime"]),
        "plugin": _variables(data["plugin"]),
    }
    del data["about"]
    return Contract(**{**data, **parsed})


def _variables(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Variable]:
    return {name: _variable(name, row) for name, row in rows.items()}


def _variable(name: str, row: Mapping[str, Any]) -> Variable:
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
    }
    return Variable(name=name, **fields)
