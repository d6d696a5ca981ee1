"""A cluster of four roles, two of each, that stands while things are done to it under load."""

import asyncio
import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from temporalio.client import Client

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.platforms.processes import ports
from temporal_dsql_deploy.platforms.temporal_api import runtime
from tests.support.balancer import Balancer
from tests.support.bench_runs import EASY, SHORT, until
from tests.support.cluster import Cluster
from tests.support.deploy import Deploy
from tests.support.oracle import Oracle

ROLES = tuple(topology.load().roles)
INSTANCES = tuple(f"{role}-{number}" for role in ROLES for number in (1, 2))
DATABASE = "database"
_NETWORKS = (*range(2, 11), 61, 62, 63, 252, 253, 254)
_PROBING = ("up", "restart", "recover")
RECOVERY = 120.0
"""Seconds within which every acknowledged workflow must be Completed after the repair."""
_EACH = 2
"""Workflows that are started side by side."""
_EVERY = 0.4
"""Seconds between them."""
_PATIENT = ("--start-timeout", "4m", "--completion-timeout", "4m")
"""Of the benchmark: what is asked is whether all is done in the end."""
_LEAD = 1.0
"""Seconds of load before anything happens."""


class Standing:
    """The environment, and a balancer before its two frontends."""

    def __init__(self, deploy: Deploy) -> None:
        self.deploy = deploy
        self.cluster = Cluster(deploy)
        self.cluster.settings(f"network = {_network()}")
        self.address = ""
        """Of the balancer."""

    def run(self, verb: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A verb, with patience: the machine may have all of this and more to do."""
        patience = ("--deadline", "60") if verb in _PROBING else ()
        return self.deploy.run(verb, "cluster", *words, *patience, check=check, timeout=300)

    def up(self, *options: str) -> Any:
        """What `up` has changed, which must succeed, at the second try at the latest.

        Those that go on may still refuse to dial anew who has just come back (gRPC waits for some
        seconds after a refusal), or take shards again; the probe says so, and `up` fails.
        """
        first = self.run("up", *options, "--json", check=False)
        assert first.returncode in {0, 1}, f"{first.stdout}{first.stderr}"
        assert first.stdout, first.stderr
        if first.returncode:
            assert json.loads(self.run("up", *options, "--json").stdout)["changes"] == []
        return json.loads(first.stdout)

    def grpc(self, name: str) -> str:
        settings = self.cluster.run(name).settings
        return f"{settings['address']}:{settings['ports']['grpc']}"

    def pid(self, name: str) -> int:
        return self.cluster.run(name).process.pid

    def signal(self, number: int, *names: str) -> None:
        """To processes of the cluster; of the database to all that it consists of."""
        for pid in [pid for name in names for pid in self._pids(name)]:
            os.kill(pid, number)

    def kill(self, *names: str) -> None:
        """As kill -9, and wait until their keepers have written it down."""
        runs = [self.cluster.run(name) for name in names]
        self.signal(signal.SIGKILL, *names)
        for run in runs:
            while run.process.alive() or run.keeper.alive():
                time.sleep(0.01)

    def start_alone(self, name: str) -> subprocess.CompletedProcess[str]:
        """What became of an instance that was started by its own command, without a keeper.

        It has a folder of its own: the one that it is like may run.
        """
        run = self.cluster.run(name)
        before = ["", *run.command]
        own = str(self.deploy.folder / "alone")
        command = [
            own if option == "--config-dir" else word
            for option, word in zip(before, run.command, strict=False)
        ]
        environment = {"PATH": os.environ["PATH"], **run.settings["variables"]}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    def _pids(self, name: str) -> list[int]:
        pid = self.pid(name)
        if name != DATABASE:
            return [pid]
        # Its children before itself: else it would start others in their place.
        return [pid, *(child.pid for child in psutil.Process(pid).children())]


def _network() -> int:
    """One that is free, and that no other test takes: a cluster may be down for a while."""
    free = [each for each in _NETWORKS if ports.is_free(5432, f"127.{each}.0.1")]
    return int(secrets.choice(free))


@contextmanager
def standing(folder: Path) -> Iterator[Standing]:
    """It, as long as the block lasts."""
    deploy = Deploy(folder)
    with ExitStack() as stack:
        stack.callback(deploy.clean_up)
        made = Standing(deploy)
        stack.callback(made.run, "destroy", "--yes", "--grace", "5", check=False)
        made.up(*(word for role in ROLES for word in ("--replicas", f"{role}=2")))
        balancer = stack.enter_context(Balancer([made.grpc(f"frontend-{n}") for n in (1, 2)]))
        made.address = balancer.address
        yield made


@dataclass(frozen=True, slots=True)
class Judged:
    """What the oracle says of a load and what was done meanwhile."""

    acknowledged: int
    losses: list[str]
    seconds: float
    """From when it was begun until every acknowledged workflow was Completed."""


async def judged(
    address: str, file: Path, work: Callable[[], object], *, lead: float = _LEAD
) -> Judged:
    """Start workflows until `work` is done, `lead` seconds after the first; what became of them."""
    file.unlink(missing_ok=True)
    client = await Client.connect(address, runtime=runtime())
    oracle = Oracle(client, file)
    over = asyncio.Event()
    async with oracle.worker():
        load = asyncio.create_task(_load(oracle, f"{file.stem}-{time.time_ns()}", over))
        try:
            await asyncio.sleep(lead)
            began = time.monotonic()
            await asyncio.to_thread(work)
        finally:
            over.set()
            await load
        losses = await oracle.losses(seconds=RECOVERY)
    return Judged(len(oracle.acknowledged()), losses, round(time.monotonic() - began, 1))


async def _load(oracle: Oracle, prefix: str, over: asyncio.Event) -> None:
    number = 0
    starts: list[Awaitable[None]] = []
    while not over.is_set():
        # Whether those before have been answered or not.
        starts.append(asyncio.create_task(oracle.start(f"{prefix}-{number}", _EACH)))
        number += 1
        await asyncio.sleep(_EVERY)
    await asyncio.gather(*starts)


@dataclass(frozen=True, slots=True)
class Measured:
    """What the benchmark has seen."""

    result: Any

    @property
    def iteration(self) -> Any:
        return self.result["iterations"][0]

    @property
    def counts(self) -> Any:
        return self.iteration["counts"]

    @property
    def failed_requests(self) -> dict[str, int]:
        """Start requests that failed, by cause; each was sent again by the generator."""
        found: dict[str, int] = self.iteration["rejections"]
        return found

    @property
    def worst(self) -> float:
        """Seconds from when a workflow was due to its end."""
        return float(self.iteration["latency"]["max"]) / 1000

    @property
    def p99(self) -> float:
        return float(self.iteration["latency"]["p99"]) / 1000

    @property
    def gap(self) -> int:
        """Whole seconds in a row without a completion while the load lasts."""
        longest = row = 0
        for second in self.iteration["series"]:
            row = row + 1 if second["target"] and not second["completed"] else 0
            longest = max(longest, row)
        return longest

    def assert_nothing_lost(self) -> None:
        """All that was due was sent, confirmed in the end, and has completed."""
        counts = self.counts
        assert counts["completed"] == counts["accepted"] == counts["due"] > 0, counts
        assert self.result["warnings"] == [], self.result["warnings"]


@contextmanager
def benchmark(standing: Standing, *options: str) -> Iterator[list[Measured]]:
    """`bench run` through the balancer; the block begins with its load.

    What it has measured is in the list when the block has ended, which waits for it.
    """
    words = ("bench", "run", "--address", standing.address, *SHORT, *EASY, *_PATIENT)
    process = standing.deploy.start(*words, *options, "--json")
    until(process, "iteration 1 of 1")
    found: list[Measured] = []
    try:
        yield found
    except BaseException:
        # What it has open would keep the next from measuring.
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
        raise
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, f"exit {process.returncode}\n{out[-2000:]}{err}"
    found.append(Measured(json.loads(out)))
