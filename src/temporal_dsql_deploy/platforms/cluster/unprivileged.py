"""Programs that refuse to run as root, run as another user where this runs as root."""

import os
import pwd
import shutil
import signal
import sys
from pathlib import Path

from temporal_dsql_deploy.errors import BinaryUnusable

_USER = "nobody"


def prefix(program: str, stop: signal.Signals, capability: str) -> list[str]:
    """What runs a command as a user that `program` accepts; nothing unless this is root.

    Root's own folders are closed to others, and the data are in one of them: so the user keeps one
    capability of root, and no other. `stop` is what ends it. Raises BinaryUnusable.
    """
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if sys.platform != "linux" or setpriv is None:
        raise BinaryUnusable(
            f"{program} cannot be run",
            cause="it refuses to run as root, and setpriv is not here to run it as another user",
            fix="run this as another user than root, or install util-linux",
        )
    user = pwd.getpwnam(_USER)
    return [
        setpriv,
        *(f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"),
        *(f"--inh-caps=-all,+{capability}", f"--ambient-caps=+{capability}"),
        # Programs ask by access(2) what they may read and run, and for who is not root that forgets
        # the capability.
        "--securebits=+no_setuid_fixup",
        # The change of user has undone what makes it end with its keeper.
        f"--pdeathsig={stop.name.removeprefix('SIG')}",
    ]


def give(folder: Path) -> None:
    """Give a folder and what is in it to that user, where this is root. Raises OSError."""
    if os.geteuid() != 0:
        return
    user = pwd.getpwnam(_USER)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid)
