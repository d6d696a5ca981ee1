"""A real cluster with closed paths, and what the probe says of it: `run` in a process of its own.

The process lives in a network namespace (tests/support/partition.py), starts PostgreSQL and the
roles there, and prints a JSON line for each case.
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.operations.probe import watch
from temporal_dsql_deploy.operations.probe.cluster import probe_platform
from temporal_dsql_deploy.operations.probe.result import ProbeResult
from temporal_dsql_deploy.platforms import temporal_api
from temporal_dsql_deploy.platforms.processes import log_lines
from temporal_dsql_deploy.platforms.protocol import (
    Component,
    LogLine,
    LogQuery,
    Member,
    Platform,
    State,
    Status,
)
from tests.support import partition, roles
from tests.support.partition import Closed, Dials, Network
from tests.support.roles import Role

NAMESPACE = "default"
DEADLINE = 15.0
_PATIENCE = 20.0
"""Seconds until a role that does not serve is taken to be kept from it by what is closed."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is closed, from before the roles start."""

    closed: list[list[str]]
    """Caller, callee and port name of each."""
    instances: int = 1
    """Of each role."""
    rounds: int = 1
    """How often it is probed."""
    canary: bool = False
    """Whether it is the canary that probes."""
    linger: float = 0.0
    """Seconds after the last probe, until it is seen which roles have exited."""

    @property
    def name(self) -> str:
        paths = ", ".join(f"{one} -> {other} {port}" for one, other, port in self.closed)
        more = f", {self.instances} of each" * (self.instances > 1) + ", canary" * self.canary
        return f"{paths or 'nothing'}{more}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the probe said of a case, the last time."""

    name: str
    closed: list[list[str]]
    not_serving: list[str]
    """Roles that did not become ready."""
    failed: list[str]
    """Checks."""
    named: list[list[str]]
    """Caller, callee and port name of each path that was named."""
    certain: bool
    """Of all of them."""
    logged: bool
    """Whether a log has any of them."""
    notes: list[str]
    seconds: float
    """Of the probe, with its diagnosis."""
    checks: dict[str, float] = field(default_factory=dict)
    """Seconds of each."""
    errors: dict[str, str] = field(default_factory=dict)
    exited: list[str] = field(default_factory=list)
    """Roles whose process has ended by the end of the probe."""
    dialled: list[list[Any]] = field(default_factory=list)
    """Who dialled whom, on which port; of all cases of this process so far."""


class Roles:
    """The part of a platform that the probe needs, over processes in namespaces."""

    name = "cluster"

    def __init__(self, running: Sequence[Role]) -> None:
        self._roles = running

    def frontend(self) -> str:
        return next(role.address for role in self._roles if role.name == "frontend")

    def members(self) -> list[Member]:
        return [role.member for role in self._roles if role.process.poll() is None]

    def logs(self, query: LogQuery) -> Iterator[LogLine]:
        for role in self._roles:
            for text in role.log.read_text(errors="replace").splitlines():
                line = log_lines.parse(text)
                if line and log_lines.wanted(line, query):
                    yield replace(line, component=role.name)

    def status(self) -> Status:
        states = asyncio.run(_states(self._roles))
        parts = [
            Component(role.name, state) for role, state in zip(self._roles, states, strict=True)
        ]
        fine = all(state is State.SERVING for state in states)
        return Status("cluster", self.name, running=True, healthy=fine, components=parts)


async def _states(running: Sequence[Role]) -> list[State]:
    services = {role.name: role.health_service for role in topology.load().roles.values()}
    asked = (temporal_api.health(role.address, services[role.name]) for role in running)
    return await asyncio.gather(*asked)


