"""The images that a rehearsal runs, and the command line that rehearses with them."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from temporal_dsql_deploy.rehearsal.ecs.commands import LABEL
from temporal_dsql_deploy.rehearsal.network import walls
from temporal_dsql_deploy.rehearsal.network.bridge import Network
from tests.support import containers
from tests.support.container_images import BASE, binaries
from tests.support.containers import DOCKER
from tests.support.deploy import Deploy

DEV = Network("dev", "10.0.0.0/16")
_SECONDS = 1800
NEEDS = [
    pytest.mark.needs("container engine"),
    pytest.mark.needs("nftables"),
    pytest.mark.needs("terraform"),
    pytest.mark.needs("temporal-server"),
    pytest.mark.needs("opensearch"),
    pytest.mark.needs("postgresql"),
    pytest.mark.timeout(2400),
]
"""Marks of the tests of whole rehearsals."""


@dataclass(frozen=True, slots=True)
class StandingRehearsal:
    """One that stands, and the command line that talks to its AWS."""

    result: dict[str, Any]
    """What `rehearse --keep --json` said."""
    deploy: Deploy

    @property
    def url(self) -> str:
        """Endpoint of its AWS."""
        return str(self.result["standing"]["AWS_ENDPOINT_URL"])

    @property
    def state(self) -> Path:
        """The folder of all that it keeps."""
        return self.deploy.state / "dsql-deploy" / f"rehearsal-{self.result['environment']}"

    @property
    def terraform(self) -> Path:
        """The folder of the copy of dev's Terraform, with its state."""
        return self.state / "terraform/terraform/envs/dev"


def stand(deploy: Deploy, environment: str) -> StandingRehearsal:
    """Rehearse and keep; from then on the command talks to what stands, as its user is told to."""
    done = deploy.run("rehearse", environment, "--keep", "--json", timeout=_SECONDS)
    result = json.loads(done.stdout)
    deploy.environment |= result["standing"]
    return StandingRehearsal(result, deploy)


def end(deploy: Deploy, environment: str) -> None:
    """Take away what stands."""
    deploy.run("rehearse", environment, "--end")


def left(deploy: Deploy, network: Network) -> list[str]:
    """What stands of a rehearsal on this machine."""
    found = [str(path) for path in deploy.state.rglob(f"rehearsal-{network.environment}")]
    devices = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True)
    found += [network.device] if network.device in devices.stdout else []
    tables = walls.run("list", "tables")
    found += [walls.table_of(network.device)] if network.device in tables else []
    ours = deploy.state / "dsql-deploy" / f"rehearsal-{network.environment}" / "ecs"
    for kind in (["ps", "--all"], ["volume", "ls"]):
        asked = [DOCKER, *kind, "--quiet", "--filter", f"label={LABEL}={ours}"]
        said = subprocess.run(
            asked, env=deploy.environment, capture_output=True, text=True, check=True
        )
        found += said.stdout.split()
    return found + [str(one) for one in deploy.servers()]


def build_images(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Build those of this project, with the stock server and its schema; names by image."""
    deploy = rehearsing(environ, folder / "building")
    done = deploy.run(
        *("images", "build", "cluster"),
        *("--binaries", str(binaries(folder / "binaries", schema=True))),
        *("--base-image", BASE, "--image", "runtime", "--image", "admin-tools", "--json"),
        timeout=900,
    )
    return {one["image"]: one["name"] for one in json.loads(done.stdout)["images"]}


def rehearsing(environ: Mapping[str, str], folder: Path) -> Deploy:
    """The command with a state directory of its own, and this container engine."""
    deploy = Deploy(folder)
    deploy.environment.update(environ)
    return deploy


@contextmanager
def from_nothing() -> Iterator[Deploy]:
    """A block with a container engine and images of its own, and the command that rehearses."""
    with tempfile.TemporaryDirectory(prefix="campaign-") as name:
        folder = Path(name)
        with containers.engine(folder) as environ:
            containers.load_base(environ)
            build_images(environ, folder / "images")
            yield rehearsing(environ, folder / "deploy")


@contextmanager
def talking_to(standing: StandingRehearsal) -> Iterator[None]:
    """A block in which this process talks to the AWS of a rehearsal, and to its engine."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    own = standing.deploy.environment
    os.environ.update(standing.result["standing"])
    os.environ.update({name: own[name] for name in own if name.startswith("DOCKER_")})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
