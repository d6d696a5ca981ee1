"""How a benchmark's event loop ends."""

import asyncio
import os
import signal
import threading

import pytest

from temporal_dsql_deploy.bench import interrupts


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
    with pytest.raises(asyncio.CancelledError):
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
