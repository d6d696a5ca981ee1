"""OpenSearch from Maven Central, once for each version, into the cache.

The only distribution there is the one for integration tests: the server with its network module,
without the security plugin. The field type `scaled_float` is a module of its own, put into it here.
"""

import os
import shutil
import subprocess
import tempfile
import urllib.request
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable
from temporal_dsql_deploy.platforms.cluster import sums, wheels
from temporal_dsql_deploy.platforms.protocol import Report

VERSION = "2.19.1"
REPOSITORY = "DSQL_DEPLOY_MAVEN_REPOSITORY"
"""Variable with the URL of a Maven repository, to be asked without Maven."""
MAPPER_EXTRAS = "mapper-extras"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
_SECONDS = 60
_MAVEN_SECONDS = 900.0
"""For one file, and for its plugin on a machine where Maven has never run."""
_DESCRIPTOR = f"""\
description=Adds advanced field mappers
version={VERSION}
name={MAPPER_EXTRAS}
classname=org.opensearch.index.mapper.MapperExtrasPlugin
java.version=11
opensearch.version={VERSION}
custom.foldername=
extended.plugins=
has.native.controller=false
"""
"""Its jar has none."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file of a Maven repository."""

    group: str
    name: str
    kind: str
    sha256: str

    @property
    def file(self) -> str:
        """How it is named."""
        return f"{self.name}-{VERSION}.{self.kind}"

    @property
    def path(self) -> str:
        """Where it is in a repository."""
        return f"{self.group.replace('.', '/')}/{self.name}/{VERSION}/{self.file}"


SERVER = Artifact(
    group="org.opensearch.distribution.integ-test-zip",
    name="opensearch",
    kind="zip",
    sha256="af7152d8b7f6f1cee09d47276b32b70479fe6dd8cdbb61213f84eb7f8098b261",
)
FIELDS = Artifact(
    group="org.opensearch.plugin",
    name=f"{MAPPER_EXTRAS}-client",
    kind="jar",
    sha256="93e85f305ddc3070fea5b83cc8d962bdcd30df20638352b02cf57276cc2bc5d5",
)


def folder() -> Path:
    """Where it is, or would be."""
    return wheels.cache() / f"opensearch-{VERSION}"


def is_there() -> bool:
    """Whether it has been downloaded."""
    return sums.are_there(folder())


def verify() -> None:
    """Compare every file with its checksum. Raises BinaryUnusable."""
    sums.verify(folder(), sums.names(folder()), made="downloaded")


def outlook() -> str:
    """Whether it is there, or how it will be had, for a sentence. Raises as `obtain` does."""
    if is_there():
        verify()
        return f"{VERSION}, {folder()}"
    return f"{VERSION} will be downloaded {_way()[1]}"


def obtain(report: Report) -> Path:
    """The folder; downloads it first where it is not there.

    Raises BinaryMissing when it cannot be had, BinaryUnusable when a file is not what it should be.
    """
    target = folder()
    if not is_there():
        base, how = _way()
        with wheels.alone(target, report):
            # Another may have downloaded it meanwhile, and run it already.
            if not is_there():
                report(f"downloading OpenSearch {VERSION}, 51 MB, {how}")
                _download(target, base)
    verify()
    return target


def _download(target: Path, base: str) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="opensearch-") as temporary:
        for artifact in (SERVER, FIELDS):
            _fetch(artifact, Path(temporary), base)
        made = _unpack(Path(temporary))
        # In one step: it is there as a whole or not at all.
        shutil.rmtree(target, ignore_errors=True)
        made.replace(target)


def _way() -> tuple[str, str]:
    """URL of the repository to ask without Maven, or none; and how that is said.

    Raises BinaryMissing.
    """
    base = os.environ.get(REPOSITORY, "")
    if base:
        return base, f"from {REPOSITORY}"
    if shutil.which("mvn"):
        return "", "with Maven"
    raise BinaryMissing(
        "OpenSearch is not here, and cannot be had",
        cause=f"there is no Maven (mvn) to download it, and {REPOSITORY} is not set",
        fix=f"install Maven, or set {REPOSITORY} to the URL of a Maven repository, or name the "
        "folder of an OpenSearch 2.19 with --opensearch",
    )


def _fetch(artifact: Artifact, into: Path, base: str) -> None:
    target = into / artifact.file
    said = (
        _by_url(f"{base.rstrip('/')}/{artifact.path}", target)
        if base
        else _by_maven(artifact, into)
    )
    if not target.is_file():
        raise BinaryMissing(
            f"{artifact.file} cannot be downloaded",
            cause=said or "nothing came",
            fix="check the way to the Maven repository (mvn has it in its settings.xml), then try "
            "again, or name the folder of an OpenSearch with --opensearch",
        )
    found = sums.of(target)
    if found != artifact.sha256:
        raise BinaryUnusable(
            f"{artifact.file} is not what was expected",
            cause=f"its SHA-256 is {found[:12]}…, and {artifact.sha256[:12]}… is known of it",
            fix="ask another repository, or name the folder of an OpenSearch with --opensearch",
        )


def _by_maven(artifact: Artifact, into: Path) -> str:
    """Let Maven copy it, with the mirrors and proxies of its own settings; what it complains of."""
    coordinates = f"{artifact.group}:{artifact.name}:{VERSION}:{artifact.kind}"
    command = ["mvn", "--batch-mode", "--quiet", "--strict-checksums", _COPY]
    command += [f"-Dartifact={coordinates}", f"-DoutputDirectory={into}"]
    try:
        done = subprocess.run(
            command,
            cwd=into,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_MAVEN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        (into / artifact.file).unlink(missing_ok=True)
        return f"mvn has not ended within {_MAVEN_SECONDS:g} s"
    lines = [line for line in done.stdout.splitlines() if line.startswith("[ERROR]")]
    return "; ".join(lines[:1]) or done.stderr.strip()[-300:]


def _by_url(url: str, target: Path) -> str:
    """Download a file; why that failed, or nothing."""
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer, target.open("wb") as file:  # noqa: S310 - the user's own repository
            shutil.copyfileobj(answer, file)
    except (OSError, ValueError) as error:
        target.unlink(missing_ok=True)
        return f"{url}: {error}"
    return ""


def _unpack(downloads: Path) -> Path:
    """The distribution with its module, and the checksums of all of it."""
    with zipfile.ZipFile(downloads / SERVER.file) as archive:
        archive.extractall(downloads / "made")
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    made = downloads / "made" / f"opensearch-{VERSION}"
    _restore(modes, downloads / "made")
    module = made / "modules" / MAPPER_EXTRAS
    module.mkdir()
    shutil.move(downloads / FIELDS.file, module)
    (module / "plugin-descriptor.properties").write_text(_DESCRIPTOR)
    sums.write(made, sorted(str(p.relative_to(made)) for p in made.rglob("*") if p.is_file()))
    return made


def _restore(modes: Mapping[str, int], folder: Path) -> None:
    """Give files the modes that they have in the archive, which zipfile leaves out."""
    for name, mode in modes.items():
        if mode and not name.endswith("/"):
            (folder / name).chmod(mode & 0o777)
