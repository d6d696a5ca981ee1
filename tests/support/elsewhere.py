"""Commands that run what follows them as on another machine: another user, no PostgreSQL."""

import os
import subprocess
from functools import cache

_UID = "1000"
_WITHOUT = 'mount -t tmpfs tmpfs /usr/lib/postgresql 2>/dev/null || true; exec "$@"'


def ordinary_user() -> list[str]:
    """As a user who is not root: none is needed for who is one already.

    Root becomes one in a user namespace, where what is its own remains so.
    """
    if os.geteuid() != 0:
        return []
    return ["unshare", "--user", f"--map-user={_UID}", f"--map-group={_UID}"]


@cache
def ordinary_user_lack() -> str | None:
    """Why nobody can be an ordinary user here; None when one can."""
    return _lack([*ordinary_user(), "true"], "ordinary user (root takes user namespaces for it)")


def without_postgresql() -> list[str]:
    """Where Debian's folder of PostgreSQL is empty, and so are the links into it in PATH."""
    become = ["unshare", "--mount", "--propagation", "private"]
    back: list[str] = []
    if os.geteuid() != 0:
        become += ["--user", "--map-root-user"]
        back = ["unshare", "--user", f"--map-user={os.geteuid()}", f"--map-group={os.getegid()}"]
    return [*become, "sh", "-c", _WITHOUT, "sh", *back]


@cache
def without_postgresql_lack() -> str | None:
    """Why PostgreSQL cannot be hidden here; None when it can, or is not here."""
    nothing = '! command -v initdb && test -z "$(ls -A /usr/lib/postgresql 2>/dev/null)"'
    hidden = [*without_postgresql(), "sh", "-c", nothing]
    return _lack(hidden, "way to hide PostgreSQL (it takes mount namespaces, and Debian's package)")


def _lack(command: list[str], what: str) -> str | None:
    try:
        tried = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        return f"no {what}"
    return None if tried.returncode == 0 else f"no {what}"
