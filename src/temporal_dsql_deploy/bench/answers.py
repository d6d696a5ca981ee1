"""How fast the frontend answers a call for which it asks nobody, neither database nor role.

What makes this call slow makes every call slow, and is the server's own doing or its network's.
"""

import asyncio
import contextlib
import random
import time
from collections import defaultdict
from datetime import timedelta
from statistics import median

from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client

from temporal_dsql_deploy.platforms.temporal_api import CallFailed, call

_BETWEEN = 0.1
_LIMIT = 2.0


class Answers:
    """The latencies of such calls, ten a second."""

    def __init__(self) -> None:
        self._took: defaultdict[int, list[float]] = defaultdict(list)
        self._late: defaultdict[int, list[float]] = defaultdict(list)

    def look(self, second: int) -> tuple[float, float] | None:
        """Median and least of a second of Unix time; None where none was answered.

        On a machine that is too busy, the one who asks is late by itself: that is taken out.
        """
        took, late = self._took.get(second), self._late.get(second)
        if not took or not late:
            return None
        least = min(took)
        return max(least, median(took) - median(late)), least

    async def run(self, client: Client) -> None:
        """Ask, until cancelled."""
        limit = timedelta(seconds=_LIMIT)
        while True:
            # At random, so that nothing periodic in a server falls between the calls.
            pause = random.expovariate(1 / _BETWEEN)
            asleep = time.monotonic()
            await asyncio.sleep(pause)
            began = time.monotonic()
            second = int(time.time())
            with contextlib.suppress(CallFailed):
                await call(
                    client.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=limit),
                    seconds=_LIMIT,
                )
                self._took[second].append(time.monotonic() - began)
                self._late[second].append(began - asleep - pause)
