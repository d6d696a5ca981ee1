"""What of a rehearsal stands on this machine: its folder, its AWS, its network, its containers."""

import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from temporal_dsql_deploy.environments.find import FOLDER_VARIABLE, state_directory
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.platforms.cluster import parts
from temporal_dsql_deploy.platforms.cluster.containers import engine
from temporal_dsql_deploy.platforms.cluster.layout import OPENSEARCH
from temporal_dsql_deploy.platforms.processes import ports, supervisor
from temporal_dsql_deploy.platforms.processes import record as records
from temporal_dsql_deploy.platforms.processes.directory import Directory
from temporal_dsql_deploy.platforms.processes.supervisor import Component
from temporal_dsql_deploy.rehearsal import listening, settings, stores
from temporal_dsql_deploy.rehearsal.aws import server
from temporal_dsql_deploy.rehearsal.ecs.commands import LABEL
from temporal_dsql_deploy.rehearsal.network.bridge import Network
from temporal_dsql_deploy.rehearsal.overrides import PARALLELISM
from temporal_dsql_deploy.rehearsal.settings import RehearsalSettings

AWS = "aws"
COPY, ECS, ENVIRONMENTS = "terraform", "ecs", "environments"
"""Folders: the copy of Terraform; what the emulated ECS keeps; the environment, for other verbs."""
_SETTINGS = "settings.json"
_SHELL = "talk.sh"
_GRACE = 15.0
_LOOPBACK = "127.0.0.1"
_PORT = "--port"
_ELSEWHERE = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")
"""Of a user who works with AWS: a profile is looked for in the files that are left out here."""


class Standing:
    """One rehearsal on this machine."""

    def __init__(self, environment: str) -> None:
        name = f"rehearsal-{environment}"
        data = (f"{parts.DATA}*", OPENSEARCH, COPY, ECS, ENVIRONMENTS, _SETTINGS, _SHELL)
        self.directory = Directory(state_directory(name), name, data)
        self._name = environment

    @property
    def settings(self) -> Path:
        """The file that the emulated ECS reads."""
        return self.directory.root / _SETTINGS

    @property
    def copy(self) -> Path:
        """Folder of the copy of Terraform."""
        return self.directory.root / COPY

    @property
    def ecs(self) -> Path:
        """Folder of the emulated ECS."""
        return self.directory.root / ECS

    def start_aws(self) -> int:
        """Start the emulated AWS; its port. It stays when this command ends. Raises StartFailed."""
        port = ports.any_free()
        command = [
            *(sys.executable, "-m", "temporal_dsql_deploy.rehearsal.aws"),
            *(_PORT, str(port), "--containers", str(self.settings), "--stays"),
        ]
        record, log = self.directory.record(AWS), self.directory.log(AWS)
        supervisor.start(Component(AWS, command, record, log, dict(os.environ)))
        return port

    def talking_to_aws(self, port: int) -> dict[str, str]:
        """Wait until it listens; the variables by which it is talked to.

        Raises StartFailed, NotReady.
        """
        listening.until((_LOOPBACK, port), self.directory.record(AWS))
        return _variables(port)

    def stands(self) -> dict[str, str] | None:
        """The variables by which its AWS is talked to; None where none runs."""
        run = records.read(self.directory.record(AWS))
        if run is None or not run.alive():
            return None
        return _variables(int(run.command[run.command.index(_PORT) + 1]))

    def keep(self, told: Mapping[str, str]) -> Path:
        """Write down that it is to stand, as what a shell reads to talk to it. Raises OSError."""
        path = self.directory.root / _SHELL
        path.write_text("\n".join([*shell_lines(told), ""]), encoding="utf-8")
        return path

    @property
    def kept(self) -> Path | None:
        """That file of one that stands; None where nothing does, or nobody wanted it to."""
        path = self.directory.root / _SHELL
        return path if path.is_file() and self.stands() is not None else None

    def rehearsed(self, environment: Environment) -> Environment:
        """An environment with the copy of its Terraform that stands. Raises UnknownEnvironment."""
        from temporal_dsql_deploy.environments.file import read

        told = read(self._name, self._told)
        return replace(
            environment, terraform=told.terraform, var_files=told.var_files, account=None
        )

    @property
    def _told(self) -> Path:
        return self.directory.root / ENVIRONMENTS / f"{self._name}.toml"

    def tell(self, environment: Environment) -> dict[str, str]:
        """Let other verbs find what is rehearsed under its own name; by which variable.

        Raises OSError.
        """
        self._told.parent.mkdir(exist_ok=True)
        # JSON's strings and lists of them are TOML's too.
        said = {
            "platform": environment.platform,
            "terraform": str(environment.terraform),
            "var_files": [str(path) for path in environment.var_files],
        }
        lines = [f"{name} = {json.dumps(value)}" for name, value in said.items()]
        self._told.write_text("\n".join([*lines, ""]), encoding="utf-8")
        return {FOLDER_VARIABLE: str(self._told.parent)}

    def write(self, wanted: RehearsalSettings) -> None:
        """Tell the emulated ECS; it reads the file again when it has changed. Raises OSError."""
        settings.write(self.settings, wanted)

    def remove(self, network: Network | None) -> None:
        """Take everything away that an earlier rehearsal or this one has left, in any state.

        Raises BinaryMissing, BinaryUnusable, StartFailed, StopFailed.
        """
        supervisor.stop_all([self.directory.record(AWS)], grace=_GRACE)
        self._remove_containers()
        (network or Network(self._name, "0.0.0.0/0")).remove()
        stores.stop(self.directory)
        self.directory.remove()

    def _remove_containers(self) -> None:
        docker = engine.find()
        ours = f"label={LABEL}={self.ecs}"
        containers = docker.run("ps", "--all", "--quiet", "--filter", ours).split()
        if containers:
            docker.run("rm", "--force", "--volumes", *containers)
        volumes = docker.run("volume", "ls", "--quiet", "--filter", ours).split()
        if volumes:
            docker.run("volume", "rm", "--force", *volumes)


def shell_lines(told: Mapping[str, str]) -> list[str]:
    """What lets a shell talk to a rehearsal, and to nobody else."""
    exports = (f"export {name}={shlex.quote(value)}" for name, value in told.items())
    return [f"unset {' '.join(_ELSEWHERE)}", *exports]


def _variables(port: int) -> dict[str, str]:
    return server.variables(f"http://{_LOOPBACK}:{port}")


@contextmanager
def speaking_to(variables: Mapping[str, str]) -> Iterator[None]:
    """A block in which this process, and what it starts, talk to the emulated AWS alone."""
    before = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    for name in before:
        del os.environ[name]
    told = {**variables, **PARALLELISM}
    os.environ.update(told)
    try:
        yield
    finally:
        for name in told:
            with suppress(KeyError):
                del os.environ[name]
        os.environ.update(before)
