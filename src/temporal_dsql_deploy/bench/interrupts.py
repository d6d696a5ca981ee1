"""Ctrl-C and its like, told to an event loop: an exception in its midst would lose events."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(main: Coroutine[Any, Any, None], interrupted: Callable[[], object] | None = None) -> None:
    """Run to the end. A signal calls `interrupted`, or cancels."""
    # Not asyncio.run, which would wait for a probe that was interrupted, in its thread.
    loop = asyncio.new_event_loop()
    doing = loop.create_task(main)
    try:
        with _told(loop, interrupted or doing.cancel):
            try:
                loop.run_until_complete(doing)
            finally:
                loop.run_until_complete(_end_calls())
    finally:
        loop.close()


async def _end_calls() -> None:
    """Cancel what is left, such as the calls beside one that failed.

    The SDK's threads answer calls that nobody awaits any longer too, and a loop that was closed
    under them makes each a traceback.
    """
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for one in left:
        one.cancel()
    await asyncio.gather(*left, return_exceptions=True)


@contextlib.contextmanager
def _told(loop: asyncio.AbstractEventLoop, interrupted: Callable[[], object]) -> Iterator[None]:
    """Call `interrupted` in the loop for each signal; those that are ignored stay ignored."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    if threading.current_thread() is not threading.main_thread():
        # Signals are the main thread's.
        before = {}
    heeded = [number for number, handler in before.items() if handler != signal.SIG_IGN]
    for number in heeded:
        loop.add_signal_handler(number, interrupted)
    try:
        yield
    finally:
        for number in heeded:
            loop.remove_signal_handler(number)
            signal.signal(number, before[number])
