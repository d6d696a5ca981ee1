"""Places on a bridge, each a network namespace with an address, as a container has one."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from temporal_dsql_deploy.rehearsal.network import walls

DEVICE = "dsqltestbr"
ROUTER = "10.197.0.1"
_AMONG_ITSELF = f"--in-interface {DEVICE} --out-interface {DEVICE} --jump ACCEPT"

_DIALS = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=float(sys.argv[3])).close()
    print("open")
except TimeoutError:
    print("silent")
except ConnectionRefusedError:
    print("refused")
"""
_SERVES = """
import socket, sys, threading
sockets = [socket.create_server(("0.0.0.0", int(port))) for port in sys.argv[1:]]
def echo(one):
    while said := one.recv(100):
        one.sendall(said)
def serve(one):
    while True:
        threading.Thread(target=echo, args=(one.accept()[0],), daemon=True).start()
for one in sockets:
    threading.Thread(target=serve, args=(one,), daemon=True).start()
print("listens", flush=True)
sys.stdin.read()
"""
_TALKS = """
import socket, sys
one = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10)
for line in sys.stdin:
    one.sendall(line.encode())
    print(one.recv(100).decode().strip(), flush=True)
"""


@dataclass
class Place:
    """One address."""

    address: str
    number: int
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        holder = self._start(["unshare", "--net", "sh", "-c", "echo; exec sleep infinity"])
        device = f"dsqltest{self.number}"
        self._holder = holder.pid
        run(f"ip link add {device} type veth peer name eth0 netns {holder.pid}")
        run(f"ip link set {device} master {DEVICE} up")
        inside = (
            "link set lo up",
            f"address add {self.address}/16 dev eth0",
            "link set eth0 up",
            f"route add default via {ROUTER}",
        )
        for words in inside:
            run(f"{self._within} ip {words}")

    @property
    def _within(self) -> str:
        return f"nsenter --net=/proc/{self._holder}/ns/net --"

    def _start(self, words: list[str]) -> subprocess.Popen[str]:
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    def serves(self, *ports: int) -> None:
        """Listen on these."""
        self._start([*self._within.split(), "python3", "-c", _SERVES, *map(str, ports)])

    def dials(self, address: str, port: int, patience: float = 1.5) -> str:
        """`open`, `silent` or `refused`."""
        words = [*self._within.split(), "python3", "-c", _DIALS, address, str(port), str(patience)]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()

    @contextmanager
    def connected(self, address: str, port: int) -> Iterator["Talk"]:
        """A connection that stays open as long as the block lasts."""
        words = [*self._within.split(), "python3", "-c", _TALKS, address, str(port)]
        with subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                yield Talk(process)
            finally:
                process.kill()

    def leave(self) -> None:
        for process in self.processes[::-1]:
            process.kill()
            process.communicate()


class Talk:
    """An open connection to somebody who says the same again."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def says(self, word: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


class Bridge:
    """A device, and who is on it."""

    def __init__(self) -> None:
        self.walls = walls.Walls(DEVICE, [ROUTER])
        self._places: list[Place] = []

    def __enter__(self) -> Self:
        run(f"ip link add {DEVICE} type bridge")
        run(f"ip address add {ROUTER}/16 dev {DEVICE}")
        run(f"ip link set {DEVICE} up")
        # Docker has frames between its own bridges pass, and no others.
        run(f"iptables --insert FORWARD {_AMONG_ITSELF}")
        return self

    def place(self, address: str) -> Place:
        made = Place(address, len(self._places))
        self._places.append(made)
        return made

    def own_address(self, address: str) -> None:
        """One more of this machine, where a process of it may listen."""
        run(f"ip address add {address}/32 dev {DEVICE}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for place in self._places:
            place.leave()
        run(f"iptables --delete FORWARD {_AMONG_ITSELF}")
        run(f"ip link delete {DEVICE}")
        self.walls.remove()


def run(command: str) -> None:
    done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
