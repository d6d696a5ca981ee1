"""The images that a rehearsal runs, and the command line that rehearses with them."""

import json
from collections.abc import Mapping
from pathlib import Path

from tests.support.container_images import BASE, binaries
from tests.support.deploy import Deploy


def build_images(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Build those of this project, with the stock server and its schema; names by image."""
    deploy = rehearsing(environ, folder / "building")
    done = deploy.run(
        *("images", "build", "cluster"),
        *("--binaries", str(binaries(folder / "binaries", schema=True))),
        *("--base-image", BASE, "--image", "runtime", "--image", "admin-tools", "--json"),
        timeout=900,
    )
    return {one["image"]: one["name"] for one in json.loads(done.stdout)["images"]}


def rehearsing(environ: Mapping[str, str], folder: Path) -> Deploy:
    """The command with a state directory of its own, and this container engine."""
    deploy = Deploy(folder)
    deploy.environment.update(environ)
    return deploy
