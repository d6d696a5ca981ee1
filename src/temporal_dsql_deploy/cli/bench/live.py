"""What is shown while a benchmark runs: a table on a terminal, a line now and then elsewhere."""

import contextlib
import sys
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from temporal_dsql_deploy.bench.metrics import Page
from temporal_dsql_deploy.cli.console import table, terminal

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live as Screen

    from temporal_dsql_deploy.bench.options import Settings
    from temporal_dsql_deploy.bench.raw import Live
    from temporal_dsql_deploy.bench.results import Iteration

_ROWS = 10
_EVERY = 10
"""Seconds between two lines where there is no terminal."""
_NOTHING = "-"
_COLUMNS = [
    "second",
    "target/s",
    "due",
    "accepted",
    "completed",
    "open",
    "dropped",
    "rejected",
    "start p99",
    "lag p99",
]


class Watching:
    """Takes what a benchmark tells."""

    def __init__(self, page: Page, screen: "Screen | None", duration: float) -> None:
        self._page = page
        self._screen = screen
        self._seen: deque[Live] = deque(maxlen=_ROWS)
        self._duration = duration
        self._said = -1

    def progress(self, line: str) -> None:
        """A line of what goes on."""
        terminal.progress(line)

    def live(self, live: "Live") -> None:
        """One more second."""
        self._page.update(live)
        self._seen.append(live)
        if self._screen is not None:
            self._screen.update(self._table())
        elif live.second >= self._said + _EVERY:
            self._said = live.second
            terminal.progress(self._line(live))

    def pages(self, pages: dict[str, str]) -> None:
        """The SDK's pages of the workers."""
        self._page.sdk_pages(pages)

    def iteration(self, iteration: "Iteration") -> None:
        """One iteration is done."""
        self._page.finished(iteration)
        self._seen.clear()
        self._said = -1

    def _line(self, live: "Live") -> str:
        is_open = max(0, live.accepted - live.completed)
        if live.second >= self._duration:
            return f"waiting for {is_open} open workflows"
        return (
            f"second {live.second + 1} of {self._duration:g}: {live.due} due, {live.accepted} "
            f"accepted, {live.completed} completed, {is_open} open, {live.dropped} dropped, "
            f"{live.rejected} rejected, start p99 {_milliseconds(live.start_p99)}"
        )

    def _table(self) -> "RenderableType":
        rows = [
            (
                live.second + 1,
                f"{live.target:.0f}",
                live.due,
                live.accepted,
                live.completed,
                max(0, live.accepted - live.completed),
                live.dropped,
                live.rejected,
                _milliseconds(live.start_p99),
                _milliseconds(live.lag_p99),
            )
            for live in self._seen
        ]
        return table(_COLUMNS, rows)


def _milliseconds(value: float) -> str:
    return f"{value:.0f} ms" if value else _NOTHING


@contextlib.contextmanager
def watching(settings: "Settings") -> Iterator[Watching]:
    """Show a benchmark while it runs, and serve its Prometheus page. Raises PortTaken."""
    with Page(settings.metrics_port, settings.metrics_host) as page:
        if not sys.stderr.isatty():
            yield Watching(page, None, settings.duration.seconds)
            return
        from rich.console import Console
        from rich.live import Live as Screen

        with Screen(console=Console(stderr=True), transient=True, refresh_per_second=4) as screen:
            yield Watching(page, screen, settings.duration.seconds)
