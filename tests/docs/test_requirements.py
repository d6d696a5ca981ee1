"""docs/reference/requirements.md: no requirement lost, every state, path and reason sound."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "reference" / "requirements.md"

STATES = {"done", "later", "overruled"}
ROWS_PER_SOURCE = {"S0": 70, "S1": 40, "S2": 23, "S3": 17, "S4": 14}
CONTRADICTIONS = 33
CITED_NUMBERS = [f"R-{number}" for number in range(1, 22)]

REQUIREMENTS = "| id | what is asked | state | where, or why not |"
TOPICS = "| topic | which text we follow | why |"
NUMBERS = "| number | subject | what it adds, and where it is carried |"

ID = re.compile(r"S[0-4]-[A-Z0-9][A-Za-z0-9.]*\*?")
CODE = ("src/", "terraform/", "docker/", "docs/")
SHORTEST_REASON = 40


class Row(NamedTuple):
    id: str
    asked: str
    state: str
    where: str


def cells_under(header: str, text: str) -> list[list[str]]:
    """The cells of every line of every table that has this header."""
    found: list[list[str]] = []
    inside = False
    for line in text.splitlines():
        if line == header:
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not line.startswith("|---"):
            found.append([cell.strip() for cell in line.strip().strip("|").split("|")])
    return found


def rows_of(text: str) -> list[Row]:
    return [Row(*(cells + [""] * 4)[:4]) for cells in cells_under(REQUIREMENTS, text)]


def paths_in(cell: str) -> list[str]:
    return [token for token in re.findall(r"`([^`]+)`", cell) if "/" in token]


def fault_of_path(token: str) -> str | None:
    name, _, test = token.partition("::")
    path = (ROOT / name).resolve()
    if not path.is_relative_to(ROOT) or not path.exists():
        return f"no such path {name}"
    if test and not path.is_file():
        return f"{name} is no file"
    if test and not re.search(rf"\b{re.escape(test)}\b", path.read_text("utf-8")):
        return f"no {test} in {name}"
    return None


def faults_of(text: str) -> list[str]:
    """Everything wrong with the requirement tables, one sentence each."""
    faults: list[str] = []
    rows = rows_of(text)
    if any(len(cells) != 4 for cells in cells_under(REQUIREMENTS, text)):
        faults.append("a row has not four cells")
    faults += [f"{name}: twice" for name, n in Counter(row.id for row in rows).items() if n > 1]
    for row in rows:
        if not ID.fullmatch(row.id):
            faults.append(f"{row.id}: not an id")
        if row.state not in STATES:
            faults.append(f"{row.id}: unknown state {row.state!r}")
        if not row.asked or not row.where:
            faults.append(f"{row.id}: an empty cell")
        paths = paths_in(row.where)
        faults += [f"{row.id}: {fault}" for fault in map(fault_of_path, paths) if fault]
        if row.state == "done" and not any(path.startswith(CODE) for path in paths):
            faults.append(f"{row.id}: done without code")
        if row.state == "done" and not any(path.startswith("tests/") for path in paths):
            faults.append(f"{row.id}: done without a test")
        if row.state == "overruled" and len(row.where) < SHORTEST_REASON:
            faults.append(f"{row.id}: overruled without a reason")
    return faults


def test_every_row_is_sound() -> None:
    assert faults_of(DOCUMENT.read_text("utf-8")) == []


def test_no_row_is_lost() -> None:
    rows = rows_of(DOCUMENT.read_text("utf-8"))
    assert Counter(row.id.partition("-")[0] for row in rows) == ROWS_PER_SOURCE


def test_the_other_tables_are_complete_and_refer_to_existing_rows() -> None:
    text = DOCUMENT.read_text("utf-8")
    topics = cells_under(TOPICS, text)
    numbers = cells_under(NUMBERS, text)
    assert len({cells[0] for cells in topics}) == len(topics) == CONTRADICTIONS
    assert [cells[0] for cells in numbers] == CITED_NUMBERS
    known = {row.id for row in rows_of(text)}
    cited = {name for cells in topics + numbers for name in ID.findall(" ".join(cells))}
    # S3-6.1 is a clause of the row S3-6; clauses have no rows of their own.
    assert {name for name in cited if not {name, name.rpartition(".")[0]} & known} == set()


def test_bad_rows_are_reported() -> None:
    here = "tests/docs/test_requirements.py"
    absent = "_".join(["no", "such", "test"])  # not spelt out: this file must not contain it
    good = f"| S0-P1 | asked | done | `docs/reference/requirements.md`, `{here}::fault_of_path` |"
    bad = [
        "| S0-P1 | asked | later | the same id again |",
        "| P2 | asked | later | somewhere |",
        "| S0-P3 | asked | started | somewhere |",
        "| S0-P4 | asked | later | |",
        "| S0-P5 | asked | later | `terraform/no-such-module` |",
        f"| S0-P6 | asked | later | `{here}::{absent}` |",
        "| S0-N1 | asked | done | in words only |",
        "| S0-N2 | asked | overruled | because |",
        "| S0-N3 | asked | later | one cell | too many |",
        "| S0-N4 | asked | later | `/etc/hosts` |",
    ]
    assert faults_of("\n".join([REQUIREMENTS, "|---|---|---|---|", good])) == []
    assert faults_of("\n".join([REQUIREMENTS, "|---|---|---|---|", good, *bad])) == [
        "a row has not four cells",
        "S0-P1: twice",
        "P2: not an id",
        "S0-P3: unknown state 'started'",
        "S0-P4: an empty cell",
        "S0-P5: no such path terraform/no-such-module",
        f"S0-P6: no {absent} in {here}",
        "S0-N1: done without code",
        "S0-N1: done without a test",
        "S0-N2: overruled without a reason",
        "S0-N4: no such path /etc/hosts",
    ]
