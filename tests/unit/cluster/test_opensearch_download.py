"""OpenSearch is downloaded once, is what is known of it, and stays so."""

import hashlib
import os
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable
from temporal_dsql_deploy.platforms.cluster import opensearch_download as download
from tests.unit.cluster import meanwhile

VERSION = download.VERSION
_MAVEN = """\
#!{python}
import pathlib, shutil, sys
options = dict(word[2:].split("=", 1) for word in sys.argv if word.startswith("-D"))
group, name, version, kind = options["artifact"].split(":")
path = pathlib.Path("{repository}", group.replace(".", "/"), name, version)
file = path / (name + "-" + version + "." + kind)
if not file.exists():
    sys.exit(print("[INFO] about to fail\\n[ERROR] Could not find artifact " + name))
shutil.copy(file, options["outputDirectory"])
"""


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Maven repository with a small distribution, and the cache apart from it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv(download.REPOSITORY, raising=False)
    folder = tmp_path / "repository"
    for name in ("SERVER", "FIELDS"):
        artifact: download.Artifact = getattr(download, name)
        path = folder / artifact.path
        path.parent.mkdir(parents=True)
        if artifact.kind == "zip":
            distribution(path)
        else:
            path.write_bytes(b"classes")
        known = replace(artifact, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
        monkeypatch.setattr(download, name, known)
    return folder


def distribution(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, mode in (("bin/opensearch", 0o755), ("config/jvm.options", 0o644)):
            entry = zipfile.ZipInfo(f"opensearch-{VERSION}/{name}")
            entry.external_attr = mode << 16
            archive.writestr(entry, name)
        archive.mkdir(f"opensearch-{VERSION}/modules")


def maven(repository: Path) -> None:
    path = repository.parent / "bin" / "mvn"
    path.parent.mkdir()
    path.write_text(_MAVEN.format(python=sys.executable, repository=repository))
    path.chmod(0o755)


def test_maven_brings_it_once_and_it_is_whole(repository: Path) -> None:
    maven(repository)
    told: list[str] = []
    assert not download.is_there()
    assert download.outlook() == f"{VERSION} will be downloaded with Maven"
    folder = download.obtain(told.append)
    assert told == [f"downloading OpenSearch {VERSION}, 51 MB, with Maven"]
    assert os.access(folder / "bin" / "opensearch", os.X_OK)
    assert not os.access(folder / "config" / "jvm.options", os.X_OK)
    module = folder / "modules" / "mapper-extras"
    assert sorted(path.name for path in module.iterdir()) == [
        f"mapper-extras-client-{VERSION}.jar",
        "plugin-descriptor.properties",
    ]
    lock = f"{folder.name}.lock"
    assert sorted(path.name for path in folder.parent.iterdir()) == [folder.name, lock]
    assert download.obtain(told.append) == folder
    assert len(told) == 1
    assert download.outlook() == f"{VERSION}, {folder}"


def test_without_maven_a_repository_can_be_named(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BinaryMissing, match="cannot be had") as caught:
        download.outlook()
    assert download.REPOSITORY in caught.value.fix
    monkeypatch.setenv(download.REPOSITORY, f"{repository.as_uri()}/")
    download.obtain(lambda _: None)
    assert download.is_there()


def test_what_is_not_known_is_refused(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(download.REPOSITORY, repository.as_uri())
    (repository / download.FIELDS.path).write_bytes(b"other classes")
    with pytest.raises(BinaryUnusable, match="is not what was expected"):
        download.obtain(lambda _: None)
    assert not download.is_there()
    assert [path.suffix for path in download.folder().parent.iterdir()] == [".lock"]


@pytest.mark.parametrize("with_maven", [True, False])
def test_what_does_not_come_is_told(
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    with_maven: bool,  # noqa: FBT001
) -> None:
    (repository / download.SERVER.path).unlink()
    if with_maven:
        maven(repository)
    else:
        monkeypatch.setenv(download.REPOSITORY, repository.as_uri())
    with pytest.raises(BinaryMissing, match=r"opensearch-.*zip cannot be downloaded") as caught:
        download.obtain(lambda _: None)
    said = "Could not find artifact opensearch" if with_maven else "No such file"
    assert said in caught.value.cause


def test_a_maven_that_does_not_end_is_not_waited_for(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maven(repository)
    program = repository.parent / "bin" / "mvn"
    # What has come of the file by then is no reason to ask another repository.
    program.write_text(f"#!/bin/sh\n: > {download.SERVER.file}\nexec /bin/sleep 3600\n")
    monkeypatch.setattr(download, "_MAVEN_SECONDS", 0.5)
    with pytest.raises(BinaryMissing, match="cannot be downloaded") as ended:
        download.obtain(lambda _: None)
    assert ended.value.cause == "mvn has not ended within 0.5 s"


def test_who_comes_second_waits_and_takes_what_is_there_then(repository: Path) -> None:
    maven(repository)
    folder = download.obtain(lambda _: None)
    inode = folder.stat().st_ino
    said = meanwhile.told(download.obtain, folder)
    assert said == [f"another command makes {folder.name}: waiting for it"]
    assert folder.stat().st_ino == inode


def test_what_was_changed_since_is_refused(repository: Path) -> None:
    maven(repository)
    folder = download.obtain(lambda _: None)
    (folder / "config" / "jvm.options").write_text("another")
    for tried in (lambda: download.obtain(lambda _: None), download.outlook):
        with pytest.raises(BinaryUnusable, match=r"jvm\.options is not what was downloaded"):
            tried()
    (folder / "config" / "jvm.options").unlink()
    with pytest.raises(BinaryUnusable, match="is not what was downloaded"):
        download.verify()
