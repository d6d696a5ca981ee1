"""Run `dsql-deploy` as its users do, as a process, apart from everything else on the machine."""

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from temporal_dsql_deploy.platforms.processes import record
from temporal_dsql_deploy.platforms.processes.ports import is_free
from temporal_dsql_deploy.platforms.processes.record import Record

COMMAND = Path(sys.executable).parent / "dsql-deploy"
PORTS = ("frontend", "ui", "metrics", "http")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, all different.

    They are below the range that the system hands out by itself: the embedded server takes some of
    those for its roles, and would take one of ours before it is used.
    """
    found: list[int] = []
    while len(found) < count:
        port = secrets.choice(range(10_000, 32_000))
        if port not in found and is_free(port):
            found.append(port)
    return found


class Deploy:
    """`dsql-deploy` with directories and ports of its own; everything it starts is cleaned up.

    `within` is a command that becomes the one it runs.
    """

    def __init__(self, folder: Path, within: Sequence[str] = ()) -> None:
        self.folder = folder
        self.command = [*within, str(COMMAND)]
        self.state = folder / "state"
        self.config = folder / "config"
        self.data = self.state / "dsql-deploy" / "local"
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self.environment = {
            **{key: value for key, value in os.environ.items() if not _ours(key)},
            "XDG_STATE_HOME": str(self.state),
            "XDG_CONFIG_HOME": str(self.config),
            "BROWSER": "true",
        }
        self.cwd = folder / "cwd"
        self.cwd.mkdir(parents=True, exist_ok=True)
        self.write_environment()
        self._started: list[subprocess.Popen[str]] = []

    def write_environment(self, text: str = "", name: str = "local") -> Path:
        """The file of an environment: its ports, then `text`."""
        path = self.config / "dsql-deploy" / "environments" / f"{name}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (f"{port} = {number}" for port, number in self.ports.items())
        path.write_text("\n".join([text, "[ports]", *lines, ""]))
        return path

    def run(
        self, *arguments: str, check: bool = True, timeout: float = 120, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run to the end; with `check` a code other than 0 fails the test, with what was said."""
        done = subprocess.run(
            [*self.command, *arguments],
            capture_output=True,
            cwd=self.cwd,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        if check:
            assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def json(self, *arguments: str, check: bool = True) -> Any:
        """The document that a verb prints with --json."""
        return json.loads(self.run(*arguments, "--json", check=check).stdout)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start and do not wait; `end_started` ends it, if the test does not."""
        process = subprocess.Popen(
            [*self.command, *arguments],
            cwd=self.cwd,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def end_started(self) -> None:
        """End what a test that failed has not waited for: it would fail those after it too."""
        for process in self._started:
            process.kill()
            process.wait()
            # Whoever comes to collect garbage would be blamed for them: any later test.
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
        self._started.clear()

    @property
    def address(self) -> str:
        """host:port of the frontend."""
        return f"127.0.0.1:{self.ports['frontend']}"

    @property
    def record_path(self) -> Path:
        return self.data / "run" / "server.json"

    def record(self) -> Record:
        """The run record of the server, which must be there."""
        run = record.read(self.record_path)
        assert run is not None
        return run

    def servers(self) -> list[psutil.Process]:
        """Whatever runs, or is a zombie, with this folder in its command line."""
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if str(self.folder) in " ".join(process.info["cmdline"] or [])
        ]

    def clean_up(self) -> None:
        """Kill what a test has left running."""
        self.end_started()
        for path in self.folder.rglob("run/*.json"):
            run = record.read(path)
            for process in (run.process, run.keeper) if run else ():
                if process.alive():
                    os.kill(process.pid, signal.SIGKILL)


def _ours(variable: str) -> bool:
    return variable.startswith(("DSQL_DEPLOY_", "TEMPORAL_", "XDG_", "BENCHMARK_"))
