"""Temporal roles of the real server, each a process started through the runtime's entrypoint."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import temporal_dsql_deploy.runtime
from scripts import temporal_server
from temporal_dsql_deploy import topology
from temporal_dsql_deploy.platforms import temporal_api
from temporal_dsql_deploy.platforms.processes import ports
from temporal_dsql_deploy.platforms.protocol import Member, State
from tests.support import postgresql
from tests.unit.runtime.good import POSTGRESQL

RUNTIME = Path(temporal_dsql_deploy.runtime.__file__).parent
TOPOLOGY = topology.load()
SERVER = topology.servers()["temporal-server"]
PATIENCE = 60.0
HOST = "127.0.0.1"


def program(name: str) -> str:
    return str(temporal_server.folder() / name)


@contextmanager
def database(also: str = "", trusted: str = "") -> Iterator[int]:
    """The port of a PostgreSQL with both schemas, made as servers.json says.

    Each cluster has its own: the rows of one that is gone would delay the next by half a minute.
    """
    with postgresql.running(also, trusted) as port:
        environment = {
            **os.environ,
            "SQL_PLUGIN": "postgres12_pgx",
            "SQL_HOST": HOST,
            "SQL_PORT": str(port),
            "SQL_USER": postgresql.USER,
            "SQL_PASSWORD": "any",
        }
        names = {"database": "temporal", "visibility_database": "temporal_visibility"}
        for route in (SERVER.schema.default, SERVER.schema.visibility):
            for tool, *arguments in route.commands:
                words = [word.format(**names) for word in arguments]
                subprocess.run(
                    [program(tool), *words], env=environment, check=True, capture_output=True
                )
        yield port


class Role:
    """A process of one role.

    `own` are variables that it has for itself; `within` is a command that becomes the one it runs.
    """

    def __init__(
        self,
        name: str,
        database: int,
        folder: Path,
        own: Mapping[str, str],
        *,
        runtime: Path = RUNTIME,
        within: Sequence[str] = (),
    ) -> None:
        self.name = name
        mark = f"{name}-{own['BIND_ON_IP']}"
        self.log = folder / f"{mark}.log"
        standard = TOPOLOGY.roles[name].ports
        self.member = Member(
            role=name,
            address=own["BIND_ON_IP"],
            membership_port=int(own.get("TEMPORAL_MEMBERSHIP_PORT", standard["membership"])),
            grpc_port=int(own.get("TEMPORAL_GRPC_PORT", standard["grpc"])),
        )
        self.address = f"{own['BIND_ON_IP']}:{self.member.grpc_port}"
        environment = {
            **POSTGRESQL,
            **own,
            "TEMPORAL_SERVICES": name,
            "TEMPORAL_SQL_PORT": str(database),
            "PATH": os.environ["PATH"],
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *within,
                    *(sys.executable, "-IS", str(runtime)),
                    *("--config-dir", str(folder / mark)),
                    *("--server", program("temporal-server")),
                ],
                env=environment,
                stdout=log,
                stderr=log,
            )

    def until_logged(self, text: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while text not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.02)

    def until_serving(self) -> None:
        deadline = time.monotonic() + PATIENCE
        service = TOPOLOGY.roles[self.name].health_service
        while asyncio.run(temporal_api.health(self.address, service)) != State.SERVING:
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.05)

    def kill(self) -> None:
        """As kill -9, also of one that is frozen."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


_NUMBERS = count(os.getpid() % 10_000)


def membership_port() -> int:
    """One that fits its column; those that the system gives to anybody are above it."""
    highest = TOPOLOGY.runtime["TEMPORAL_MEMBERSHIP_PORT"].maximum
    assert isinstance(highest, int)
    tried = (highest - number for number in _NUMBERS)
    return next(port for port in tried if ports.is_free(port))


def one_address(name: str) -> dict[str, str]:
    """Ports of its own on the one loopback address that every system has."""
    free = {port.upper(): ports.any_free() for port in ("grpc", "http", "metrics")}
    free["MEMBERSHIP"] = membership_port()
    return {"BIND_ON_IP": HOST, **{f"TEMPORAL_{port}_PORT": str(n) for port, n in free.items()}}


def own_addresses(name: str, number: int = 0) -> dict[str, str]:
    """The standard ports on a loopback address of its own, another for each number below 50."""
    network = os.getpid()
    last = list(TOPOLOGY.roles).index(name) + 1 + 4 * number
    return {"BIND_ON_IP": f"127.{64 + network // 256 % 128}.{network % 256}.{last}"}
