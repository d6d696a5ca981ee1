"""A container engine for tests: that of this machine, or Docker's started for them; a registry."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from scripts import base_image

DOCKER = "/usr/bin/docker"
"""Debian's has a builder inside; a newer one takes a component beside it."""
USER, PASSWORD = "pusher", "pushing"
"""Who may use the guarded registry."""
_HTPASSWD = "pusher:$2b$05$abcdefghijklmnopqrstuuCjeQRT7hKJ3XLkqgEIea4QSSSWggDSa\n"
"""With bcrypt's hash of the password, as the registry wants it."""
_PATIENCE = 60.0
_REGISTRY = """\
version: 0.1
storage:
  filesystem:
    rootdirectory: {folder}
  delete:
    enabled: true
http:
  addr: 127.0.0.1:{port}
"""


@cache
def lack() -> str | None:
    """Why there is no engine for tests here; None when there is one, or one can be started."""
    if not base_image.is_there():
        return "no base image (make base-image)"
    if _answers(os.environ):
        return None
    if not shutil.which("dockerd"):
        return "no container engine (apt-get install docker.io)"
    return None if os.geteuid() == 0 else "no container engine runs, and none can be started"


@cache
def registry_lack() -> str | None:
    """Why no registry can be started here."""
    there = shutil.which("docker-registry")
    return None if there else "no registry (apt-get install docker-registry)"


def _answers(environ: "os._Environ[str] | dict[str, str]") -> bool:
    """Whether an engine does, to a client that there is."""
    if not shutil.which(DOCKER):
        return False
    tried = subprocess.run(
        [DOCKER, "info"], env=dict(environ), capture_output=True, check=False, timeout=30
    )
    return tried.returncode == 0


@pytest.fixture(scope="session")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables by which a client finds an engine that has the base image."""
    with engine(tmp_path_factory.mktemp("docker")) as environ:
        load_base(environ)
        yield environ


@contextmanager
def engine(folder: Path) -> Iterator[dict[str, str]]:
    """The engine of this machine, else one of its own that keeps all it has in `folder`."""
    # The client of the tests comes first: it is the one that builds.
    path = f"{Path(DOCKER).parent}:{os.environ['PATH']}"
    environ = {"PATH": path, "DOCKER_CONFIG": str(folder / "config")}
    Path(environ["DOCKER_CONFIG"]).mkdir()
    # Buildah reads it too, and wants it to be there.
    Path(environ["DOCKER_CONFIG"], "config.json").write_text("{}")
    if _answers({**os.environ, **environ}):
        yield environ
        return
    # Beside another engine, which has a bridge of the usual name; and an engine that stops takes
    # down the one that it has made itself.
    bridge = f"dsqltest{os.getpid() % 10_000_000}"
    _run_all(
        ["ip", "link", "add", bridge, "type", "bridge"],
        ["ip", "addr", "add", _network(), "dev", bridge],
        ["ip", "link", "set", bridge, "up"],
    )
    # Paths of sockets are short.
    host = f"unix:///tmp/dsql-deploy-docker-{os.getpid()}.sock"
    environ["DOCKER_HOST"] = host
    with (folder / "log").open("w") as log:
        daemon = subprocess.Popen(
            [
                "dockerd",
                *("--host", host, "--data-root", str(folder / "data")),
                *("--exec-root", str(folder / "exec"), "--pidfile", str(folder / "pid")),
                *("--bridge", bridge),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            until = time.monotonic() + _PATIENCE
            while not _answers({**os.environ, **environ}):
                said = (folder / "log").read_text()[-2000:]
                assert daemon.poll() is None, said
                assert time.monotonic() < until, said
                time.sleep(0.2)
            yield environ
        finally:
            daemon.terminate()
            daemon.wait(_PATIENCE)
            Path(host.removeprefix("unix://")).unlink(missing_ok=True)
            _run_all(["ip", "link", "delete", bridge])


def _network() -> str:
    """An address for the bridge, in a network that this machine has not."""
    there = subprocess.run(["ip", "-4", "addr"], capture_output=True, text=True, check=True).stdout
    free = (f"10.{200 + number}.0.1" for number in range(50))
    return next(f"{one}/24" for one in free if f" {one.rpartition('.')[0]}." not in there)


def _run_all(*commands: list[str]) -> None:
    for command in commands:
        subprocess.run(command, check=True)


def load_base(environ: dict[str, str]) -> None:
    """Load the base images of all architectures."""
    for architecture in base_image.ARCHITECTURES:
        subprocess.run(
            [DOCKER, "load", "--input", str(base_image.path(architecture))],
            env={**os.environ, **environ},
            stdout=subprocess.DEVNULL,
            check=True,
        )


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port of an empty registry that speaks plain HTTP, as engines allow on loopback."""
    with _registry(tmp_path_factory.mktemp("registry"), "") as address:
        yield address


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """As `registry`, for who logs in."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "htpasswd").write_text(_HTPASSWD)
    rule = f"auth:\n  htpasswd:\n    realm: tests\n    path: {folder / 'htpasswd'}\n"
    with _registry(folder, rule) as address:
        yield address


@contextmanager
def _registry(folder: Path, rule: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = folder / "config.yml"
    settings.write_text(_REGISTRY.format(folder=folder / "data", port=port) + rule)
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            ["docker-registry", "serve", str(settings)], stdout=log, stderr=log
        )
    try:
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert server.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < until
                time.sleep(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(_PATIENCE)
