"""Docker Compose: which one is here, and its command lines by pure functions."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable, MissingError
from temporal_dsql_deploy.platforms.cluster.containers.engine import Engine

FILE = Path("docker", "compose.local.yaml")
_CHECKOUT = Path(__file__).parents[5]
"""Of this repository, when the package runs from one."""
_OLDEST = (1, 29)
"""The first that waits for `service_completed_successfully`."""
_OWN = "COMPOSE_"
"""Variables of whoever calls that would choose other files, profiles or projects."""
_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Compose:
    """A Compose that can be run."""

    command: tuple[str, ...]
    """`docker compose` or `docker-compose`, with the path of the program."""
    version: str

    def on(self, project: str, file: Path) -> "Project":
        """Its command lines for one project."""
        return Project((*self.command, "--project-name", project, "--file", str(file)))


@dataclass(frozen=True, slots=True)
class Project:
    """Command lines for one project."""

    words: tuple[str, ...]
    """What each begins with."""

    def hashes(self) -> list[str]:
        """A hash of each service's definition, as its containers have it in a label."""
        return [*self.words, "config", "--hash=*"]

    def prepare(self, service: str) -> list[str]:
        """Make networks and volumes, with a service that waits for no other.

        `create` of Compose 1.29 makes none; and its `up --no-start` of all would wait until what is
        not started has become healthy.
        """
        return [*self.words, "up", "--no-start", "--no-deps", "--no-recreate", service]

    def create(self, *, only_missing: bool) -> list[str]:
        """Make containers, and make anew those that are to be otherwise; nothing is started.

        With `only_missing` what is there stays as it is.
        """
        return [*self.words, "create", *(["--no-recreate"] if only_missing else [])]

    def remove(self, *, volumes: bool) -> list[str]:
        """Remove containers and networks, and on demand what is stored."""
        return [*self.words, "down", "--remove-orphans", *(["--volumes"] if volumes else [])]


def parse_hashes(said: str) -> dict[str, str]:
    """The answer to `hashes`, by service."""
    return dict(line.split() for line in said.splitlines() if line.strip())


@cache
def find(engine: Engine) -> Compose:
    """Docker's own subcommand, else the program docker-compose.

    Raises BinaryMissing, BinaryUnusable for one that is too old.
    """
    found = [Compose(words, version) for words in _known(engine) if (version := _version(words))]
    if not found:
        raise BinaryMissing(
            "there is no Docker Compose on this machine",
            cause="neither `docker compose` nor `docker-compose` answers",
            fix="install docker-compose-plugin or docker-compose, or run processes: "
            "dsql-deploy up ENV --runtime processes",
        )
    usable = [one for one in found if _numbers(one.version) >= _OLDEST]
    if not usable:
        raise BinaryUnusable(
            f"Docker Compose {found[0].version} is too old",
            cause=f"{'.'.join(map(str, _OLDEST))} is the oldest that waits for the schema",
            fix="install docker-compose-plugin",
        )
    return usable[0]


def _known(engine: Engine) -> list[tuple[str, ...]]:
    alone = shutil.which("docker-compose")
    return [(engine.path, "compose"), *([(alone,)] if alone else [])]


def _version(words: Sequence[str]) -> str:
    """Empty where it cannot be run."""
    try:
        done = subprocess.run(
            [*words, "version", "--short"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = re.fullmatch(r"v?(\d+\.\d+\S*)", done.stdout.strip())
    return match[1] if match and done.returncode == 0 else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """What Compose is run with: these variables, and none of the caller's that steer it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
    return {**kept, **variables}


def file() -> Path:
    """The Compose file: of the checkout that this runs from, else of a folder above this one.

    Raises MissingError.
    """
    here = Path.cwd()
    for folder in (_CHECKOUT, here, *here.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    raise MissingError(
        f"{FILE} is not here",
        cause=f"neither {here} nor a folder above it has it",
        fix="run the command in a checkout of temporal-dsql-deploy, or run processes: "
        "dsql-deploy up ENV --runtime processes",
    )
