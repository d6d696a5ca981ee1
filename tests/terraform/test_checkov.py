"""checkov finds nothing but what `terraform/checkov.yaml` leaves, each entry with its reason."""

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.machine import CHECKOV

pytestmark = pytest.mark.needs("checkov")

ROOT = Path(__file__).parents[2]
CONFIGURATION = ROOT / "terraform" / "checkov.yaml"
ENVIRONMENTS = ["envs/dev", "envs/bench", "envs/prod"]
DIRECTORIES = ["account", *ENVIRONMENTS]
MOST_ENTRIES = 12
PATH = re.compile(r"\b(?:docs|tests|terraform|src)/[\w./-]*\w")


class Entry(NamedTuple):
    check: str
    reason: str


def entries() -> list[Entry]:
    """The skipped checks, with the comment above each."""
    found: list[Entry] = []
    comment: list[str] = []
    for line in CONFIGURATION.read_text().partition("skip-check:\n")[2].splitlines():
        if line.lstrip().startswith("#"):
            comment.append(line.strip("# "))
        elif line.strip():
            found.append(Entry(line.strip("- "), " ".join(comment)))
            comment = []
    return found


@cache
def findings(directory: str, *, with_configuration: bool = False) -> frozenset[str]:
    """Ids of the failed checks of one root module."""
    command = [*CHECKOV, "-d", str(ROOT / "terraform" / directory), "-o", "json", "--skip-download"]
    command += ["--var-file", str(ROOT / "terraform" / directory / "terraform.tfvars.example")]
    command += (
        ["--config-file", str(CONFIGURATION)] if with_configuration else ["--framework=terraform"]
    )
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    report = json.loads(said)
    assert report["summary"]["resource_count"] > 5, said
    assert report["summary"]["parsing_errors"] == 0, said
    return frozenset(found["check_id"] for found in report["results"]["failed_checks"])


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_checkov_finds_only_what_is_left_with_a_reason(directory: str) -> None:
    assert findings(directory) - {entry.check for entry in entries()} == set()


def test_the_configuration_silences_exactly_that() -> None:
    assert findings("envs/prod", with_configuration=True) == set()


def test_no_entry_is_stale() -> None:
    found = set().union(*(findings(directory) for directory in DIRECTORIES))
    assert [entry.check for entry in entries() if entry.check not in found] == []


@pytest.mark.parametrize("directory", ENVIRONMENTS)
def test_an_environment_has_few_suppressions(directory: str) -> None:
    assert 0 < len(findings(directory)) <= MOST_ENTRIES


def test_each_entry_names_what_covers_it() -> None:
    for entry in entries():
        paths = PATH.findall(entry.reason)
        assert paths, entry
        assert all((ROOT / path).exists() for path in paths), entry
        assert len(entry.reason) > 60, entry
