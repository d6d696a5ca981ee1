"""Programs that refuse to run as root, run as another user where this runs as root."""

import os
import pwd
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from temporal_dsql_deploy.errors import BinaryUnusable

_USER = "nobody"
_STATUS = Path("/proc/self/status")
_BITS = {"dac_override": 1, "dac_read_search": 2, "setgid": 6, "setuid": 7, "setpcap": 8}
"""Of linux/capability.h."""


def prefix(
    program: str, stop: signal.Signals, capabilities: Sequence[str], also: Sequence[str] = ()
) -> list[str]:
    """What runs a command as a user that `program` accepts; nothing unless this is root.

    Root's own folders are closed to others, and the data are in one of them: so the user keeps one
    capability of root, and no other: the first of `capabilities` that root has here, which in a
    container is not each. `also` is what root has to have besides, to run it. `stop` is what ends
    it. Raises BinaryUnusable.
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
    held = _held(_STATUS.read_text())
    kept = [name for name in capabilities if name in held][:1]
    needed = ["setuid", "setgid", *also, *(kept or capabilities[:1])]
    if lacking := [name for name in needed if name not in held]:
        raise BinaryUnusable(
            f"{program} cannot be run",
            cause="it refuses to run as root, and for another user root lacks capabilities here: "
            + ", ".join(lacking),
            fix="run this as another user than root, or give them to the container: docker run "
            + " ".join(f"--cap-add {name.upper()}" for name in lacking),
        )
    user = pwd.getpwnam(_USER)
    return [
        setpriv,
        *(f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"),
        *(f"--inh-caps=-all,+{kept[0]}", f"--ambient-caps=+{kept[0]}"),
        # Programs ask by access(2) what they may read and run, and for who is not root that forgets
        # the capability.
        *(["--securebits=+no_setuid_fixup"] if "setpcap" in held else []),
        # The change of user has undone what makes it end with its keeper.
        f"--pdeathsig={stop.name.removeprefix('SIG')}",
    ]


def _held(status: str) -> set[str]:
    """Those of `_BITS` that a process has, by its /proc/PID/status."""
    words = next(line.split() for line in status.splitlines() if line.startswith("CapPrm:"))
    permitted = int(words[1], 16)
    return {name for name, bit in _BITS.items() if permitted >> bit & 1}


def give(folder: Path) -> None:
    """Give a folder and what is in it to that user, where this is root. Raises OSError."""
    if os.geteuid() != 0:
        return
    user = pwd.getpwnam(_USER)
    os.chown(folder, user.pw_uid, user.pw_gid)
    # A link in it is that user's, and what it points to is not: it must not become theirs.
    for _, folders, files, at in os.fwalk(folder.resolve()):
        for name in (*folders, *files):
            os.chown(name, user.pw_uid, user.pw_gid, dir_fd=at, follow_symlinks=False)
