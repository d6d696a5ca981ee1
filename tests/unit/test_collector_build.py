"""scripts/collector.py, with a Go that is a script."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from scripts import collector


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of PATH besides the shell's; the source and the cache are in its parent."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.defpath}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(collector, "SOURCE", shutil.copytree(collector.SOURCE, tmp_path / "source"))
    return folder


def a_go(folder: Path, version: str = "1.26.6", build: str = "exit 1") -> None:
    program = folder / "go"
    says = f'[ "$1" = version ] && exec echo "go version go{version} linux/amd64"'
    program.write_text(f"#!/bin/sh\n{says}\n{build}\n")
    program.chmod(0o755)


def test_it_is_built_once_for_each_source(
    programs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_go(programs, build="echo made > $5; chmod +x $5")
    assert not collector.is_built()
    first = collector.build()
    assert collector.is_built()
    assert first.read_text() == "made\n"
    assert "takes some minutes" in capsys.readouterr().err
    assert collector.build() == first
    assert capsys.readouterr().err == ""
    (collector.SOURCE / "main.go").write_text("package main\n")
    assert not collector.is_built()
    assert collector.build() != first
    assert [path.name for path in first.parent.iterdir() if path.is_dir()] == []


def test_a_build_that_fails_says_what_to_do_and_leaves_nothing(programs: Path) -> None:
    a_go(programs)
    with pytest.raises(SystemExit, match="fix: check the way to the Go module proxy"):
        collector.build()
    assert list(collector.path().parent.iterdir()) == []


@pytest.mark.parametrize("version", ["1.24.9", "nonsense"])
def test_a_machine_without_a_go_that_will_do_gets_one_for_the_build(
    programs: Path, version: str
) -> None:
    a_go(programs, version)
    assert collector.go()[:1] == [sys.executable]
    assert collector.go()[-2:] == [collector.GO_WHEEL, "go"]


def test_a_go_of_the_machines_own_is_used(programs: Path) -> None:
    a_go(programs, "1.25.0")
    assert collector.go() == [str(programs / "go")]
