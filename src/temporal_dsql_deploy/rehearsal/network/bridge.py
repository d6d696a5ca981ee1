"""The device that plays a VPC, and the Docker network on it."""

import hashlib
import ipaddress
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from temporal_dsql_deploy.errors import (
    BinaryMissing,
    BinaryUnusable,
    DeployError,
    PermissionMissing,
    RefusedError,
)
from temporal_dsql_deploy.platforms.cluster.containers import engine
from temporal_dsql_deploy.platforms.cluster.containers.engine import Engine
from temporal_dsql_deploy.rehearsal.network import walls

_SECONDS = 30
_DEVICES = Path("/sys/class/net")
_OPTIONS = {
    # What runs in a rehearsal reaches nothing beyond this machine.
    "com.docker.network.bridge.enable_ip_masquerade": "false",
    "com.docker.network.bridge.enable_icc": "true",
}


@dataclass(frozen=True, slots=True)
class Network:
    """The network of one rehearsal."""

    environment: str
    cidr: str
    """Of the VPC."""

    @property
    def name(self) -> str:
        """What Docker calls it."""
        return f"dsql-deploy-rehearsal-{self.environment}"

    @property
    def device(self) -> str:
        """The bridge; names of devices have 15 characters at most."""
        return f"dsqlr{hashlib.sha256(self.environment.encode()).hexdigest()[:8]}"

    @property
    def gateway(self) -> str:
        """This machine's own address in it: the one that AWS keeps for the router of the VPC."""
        return str(ipaddress.IPv4Network(self.cidr)[1])

    def created(self) -> list[str]:
        """The arguments of docker that make it."""
        options = {"com.docker.network.bridge.name": self.device, **_OPTIONS}
        return [
            *("network", "create", "--driver", "bridge"),
            *("--subnet", self.cidr, "--gateway", self.gateway),
            *(f"--opt={name}={value}" for name, value in options.items()),
            self.name,
        ]

    def make(self) -> None:
        """Make it, in place of one that an earlier rehearsal has left; its walls let all through.

        Raises BinaryMissing, BinaryUnusable, PermissionMissing, RefusedError.
        """
        docker = engine.find()
        self.remove()
        try:
            docker.run(*self.created())
        except DeployError as error:
            if "overlap" not in f"{error.message} {error.cause}".lower():
                raise
            raise RefusedError(
                f"the VPC {self.cidr} cannot be played on this machine",
                cause=f"it has another network with addresses of it: {error.cause}",
                fix="end what has it (docker network ls, ip route), or give the environment "
                "another vpc_cidr: --var-file FILE",
            ) from error
        walls.Walls(self.device, [self.gateway]).write()

    def remove(self) -> None:
        """Take it away with all containers on it, also where there is none.

        Raises BinaryMissing, BinaryUnusable, StartFailed.
        """
        docker = engine.find()
        if self.name in _lines(docker, "network", "ls", "--format", "{{.Name}}"):
            on_it = ("ps", "--all", "--quiet", "--filter", f"network={self.name}")
            if there := _lines(docker, *on_it):
                docker.run("rm", "--force", "--volumes", *there)
            docker.run("network", "rm", self.name)
        # An engine that has ended since, or was killed, has left it; and none removes a device that
        # it found there.
        if (_DEVICES / self.device).exists():
            ip("link", "delete", "dev", self.device)
        walls.remove(self.device)

    def add(self, address: str) -> None:
        """Give this machine one more address there. Raises BinaryUnusable."""
        ip("address", "replace", f"{address}/32", "dev", self.device)


def check() -> None:
    """Whether this machine can play a VPC. Raises BinaryMissing, BinaryUnusable, PermissionMissing.

    It changes nothing.
    """
    if sys.platform != "linux":
        raise BinaryUnusable(
            "a rehearsal takes Linux",
            cause="it gives each task an address on a bridge of this machine, and nftables "
            "enforces the security groups there",
            fix="run it on a Linux machine, such as a virtual one",
        )
    if os.geteuid() != 0:
        raise PermissionMissing(
            "a rehearsal takes root",
            cause="it gives addresses to this machine and loads rules into nftables",
            fix="run it as root: sudo dsql-deploy rehearse ENV",
        )
    walls.run("list", "tables")
    ip("-Version")
    try:
        engine.find().version()
    except (BinaryMissing, BinaryUnusable) as error:
        # Its own way out is to do without containers, which a rehearsal cannot.
        error.fix = (
            "install Docker's engine and start it (systemctl start docker), or name one that runs "
            "on this machine with DOCKER_HOST"
        )
        raise


def ip(*words: str) -> None:
    """Change this machine's network. Raises BinaryMissing, BinaryUnusable."""
    path = shutil.which("ip") or shutil.which("ip", path="/usr/sbin:/sbin")
    if path is None:
        raise BinaryMissing(
            "ip was not found",
            cause="it gives the addresses of a rehearsal's data stores to this machine",
            fix="install iproute2: apt-get install iproute2",
        )
    done = subprocess.run(
        [path, *words], capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if done.returncode != 0:
        raise BinaryUnusable(
            "this machine's network cannot be changed",
            cause=f"ip {' '.join(words)}: {done.stderr.strip()}",
            fix="see what it says; it takes root, and a kernel with bridges",
        )


def _lines(docker: Engine, *words: str) -> list[str]:
    return docker.run(*words).split()
