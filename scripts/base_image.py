"""Make a Debian image that others are based on where no registry can be reached.

In the cache, once for each architecture: what `--base-image` asks for, made with debootstrap of
Debian's own packages, and the certificates of this machine. One of a foreign architecture is only
unpacked, as nothing of it can run here: images are assembled on it, and their files looked at.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from temporal_dsql_deploy.platforms.cluster import sums, wheels

SUITE = "bookworm"
ARCHITECTURES = ("amd64", "arm64")
_PACKAGES = ("ca-certificates", "python3", "python3-pip", "python3-venv")
_CERTIFICATES = Path("etc/ssl/certs/ca-certificates.crt")
_LEFT_OUT = (
    "./dev/*",
    "./debootstrap",
    "./usr/share/doc",
    "./usr/share/locale",
    "./usr/share/man",
    "./var/cache/apt",
    "./var/lib/apt/lists",
    "./var/log/*",
)
_ENVIRONMENT = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
NAME = "dsql-deploy-base"
"""Of the image; its tag is the architecture."""
_VERSION = 3
"""Of what this file makes."""


def path(architecture: str) -> Path:
    """The archive that `docker load` takes, which may not be there yet."""
    return wheels.cache() / f"base-{SUITE}-{architecture}-{_VERSION}.tar"


def is_there() -> bool:
    """Whether those of all architectures are."""
    return all(path(architecture).is_file() for architecture in ARCHITECTURES)


def make(architecture: str) -> Path:
    """The archive; made first where it is missing. Raises CalledProcessError."""
    target = path(architecture)
    with wheels.alone(target, say):
        if not target.is_file():
            say(f"making the base image for {architecture}")
            with tempfile.TemporaryDirectory(dir=target.parent, prefix="base-") as folder:
                root, layer, made = (Path(folder, name) for name in ("root", "layer.tar", "made"))
                _fill(root, architecture)
                excluded = [f"--exclude={one}" for one in _LEFT_OUT]
                _run("tar", "-C", str(root), *excluded, "-cf", str(layer), ".")
                _archive(made, layer, architecture)
                made.replace(target)
    return target


def _archive(made: Path, layer: Path, architecture: str) -> None:
    """One layer as an image, as `docker save` has it: `docker import` knows its own kind only."""
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {"Env": _ENVIRONMENT, "Cmd": ["sh"]},
        # Buildah counts the layers by it.
        "history": [{"created_by": "debootstrap"}],
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{sums.of(layer)}"]},
    }
    if architecture == "arm64":
        config["variant"] = "v8"
    manifest = [
        {"Config": "config.json", "RepoTags": [f"{NAME}:{architecture}"], "Layers": [layer.name]}
    ]
    with tarfile.open(made, "w") as archive:
        archive.add(layer, layer.name)
        for name, document in (("config.json", config), ("manifest.json", manifest)):
            text = json.dumps(document).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))


def _fill(root: Path, architecture: str) -> None:
    own = subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
    ).stdout.strip()
    foreign = ["--foreign"] if architecture != own else []
    _run(
        "debootstrap",
        f"--arch={architecture}",
        "--variant=minbase",
        f"--include={','.join(_PACKAGES)}",
        *foreign,
        SUITE,
        str(root),
    )
    if foreign:
        # debootstrap has unpacked the essential ones; their scripts would have to run there.
        for package in sorted((root / "var/cache/apt/archives").glob("*.deb")):
            _run("dpkg-deb", "--extract", str(package), str(root))
        for name in ("passwd", "group"):
            shutil.copy(root / f"usr/share/base-passwd/{name}.master", root / "etc" / name)
    (root / _CERTIFICATES).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path("/") / _CERTIFICATES, root / _CERTIFICATES)


def _run(*command: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)


def main() -> None:
    """Make what is missing; print the paths."""
    for architecture in ARCHITECTURES:
        try:
            print(make(architecture))
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"error: the base image for {architecture} cannot be made\ncause: {error}")


def say(text: str) -> None:
    """Tell how far it is, apart from the paths that are the result."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
