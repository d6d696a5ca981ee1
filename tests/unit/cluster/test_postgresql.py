"""PostgreSQL's programs: found, and refused where they do not fit."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable
from temporal_dsql_deploy.platforms.cluster import postgresql


def programs(folder: Path, version: str = "15.13") -> Path:
    folder.mkdir(parents=True)
    for name in ("initdb", "postgres"):
        path = folder / name
        path.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version} (Debian)'\n")
        path.chmod(0o755)
    return folder


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any PostgreSQL, whose user is not root."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(postgresql, "_DEBIAN", tmp_path / "debian")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return tmp_path


def test_one_is_found_by_option_then_path_then_debian_then_the_wheel(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert postgresql.find(None) == postgresql.wheel_program().parent
    programs(machine / "debian" / "9" / "bin")
    newest = programs(machine / "debian" / "15" / "bin")
    assert postgresql.find(None) == newest
    on_path = programs(machine / "path")
    monkeypatch.setenv("PATH", str(on_path))
    assert postgresql.find(None) == on_path
    own = programs(machine / "own")
    assert postgresql.find(own) == own


def test_one_that_was_asked_for_has_to_be_there(machine: Path) -> None:
    with pytest.raises(BinaryMissing, match="does not hold PostgreSQL"):
        postgresql.find(machine)


def test_data_of_another_major_version_are_refused(machine: Path) -> None:
    folder, data = programs(machine / "own", "16.2"), machine / "data"
    assert postgresql.check(folder, data) == "16.2"
    data.mkdir()
    (data / "PG_VERSION").write_text("16\n")
    assert postgresql.check(folder, data) == "16.2"
    (data / "PG_VERSION").write_text("15\n")
    with pytest.raises(BinaryUnusable, match=r"16\.2 cannot read the data") as caught:
        postgresql.check(folder, data)
    assert "a PostgreSQL 15" in caught.value.fix


def test_programs_that_do_not_run_are_refused(machine: Path) -> None:
    folder = programs(machine / "own")
    (folder / "postgres").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(BinaryUnusable, match="cannot be run"):
        postgresql.version(folder)
    (folder / "postgres").write_text("#!/bin/sh\necho no number\n")
    with pytest.raises(BinaryUnusable, match="cannot be run"):
        postgresql.version(folder)


def test_root_runs_it_as_another_user(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert postgresql.user_prefix() == []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(BinaryUnusable, match="PostgreSQL cannot be run"):
        postgresql.user_prefix()
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert postgresql.user_prefix()[0] == "/usr/bin/setpriv"
    assert "--pdeathsig=INT" in postgresql.user_prefix()
