"""The folders that images are built from, made in the cache: nothing is left in anybody's tree."""

import os
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from temporal_dsql_deploy import runtime
from temporal_dsql_deploy.errors import ImageFailed
from temporal_dsql_deploy.images.base import Contents
from temporal_dsql_deploy.images.engine import Build
from temporal_dsql_deploy.operations.images.programs import CLI, PACKAGES, PROBE, SERVER, Programs
from temporal_dsql_deploy.platforms.cluster import sums

_RUNTIME = Path(runtime.__file__).parent
_CACHED = shutil.ignore_patterns("__pycache__")
_EXECUTABLE = 0o755
_READABLE = 0o644
_ALWAYS_SKIPPED = "__pycache__"


def server(context: Path, programs: Programs, found: Contents) -> None:
    """temporal-server, and who it runs as."""
    _program(context, SERVER, programs.paths[SERVER])
    (context / "etc").mkdir()
    (context / "etc/passwd").write_text(found.passwd)
    (context / "etc/group").write_text(found.group)


def runtime_image(context: Path, programs: Programs) -> None:
    """The entrypoint, the health probe, and the folders that the role writes into."""
    shutil.copytree(_RUNTIME, context / "runtime", ignore=_CACHED)
    _program(context, PROBE, programs.paths[PROBE])
    # An empty folder would not be copied.
    for folder in ("config/dynamicconfig", "log"):
        (context / folder).mkdir(parents=True)
        (context / folder / ".keep").touch()


def admin_tools(context: Path, programs: Programs, docker: Path) -> None:
    """The tools, and the schema folders that they and `dsql-deploy schema` read."""
    for name in (*PACKAGES, CLI):
        if name != SERVER and name in programs.paths:
            _program(context, name, programs.paths[name])
    (context / "schema").mkdir()
    if programs.schema is not None:
        ignored = shutil.ignore_patterns("*.go", _ALWAYS_SKIPPED)
        shutil.copytree(programs.schema, context / "schema", dirs_exist_ok=True, ignore=ignored)
        # Go's module cache is read-only, and so is a folder that is copied of it.
        readable(context / "schema")
    shutil.copy(docker / "admin-tools/postgresql-schema.sh", context)


def grafana(context: Path, docker: Path) -> None:
    """Its data sources."""
    shutil.copytree(docker / "grafana/provisioning", context / "provisioning")


def readable(context: Path) -> None:
    """Let everybody read and enter all of it: an image keeps modes, and its user is another one."""
    for path in (context, *context.rglob("*")):
        executable = path.is_dir() or os.access(path, os.X_OK)
        path.chmod(_EXECUTABLE if executable else _READABLE)


def _program(context: Path, name: str, path: Path) -> None:
    (context / "bin").mkdir(exist_ok=True)
    # Not a link: its mode would be that of somebody's own file.
    shutil.copyfile(path, context / "bin" / name)
    (context / "bin" / name).chmod(_EXECUTABLE)


def inputs(order: Build, base: str) -> str:
    """A hash of all that an image is made of: where it is the same, nothing has to be built.

    `base` is the id of the image that it is built on.
    """
    digest = sha256()
    known = {name: value for name, value in order.arguments.items() if not name.endswith("_IMAGE")}
    for part in (order.architecture, base, *(f"{k}={v}" for k, v in sorted(known.items()))):
        digest.update(f"{part}\0".encode())
    digest.update(order.dockerfile.read_bytes())
    for name, path in _files(order):
        mode = "x" if os.access(path, os.X_OK) else "-"
        digest.update(f"{name}\0{mode}\0{sums.of(path)}\0".encode())
    return digest.hexdigest()


def _files(order: Build) -> Iterator[tuple[str, Path]]:
    ignore = Path(f"{order.dockerfile}.dockerignore")
    patterns = _let_through(ignore) if ignore.is_file() else ["*"]
    found = {
        path
        for pattern in patterns
        for start in order.context.glob(pattern)
        for path in ([start] if start.is_file() else start.rglob("*"))
        if path.is_file() and _ALWAYS_SKIPPED not in path.parts
    }
    if not found:
        raise ImageFailed(
            f"there is nothing in {order.context} to build {order.name} from",
            cause="its files are gone",
            fix="run the command in a whole checkout of temporal-dsql-deploy",
        )
    for path in sorted(found):
        yield str(path.relative_to(order.context)), path


def _let_through(ignore: Path) -> list[str]:
    """The patterns of a file that ignores all but these."""
    return [line[1:] for line in ignore.read_text().splitlines() if line.startswith("!")]


def empty(context: Path) -> Path:
    """A folder that is there, with nothing in it."""
    shutil.rmtree(context, ignore_errors=True)
    context.mkdir(parents=True)
    return context
