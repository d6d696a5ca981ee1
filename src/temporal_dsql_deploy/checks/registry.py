"""All families of rules, in the order in which they are shown."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from temporal_dsql_deploy.checks.family import Family
from temporal_dsql_deploy.checks.model import Rule

FAMILIES: tuple[str, ...] = (
    "network",
    "architecture",
    "exec",
    "logs",
    "secrets",
    "visibility",
    "ports",
    "services",
    "mounts",
    "telemetry",
    "dsql",
    "interface",
    "conditional",
    "reach",
    "fit",
    "budget",
    "contract",
    "identity",
)
"""Modules of this package; each has a `FAMILY`."""


@cache
def families() -> tuple[Family, ...]:
    """All families."""
    return tuple(_family(name) for name in FAMILIES)


@cache
def rules() -> Mapping[str, Rule]:
    """All rules by id, in the order in which they are shown."""
    return {rule.id: rule for family in families() for rule in family.rules}


def _family(name: str) -> Family:
    found = import_module(f"temporal_dsql_deploy.checks.{name}").FAMILY
    assert isinstance(found, Family)  # noqa: S101 - a module of ours, and a type for the checker
    return found
