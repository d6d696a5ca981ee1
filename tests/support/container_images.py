"""The images of a cluster in containers, for an engine of the tests that cannot pull any.

Those of the roles are what `images build` makes. PostgreSQL and the Web UI are
stand-ins, named so, for docker.io/library/postgres and docker.io/temporalio/ui: the same programs,
told by the same variables, on the base image of the tests.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts import base_image
from temporal_dsql_deploy.platforms.cluster import build, schema_files
from tests.support import postgresql
from tests.support.containers import DOCKER
from tests.support.deploy import Deploy

BASE = f"{base_image.NAME}:amd64"
_EXECUTABLE = 0o755

_POSTGRES = f"""\
FROM {BASE}
COPY etc/passwd /etc/passwd
COPY opt /opt
COPY share /usr/share/postgresql
COPY entrypoint.sh /usr/local/bin/
COPY --chown=999:999 data /var/lib/postgresql/data
ENV PATH=/opt/postgresql/bin:$PATH LD_LIBRARY_PATH=/opt/shared
USER 999:999
STOPSIGNAL SIGINT
ENTRYPOINT ["entrypoint.sh"]
CMD ["postgres"]
"""
_POSTGRES_ENTRYPOINT = """\
#!/bin/sh
# What the official image does with these variables.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    mkdir -p "$PGDATA"
    initdb --pgdata "$PGDATA" --username "$POSTGRES_USER" --pwfile "$POSTGRES_PASSWORD_FILE" \\
        --encoding UTF8 --locale C --auth scram-sha-256 --no-sync
    echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
fi
exec "$@" -D "$PGDATA" -c "listen_addresses=*" -c unix_socket_directories=/tmp
"""
_UI = f"""\
FROM {BASE}
COPY bin /usr/local/bin
COPY config /home/ui-server/config
USER 1000:1000
ENTRYPOINT ["temporal-ui-server", "--root", "/home/ui-server", "--env", "docker", "start"]
"""
_UI_CONFIG = """\
# enable-template
temporalGrpcAddress: {{ env "TEMPORAL_ADDRESS" }}
port: {{ env "TEMPORAL_UI_PORT" | default "8080" }}
enableUi: true
disableNewsFetch: {{ env "TEMPORAL_DISABLE_NEWS_FETCH" | default "false" }}
cors:
  cookieInsecure: {{ env "TEMPORAL_CSRF_COOKIE_INSECURE" | default "false" }}
  allowOrigins:
    {{- range env "TEMPORAL_CORS_ORIGINS" | split "," }}
    - "{{ . }}"
    {{- end }}
