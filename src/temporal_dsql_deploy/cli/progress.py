"""What Terraform is at, shown while it runs."""

import contextlib
from typing import TYPE_CHECKING

from temporal_dsql_deploy.cli.console import terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from temporal_dsql_deploy.terraform.messages import Event


_TEST = "planning without AWS, twice: for the ids that an apply would give"
"""What a run of `terraform test` is to whom asked for a plan."""
_SILENT = ("providers", "version", "diagnostic", "test_summary", "test_cleanup")


def in_words(event: "Event") -> str:
    """One line for what Terraform says; empty for what says nothing to whom waits."""
    if event.kind in _SILENT or not event.text:
        return ""
    return _TEST if event.kind.startswith("test_") else event.text.splitlines()[0]


@contextlib.contextmanager
def watching() -> "Iterator[Callable[[Event], None]]":
    """Shows on a terminal what Terraform is at; an interruption is spoken of everywhere."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)

    def urgent(event: "Event") -> None:
        if event.kind == "interrupted" or (event.kind == "providers" and not terminal.json):
            terminal.progress(event.text)

    if terminal.json or not console.is_terminal:
        yield urgent
        return
    with console.status("terraform") as status:

        def show(event: "Event") -> None:
            urgent(event)
            # As it is: an address with a key in brackets is no markup.
            line = in_words(event)
            if line:
                status.update(Text(line[: console.width - 4]))

        yield show
