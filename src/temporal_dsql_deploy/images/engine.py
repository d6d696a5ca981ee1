"""The container engine of this machine: Docker, else Podman, else Buildah.

Its command lines are made by pure functions, so that what would be run can be shown.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable, ImageFailed, UnknownChoice

ENGINES = ("docker", "podman", "buildah")
"""In the order in which they are looked for."""
_OLD_DOCKER = (23, 0)
"""From this version on the client has BuildKit in a component of its own, buildx."""
_BY_PLATFORM = (28, 1)
"""From this version on `docker image inspect --platform` is there (Docker Engine API 1.49)."""
_LAST_LINES = 4
_NOTHING = re.compile(r"-*|#\d+ sha256:.*|#\d+ (DONE|CACHED).*")
"""Lines of BuildKit that say nothing of a failure."""
DIGEST = "digest"
"""The file that Podman and Buildah write the digest of what was pushed into."""
_PUSHED = re.compile(r"sha256:[0-9a-f]{64}(?= size: )")
Command = list[str]


@dataclass(frozen=True, slots=True)
class Build:
    """One image to be built."""

    name: str
    """With its tag."""
    architecture: str
    """`arm64` or `amd64`."""
    dockerfile: Path
    context: Path
    arguments: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Image:
    """An image that the engine holds."""

    id: str
    """sha256:…, the digest of its configuration."""
    names: tuple[str, ...]
    """With their tags."""
    architecture: str
    size: int | None
    """Bytes, unpacked; None where the engine does not tell."""
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Engine:
    """One that can be used."""

    name: str
    """`docker`, `podman` or `buildah`."""
    path: str
    version: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that it needs beside those of this process."""
    buildx: bool = False
    """Whether it builds by Docker's component buildx."""
    by_platform: bool = False
    """Whether it can be asked for an image of another architecture under the same name."""

    def build(self, order: Build) -> Command:
        """Build an image; nothing is pulled that is here."""
        return [
            self.path,
            "build",
            *("--platform", f"linux/{order.architecture}"),
            *("--file", str(order.dockerfile)),
            *("--tag", order.name),
            # An attestation would make the image an index, whose digest is not the image's.
            *(["--provenance=false"] if self.buildx else []),
            *_pairs("--build-arg", order.arguments),
            *_pairs("--label", order.labels),
            str(order.context),
        ]

    def pull(self, name: str, architecture: str) -> Command:
        """Get an image from its registry."""
        return [self.path, "pull", "--platform", f"linux/{architecture}", name]

    def tag(self, name: str, other: str) -> Command:
        """Give an image another name."""
        return [self.path, "tag", name, other]

    def push(self, name: str, folder: Path, *, login: bool, plain: bool) -> Command:
        """Push an image, `plain` without TLS.

        With `login` as whom config.json of `folder` names, else as whom the engine has logged in.
        """
        if self.name == "docker":
            own = ["--config", str(folder)] if login else []
            return [self.path, *own, "push", name]
        options = [f"--digestfile={folder / DIGEST}", *(["--tls-verify=false"] * plain)]
        if login:
            options.append(f"--authfile={folder / 'config.json'}")
        return [self.path, "push", *options, name]

    def pushed(self, said: str, folder: Path) -> str:
        """The digest of what `push` has pushed, of what it said or wrote; empty if it did not."""
        found = _PUSHED.search(said)
        if found is not None:
            return found[0]
        file = folder / DIGEST
        return file.read_text().strip() if file.is_file() else ""

    def remove(self, name: str) -> Command:
        """Take a name away, and the image with its last one."""
        return [self.path, "rmi", name]

    def inspect(self, name: str, architecture: str | None = None) -> Command:
        """One image as JSON."""
        if self.name == "buildah":
            return [self.path, "inspect", "--type", "image", name]
        asked = ["--platform", f"linux/{architecture}"] if architecture and self.by_platform else []
        return [self.path, "image", "inspect", *asked, name]

    def shown(self, command: Command) -> str:
        """A command as it can be typed, with the variables that it needs."""
        given = [f"{name}={value}" for name, value in self.environment.items()]
        return shlex.join([*(["env", *given] if given else []), *command])

    def identities(self, label: str) -> Command:
        """The ids of all images with a label."""
        every = ["--quiet", "--no-trunc", "--filter", f"label={label}"]
        return [self.path, "images", *every]

    def run(self, command: Command, *, given: str | None = None) -> str:
        """What a command says on stdout, to its end. Raises ImageFailed with its last lines."""
        done = subprocess.run(
            command,
            input=given,
            stdin=None if given is not None else subprocess.DEVNULL,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            # Builders tell how far they are on stderr too.
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            telling = [line.strip() for line in said if not _NOTHING.fullmatch(line.strip())]
            raise ImageFailed(
                f"{self.name} {command[1]} failed",
                cause=" / ".join(telling[-_LAST_LINES:]),
                fix=f"see it by hand: {self.shown(command)}",
            )
        return done.stdout

    def find(self, name: str, architecture: str | None = None) -> Image | None:
        """An image by name or id, of this architecture where there are several; None without."""
        try:
            said = json.loads(self.run(self.inspect(name, architecture)))
        except ImageFailed:
            return None
        return _of_buildah(said) if self.name == "buildah" else _of_docker(said[0])

    def labelled(self, label: str) -> list[Image]:
        """All images with a label."""
        ids = dict.fromkeys(self.run(self.identities(label)).split())
        return [image for one in ids if (image := self.find(one))]

    @contextmanager
    def files(self, name: str, architecture: str) -> Iterator[Path]:
        """A tar archive of all files of an image, of any architecture: nothing of it is run."""
        with tempfile.TemporaryDirectory(prefix="dsql-deploy-") as folder:
            archive = Path(folder, "files.tar")
            if self.name == "buildah":
                made = [self.path, "from", "--pull-never", name]
                removed = [self.path, "rm"]
            else:
                made = [self.path, "create", "--platform", f"linux/{architecture}", name, "true"]
                # Also the volume that a container of such an image gets by itself.
                removed = [self.path, "rm", "--volumes"]
            container = self.run(made).strip()
            try:
                self.run(self.export(container, archive))
                yield archive
            finally:
                self.run([*removed, container])

    def export(self, container: str, archive: Path) -> Command:
        """Write all files of a container into a tar archive."""
        if self.name != "buildah":
            return [self.path, "export", "--output", str(archive), container]
        # Without root it can mount only within a user namespace of its own.
        mounted = f'folder=$({shlex.quote(self.path)} mount "$1")'
        script = f'{mounted} && tar -C "$folder" -cf "$2" .'
        own = [] if os.geteuid() == 0 else [self.path, "unshare"]
        return [*own, "sh", "-c", script, "sh", container, str(archive)]


def _pairs(option: str, values: Mapping[str, str]) -> list[str]:
    return [part for name, value in values.items() for part in (option, f"{name}={value}")]


def _of_docker(said: Mapping[str, Any]) -> Image:
    labels = (said.get("Config") or {}).get("Labels") or said.get("Labels") or {}
    return Image(
        id=_digest(said["Id"]),
        names=tuple(said.get("RepoTags") or ()),
        architecture=said["Architecture"],
        size=said.get("Size"),
        labels=labels,
    )


def _of_buildah(said: Mapping[str, Any]) -> Image:
    image = said["OCIv1"]
    return Image(
        id=_digest(said["FromImageID"]),
        names=(said["FromImage"],) if said.get("FromImage") else (),
        architecture=image["architecture"],
        size=None,
        labels=image.get("config", {}).get("Labels") or {},
    )


def _digest(text: str) -> str:
    return text if text.startswith("sha256:") else f"sha256:{text}"


def choose(name: str | None = None) -> Engine:
    """The engine called `name`, else the first that this machine has.

    Raises UnknownChoice, BinaryMissing, BinaryUnusable where it does not answer or cannot build.
    """
    if name is not None and name not in ENGINES:
        raise UnknownChoice(
            f"there is no container engine {name!r}",
            cause=f"known are: {', '.join(ENGINES)}",
            fix="choose one of them, or leave it out",
        )
    for one in [name] if name else ENGINES:
        path = shutil.which(one)
        if path is not None:
            return _usable(Engine(one, path))
    raise BinaryMissing(
        f"there is no {name or 'container engine'} on this machine",
        cause=f"PATH has no {name or ', '.join(ENGINES)}",
        fix="install Docker, Podman or Buildah; it does not have to run as root",
    )


def _usable(engine: Engine) -> Engine:
    if engine.name != "docker":
        version = engine.run([engine.path, "--version"]).split()
        return Engine(engine.name, engine.path, version[2] if len(version) > 2 else "")
    try:
        asked = [engine.path, "version", "--format", "{{.Client.Version}} {{.Server.Version}}"]
        client, server = engine.run(asked).split()
    except (ImageFailed, ValueError) as error:
        raise BinaryUnusable(
            "Docker does not answer",
            cause=getattr(error, "cause", "") or str(error),
            fix="start its engine, or let this user talk to it (DOCKER_HOST, the group docker)",
        ) from error
    buildx = _has_buildx(engine, client)
    return Engine(
        engine.name,
        engine.path,
        server,
        # The client of that time has the builder inside, and it has to be asked for.
        {} if buildx else {"DOCKER_BUILDKIT": "1"},
        buildx=buildx,
        by_platform=min(_number(client), _number(server)) >= _BY_PLATFORM,
    )


def _has_buildx(engine: Engine, client: str) -> bool:
    """Whether it builds by buildx; the builder before BuildKit cannot assemble for others."""
    if _number(client) < _OLD_DOCKER:
        return False
    try:
        engine.run([engine.path, "buildx", "version"])
    except ImageFailed as error:
        raise BinaryUnusable(
            f"this Docker ({client}) has no BuildKit",
            cause=error.cause,
            fix="install its component buildx (docker-buildx-plugin), or use --engine podman",
        ) from error
    return True


def _number(version: str) -> tuple[int, ...]:
    """Major and minor; (0,) for what is no version."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0,)
