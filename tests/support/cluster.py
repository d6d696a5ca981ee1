"""The environment `cluster` as its users meet it, on addresses of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.platforms.processes import record
from temporal_dsql_deploy.platforms.processes.record import Record
from tests.support.deploy import Deploy

NETWORK = 192 + os.getpid() % 60
"""The second number of its addresses."""


class Cluster:
    """An environment `cluster` on addresses of its own."""

    def __init__(self, deploy: Deploy) -> None:
        self.deploy = deploy
        self.data = deploy.state / "dsql-deploy" / "cluster"
        self.settings(f"network = {NETWORK}")

    def settings(self, text: str) -> None:
        """What its file says."""
        path = self.deploy.config / "dsql-deploy" / "environments" / "cluster.toml"
        path.write_text(text)

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
