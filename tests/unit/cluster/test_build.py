"""Programs that are built once: known by their checksums, and never half there."""

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable, DeployError
from temporal_dsql_deploy.platforms.cluster import build, wheels
from temporal_dsql_deploy.platforms.cluster.build import Module
from tests.unit.cluster import meanwhile

MODULE = Module("thing", "1.0.0", "example.org/thing", {"thing": "cmd/server", "tool": "cmd/tool"})
_GO = """\
#!{python}
import os, pathlib, sys
if sys.argv[1] == "version":
    print("go version go{version} linux/amd64")
    sys.exit()
for package in sys.argv[4:]:
    path = pathlib.Path(os.environ["GOBIN"], package.partition("@")[0].rpartition("/")[2])
    path.write_text(package)
    path.chmod(0o755)
    {then}
"""


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(wheels, "_CHECKOUT", tmp_path)
    build.find_go.cache_clear()
    return tmp_path


def go(machine: Path, version: str = "1.27.3", then: str = "") -> Path:
    path = machine / "bin" / "go"
    path.parent.mkdir(exist_ok=True)
    path.write_text(_GO.format(python=sys.executable, version=version, then=then))
    path.chmod(0o755)
    return path


def ignore(_: str) -> None:
    return


def test_it_is_built_once_and_kept_with_its_checksums(machine: Path) -> None:
    program = go(machine)
    told: list[str] = []
    assert not build.is_built(MODULE)
    assert f"will be built with {program}" in build.outlook(MODULE)
    assert build.build(MODULE, told.append) == MODULE.folder
    assert (MODULE.folder / "thing").read_text() == "example.org/thing/cmd/server@v1.0.0"
    assert told[0].startswith("building thing 1.0.0")
    assert build.is_built(MODULE)
    assert sorted(path.name for path in MODULE.folder.iterdir()) == ["SHA256.json", "thing", "tool"]
    program.unlink()
    assert build.build(MODULE, told.append) == MODULE.folder
    assert len(told) == 2


def test_a_program_that_was_changed_is_refused(machine: Path) -> None:
    go(machine)
    build.build(MODULE, ignore)
    (MODULE.folder / "tool").write_text("another")
    for tried in (lambda: build.build(MODULE, ignore), lambda: build.outlook(MODULE)):
        with pytest.raises(BinaryUnusable, match="tool is not what was built"):
            tried()


def test_what_has_no_checksums_is_built_again(machine: Path) -> None:
    go(machine)
    build.build(MODULE, ignore)
    (MODULE.folder / "SHA256.json").unlink()
    (MODULE.folder / "tool").write_text("half of it")
    assert not build.is_built(MODULE)
    build.build(MODULE, ignore)
    assert json.loads((MODULE.folder / "SHA256.json").read_text()).keys() == {"thing", "tool"}
    build.verify(MODULE)


def test_what_go_says_when_it_fails_is_passed_on(machine: Path) -> None:
    go(machine, then="print('example.org/thing/part'); sys.exit('no such module')")
    with pytest.raises(BinaryMissing, match="thing could not be built") as caught:
        build.build(MODULE, ignore)
    assert caught.value.cause == "no such module", "without the packages that were compiled"
    assert not build.is_built(MODULE)
    assert list(MODULE.folder.iterdir()) == []


def test_how_far_it_is_is_told(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go(machine, then="print('go: downloading it'); print('example.org/thing/part', flush=True)")
    build.find_go()
    wait = subprocess.Popen.wait

    def late(process: "subprocess.Popen[bytes]", timeout: float | None = None) -> int:
        wait(process)
        monkeypatch.setattr(subprocess.Popen, "wait", wait)
        raise subprocess.TimeoutExpired("go", timeout or 0)

    monkeypatch.setattr(subprocess.Popen, "wait", late)
    told: list[str] = []
    build.build(MODULE, told.append)
    # The fake says it for each of its two programs.
    assert told[1].endswith(" s, 2 packages compiled")


def test_an_interruption_ends_the_build_and_leaves_nothing(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go(machine, then="__import__('signal').pause()")
    started: list[int] = []

    def wait(process: "subprocess.Popen[bytes]", **_: float) -> int:
        started.append(process.pid)
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "wait", wait)
    folder = MODULE.folder
    with pytest.raises(KeyboardInterrupt):
        build.build(MODULE, ignore)
    assert list(folder.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], signal.SIGCONT)


def test_an_old_go_is_none(machine: Path) -> None:
    go(machine, "1.20.1")
    assert build.find_go() is None
    assert build.version_of(str(machine / "nothing")) == (0, 0)


def test_without_go_and_installer_the_way_out_is_told(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels, "installer", lambda: None)
    with pytest.raises(DeployError) as caught:
        build.outlook(MODULE)
    assert "uv" in caught.value.fix
    with pytest.raises(BinaryMissing, match="go is not here"):
        build.build(MODULE, ignore)


def test_a_wheel_is_installed_once(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "import sys, pathlib; folder = pathlib.Path(sys.argv[3]); folder.mkdir(); "
        "path = folder / 'program'; path.write_text(sys.argv[4]); path.chmod(0o755)"
    )
    monkeypatch.setattr(wheels, "installer", lambda: [sys.executable, "-c", script])
    told: list[str] = []
    path = wheels.install("some==1", "program", told.append)
    assert path.read_text() == "some==1"
    assert wheels.install("some==1", "program", told.append) == path
    assert told == ["downloading some==1"]
    with pytest.raises(BinaryMissing, match="some==2 cannot be installed"):
        wheels.install("some==2", "elsewhere", told.append)
    assert {folder.name for folder in wheels.cache().iterdir() if folder.is_dir()} == {
        "wheel-some==1"
    }


def test_who_comes_second_waits_and_takes_what_is_there_then(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go(machine)
    build.build(MODULE, ignore)
    said = meanwhile.told(partial(build.build, MODULE), MODULE.folder)
    assert said == ["another command makes thing-1.0.0: waiting for it"]
    wheel = wheels.cache() / "wheel-some==1"
    wheel.mkdir()
    go(machine).rename(wheel / "program")
    monkeypatch.setattr(wheels, "installer", lambda: None)
    said = meanwhile.told(partial(wheels.install, "some==1", "program"), wheel)
    assert said == ["another command makes wheel-some==1: waiting for it"]


def test_both_modules_are_in_servers_json() -> None:
    assert build.server().programs.keys() == {"temporal-server", "temporal-sql-tool", "tdbg"}
    assert build.ui().version
