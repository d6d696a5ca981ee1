"""Roles in network namespaces, and a router between them that drops what a firewall would.

Each instance of a role has a namespace and an address of its own; their packets pass through the
namespace that this process runs in, where a rule drops those of an ordered pair without a word, as
a security group does. `alone` gives the command that a process is started with to be there.
"""

import json
import os
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from temporal_dsql_deploy import topology

_ROOT = Path(__file__).parents[2]
ROUTER = "10.77.0.1"
"""Where the database listens."""
EVERYBODY = "10.77.0.0/16"
TOPOLOGY = topology.load()
Closed = tuple[str, str, str]
"""Caller, callee, and name of the callee's port."""
_TCP = 6
_SYN, _ACK = 0x02, 0x10
_OURS = 4
"""Kind of a packet that this machine sends: each would be seen twice (linux/if_packet.h)."""


def alone() -> list[str]:
    """Runs a command in a network namespace where it may make others, as whoever one is."""
    if os.geteuid() == 0:
        return ["unshare", "--net"]
    return ["unshare", "--user", "--map-current-user", "--keep-caps", "--net"]


def outcomes(module: str, cases: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """What a module of the tests prints of each case, a dataclass, once it is run `alone`.

    It gets the cases as a JSON document, and prints one a line.
    """
    command = [*alone(), sys.executable, "-m", module]
    document = json.dumps([asdict(case) for case in cases])
    with subprocess.Popen(
        [*command, document], cwd=_ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield from (json.loads(line) for line in process.stdout)
            assert process.wait() == 0, "its stderr says why"
        finally:
            process.terminate()


def ip(*words: object) -> None:
    """Change the network."""
    done = subprocess.run(["ip", *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {words}: {done.stderr}"


class Place:
    """The namespace of one instance of a role."""

    def __init__(self, role: str, number: int) -> None:
        self.role = role
        subnet = f"10.77.{10 * (number + 1) + list(TOPOLOGY.roles).index(role)}"
        self.address = f"{subnet}.2"
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo; exec sleep infinity"], stdout=subprocess.PIPE
        )
        assert self._holder.stdout is not None
        self._holder.stdout.readline()
        device = f"{role}{number}"
        ip("link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", self._holder.pid)
        ip("address", "add", f"{subnet}.1/30", "dev", device)
        ip("link", "set", device, "up")
        for words in (
            "link set lo up",
            f"address add {self.address}/30 dev eth0",
            "link set eth0 up",
            f"route add default via {subnet}.1",
        ):
            subprocess.run([*self.within, "ip", *words.split()], check=True)

    @property
    def within(self) -> list[str]:
        """Runs a command there."""
        return ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net", "--"]

    def leave(self) -> None:
        self._holder.kill()
        self._holder.communicate()


class Network:
    """All places, what is closed between them, and what was dialled."""

    def __init__(self, instances: int = 1) -> None:
        ip("link", "set", "lo", "up")
        ip("address", "add", f"{ROUTER}/32", "dev", "lo")
        with open("/proc/sys/net/ipv4/ip_forward", "w", encoding="ascii") as forward:  # noqa: PTH123
            forward.write("1")
        self.places = [Place(role, n) for n in range(instances) for role in TOPOLOGY.roles]
        self._rules: list[tuple[object, ...]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for place in self.places:
            place.leave()

    def addresses(self, role: str) -> list[str]:
        return [place.address for place in self.places if place.role == role]

    def close(self, closed: Iterable[Closed]) -> None:
        """Drop what these callers send to these ports, in place of what was dropped before."""
        for rule in self._rules:
            ip("rule", "delete", *rule)
        self._rules = [
            (
                *("from", caller, "to", callee, "ipproto", "tcp"),
                *("dport", TOPOLOGY.roles[to].ports[port], "blackhole"),
            )
            for from_, to, port in closed
            for caller in self.addresses(from_)
            for callee in self.addresses(to)
            if caller != callee
        ]
        for rule in self._rules:
            ip("rule", "add", *rule)


class Dials:
    """Every TCP connection that was tried through the router, by who dialled whom."""

    def __init__(self, network: Network) -> None:
        self._roles = {place.address: place.role for place in network.places}
        self._roles[ROUTER] = "database"
        self._seen: Counter[tuple[str, str, int]] = Counter()
        everything = socket.htons(0x0003)
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, everything)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            packet, where = self._socket.recvfrom(256)
            if where[2] != _OURS and (dial := _syn(packet)):
                source, target, port = dial
                if source in self._roles and target in self._roles:
                    self._seen[self._roles[source], self._roles[target], port] += 1

    def seen(self) -> set[tuple[str, str, int]]:
        """Caller, callee and port; the database's is the one that it has here."""
        return set(self._seen.copy())


def _syn(packet: bytes) -> tuple[str, str, int] | None:
    """Source, target and port, if an IPv4 packet opens a TCP connection."""
    if len(packet) < 40 or packet[0] >> 4 != 4 or packet[9] != _TCP:
        return None
    tcp = packet[(packet[0] & 0x0F) * 4 :]
    if len(tcp) < 14 or not tcp[13] & _SYN or tcp[13] & _ACK:
        return None
    return (
        socket.inet_ntoa(packet[12:16]),
        socket.inet_ntoa(packet[16:20]),
        int.from_bytes(tcp[2:4]),
    )


def lack() -> str | None:
    """Why there can be no such network here; None when there can."""
    try:
        tried = subprocess.run(
            [*alone(), "sh", "-ec", _TRIAL], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return "no unshare (apt-get install util-linux)"
    if tried.returncode == 0:
        return None
    said = tried.stderr.strip().splitlines()
    return (
        "no network namespaces (they take Linux, iproute2, util-linux, and root or user "
        f"namespaces): {said[-1] if said else tried.returncode}"
    )


_TRIAL = """
ip link set lo up
unshare --net true
ip link add one type veth peer name two
ip rule add from 10.77.0.1 to 10.77.0.2 ipproto tcp dport 1 blackhole
echo 1 > /proc/sys/net/ipv4/ip_forward
"""
