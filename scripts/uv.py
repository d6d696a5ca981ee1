"""Run uv with the given arguments; install it first, into .uv, where the machine has none.

Needs nothing but Python 3.9: a machine may have neither uv, nor pip, nor the venv module. Where
there is pip it is asked first, since it knows the indexes and certificates of its machine.
"""

import hashlib
import html
import io
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path
from typing import Dict, Iterable, Optional, Tuple

VERSION = "0.13.8"
HOME = Path(__file__).resolve().parent.parent / ".uv"
BINARY = HOME / "bin" / "uv"
OLDEST = (0, 6)


def main() -> None:
    """Find or install uv, and become it."""
    uv = find() or install()
    environment = {**os.environ, "UV_PROJECT_ENVIRONMENT": ".venv"}
    environment.pop("VIRTUAL_ENV", None)
    if not os.access(nearest(cache(environment)), os.W_OK):
        environment["UV_CACHE_DIR"] = str(HOME / "cache")
    os.execve(uv, [uv, *sys.argv[1:]], environment)


def cache(environment: Dict[str, str]) -> Path:
    """Where uv keeps what it downloads, unless told otherwise."""
    default = environment.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(environment.get("UV_CACHE_DIR") or default, "uv")


def nearest(path: Path) -> Path:
    """The path itself or its nearest parent that exists."""
    return next(folder for folder in (path, *path.parents) if os.path.exists(folder))


def find() -> Optional[str]:
    """The uv of PATH or of an earlier run, None when there is none that is new enough."""
    for candidate in (shutil.which("uv"), str(BINARY) if BINARY.exists() else None):
        if candidate and version(candidate) >= OLDEST:
            return candidate
    return None


def version(uv: str) -> Tuple[int, ...]:
    """Major and minor version, (0, 0) for what cannot be run."""
    try:
        said = subprocess.run([uv, "--version"], capture_output=True, text=True, check=True).stdout
        return tuple(int(part) for part in said.split()[1].split(".")[:2])
    except (OSError, subprocess.CalledProcessError, IndexError, ValueError):
        return (0, 0)


def install() -> str:
    """Put uv into .uv: with pip, else straight from the package index."""
    sys.stderr.write("installing uv %s into %s\n" % (VERSION, HOME))
    problems = []
    for attempt in (install_with_pip, install_from_index):
        try:
            attempt()
        except (OSError, subprocess.CalledProcessError, LookupError, ValueError) as error:
            said = getattr(error, "stderr", None)
            problems.append("%s %s" % (attempt.__doc__, said.decode() if said else error))
            continue
        if version(str(BINARY)) >= OLDEST:
            return str(BINARY)
    sys.exit(
        "error: uv could not be installed\n"
        "cause: %s\n"
        "fix: check the network and the package index (PIP_INDEX_URL), or put a uv on PATH: "
        "https://docs.astral.sh/uv/" % " ".join(problems)
    )


def install_with_pip() -> None:
    """With pip."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
            + ["--target", folder, "uv==" + VERSION],
            check=True,
            capture_output=True,
        )
        put(Path(folder, "bin", "uv").read_bytes())


def put(program: bytes) -> None:
    """Make this the binary, in one step: another make may be using or writing it."""
    BINARY.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=BINARY.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(program)
    Path(name).chmod(0o755)
    Path(name).replace(BINARY)


def install_from_index() -> None:
    """From the package index."""
    index = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL")
    page = (index or "https://pypi.org/simple").rstrip("/") + "/uv/"
    links = parse(fetch(page, 60).decode())
    wheel = choose(links)
    address, _, digest = urllib.parse.urljoin(page, links[wheel]).partition("#sha256=")
    data = fetch(address, 300)
    if hashlib.sha256(data).hexdigest() != digest:
        raise ValueError("%s does not have the checksum that the index gives" % wheel)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        put(archive.read("uv-%s.data/scripts/uv" % VERSION))


def fetch(address: str, timeout: float) -> bytes:
    """The body at an address of the index."""
    with urllib.request.urlopen(address, timeout=timeout) as answer:
        body: bytes = answer.read()
        return body


def parse(page: str) -> Dict[str, str]:
    """File names and links of a page of the simple index, which PEP 503 describes."""
    links = re.findall(r'<a[^>]*href="([^"]+)"[^>]*>([^<]+)</a>', page)
    return {name.strip(): html.unescape(link) for link, name in links}


def choose(wheels: Iterable[str]) -> str:
    """The wheel of this version for this machine. Raises LookupError."""
    machine = platform.machine().lower().replace("amd64", "x86_64")
    if sys.platform == "darwin":
        wanted = "macosx"
    else:
        wanted = "manylinux" if platform.libc_ver()[0] == "glibc" else "musllinux"
    for wheel in sorted(wheels):
        if wheel.startswith("uv-%s-" % VERSION) and wanted in wheel and machine in wheel:
            return wheel
    raise LookupError("there is no wheel of uv %s for %s on %s" % (VERSION, wanted, machine))


if __name__ == "__main__":
    main()
