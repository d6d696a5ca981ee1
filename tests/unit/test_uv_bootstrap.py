"""scripts/uv.py: uv for a machine that has only Python, from an index that is served here."""

import hashlib
import http.server
import platform
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import uv

WHEEL = f"uv-{uv.VERSION}-py3-none-{{}}.whl"
PLATFORMS = [
    *["manylinux_2_17_aarch64.manylinux2014_aarch64", "manylinux_2_17_x86_64.manylinux2014_x86_64"],
    *["musllinux_1_1_x86_64", "macosx_11_0_arm64", "macosx_10_12_x86_64"],
]
FAKE_UV = f"#!/bin/sh\necho uv {uv.VERSION}\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(uv, "HOME", tmp_path / ".uv")
    monkeypatch.setattr(uv, "BINARY", tmp_path / ".uv" / "bin" / "uv")
    return tmp_path


@pytest.fixture
def index(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package index with a wheel for every platform, whose uv is a script."""
    folder = home / "index" / "uv"
    folder.mkdir(parents=True)
    links = []
    for tags in PLATFORMS:
        path = folder / WHEEL.format(tags)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"uv-{uv.VERSION}.data/scripts/uv", FAKE_UV)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        links.append(f'<a href="{path.name}#sha256={digest}">{path.name}</a>')
    (folder / "index.html").write_text("<br/>\n".join(links))

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, directory=str(folder.parent), **kwargs)  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
        yield folder
        server.shutdown()


def test_it_is_installed_from_the_index_where_there_is_no_pip(index: Path) -> None:
    uv.install_from_index()
    said = subprocess.run([str(uv.BINARY)], capture_output=True, text=True, check=True).stdout
    assert said == f"uv {uv.VERSION}\n"
    assert uv.version(str(uv.BINARY)) >= uv.OLDEST


def test_a_wheel_with_another_checksum_is_refused(index: Path) -> None:
    for wheel in index.glob("*.whl"):
        wheel.write_bytes(wheel.read_bytes() + b" ")
    with pytest.raises(ValueError, match="does not have the checksum"):
        uv.install_from_index()
    assert not uv.BINARY.exists()


def test_without_pip_and_index_it_says_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(SystemExit, match="uv could not be installed") as caught:
        uv.install()
    assert "With pip" in str(caught.value)
    assert "From the package index" in str(caught.value)
    assert "installing uv" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("system", "machine", "libc", "wheel"),
    [
        ("linux", "x86_64", "glibc", PLATFORMS[1]),
        ("linux", "aarch64", "glibc", PLATFORMS[0]),
        ("linux", "x86_64", "", PLATFORMS[2]),
        ("darwin", "arm64", "", PLATFORMS[3]),
    ],
)
def test_the_wheel_of_the_machine_is_chosen(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, libc: str, wheel: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(platform, "libc_ver", lambda: (libc, ""))
    older = WHEEL.format(PLATFORMS[1]).replace(uv.VERSION, "0.0.1")
    assert uv.choose([older, *map(WHEEL.format, PLATFORMS)]) == WHEEL.format(wheel)


def test_a_machine_without_a_wheel_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "vax")
    with pytest.raises(LookupError, match="vax"):
        uv.choose(map(WHEEL.format, PLATFORMS))


def test_what_is_on_path_is_used_when_it_is_new_enough(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = home / "bin" / "uv"
    own.parent.mkdir()
    own.write_text(FAKE_UV)
    own.chmod(0o755)
    monkeypatch.setenv("PATH", f"{own.parent}:/bin:/usr/bin")
    assert uv.find() == str(own)
    own.write_text("#!/bin/sh\necho uv 0.1.0\n")
    assert uv.find() is None
