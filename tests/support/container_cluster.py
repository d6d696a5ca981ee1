"""The environment `cluster` in containers as its users meet it, apart from all else."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.support.container_images import Images
from tests.support.containers import DOCKER
from tests.support.deploy import Deploy, free_ports

PUBLISHED = ("frontend", "http", "ui")


class ContainerCluster:
    """An environment that runs by docker, on ports of its own."""

    def __init__(self, deploy: Deploy, docker: dict[str, str], images: Images) -> None:
        self.deploy = deploy
        self.docker = docker
        self.ports = dict(zip(PUBLISHED, free_ports(len(PUBLISHED)), strict=True))
        self.data = deploy.state / "dsql-deploy" / "cluster"
        deploy.environment.update({**docker, **images.variables()})
        listed = "".join(f"{name} = {port}\n" for name, port in self.ports.items())
        file = deploy.config / "dsql-deploy" / "environments" / "cluster.toml"
        file.write_text(f'runtime = "docker"\n[ports]\n{listed}')

    @property
    def address(self) -> str:
        """host:port of the frontend, the same for as long as the cluster is there."""
        return f"127.0.0.1:{self.ports['frontend']}"

    def run(
        self, verb: str, *words: str, check: bool = True, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return self.deploy.run(verb, "cluster", *words, check=check, timeout=300, **variables)

    def run_group(self, group: str, verb: str) -> subprocess.CompletedProcess[str]:
        """A verb of a group, whose exit code is its answer."""
        return self.deploy.run(group, verb, "cluster", check=False, timeout=300)

    def up(self, *options: str) -> Any:
        """With patience: a machine of two cores starts all of it."""
        return json.loads(self.run("up", *options, "--deadline", "60", "--json").stdout)

    def status(self) -> Any:
        return json.loads(self.run("status", "--json", check=False).stdout)

    def command(self, *words: str) -> str:
        """What Docker's client says."""
        return subprocess.run(
            [DOCKER, *words],
            env={**os.environ, **self.docker},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def containers(self) -> dict[str, Any]:
        """As the engine describes them, by the names that Compose has given."""
        ids = self.command("ps", "--all", "--quiet", "--filter", self._own()).split()
        described = json.loads(self.command("inspect", *ids)) if ids else []
        return {one["Name"].strip("/"): one for one in described}

    def alive(self) -> list[str]:
        """The names that Compose has given to those that run."""
        if not self.data.exists():
            return []
        return self.command("ps", "--filter", self._own(), "--format", "{{.Names}}").split()

    def _own(self) -> str:
        return f"label=com.docker.compose.project={self.project}"

    @cached_property
    def project(self) -> str:
        return str(self.status()["facts"]["containers"])

    def left(self) -> list[str]:
        """Containers, volumes and networks that are there."""
        own = ["--filter", self._own(), "--quiet"]
        return [
            *self.command("ps", "--all", *own).split(),
            *self.command("volume", "ls", *own).split(),
            *self.command("network", "ls", *own).split(),
        ]

    def pids(self) -> dict[str, int]:
        """Of all that runs, by the name in the cluster."""
        parts = self.status()["components"]
        return {one["instance"] or one["name"]: one["pid"] for one in parts if one["pid"]}


@contextmanager
def cluster_in_containers(
    folder: Path, docker: dict[str, str], images: Images
) -> Iterator[ContainerCluster]:
    """One that nothing is left of in the end."""
    deploy = Deploy(folder)
    made = ContainerCluster(deploy, docker, images)
    try:
        yield made
    finally:
        deploy.end_started()
        made.run("destroy", "--yes", "--grace", "2", check=False)
