"""Ctrl-C and its like, told to an event loop: an exception in its midst would lose events."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def told(loop: asyncio.AbstractEventLoop, interrupted: Callable[[], object]) -> Iterator[None]:
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
