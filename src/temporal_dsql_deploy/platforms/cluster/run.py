"""What a cluster consists of on this machine: processes, or containers."""

from collections.abc import Mapping
from typing import Any, Protocol


class Run(Protocol):
    """The last run of one of them."""

    @property
    def component(self) -> str:
        """Its name, such as `history-2`."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """`component` (role, `database`, `opensearch` or `ui`), `address`, and `ports` by name."""

    @property
    def started_at(self) -> str:
        """UTC, ISO 8601."""

    @property
    def pid(self) -> int | None:
        """Its process on this machine, where it is known."""

    def alive(self) -> bool:
        """Whether it still runs."""

    def ended(self) -> str:
        """How it has ended and when, for people."""