"""


@dataclass(frozen=True, slots=True)
class Images:
    """Names of images that the engine has."""

    runtime: str
    admin_tools: str
    postgres: str = "dsql-deploy-stand-in-postgres:1"
    ui: str = "dsql-deploy-stand-in-ui:1"

    def variables(self) -> dict[str, str]:
        """What docker/compose.local.yaml is told."""
        return {
            "TEMPORAL_IMAGE": self.runtime,
            "TEMPORAL_ADMIN_TOOLS_IMAGE": self.admin_tools,
            "POSTGRES_IMAGE": self.postgres,
            "TEMPORAL_UI_IMAGE": self.ui,
        }


def binaries(folder: Path, *, schema: bool = False) -> Path:
    """The stock server and its tools in a folder, as a user gives one; with its schema if asked."""
    folder.mkdir(exist_ok=True)
    if schema:
        assert schema_files.obtain(lambda _: None)
        shutil.copytree(schema_files.folder(), folder / "schema/postgresql/v12")
    for module in (build.server(), build.elasticsearch_tool()):
        for name in module.programs:
            (folder / name).symlink_to(module.folder / name)
    return folder


def make(environ: Mapping[str, str], folder: Path) -> Images:
    """Build all of them; `environ` are the variables by which a client finds the engine."""
    deploy = Deploy(folder / "deploy")
    deploy.environment.update(environ)
    done = deploy.run(
        *("images", "build", "cluster", "--binaries", str(binaries(folder / "binaries"))),
        *("--base-image", BASE, "--image", "runtime", "--image", "admin-tools", "--json"),
        timeout=600,
    )
    built = {one["image"]: one["name"] for one in json.loads(done.stdout)["images"]}
    images = Images(built["runtime"], built["admin-tools"])
    users = subprocess.run(
        [DOCKER, "run", "--rm", "--network=none", BASE, "cat", "/etc/passwd"],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    def made(name: str, tag: str, fill: Callable[[Path], None]) -> None:
        context = folder / name
        context.mkdir()
        fill(context)
        done = subprocess.run(
            [DOCKER, "build", "--quiet", "--tag", tag, str(context)],
            env={**os.environ, **environ, "DOCKER_BUILDKIT": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        shutil.rmtree(context)

    made("postgres", images.postgres, lambda context: _postgres(context, users))
    made("ui", images.ui, _ui)
    return images


def _ui(context: Path) -> None:
    (context / "Dockerfile").write_text(_UI)
    module = build.ui()
    _program(context, module.folder / next(iter(module.programs)))
    (context / "config").mkdir()
    (context / "config/docker.yaml").write_text(_UI_CONFIG)


def _postgres(context: Path, users: str) -> None:
    """This machine's PostgreSQL, with the libraries that it is linked with."""
    programs = postgresql.binaries()
    assert programs is not None
    (context / "Dockerfile").write_text(_POSTGRES)
    target = context / "opt/postgresql"
    for name in ("initdb", "postgres", "pg_isready"):
        _program(context, programs / name, folder=target / "bin")
    # The programs find these beside themselves.
    shutil.copytree(programs.parent / "lib", target / "lib", ignore=_not_for_servers)
    share = Path("/usr/share/postgresql", programs.parent.name)
    shutil.copytree(share, context / "share" / programs.parent.name)
    shutil.copytree(share, target / "share")
    shared = context / "opt/shared"
    shared.mkdir()
    for library in _libraries(programs / "postgres") | _libraries(programs / "pg_isready"):
        shutil.copy(library, shared / library.name)
    (context / "etc").mkdir()
    (context / "etc/passwd").write_text(users + "postgres:x:999:999::/var/lib/postgresql:/bin/sh\n")
    (context / "data").mkdir()
    (context / "data/.keep").touch()
    script = context / "entrypoint.sh"
    script.write_text(_POSTGRES_ENTRYPOINT)
    script.chmod(_EXECUTABLE)


def _not_for_servers(_: str, names: list[str]) -> set[str]:
    return {name for name in names if name in {"bitcode", "pgxs"} or name.startswith("llvmjit")}


def _libraries(program: Path) -> set[Path]:
    """Those that it is linked with, without the C library, which every base has."""
    said = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True).stdout
    found = {Path(path) for path in re.findall(r"=> (/\S+)", said)}
    return {path for path in found if not re.match(r"(libc|libm|ld-linux.*)\.so", path.name)}


def _program(context: Path, path: Path, name: str = "", folder: Path | None = None) -> None:
    target = (folder or context / "bin") / (name or path.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)
    target.chmod(_EXECUTABLE)


class BuiltImages:
    """What `images build` has built, and how to build it again."""

    def __init__(self, deploy: Deploy, docker: dict[str, str], binaries: Path) -> None:
        self.deploy = deploy
        self.engine = docker
        self.binaries = binaries
        self.built: dict[str, dict[str, Any]] = {}

    def build(self, *options: str) -> dict[str, dict[str, Any]]:
        """The images by name, of `images build --json`."""
        done = self.deploy.run(
            *("images", "build", "cluster", "--binaries", str(self.binaries)),
            *("--base-image", BASE, "--grafana-image", BASE, "--json", *options),
            timeout=600,
        )
        return {one["image"]: one for one in json.loads(done.stdout)["images"]}

    def docker(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, **self.engine}
        return subprocess.run(
            [DOCKER, *words], env=environ, capture_output=True, text=True, check=check
        )

    def run(self, image: str, *command: str, entrypoint: str = "") -> str:
        """What a command in a container says."""
        options = ["--rm", "--entrypoint", entrypoint or command[0]]
        rest = command if entrypoint else command[1:]
        return self.docker("run", *options, self.built[image]["name"], *rest).stdout.strip()

    def names(self) -> set[str]:
        said = self.docker("images", "--format", "{{.Repository}}:{{.Tag}}").stdout
        return set(said.split())
