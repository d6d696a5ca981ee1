"""Ctrl-C and its like, told to an event loop: an exception in its midst would lose events.

A task whose wake-up was lost is never done, nor is whoever waits for its end.
"""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_T = TypeVar("_T")


def run(main: Coroutine[Any, Any, _T], interrupted: Callable[[], object] | None = None) -> _T:
    """Run to the end. A signal calls `interrupted`; without it cancels, for a KeyboardInterrupt."""
    # Not asyncio.run, which would wait for a probe that was interrupted, in its thread.
    loop = asyncio.new_event_loop()
    doing = loop.create_task(main)
    try:
        with told(loop, doing, interrupted):
            try:
                return loop.run_until_complete(doing)
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
def told(
    loop: asyncio.AbstractEventLoop,
    doing: asyncio.Task[Any],
    interrupted: Callable[[], object] | None = None,
) -> Iterator[None]:
    """Call `interrupted` in the loop for each signal, or cancel the task that the loop runs.

    After such a cancellation there is a KeyboardInterrupt, whatever came of it. Signals that are
    ignored stay ignored.
    """
    heard = False

    def hear(_number: int, _frame: object) -> None:
        nonlocal heard
        if loop.is_closed():
            raise KeyboardInterrupt
        heard = True
        loop.call_soon_threadsafe(interrupted or doing.cancel)

    try:
        with _woken(loop), _handled(hear):
            yield
    except BaseException as error:
        if heard and interrupted is None:
            raise KeyboardInterrupt from error
        raise
    if heard and interrupted is None:
        raise KeyboardInterrupt


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Ignore signals that would end this command before it has put things in order."""
    with _handled(_ignore):
        yield


def _ignore(_number: int, _frame: object) -> None:
    # Not SIG_IGN, which processes that are started meanwhile would inherit.
    pass


@contextlib.contextmanager
def _handled(handler: Callable[[int, object], None]) -> Iterator[None]:
    numbers = _SIGNALS if _is_main() else ()
    before = {
        number: old
        for number in numbers
        if (old := signal.getsignal(number)) not in {signal.SIG_IGN, _ignore}
    }
    try:
        for number in before:
            signal.signal(number, handler)
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


@contextlib.contextmanager
def _woken(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Let signals wake the loop, one too that comes just before it goes to sleep.

    Not by loop.add_signal_handler: after its removal a signal would for a moment end the process.
    """
    if not _is_main():
        yield
        return
    reader, writer = socket.socketpair()
    with reader, writer:
        for one in (reader, writer):
            one.setblocking(False)
        loop.add_reader(reader, reader.recv, 4096)
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            loop.remove_reader(reader)


def _is_main() -> bool:
    """Whether this is the main thread, whose the signals are."""
    return threading.current_thread() is threading.main_thread()
