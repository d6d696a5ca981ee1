"""What some tests need from the machine, each with how to get it."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from scripts import collector, opensearch, temporal_server
from temporal_dsql_deploy.errors import DeployError
from temporal_dsql_deploy.platforms.cluster import opensearch_download, programs, wheels
from temporal_dsql_deploy.platforms.cluster import postgresql as deployed
from temporal_dsql_deploy.rehearsal.network import walls
from temporal_dsql_deploy.terraform import find, mirror
from tests.support import containers, elsewhere, partition, postgresql

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


MOUNT_NAMESPACE = ["unshare", "--mount", "--propagation", "private"]
"""Runs a command where it may mount what nobody else sees."""
if os.geteuid() != 0:
    MOUNT_NAMESPACE += ["--user", "--map-root-user"]


@cache
def chromium() -> str | None:
    """The path of a Chromium."""
    return next((path for name in CHROMIUMS if (path := shutil.which(name))), None)


@cache
def _no_chromium() -> str | None:
    return None if chromium() else "no Chromium (apt-get install chromium)"


@cache
def _no_collector() -> str | None:
    return None if collector.is_built() else "no OpenTelemetry collector (make collector)"


@cache
def _no_compose() -> str | None:
    if shutil.which("docker-compose"):
        return None
    asked = [shutil.which("docker") or "false", "compose", "version"]
    there = subprocess.run(asked, capture_output=True, check=False).returncode == 0
    return None if there else "no Docker Compose (apt-get install docker-compose)"


@cache
def _no_loopback_addresses() -> str | None:
    with socket.socket() as one:
        try:
            one.bind(("127.64.0.1", 0))
        except OSError:
            return "no loopback addresses but 127.0.0.1 (they are Linux's)"
    return None


@cache
def _no_opensearch() -> str | None:
    if not opensearch.is_there():
        return "no OpenSearch (make opensearch)"
    try:
        programs.find_java(opensearch_download.folder())
    except DeployError as error:
        return f"{error.message} ({error.fix})"
    return None


@cache
def _no_postgresql() -> str | None:
    return None if postgresql.binaries() else "no PostgreSQL (apt-get install postgresql)"


@cache
def _no_temporal_server() -> str | None:
    return None if temporal_server.is_built() else "no temporal-server (make server)"


@cache
def _no_mount_namespaces() -> str | None:
    reason = (
        "no private mount namespaces (they take Linux, util-linux, and root or user namespaces)"
    )
    if not shutil.which("unshare"):
        return reason
    tried = subprocess.run(
        [*MOUNT_NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        check=False,
    )
    return None if tried.returncode == 0 else reason


@cache
def _no_network_namespaces() -> str | None:
    return partition.lack()


@cache
def _no_nftables() -> str | None:
    try:
        walls.remove("dsqlprobe")
    except DeployError as error:
        return f"{error.message}: {error.cause} ({error.fix})"
    return None


@cache
def _no_procfs() -> str | None:
    return None if sys.platform == "linux" else "no /proc (it is Linux's)"


@cache
def _no_ps() -> str | None:
    return None if shutil.which("ps") else "no ps (apt-get install procps)"


@cache
def _no_terminals() -> str | None:
    try:
        for descriptor in os.openpty():
            os.close(descriptor)
    except OSError:
        return "no pseudo-terminals (mount devpts at /dev/pts)"
    return None


CHECKOV = (
    sys.executable,
    str(Path(__file__).parents[2] / "scripts" / "uv.py"),
    *("tool", "run", "--quiet", "--from", "checkov==3.3.30", "checkov"),
)
"""In an environment of its own: its pinned libraries do not go with ours."""


@cache
def _no_checkov() -> str | None:
    tried = subprocess.run([*CHECKOV, "--version"], capture_output=True, text=True, check=False)
    if tried.returncode == 0:
        return None
    return "no checkov: the package index cannot be reached"


@cache
def _no_package_index() -> str | None:
    installer = wheels.installer() or ["false"]
    tried = subprocess.run(
        [*installer, "--dry-run", "--no-deps", deployed.WHEEL], capture_output=True, check=False
    )
    return None if tried.returncode == 0 else "no package index that can be reached"


@cache
def _no_terraform() -> str | None:
    try:
        find.find()
        source = mirror.find()
    except DeployError as error:
        return f"{error.message} ({error.fix})"
    if source.over_network:
        try:
            socket.create_connection((mirror.REGISTRY, 443), timeout=5).close()
        except OSError as error:
            return f"no Terraform providers: no mirror, and {mirror.REGISTRY}: {error}"
    return None


LACKS: dict[str, Callable[[], str | None]] = {
    "a machine without postgresql": elsewhere.without_postgresql_lack,
    "buildah": lambda: None if shutil.which("buildah") else "no Buildah (apt-get install buildah)",
    "checkov": _no_checkov,
    "chromium": _no_chromium,
    "collector": _no_collector,
    "compose": _no_compose,
    "container engine": containers.lack,
    "loopback addresses": _no_loopback_addresses,
    "mount namespaces": _no_mount_namespaces,
    "network namespaces": _no_network_namespaces,
    "nftables": _no_nftables,
    "opensearch": _no_opensearch,
    "ordinary user": elsewhere.ordinary_user_lack,
    "package index": _no_package_index,
    "postgresql": _no_postgresql,
    "procfs": _no_procfs,
    "ps": _no_ps,
    "registry": containers.registry_lack,
    "temporal-server": _no_temporal_server,
    "terminals": _no_terminals,
    "terraform": _no_terraform,
}
"""By name: why a test that needs it cannot run here, None when it can."""
