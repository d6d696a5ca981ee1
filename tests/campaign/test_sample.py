"""A small seeded sample of the campaign, and what the campaign itself must do: resume, report."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.campaign import fuzz
from tests.campaign.__main__ import report, resumed
from tests.campaign.faults import FAULTS, Round, run_round
from tests.support.deploy import Deploy

SEEDS = [12, 14, 17]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_fault_loses_no_acknowledged_workflow(deploy: Deploy, seed: int) -> None:
    deploy.run("up")
    done = asyncio.run(run_round(deploy, seed, deploy.folder, workflows=60))
    assert done.losses == []
    assert done.acknowledged > 0
    assert deploy.json("status")["running"]


ROUND = Round(seed=3, fault="down", after=1.0, acknowledged=5, recovered=2.0, losses=[])


def test_rounds_that_were_written_down_are_not_run_again(tmp_path: Path) -> None:
    progress = tmp_path / "progress.jsonl"
    assert resumed(progress) == []
    progress.write_text(json.dumps(asdict(ROUND)) + "\n")
    assert resumed(progress) == [ROUND]


def test_a_report_counts_what_was_lost() -> None:
    bad = Round(seed=4, fault="kill up", after=1.0, acknowledged=7, recovered=9, losses=["x: gone"])
    text = report([ROUND, bad], date="2026-11-21", seed=1, workflows=10)
    assert "**12 acknowledged, 1 lost.**" in text
    assert "| kill up | 1 | 7 | 1 | 9 s / 9 s |" in text
    assert "seed 4: x: gone" in text
    assert len({fault.__name__ for fault in FAULTS}) == len(FAULTS)


STATISTICS = """\
tests/unit/local/test_server.py::test_what:

  - during generate phase (0.50 seconds):
    - Typical runtimes: < 1ms
    - 100 passing examples, 0 failing examples, 3 invalid examples
  - Stopped because settings.max_examples=100

tests/unit/test_command_line.py::test_any:

  - during generate phase (0.50 seconds):
    - 7 passing examples, 1 failing examples, 0 invalid examples

2 failed, 3 passed in 1s
"""


def test_the_fuzz_report_counts_examples() -> None:
    properties = fuzz.parse(STATISTICS)
    assert [(each.passing, each.failing) for each in properties] == [(100, 0), (7, 1)]
    page = fuzz.report(properties, "2 failed", seed=4, date="2026-11-21")
    assert "| local/test_server.py::test_what | 100 | 0 |" in page
    assert "| test_command_line.py::test_any | 7 | 1 |" in page
