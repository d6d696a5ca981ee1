"""A PostgreSQL of the machine's own, for as long as a test needs one."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from temporal_dsql_deploy.platforms.processes import ports

USER = "temporal"
DEBIAN = Path("/usr/lib/postgresql")


@cache
def binaries() -> Path | None:
    """The folder of initdb and its like; Debian does not have it in PATH."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


@contextmanager
def running(also: str = "", trusted: str = "") -> Iterator[int]:
    """The port of an empty PostgreSQL on 127.0.0.1, whose user `temporal` needs no password.

    It listens on the address `also` too, and trusts the network `trusted` as itself.
    """
    where = binaries()
    assert where is not None
    # Not pytest's folder, which only its owner may enter: PostgreSQL refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    user = _user()
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    port = ports.any_free()

    def run(*command: str) -> None:
        done = subprocess.run(
            [str(where / command[0]), *command[1:]],
            cwd=folder,
            user=user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    try:
        run("initdb", "-D", "data", "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        if trusted:
            with (folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write(f"host all all {trusted} trust\n")
        addresses = ",".join(filter(None, ("127.0.0.1", also)))
        options = f"-p {port} -c listen_addresses={addresses} -c fsync=off -k {folder}"
        run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")
        yield port
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            run("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


def _user() -> str | None:
    """Who runs it: root may not."""
    return "nobody" if os.geteuid() == 0 else None
