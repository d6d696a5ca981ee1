"""What the campaign of closed paths itself must do: cover, resume, judge, report."""

import json
from dataclasses import asdict, replace
from pathlib import Path

from temporal_dsql_deploy import topology
from tests.campaign import closed_paths
from tests.support.closed_paths import Outcome

PATH = ["history", "matching", "grpc"]
NAMED = Outcome("history -> matching grpc", [PATH], [], ["workflow"], [PATH], True, True, [], 17.2)
OPEN = replace(NAMED, name="nothing", closed=[], failed=[], named=[], logged=False)
HARMLESS = replace(OPEN, name="x", closed=[["worker", "history", "membership"]])


def test_every_port_of_every_role_is_closed_to_every_role() -> None:
    roles = topology.load().roles
    closed = [tuple(path) for case in closed_paths.cases() for path in case.closed]
    assert len(closed) == len(set(closed))
    assert len(closed) == len(roles) * sum(len(role.ports) for role in roles.values())
    assert all(case.instances == 2 for case in closed_paths.cases() if _own(case.closed))
    assert sum(not case.closed for case in closed_paths.cases()) > 1


def _own(closed: list[list[str]]) -> bool:
    return any(caller == callee for caller, callee, _ in closed)


def test_what_is_right() -> None:
    assert closed_paths.right(NAMED)
    assert closed_paths.right(OPEN)
    assert closed_paths.right(HARMLESS)
    assert not closed_paths.right(replace(NAMED, named=[]))
    assert not closed_paths.right(replace(NAMED, named=[PATH, ["worker", "history", "grpc"]]))
    assert not closed_paths.right(replace(NAMED, seconds=closed_paths.GOAL_SECONDS))
    assert not closed_paths.right(replace(OPEN, failed=["timer"]))
    assert not closed_paths.right(replace(HARMLESS, named=[PATH]))


def test_cases_that_were_written_down_are_not_tried_again(tmp_path: Path) -> None:
    done = [
        replace(OPEN, name=case.name, closed=case.closed, dialled=[["worker", "history", 7234]])
        for case in closed_paths.cases()
    ]
    progress = tmp_path / "progress.jsonl"
    progress.write_text("".join(json.dumps(asdict(one)) + "\n" for one in done))
    assert closed_paths.run(progress, print) == done


def test_the_page_counts_what_was_named() -> None:
    page = closed_paths.report([NAMED, OPEN, replace(HARMLESS, named=[PATH])], date="2026-11-22")
    assert "**1 of 1 closed paths that have an effect were named, the slowest in 17.2 s;" in page
    assert "1 of 2 cases without effect were silent.**" in page
    assert "| history -> matching grpc | yes | history -> matching grpc | yes | 17.2 |" in page
