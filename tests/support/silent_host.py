"""One of two instances of a role falls silent: no packet reaches it, and none comes from it.

As with a host that is gone, nobody is told: what was sent to it is sent again until that times out.
Everything runs in a network namespace of its own (tests/support/partition.py), `run` starts it.
"""

import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from temporal_dsql_deploy.platforms import ring
from tests.support import cluster_faults, partition, roles
from tests.support.balancer import Balancer
from tests.support.closed_paths import Laboratory, until_serving
from tests.support.partition import Network, ip
from tests.support.roles import Role

SILENT_ROLES = ("history", "matching", "worker")
"""Not the frontend: clients live where the router is, whose own packets fail with an error."""
_LONGEST = 40.0
_BACK = 120.0
"""Seconds until one that was silent is in the ring again."""


@dataclass(frozen=True, slots=True)
class Case:
    """Who falls silent, and what becomes of it."""

    seed: int
    role: str
    number: int
    """0 or 1."""
    seconds: float
    replaced: bool
    """Killed then and started anew, as an orchestrator does; otherwise heard again."""

    @property
    def name(self) -> str:
        return f"{self.role}-{self.number + 1}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the oracle says."""

    case: Case
    acknowledged: int
    recovered: float
    losses: list[str]
    faulty_after: float | None
    """Seconds of silence until the other instance of its role took it for dead."""


def drawn(chance: random.Random, seed: int) -> Case:
    """A case by chance."""
    return Case(
        seed,
        chance.choice(SILENT_ROLES),
        chance.randrange(2),
        chance.uniform(3, _LONGEST),
        chance.random() < 0.5,
    )


def run(cases: Sequence[Case]) -> Iterator[Outcome]:
    """What became of the load in each case, as they end."""
    for found in partition.outcomes("tests.support.silent_host", cases):
        yield Outcome(**{**found, "case": Case(**found["case"])})


class Silence:
    """Drops packets by address, those that end here too: the rules come before the local table."""

    def __init__(self) -> None:
        ip("rule", "add", "pref", 100, "lookup", "local")
        ip("rule", "delete", "pref", 0)

    def begin(self, address: str) -> None:
        for way in ("to", "from"):
            ip("rule", "add", "pref", 10, way, address, "blackhole")

    def end(self, address: str) -> None:
        for way in ("to", "from"):
            ip("rule", "delete", "pref", 10, way, address, "blackhole")


@dataclass(slots=True)
class House:
    """The cluster of all cases."""

    running: list[Role]
    silence: Silence
    database: int
    folder: Path
    network: Network
    faulty_after: float | None = None

    def suffer(self, case: Case) -> None:
        """Silence one for a while, and have it back."""
        self.faulty_after = None
        address = self.network.addresses(case.role)[case.number]
        at = [role.member.address for role in self.running].index(address)
        role = self.running[at]
        other = self.network.addresses(case.role)[1 - case.number]
        deadline = time.monotonic() + _BACK
        while not _reachable(address, other, role):
            # It was silent before, and is not heard again at once.
            assert time.monotonic() < deadline, f"{address} has not come back into the ring"
            time.sleep(0.1)
        self.silence.begin(address)
        began = time.monotonic()
        while time.monotonic() < began + case.seconds:
            if self.faulty_after is None and not _reachable(address, other, role):
                self.faulty_after = round(time.monotonic() - began, 1)
            time.sleep(0.1)
        if case.replaced:
            role.kill()
        self.silence.end(address)
        if case.replaced:
            place = next(one for one in self.network.places if one.address == address)
            own = variables(address)
            again = Role(place.role, self.database, self.folder, own, within=place.within)
            self.running[at] = again
            again.until_serving()


def _reachable(address: str, other: str, role: Role) -> bool:
    """Whether the member at `other` holds the one at `address` for one that it can ask."""
    port = role.member.membership_port
    return f"{address}:{port}" in ring.reachable(ring.view(other, port, seconds=5))


def variables(address: str) -> dict[str, str]:
    """What an instance has for itself."""
    return {
        "BIND_ON_IP": address,
        "TEMPORAL_SQL_HOST": partition.ROUTER,
        # Less than this machine has to spare is shared by eight processes.
        "TEMPORAL_SQL_MAX_CONNS": "5",
        "TEMPORAL_SQL_MAX_IDLE_CONNS": "5",
    }


def tried(case: Case, house: House, address: str) -> Outcome:
    """The load of a case, and what became of it."""
    file = house.folder / f"acknowledged-{case.seed}"
    found = asyncio.run(cluster_faults.judged(address, file, lambda: house.suffer(case)))
    return Outcome(
        case, found.acknowledged, found.seconds, found.losses, faulty_after=house.faulty_after
    )


def _end(running: Sequence[Role]) -> None:
    for role in running:
        role.kill()


def main() -> None:
    """Try the cases of the command line, in the namespace that this process is alone in."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    cases = [Case(**each) for each in json.loads(sys.argv[1])]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="silent-host-")))
        network = stack.enter_context(Network(2))
        port = stack.enter_context(roles.database(partition.ROUTER, partition.EVERYBODY))
        laboratory = Laboratory(network, port, folder)
        laboratory.prepare()
        running = stack.enter_context(laboratory.cluster([], 2))
        # Those that were started in the place of others too.
        stack.callback(_end, running)
        assert until_serving(running) == []
        house = House(running, Silence(), port, folder, network)
        frontends = [role.address for role in running if role.name == "frontend"]
        balancer = stack.enter_context(Balancer(frontends))
        for case in cases:
            sys.stdout.write(json.dumps(asdict(tried(case, house, balancer.address))) + "\n")
            sys.stdout.flush()
    # The Temporal SDK's threads may abort Python's own end, as in cli/main.py.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