class Laboratory:
    """A network, a database, and a cluster started anew for each case."""

    def __init__(self, network: Network, database: int, folder: Path) -> None:
        self._network = network
        self._database = database
        self._folder = folder
        self.dials = Dials(network)

    @contextmanager
    def cluster(self, closed: Sequence[Closed], instances: int) -> Iterator[list[Role]]:
        """Roles that have had time to become ready."""
        self._network.close(closed)
        places = self._network.places[: instances * len(topology.load().roles)]
        with ExitStack() as stack:
            running = []
            for place in places:
                own = {
                    "BIND_ON_IP": place.address,
                    "TEMPORAL_SQL_HOST": partition.ROUTER,
                    # Less than this machine has to spare is shared by eight processes.
                    "TEMPORAL_SQL_MAX_CONNS": "5",
                    "TEMPORAL_SQL_MAX_IDLE_CONNS": "5",
                }
                role = Role(place.role, self._database, self._folder, own, within=place.within)
                stack.callback(role.kill)
                running.append(role)
            yield running

    def prepare(self) -> None:
        """Fill the empty database: one role first, then all, then the namespace."""
        first = topology.load().one_role_first_on_empty_database.joined_log
        place = self._network.places[0]
        own = {"BIND_ON_IP": place.address, "TEMPORAL_SQL_HOST": partition.ROUTER}
        role = Role(place.role, self._database, self._folder, own, within=place.within)
        try:
            role.until_logged(first)
        finally:
            role.kill()
        with self.cluster([], 1) as running:
            assert until_serving(running) == []
            asyncio.run(_register(Roles(running).frontend()))

    def tried(self, case: Case) -> Outcome:
        """Start the cluster with the case's paths closed, and probe it."""
        closed = [(one, other, port) for one, other, port in case.closed]
        with self.cluster(closed, case.instances) as running:
            not_serving = until_serving(running)
            platform: Any = Roles(running)
            results = (_watched if case.canary else _probed)(cast("Platform", platform))
            for _ in range(case.rounds):
                began = time.monotonic()
                result = next(results)
                seconds = time.monotonic() - began
            time.sleep(case.linger)
            exited = [role.name for role in running if role.process.poll() is not None]
        return Outcome(
            name=case.name,
            closed=case.closed,
            not_serving=not_serving,
            failed=[check.name for check in result.checks if not check.ok],
            named=[[path.caller, path.callee, path.port_name] for path in result.paths],
            certain=all(path.certain for path in result.paths),
            logged=any(path.log for path in result.paths),
            notes=result.notes,
            seconds=round(seconds, 1),
            checks={check.name: check.seconds for check in result.checks},
            errors={
                check.name: check.error or check.left_out
                for check in result.checks
                if check.error or check.left_out
            },
            exited=exited,
            dialled=[list(dial) for dial in sorted(self.dials.seen())],
        )


def _probed(platform: Platform) -> Iterator[ProbeResult]:
    while True:
        yield probe_platform(platform, NAMESPACE, deadline=DEADLINE, report=_ignore)


def _watched(platform: Platform) -> Iterator[ProbeResult]:
    return watch.rounds(platform, NAMESPACE, deadline=DEADLINE, interval=1)


def until_serving(running: Sequence[Role]) -> list[str]:
    """Wait until all roles serve, or no more have come for some seconds; those that do not."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        states = asyncio.run(_states(running))
        lacking = [
            role.name
            for role, state in zip(running, states, strict=True)
            if state is not State.SERVING
        ]
        if not lacking or time.monotonic() > deadline:
            return lacking
        time.sleep(0.1)


async def _register(address: str) -> None:
    client = await temporal_api.connect(address)
    request = RegisterNamespaceRequest(
        namespace=NAMESPACE,
        workflow_execution_retention_period=temporal_api.proto_duration(timedelta(days=1)),
    )
    await temporal_api.call(client.workflow_service.register_namespace(request), seconds=20)


def _ignore(_: str) -> None:
    pass


def run(cases: Sequence[Case]) -> Iterator[Outcome]:
    """What the probe says of each case, as they end."""
    for found in partition.outcomes("tests.support.closed_paths", cases):
        yield Outcome(**found)


def main() -> None:
    """Try the cases of the command line, in the namespace that this process is alone in."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    cases = [Case(**each) for each in json.loads(sys.argv[1])]
    instances = max(case.instances for case in cases)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="closed-paths-")))
        network = stack.enter_context(Network(instances))
        port = stack.enter_context(roles.database(partition.ROUTER, partition.EVERYBODY))
        laboratory = Laboratory(network, port, folder)
        laboratory.prepare()
        for case in cases:
            sys.stdout.write(json.dumps(asdict(laboratory.tried(case))) + "\n")
            sys.stdout.flush()
    # The Temporal SDK's threads may abort Python's own end, as in cli/main.py.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
