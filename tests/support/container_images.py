"""The images of a cluster in containers, for an engine of the tests that cannot pull any.

Those of the roles are made by this project's own Dockerfiles. PostgreSQL and the Web UI are
stand-ins, named so, for docker.io/library/postgres and docker.io/temporalio/ui: the same programs,
told by the same variables, on the base image of the tests.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts import base_image
from temporal_dsql_deploy import runtime
from temporal_dsql_deploy.platforms.cluster import build
from tests.support import postgresql
from tests.support.containers import DOCKER

ROOT = Path(__file__).parents[2]
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
_SCHEMA = f"""\
FROM {BASE}
COPY bin /usr/local/bin
USER 1000:1000
"""


@dataclass(frozen=True, slots=True)
class Images:
    """Names of images that the engine has."""

    server: str = "dsql-deploy-test-server:1"
    runtime: str = "dsql-deploy-test-runtime:1"
    schema: str = "dsql-deploy-test-schema:1"
    postgres: str = "dsql-deploy-stand-in-postgres:1"
    ui: str = "dsql-deploy-stand-in-ui:1"

    def variables(self) -> dict[str, str]:
        """What docker/compose.local.yaml is told."""
        return {
            "TEMPORAL_IMAGE": self.runtime,
            "TEMPORAL_ADMIN_TOOLS_IMAGE": self.schema,
            "POSTGRES_IMAGE": self.postgres,
            "TEMPORAL_UI_IMAGE": self.ui,
        }


def make(environ: Mapping[str, str], folder: Path) -> Images:
    """Build all of them; `environ` are the variables by which a client finds the engine."""
    images = Images()
    passwd = subprocess.run(
        [DOCKER, "run", "--rm", "--network=none", BASE, "cat", "/etc/passwd", "/etc/group"],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    cut = passwd.rindex("root:x:0:\n")
    users, groups = passwd[:cut], passwd[cut:]

    def made(name: str, tag: str, fill: Callable[[Path], None], *options: str) -> None:
        context = folder / name
        context.mkdir()
        fill(context)
        done = subprocess.run(
            [DOCKER, "build", "--quiet", "--tag", tag, *options, str(context)],
            env={**os.environ, **environ, "DOCKER_BUILDKIT": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        shutil.rmtree(context)

    made(
        "server",
        images.server,
        lambda context: _server(context, users, groups),
        *("--file", str(ROOT / "docker/server/Dockerfile"), "--build-arg", f"BASE_IMAGE={BASE}"),
    )
    made(
        "runtime",
        images.runtime,
        _runtime,
        *("--file", str(ROOT / "docker/runtime/Dockerfile")),
        *("--build-arg", f"TEMPORAL_BASE_IMAGE={images.server}"),
    )
    made("schema", images.schema, _schema)
    made("postgres", images.postgres, lambda context: _postgres(context, users))
    made("ui", images.ui, _ui)
    return images


def _server(context: Path, users: str, groups: str) -> None:
    _program(context, build.server().folder / "temporal-server")
    (context / "etc").mkdir()
    user = "temporal:x:1000:1000::/etc/temporal:/usr/sbin/nologin\n"
    (context / "etc/passwd").write_text(users + user)
    (context / "etc/group").write_text(groups + "temporal:x:1000:\n")


def _runtime(context: Path) -> None:
    source = Path(runtime.__file__).parent
    shutil.copytree(source, context / "runtime", ignore=shutil.ignore_patterns("__pycache__"))
    _program(context, _health_probe(context.parent))
    for kept in ("config/dynamicconfig", "log"):
        (context / kept).mkdir(parents=True)
        (context / kept / ".keep").touch()


def _health_probe(folder: Path) -> Path:
    go = build.find_go()
    assert go is not None
    made = folder / "grpc_health_probe"
    done = subprocess.run(
        [str(go), "build", "-trimpath", "-o", str(made), "."],
        cwd=ROOT / "docker/health-probe",
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return made


def _schema(context: Path) -> None:
    (context / "Dockerfile").write_text(_SCHEMA)
    _program(context, build.server().folder / "temporal-sql-tool")
    _program(context, ROOT / "docker/admin-tools/postgresql-schema.sh", "postgresql-schema")


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
