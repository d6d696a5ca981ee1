"""Docker's engine on this machine, by its command line."""

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable, StartFailed
from temporal_dsql_deploy.platforms.cluster.containers import failures

PROJECT = "com.docker.compose.project"
"""The label by which Compose knows what it has made."""
_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


@dataclass(frozen=True, slots=True)
class Image:
    """An image that the engine has."""

    id: str
    architecture: str
    """As Docker names them: `amd64`, `arm64`."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One whose client was found; whether it answers is not known yet."""

    path: str
    known: dict[str, Image] = field(default_factory=dict, compare=False, repr=False)
    """Images that were found, by name: each question is a program that starts."""

    def run(self, *arguments: str) -> str:
        """What a command says on stdout. Raises what failures.refusal makes of its end."""
        return run([self.path, *arguments])

    def version(self) -> str:
        """Such as 28.2.2, of an engine whose containers can be reached from here.

        Raises BinaryUnusable.
        """
        said = json.loads(self.run("info", "--format", "{{json .}}"))
        # Old clients answer with code 0 when the engine does not.
        if said.get("ServerErrors"):
            raise failures.refusal([self.path, "info"], "\n".join(said["ServerErrors"]))
        behind = _behind(said)
        if behind:
            raise BinaryUnusable(
                "the addresses of containers cannot be reached from here",
                cause=f"{behind}; the tool asks each role and the database at its own address",
                fix="docker compose --file docker/compose.local.yaml up works there; with this "
                "tool run processes: dsql-deploy up ENV --runtime processes",
            )
        return str(said["ServerVersion"])

    def inspect(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Containers as the engine describes them; those that are gone meanwhile are left out."""
        if not ids:
            return []
        done = _done([self.path, "container", "inspect", *ids])
        found: list[dict[str, Any]] = json.loads(done.stdout or "[]")
        if done.returncode != 0 and "no such container" not in done.stderr.lower():
            raise failures.refusal([self.path, "container", "inspect"], done.stderr)
        return found

    def of_project(self, project: str) -> list[dict[str, Any]]:
        """All containers of a Compose project, running or not, without those of `run`."""
        own = f"label={PROJECT}={project}"
        once = "label=com.docker.compose.oneoff=False"
        every = ("ps", "--all", "--quiet", "--no-trunc", "--filter", own, "--filter", once)
        return self.inspect(self.run(*every).split())

    def image(self, name: str) -> Image | None:
        """An image by its name; None where the engine does not have it."""
        if name in self.known:
            return self.known[name]
        done = _done([self.path, "image", "inspect", name])
        if done.returncode == 0:
            found = json.loads(done.stdout)[0]
            self.known[name] = Image(found["Id"], found["Architecture"])
            return self.known[name]
        if "no such image" in done.stderr.lower():
            return None
        raise failures.refusal([self.path, "image", "inspect", name], done.stderr)

    def architecture(self) -> str:
        """As Docker names them: `amd64`, `arm64`."""
        return self.run("version", "--format", "{{.Server.Arch}}").strip()

    def names(self, repository: str) -> list[str]:
        """Names with tags of the images of a repository, newest first."""
        said = self.run("images", repository, "--format", "{{.Repository}}:{{.Tag}}")
        return [name for name in said.split() if not name.endswith(":<none>")]

    def start(self, ids: Collection[str]) -> None:
        """Start containers, one after the other."""
        if ids:
            self.run("start", *ids)

    def once(self, container: str) -> None:
        """Run a container to its end. Raises StartFailed where it fails."""
        done = _done([self.path, "start", "--attach", container])
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise StartFailed(
                f"the schema could not be made: exit code {done.returncode}",
                cause="\n".join(line[:300] for line in said[-5:]),
                fix="its whole log: dsql-deploy logs ENV --component schema",
            )

    def stop(self, ids: Collection[str], *, grace: float) -> None:
        """Stop containers side by side; who has not ended after `grace` seconds is killed."""
        if ids:
            self.run("stop", "--time", str(math.ceil(grace)), *ids)

    def remove(self, ids: Collection[str]) -> None:
        """Remove containers that do not run."""
        if ids:
            self.run("rm", "--volumes", *ids)

    def logged(
        self, container: str, *, since: str = "", times: bool = False, tail: int | None = None
    ) -> str:
        """What a container has said on stdout and stderr: since a time of the engine's, the end.

        With `times` each line begins with the engine's time of it.
        """
        done = subprocess.run(
            self._logs(container, since, times=times, tail=tail),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        return done.stdout

    def follow(self, container: str, *, since: str) -> subprocess.Popen[bytes]:
        """What tells each new line with its time, until the container ends."""
        return subprocess.Popen(
            [*self._logs(container, since, times=True), "--follow"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _logs(
        self, container: str, since: str, *, times: bool, tail: int | None = None
    ) -> list[str]:
        options = [*(["--since", since] if since else []), *(["--timestamps"] if times else [])]
        return [self.path, "logs", "--tail", str(tail or "all"), *options, container]

    def volume(self, name: str) -> Path | None:
        """Where a volume lies on this machine; None where there is none of that name."""
        asked = [self.path, "volume", "inspect", "--format", "{{.Mountpoint}}", name]
        done = _done(asked)
        if done.returncode == 0:
            return Path(done.stdout.strip())
        if "no such volume" in done.stderr.lower():
            return None
        raise failures.refusal(asked, done.stderr)

    def volume_bytes(self, name: str) -> int:
        """About how much a volume takes, as the engine rounds it."""
        said = json.loads(self.run("system", "df", "--verbose", "--format", "{{json .}}"))
        sizes = {one["Name"]: one["Size"] for one in said.get("Volumes") or []}
        return _bytes(sizes.get(name, "0B"))


def find() -> Engine:
    """The client of PATH. Raises BinaryMissing."""
    path = shutil.which("docker")
    if path is None:
        raise BinaryMissing(
            "there is no docker on this machine",
            cause="PATH has no program of that name",
            fix="install Docker's engine and Compose, or run processes: dsql-deploy up ENV "
            "--runtime processes",
        )
    return Engine(path)


def run(
    words: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    seconds: float | None = None,
) -> str:
    """What a command says on stdout. Raises what failures.refusal makes of its end, StartFailed."""
    try:
        done = _done(words, environment, seconds)
    except subprocess.TimeoutExpired as error:
        raise StartFailed(
            f"{Path(words[0]).name} has not ended after {seconds:g} s",
            cause="what it was to do takes seconds",
            fix=f"see it by hand: {' '.join(words)}",
        ) from error
    if done.returncode != 0:
        raise failures.refusal(words, done.stderr or done.stdout)
    return done.stdout


def _done(
    words: Sequence[str],
    environment: Mapping[str, str] | None = None,
    seconds: float | None = None,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        env=dict(os.environ if environment is None else environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=seconds,
        # Ctrl-C is for this tool, which undoes what it has begun by further commands.
        start_new_session=True,
    )


def _behind(info: Mapping[str, Any]) -> str:
    """What stands between this machine and the containers' network; empty where nothing does."""
    if sys.platform != "linux":
        return "on this system containers run in a virtual machine"
    if str(info.get("OperatingSystem", "")).startswith("Docker Desktop"):
        return "Docker Desktop runs them in a virtual machine"
    if any("rootless" in option for option in info.get("SecurityOptions") or []):
        return "a rootless engine has a network namespace of its own"
    return ""


def _bytes(text: str) -> int:
    for unit in sorted(_UNITS, key=len, reverse=True):
        number = text.removesuffix(unit)
        if number != text:
            return int(float(number) * _UNITS[unit])
    return 0
