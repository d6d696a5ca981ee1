"""What `bench` costs, and how exactly it keeps its rate, against the least that could do.

The floors are benchmarks/floor: `loop.py` on temporalio, `main.go` on the Go SDK. Each is one
process that starts `simple` workflows at a rate, runs them unsandboxed and waits for the result of
each. `bench` does it at the same rate on the same server, with its own defaults: a generator, a
worker, and the process that watches both and the server, reads the results and makes the report.
What is compared is the CPU time of all of them, from the first start to the last result, divided by
the workflows that have completed; the sides take turns.
"""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from scripts import collector
from temporal_dsql_deploy.bench import namespace, options, pollers, run, summary
from temporal_dsql_deploy.bench.iteration import Iteration
from temporal_dsql_deploy.bench.option import Duration
from temporal_dsql_deploy.bench.options import Settings
from temporal_dsql_deploy.bench.raw import Live, Raw
from temporal_dsql_deploy.bench.recorder import Histogram
from temporal_dsql_deploy.bench.results import Iteration as Result
from temporal_dsql_deploy.bench.servers import Watch
from tests.support.deploy import Deploy

FLOOR = Path(__file__).with_name("floor")
RATE = 40.0
"""Workflows a second: what a busy machine of two cores bears, with the server on it."""
SECONDS = 20
SAMPLES = 200_000
_GO = (1, 26)
_GRACE = 15.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """An embedded server of one's own."""

    address: str
    page: str
    """Its Prometheus page."""
    pid: int


@dataclass(frozen=True, slots=True)
class Measured:
    """`bench`, once."""

    cpu: float
    """Milliseconds for each completed workflow, of all processes."""
    parts: dict[str, float]
    """The same by process: generator, workers, and the one that watches and reads."""
    accuracy: float
    """Confirmed starts after the ramp-up, of those that the rate asks for."""
    lag_p99: float
    """Milliseconds."""


@dataclass(frozen=True, slots=True)
class Turn:
    """All sides once, in CPU milliseconds for each completed workflow."""

    bench: Measured
    python: float
    go: float | None
    """None where there is no Go."""


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Start a server, and remove it."""
    deploy = Deploy(folder)
    deploy.run("up", "local")
    try:
        page = f"http://127.0.0.1:{deploy.ports['metrics']}/metrics"
        yield Cluster(deploy.address, page, deploy.record().process.pid)
    finally:
        deploy.run("destroy", "--yes")


def turns(one: Cluster, rounds: int) -> list[Turn]:
    """Let the sides take turns; the first turn is not counted, since it is the server's too."""
    go = go_floor()
    made = [
        Turn(
            bench=asyncio.run(bench(one)),
            python=floor([sys.executable, str(FLOOR / "loop.py")], one),
            go=floor([str(go)], one) if go else None,
        )
        for _ in range(rounds + 1)
    ]
    return made[1:]


async def bench(one: Cluster) -> Measured:
    """Run `bench`, its worker started before."""
    # In one namespace: each has its series on the server's page, which would grow with the turns.
    wanted = {"rate": RATE, "duration": Duration(SECONDS), "namespace": "bench"}
    given = options.settings(wanted, now="")
    client = await run.connect(one.address, given.namespace)
    await namespace.make(client.service_client, given.namespace)
    children, _ = await pollers.start(one.address, given)
    try:
        await asyncio.sleep(1)
        workers = sum(_cpu(child.pid) for child in children)
        own = time.process_time()
        raw = await Iteration(
            client,
            given,
            number=1,
            prefix=f"{namespace.ids_of(uuid.uuid4().hex)}1",
            watch=Watch([one.page], lambda: [one.pid], SECONDS),
            on_live=_ignore,
        ).run()
        result = summary.iteration(raw, given)
        own = time.process_time() - own
        workers = sum(_cpu(child.pid) for child in children) - workers
    finally:
        await asyncio.gather(*(child.stop(grace=_GRACE) for child in children))
    return _measured(raw, result, given, {"workers": workers, "watching": own})


def _measured(raw: Raw, result: Result, given: Settings, parts: dict[str, float]) -> Measured:
    if result.counts.completed != result.counts.due:
        raise RuntimeError(f"{RATE:g} a second was too much: {result.counts}")
    generator = sum(told["cpu"] for second in raw.seconds.values() for told in second)
    each = 1000 / result.counts.completed
    ramped, end = given.ramp_up.seconds, given.duration.seconds
    steady = [one for one in result.series if ramped <= one.second < end]
    return Measured(
        cpu=each * (generator + sum(parts.values())),
        parts={name: each * spent for name, spent in {"generator": generator, **parts}.items()},
        accuracy=sum(one.accepted for one in steady) / (RATE * len(steady)),
        lag_p99=result.lag.p99,
    )


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def _ignore(_: Live) -> None:
    pass


def floor(program: list[str], one: Cluster) -> float:
    """CPU milliseconds of a floor for each completed workflow."""
    done = subprocess.run(
        [*program, one.address, "default", f"{RATE:g}", str(SECONDS)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    # The SDK's log is on stdout as well: a line for each call that was refused too often.
    said = json.loads(done.stdout.splitlines()[-1])
    if said["completed"] != int(RATE * SECONDS):
        raise RuntimeError(f"{program}: {RATE:g} a second was too much: {said}")
    return 1000 * float(said["cpu"]) / int(said["completed"])


def go_floor() -> Path | None:
    """The floor in Go, built once for each source into the cache; None without a new enough Go."""
    go = shutil.which("go")
    if not go or collector.version_of(go) < _GO:
        return None
    sources = [FLOOR / name for name in ("go.mod", "go.sum", "main.go")]
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    binary = collector.path().parent.parent / f"bench-floor-{digest}"
    if not binary.exists():
        made = binary.with_suffix(f".{os.getpid()}")
        subprocess.run(
            [go, "build", "-mod=readonly", "-o", str(made), "."],
            cwd=FLOOR,
            env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-buildvcs=false"},
            check=True,
        )
        made.replace(binary)
    return binary


def recorder_seconds() -> float:
    """Seconds for a sample of the recorder."""
    histogram = Histogram()
    latencies = [0.001 + number % 1000 / 10_000 for number in range(SAMPLES)]
    began = time.perf_counter()
    for latency in latencies:
        histogram.record(latency)
    return (time.perf_counter() - began) / SAMPLES


def list_seconds() -> float:
    """Seconds for a sample that is appended to a list."""
    kept: list[float] = []
    latencies = [0.001 + number % 1000 / 10_000 for number in range(SAMPLES)]
    began = time.perf_counter()
    for latency in latencies:
        kept.append(latency)  # noqa: PERF402 - one after the other, as they come
    return (time.perf_counter() - began) / SAMPLES
