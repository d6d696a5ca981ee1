"""What a verb has begun and could not finish is undone, whatever signals arrive meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from temporal_dsql_deploy.interrupts import uninterrupted
from temporal_dsql_deploy.platforms.protocol import Platform, Report


@contextmanager
def undone_on_failure(platform: Platform, report: Report) -> Iterator[Callable[[], None]]:
    """Undo what the platform has begun if the block fails after it called what it is given."""
    mine = False

    def starting() -> None:
        nonlocal mine
        mine = True

    try:
        yield starting
    except BaseException as error:
        if mine:
            with uninterrupted():
                report("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
                report(platform.undo())
        raise
