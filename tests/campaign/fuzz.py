"""Every property-based unit test with many more examples, under one seed."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Property:
    """How one property fared."""

    test: str
    passing: int
    failing: int


def run(
    seed: int, *, tests: str = "tests/unit", profile: str = "campaign"
) -> tuple[list[Property], str]:
    """The properties with their examples, and what pytest said."""
    done = subprocess.run(
        [
            *[sys.executable, "-m", "pytest", "-q", tests, "--timeout=0"],
            *[f"--hypothesis-profile={profile}", f"--hypothesis-seed={seed}"],
            "--hypothesis-show-statistics",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return parse(done.stdout), done.stdout.rstrip().rpartition("\n")[2]


def parse(output: str) -> list[Property]:
    """The properties of Hypothesis's statistics."""
    found = []
    for block in re.split(r"^(?=tests/\S+::)", output, flags=re.MULTILINE)[1:]:
        counts = re.findall(r"(\d+) passing, (\d+) failing", block)
        if counts:
            passing, failing = (
                sum(int(each) for each in side) for side in zip(*counts, strict=True)
            )
            found.append(Property(block.partition("\n")[0].rstrip(":"), passing, failing))
    return found


def report(properties: list[Property], said: str, *, seed: int, date: str) -> str:
    """The run as a page."""
    lines = [f"# Fuzz of all properties, seed {seed}\n", f"{date}. {said}\n"]
    lines += ["| Property | Examples | Failing |", "|---|---|---|"]
    lines += [
        f"| {each.test.partition('tests/unit/')[2]} | {each.passing} | {each.failing} |"
        for each in properties
    ]
    return "\n".join([*lines, f"\nAgain: `make campaign SEED={seed}`."]) + "\n"
