"""The environment `cluster` as its users meet it, on addresses of its own."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.platforms.cluster import change, layout, parts
from temporal_dsql_deploy.platforms.cluster import settings as settings_file
from temporal_dsql_deploy.platforms.cluster.starting import until_ready
from temporal_dsql_deploy.platforms.processes import record, supervisor
from temporal_dsql_deploy.platforms.processes.directory import Directory
from temporal_dsql_deploy.platforms.processes.ports import is_free
from temporal_dsql_deploy.platforms.processes.record import Record
from tests.support.deploy import Deploy

_NETWORKS = range(192, 252)


def free_network() -> int:
    """A loopback network without a cluster, most likely not the one that another run takes."""
    alone = dict.fromkeys(topology.load().roles, 1)
    for number in range(os.getpid(), os.getpid() + len(_NETWORKS)):
        network = _NETWORKS[number % len(_NETWORKS)]
        places = layout.places(alone, network, {}, {}, is_free)
        if all(is_free(port, one.address) for one in places for port in one.ports.values()):
            return network
    raise AssertionError("every network has a cluster")


NETWORK = free_network()
"""The second number of its addresses."""


class Cluster:
    """An environment `cluster` on addresses of its own."""

    def __init__(self, deploy: Deploy) -> None:
        self.deploy = deploy
        self.data = deploy.state / "dsql-deploy" / "cluster"
        self.settings(f"network = {NETWORK}")

    def settings(self, text: str) -> None:
        """What its file says."""
        self._file.write_text(text)

    def text(self) -> str:
        """What its file says now."""
        return self._file.read_text()

    @property
    def _file(self) -> Path:
        return self.deploy.config / "dsql-deploy" / "environments" / "cluster.toml"

    def up(self, *options: str) -> Any:
        return self.deploy.json("up", "cluster", *options)

    def status(self, *, check: bool = True) -> Any:
        return self.deploy.json("status", "cluster", check=check)

    def run(self, name: str) -> Record:
        found = record.read(self.data / "run" / f"{name}.json")
        assert found is not None
        return found

    def pids(self) -> dict[str, int]:
        """Of every process, as its record has it."""
        return {path.stem: self.run(path.stem).process.pid for path in self.records()}

    def records(self) -> list[Path]:
        return [path for path in (self.data / "run").glob("*.json") if record.read(path)]

    def destroy(self) -> None:
        """Also what a test has left running."""
        if self.data.exists():
            self.deploy.run("destroy", "cluster", "--yes", "--grace", "5", check=False)


@contextmanager
def cluster_of(deploy: Deploy) -> Iterator[Cluster]:
    """One that nothing is left of in the end."""
    made = Cluster(deploy)
    yield made
    made.destroy()


@contextmanager
def standing_cluster(folder: Path) -> Iterator[Cluster]:
    """One for all tests of a file, with a state directory of its own."""
    deploy = Deploy(folder)
    try:
        with cluster_of(deploy) as made:
            yield made
    finally:
        deploy.clean_up()


def actions(result: Any) -> dict[str, str]:
    return {change["what"]: change["action"] for change in result["changes"]}


def by_name(status: Any) -> dict[str, Any]:
    return {part["instance"] or part["name"]: part for part in status["components"]}


def until(lines: Any, text: str) -> None:
    """Read lines up to one that says this."""
    for line in lines:
        if text in line:
            return
    raise AssertionError(f"it never said {text}")


def started_elsewhere(cluster: Cluster, network: int) -> None:
    """Kill everything with -9, and start it at once on new addresses while the old rows are fresh.

    So an orchestrator does it that knows nothing of Temporal; this returns as soon as they run.
    """
    path = cluster.data / change.SETTINGS
    settings = settings_file.read(path)
    assert settings is not None
    for pid in cluster.pids().values():
        os.kill(pid, signal.SIGKILL)
    moved = replace(settings, network=network)
    settings_file.write(path, moved)
    cluster.settings(f"network = {network}")
    directory = Directory(cluster.data, "cluster", [])
    for part in parts.all_parts("cluster", moved, directory):
        supervisor.start(part.component(directory))
        if part.place.component == layout.DATABASE:
            until_ready(directory)
