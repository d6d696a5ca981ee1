"""The images that a rehearsal runs, the command line that rehearses with them, one that stands."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.container_images import BASE, binaries
from tests.support.deploy import Deploy

LONG = 1800
"""Seconds for a rehearsal on a machine that has more to do."""


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


@dataclass(frozen=True, slots=True)
class Kept:
    """A rehearsal of dev that stands."""

    deploy: Deploy
    result: dict[str, Any]
    """What `rehearse --keep --json` has printed."""

    @property
    def aws(self) -> dict[str, str]:
        """The variables by which its AWS is talked to."""
        return dict(self.result["standing"])

    @property
    def state(self) -> Path:
        """The folder of all that it keeps."""
        return self.deploy.state / "dsql-deploy" / "rehearsal-dev"

    @property
    def terraform(self) -> Path:
        """The folder of the copy of dev's Terraform, with its state."""
        return self.state / "terraform/terraform/envs/dev"

    def end(self) -> None:
        """Take it away."""
        self.deploy.run("rehearse", "dev", "--end")
        self.deploy.clean_up()


class Held:
    """At most one rehearsal of dev that stands, made when it is first asked for."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self._environ = environ
        self._folder = folder
        self._kept: Kept | None = None
        self._count = 0

    def stand(self) -> Kept:
        """That one."""
        if self._kept is None:
            self._count += 1
            deploy = rehearsing(self._environ, self._folder / str(self._count))
            self._kept = Kept(deploy, {})
            done = deploy.run("rehearse", "dev", "--keep", "--json", timeout=LONG)
            self._kept = Kept(deploy, json.loads(done.stdout))
        return self._kept

    def end(self) -> None:
        """Take it away, if there is one: a rehearsal of dev from nothing has the same network."""
        if self._kept is not None:
            self._kept.end()
            self._kept = None


@contextmanager
def talking_to(kept: Kept) -> Iterator[None]:
    """A block in which this process talks to the AWS of a rehearsal, and to its engine."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    engine = {n: v for n, v in kept.deploy.environment.items() if n.startswith("DOCKER_")}
    os.environ.update({**kept.aws, **engine})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
