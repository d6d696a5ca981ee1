"""How an event loop ends, by itself and by a signal."""

import asyncio
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from temporal_dsql_deploy import interrupts


class Call:
    """A call to a server that never answers."""

    def __init__(self) -> None:
        self.ended_in_loop = False

    async def made(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.ended_in_loop = asyncio.get_running_loop().is_running()


def test_calls_that_are_left_end_before_the_loop() -> None:
    """The SDK's threads would answer them into a loop that is closed: a traceback for each."""
    call = Call()

    async def fails() -> None:
        await asyncio.sleep(0)
        raise LookupError

    async def main() -> None:
        await asyncio.gather(call.made(), fails())

    with pytest.raises(LookupError):
        interrupts.run(main())
    assert call.ended_in_loop


def test_a_signal_cancels_or_is_told() -> None:
    told: list[str] = []

    async def main() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        while not told:
            await asyncio.sleep(0)

    interrupts.run(main(), lambda: told.append("told"))
    told.clear()
    with pytest.raises(KeyboardInterrupt):
        interrupts.run(main())


def test_a_thread_that_is_left_is_not_waited_for() -> None:
    """Such as a probe that was interrupted: it has its own deadline, and ends with the process."""
    answered = threading.Event()

    async def main() -> None:
        probing = asyncio.create_task(asyncio.to_thread(answered.wait))
        await asyncio.sleep(0)
        probing.cancel()
        raise LookupError

    try:
        with pytest.raises(LookupError):
            interrupts.run(main())
        assert not answered.is_set()
    finally:
        answered.set()


def test_a_signal_that_comes_too_late_to_cancel_is_not_lost() -> None:
    async def main() -> str:
        os.kill(os.getpid(), signal.SIGINT)
        return "done"

    with pytest.raises(KeyboardInterrupt):
        interrupts.run(main())


def test_what_must_not_be_interrupted_is_not() -> None:
    async def main() -> str:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0)
        return "done"

    before = signal.getsignal(signal.SIGINT)
    with interrupts.uninterrupted():
        assert interrupts.run(main()) == "done"
    assert signal.getsignal(signal.SIGINT) is before


def test_a_loop_of_a_thread_leaves_signals_to_the_main_one() -> None:
    async def main() -> str:
        return "done"

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: interrupts.run(main())).result() == "done"


def test_a_signal_is_not_lost_where_the_cancelled_fails_by_itself() -> None:
    async def main() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise LookupError from None

    with pytest.raises(KeyboardInterrupt):
        interrupts.run(main())


def test_what_was_before_is_again_after_it() -> None:
    async def main() -> None:
        raise LookupError

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    with pytest.raises(LookupError):
        interrupts.run(main())
    assert [signal.getsignal(number) for number in numbers] == before
    assert signal.set_wakeup_fd(-1) == -1
