"""The Java of this machine: OpenSearch brings none."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from temporal_dsql_deploy.errors import BinaryMissing

_HOMES = ("OPENSEARCH_JAVA_HOME", "JAVA_HOME")
"""As OpenSearch's own script looks for it."""
_HOME = re.compile(r"^\s*java\.home = (.+)$", re.MULTILINE)
_VERSION = re.compile(r"^\s*java\.specification\.version = (?:1\.)?(\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime."""

    home: Path
    """The folder that has its bin/java."""
    version: int
    """Such as 17."""


def find(versions: range, bundled: Path | None = None) -> Java:
    """The first of these versions: of a variable, the bundled one, the one of PATH.

    Raises BinaryMissing, which says what was found instead.
    """
    oldest = versions.start
    seen = []
    for where, program in _candidates(bundled):
        found = _ask(program)
        if found is not None and found.version in versions:
            return found
        seen.append(f"{where} is {f'Java {found.version}' if found else 'none that runs'}")
    raise BinaryMissing(
        f"there is no Java {oldest} to {versions.stop - 1} here",
        cause="; ".join(seen) or f"neither {' nor '.join(_HOMES)} is set, and none is on PATH",
        fix=f"install a JDK {oldest} (Debian: openjdk-{oldest}-jre-headless), or name the folder "
        f"of one in {_HOMES[0]}",
    )


def _candidates(bundled: Path | None) -> list[tuple[str, str]]:
    """Programs to ask, with where each comes from."""
    own, general = (os.environ.get(name, "") for name in _HOMES)
    homes = {_HOMES[0]: own, "the bundled one": str(bundled or ""), _HOMES[1]: general}
    found = [
        (f"{name} ({home})", str(Path(home, "bin", "java"))) for name, home in homes.items() if home
    ]
    on_path = shutil.which("java")
    return [*found, ("java on PATH", on_path)] if on_path else found


def _ask(program: str) -> Java | None:
    """What a java says of itself; None for what cannot be run."""
    try:
        done = subprocess.run(
            [program, "-XshowSettings:properties", "-version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    home, version = _HOME.search(done.stderr), _VERSION.search(done.stderr)
    return Java(Path(home[1]), int(version[1])) if home and version else None
