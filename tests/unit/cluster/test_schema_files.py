"""The schema of the stock server: copied once from Go's cache, and known by its checksums."""

import sys
from pathlib import Path

import pytest

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.errors import BinaryUnusable
from temporal_dsql_deploy.platforms.cluster import build, schema_files, wheels

_GO = """\
#!{python}
import json, sys
if sys.argv[1] == "version":
    print("go version go1.27.3 linux/amd64")
    sys.exit()
print(json.dumps({said!r}))
sys.exit({code})
"""


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(wheels, "_CHECKOUT", tmp_path)
    build.find_go.cache_clear()
    return tmp_path


def go(machine: Path, said: dict[str, str], code: int = 0) -> Path:
    path = machine / "bin" / "go"
    path.parent.mkdir(exist_ok=True)
    path.write_text(_GO.format(python=sys.executable, said=said, code=code))
    path.chmod(0o755)
    return path


def module(machine: Path) -> Path:
    """A source tree as Go keeps it: read-only."""
    root = machine / "module"
    for name in schema_files.FOLDERS.values():
        folder = root / "schema" / "postgresql" / "v12" / name / "versioned" / "v1.0"
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(name)
        (folder / "manifest.json").chmod(0o444)
        folder.chmod(0o555)
    return root


def test_it_is_copied_once_and_go_is_asked_no_more(machine: Path) -> None:
    program = go(machine, {"Dir": str(module(machine))})
    told: list[str] = []
    assert schema_files.of_store("default") is None
    assert schema_files.obtain(told.append)
    program.unlink()
    assert schema_files.obtain(told.append)
    assert told == [f"copied the schema of temporal-server {build.server().version}"]
    folder = schema_files.of_store("visibility")
    assert folder is not None
    manifest = folder / "versioned" / "v1.0" / "manifest.json"
    assert manifest.read_text() == "visibility"
    manifest.write_text("another")
    with pytest.raises(BinaryUnusable, match=r"manifest\.json is not what was copied"):
        schema_files.obtain(told.append)


def test_why_it_cannot_be_had_is_told_and_nothing_is_left(machine: Path) -> None:
    go(machine, {"Error": "no route to the proxy"}, code=1)
    told: list[str] = []
    assert not schema_files.obtain(told.append)
    assert told == ["the files of Temporal's schema cannot be had: no route to the proxy"]
    go(machine, {"Dir": str(machine / "without")})
    assert not schema_files.obtain(told.append)
    assert [path.name for path in wheels.cache().iterdir()] == [
        f"{schema_files.folder().name}.lock"
    ]


def test_without_go_it_is_not_promised(machine: Path) -> None:
    told: list[str] = []
    assert not schema_files.obtain(told.append)
    assert "there is no Go" in told[0]
    assert schema_files.can_be_had(), "the server is not built yet, and its build brings a Go"
    server = build.server()
    server.folder.mkdir(parents=True)
    for name in (*server.programs, "SHA256.json"):
        (server.folder / name).write_text("")
        (server.folder / name).chmod(0o755)
    assert not schema_files.can_be_had()


def test_the_folders_are_those_that_the_tool_has_in_itself() -> None:
    schema = topology.servers()["temporal-server"].schema
    for store, name in schema_files.FOLDERS.items():
        assert getattr(schema, store).commands[-1][-1] == f"postgresql/v12/{name}"
