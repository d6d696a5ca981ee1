"""The container engine of this machine: Docker, else Podman, else Buildah.

Its command lines are made by pure functions, so that what would be run can be shown.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable, ImageFailed, UnknownChoice

ENGINES = ("docker", "podman", "buildah")
"""In the order in which they are looked for."""
_OLD_DOCKER = 23
"""From this version on the client has BuildKit in a component of its own, buildx."""
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
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class Engine:
    """One that can be used."""

    name: str
    """`docker`, `podman` or `buildah`."""
    path: str
    version: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that it needs beside those of this process."""

    def build(self, order: Build) -> Command:
        """Build an image; nothing is pulled that is here."""
        return [
            self.path,
            "build",
            *("--platform", f"linux/{order.architecture}"),
            *("--file", str(order.dockerfile)),
            *("--tag", order.name),
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

    def inspect(self, name: str) -> Command:
        """One image as JSON."""
        if self.name == "buildah":
            return [self.path, "inspect", "--type", "image", name]
        return [self.path, "image", "inspect", name]

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
                fix=f"see it by hand: {' '.join(command)}",
            )
        return done.stdout

    def find(self, name: str) -> Image | None:
        """An image by name or id; None where the engine does not hold it."""
        try:
            said = json.loads(self.run(self.inspect(name)))
        except ImageFailed:
            return None
        return _of_buildah(said) if self.name == "buildah" else _of_docker(said[0])

    def labelled(self, label: str) -> list[Image]:
        """All images with a label, newest first."""
        ids = dict.fromkeys(self.run(self.identities(label)).split())
        found = [image for one in ids if (image := self.find(one))]
        return sorted(found, key=_age, reverse=True)

    @contextmanager
    def files(self, name: str) -> Iterator[Path]:
        """A tar archive of all files of an image, of any architecture: nothing of it is run."""
        with tempfile.TemporaryDirectory(prefix="dsql-deploy-") as folder:
            archive = Path(folder, "files.tar")
            if self.name == "buildah":
                container = self.run([self.path, "from", "--pull-never", name]).strip()
                export = [self.path, "mount", container]
            else:
                container = self.run([self.path, "create", name, "true"]).strip()
                export = [self.path, "export", "--output", str(archive), container]
            try:
                said = self.run(export).strip()
                if self.name == "buildah":
                    subprocess.run(["tar", "-C", said, "-cf", str(archive), "."], check=True)
                yield archive
            finally:
                self.run([self.path, "rm", container])


def _pairs(option: str, values: Mapping[str, str]) -> list[str]:
    return [part for name, value in values.items() for part in (option, f"{name}={value}")]


def _age(image: Image) -> tuple[str, str]:
    return (image.created.isoformat() if image.created else "", image.id)


def _of_docker(said: Mapping[str, Any]) -> Image:
    labels = (said.get("Config") or {}).get("Labels") or said.get("Labels") or {}
    return Image(
        id=_digest(said["Id"]),
        names=tuple(said.get("RepoTags") or ()),
        architecture=said["Architecture"],
        size=said.get("Size"),
        labels=labels,
        created=_time(said.get("Created")),
    )


def _of_buildah(said: Mapping[str, Any]) -> Image:
    image = said["OCIv1"]
    return Image(
        id=_digest(said["FromImageID"]),
        names=(said["FromImage"],) if said.get("FromImage") else (),
        architecture=image["architecture"],
        size=None,
        labels=image.get("config", {}).get("Labels") or {},
        created=_time(image.get("created")),
    )


def _digest(text: str) -> str:
    return text if text.startswith("sha256:") else f"sha256:{text}"


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


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
    return Engine(engine.name, engine.path, server, _buildkit(engine, client))


def _buildkit(engine: Engine, client: str) -> Mapping[str, str]:
    """What turns Docker's present builder on: the one before it cannot assemble for others."""
    major = client.partition(".")[0]
    if major.isdigit() and int(major) < _OLD_DOCKER:
        return {"DOCKER_BUILDKIT": "1"}
    try:
        engine.run([engine.path, "buildx", "version"])
    except ImageFailed as error:
        raise BinaryUnusable(
            f"this Docker ({client}) has no BuildKit",
            cause=error.cause,
            fix="install its component buildx (docker-buildx-plugin), or use --engine podman",
        ) from error
    return {}


def names(images: Sequence[Image]) -> list[str]:
    """All names of some images."""
    return [name for image in images for name in image.names]
