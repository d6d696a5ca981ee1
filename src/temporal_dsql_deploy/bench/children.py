"""What the processes of a benchmark have in common: their task on stdin, lines of JSON on stdout.

A process whose stdin ends has lost the benchmark that it belongs to, and ends too.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, NoReturn, Self

from temporalio.runtime import Runtime
from temporalio.service import ConnectConfig, ServiceClient

from temporal_dsql_deploy.bench.options import Settings, from_json
from temporal_dsql_deploy.platforms.temporal_api import runtime

_PATIENCE = 60.0
_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Task:
    """What a process has to do."""

    address: str
    settings: Settings
    task_queue: str

    def to_json(self) -> str:
        """For the process's stdin."""
        return json.dumps({**asdict(self), "settings": self.settings.to_json()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` gave."""
        document = json.loads(text)
        return cls(**{**document, "settings": from_json(document["settings"])})


@cache
def _ended() -> asyncio.Event:
    return asyncio.Event()


@cache
def _lines() -> asyncio.Queue[str]:
    return asyncio.Queue()


async def given() -> str:
    """The next line of stdin; its end ends the process."""
    return await _lines().get()


def _listen() -> None:
    """Read stdin from now on, and take signals."""
    loop = asyncio.get_running_loop()
    lines, ended = _lines(), _ended()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=read, daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)


def tell(document: dict[str, Any]) -> None:
    """One line for the benchmark."""
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


async def connect(address: str, with_runtime: Runtime | None = None) -> ServiceClient:
    """A client, as soon as the frontend answers. Raises RuntimeError when it does not for long."""
    config = ConnectConfig(target_host=address, runtime=with_runtime or runtime())
    deadline = asyncio.get_running_loop().time() + _PATIENCE
    while True:
        try:
            return await ServiceClient.connect(config)
        except RuntimeError:
            if asyncio.get_running_loop().time() > deadline or _ended().is_set():
                raise
        await asyncio.sleep(_PAUSE)


async def while_wanted(work: Coroutine[Any, Any, None]) -> None:
    """Do the work, until it is done or the process is told to end."""
    _listen()
    doing = asyncio.create_task(work)
    ending = asyncio.create_task(_ended().wait())
    await asyncio.wait({doing, ending}, return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    if not doing.done():
        doing.cancel()
        await asyncio.wait({doing})
    elif error := doing.exception():
        raise error


def run(
    main: Coroutine[Any, Any, None],
    loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> NoReturn:
    """Run a process to its end, on such a loop. What it fails with is its last line on stderr.

    Python's own end is left out: the SDK's threads may call into Python meanwhile, and it waits
    for ever then (seen with temporalio 1.35, after the process lost who reads its stdout).
    """
    # The SDK has a thread for each core otherwise, which wake one another in vain: Python, which is
    # most of the work, uses one.
    os.environ.setdefault("TOKIO_WORKER_THREADS", "1")
    code = 0
    try:
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(main)
    except Exception as error:
        code = 1
        with contextlib.suppress(OSError):
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
    with contextlib.suppress(OSError):
        sys.stderr.flush()
        sys.stdout.flush()
    os._exit(code)
