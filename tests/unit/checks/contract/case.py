"""A good cluster spoilt in one thing, and the rule that must say so."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.draft import TASK
from tests.unit.checks.contract.good import Good

Spoil = Callable[[Good], object]


@dataclass(frozen=True)
class Case:
    """What is done to a good cluster, and where the finding must be."""

    rule: str
    spoil: Spoil
    resource: str
    attribute: str

    def __str__(self) -> str:
        return f"{self.rule}-{self.attribute.rpartition('.')[2]}"


def env(
    rule: str,
    variable: str,
    value: str | None,
    at: str = "history",
    *,
    beside: dict[str, str | None] | None = None,
    said_of: str = "",
) -> Case:
    """A variable of one container; `beside` are more of the same, `said_of` another variable."""

    def spoil(draft: Good) -> None:
        for name, text in {**(beside or {}), variable: value}.items():
            draft.set(at, name, text)

    return Case(
        rule, spoil, _task(at), f"container_definitions.{at}.environment.{said_of or variable}"
    )


def everywhere(
    rule: str, variable: str, value: str | None, beside: dict[str, str] | None = None
) -> Case:
    """A variable of all roles; the finding that is looked for is history's."""
    return Case(
        rule,
        lambda draft: draft.everywhere({**(beside or {}), variable: value}),
        _task("history"),
        f"container_definitions.history.environment.{variable}",
    )


def inside(rule: str, at: str, path: str, said: str = "", **values: Any) -> Case:
    """Parts of a container definition; a value of None takes one out."""

    def spoil(draft: Good) -> None:
        definition = draft.container(at)
        for name, value in values.items():
            definition.pop(name, None)
            if value is not None:
                definition[name] = value

    return Case(rule, spoil, _task(at), f"container_definitions.{said or at}.{path}")


def _task(container: str) -> str:
    name = {"loki-init": "loki"}.get(container, container.removesuffix("-collector"))
    return f"{TASK}.{name}"
