"""What a verb has begun and could not finish is undone, whatever signals arrive meanwhile."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

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


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ignore signals that would end this command before it has put things in order."""

    def ignore(_number: int, _frame: FrameType | None) -> Any:
        return None

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, ignore) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
