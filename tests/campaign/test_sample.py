"""A small seeded sample of the campaign, and what the campaign itself must do: resume, report."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.campaign import bottlenecks, environments, fuzz
from tests.campaign.__main__ import report, resumed
from tests.campaign.faults import FAULTS, Round, run_round
from tests.support.deploy import Deploy

SEEDS = [12, 14, 17]
BOTTLENECK_SEED = 15


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


def test_the_fuzz_counts_the_examples_that_hypothesis_has_run() -> None:
    properties, said = fuzz.run(
        7, tests="tests/unit/processes/test_log_lines.py", profile="default"
    )
    assert "passed" in said
    assert [(each.test.partition("::")[2], each.failing) for each in properties] == [
        ("test_any_text_is_a_line_or_none", 0)
    ]
    assert properties[0].passing >= 100
    page = fuzz.report(properties, said, seed=7, date="2026-11-21")
    assert f"::test_any_text_is_a_line_or_none | {properties[0].passing} | 0 |" in page


def test_environments_that_were_written_down_are_not_applied_again(tmp_path: Path) -> None:
    lives = [environments.Life(name, 9, 60.5, 5, 40) for name in environments.ENVIRONMENTS]
    progress = tmp_path / "progress.jsonl"
    progress.write_text("".join(json.dumps(asdict(life)) + "\n" for life in lives))
    assert environments.run(progress, print) == lives
    page = environments.report([*lives, environments.Life("own", problem="no")], date="2026-11-21")
    assert "| dev | 9 | 60.5 | 5 | 40 | none |" in page
    assert "| own | 0 | 0 | 0 | 0 | no |" in page


@pytest.fixture(scope="module")
def quick() -> Iterator[Deploy]:
    with bottlenecks.cluster() as deploy:
        yield deploy


@pytest.mark.parametrize("party", bottlenecks.PARTIES)
def test_the_party_that_is_starved_is_named(quick: Deploy, party: str) -> None:
    judged = bottlenecks.judge(quick, bottlenecks.drawn(BOTTLENECK_SEED, party))
    assert judged.party == party, judged


NAMED = bottlenecks.Judged(9, "none", "nothing", "none", "None.", ["seen"], 90, 90, 40.0)


def test_cases_that_were_judged_are_not_run_again(tmp_path: Path) -> None:
    drawn = [(case.seed, case.label) for case in bottlenecks.cases(7, 5)]
    done = [replace(NAMED, seed=seed, label=label, party=label) for seed, label in drawn]
    progress = tmp_path / "progress.jsonl"
    progress.write_text("".join(json.dumps(asdict(one)) + "\n" for one in done))
    assert bottlenecks.campaign(progress, print, seed=7, count=5) == done


def test_a_matrix_shows_who_was_taken_for_whom() -> None:
    wrong = replace(NAMED, label="database", party="server")
    assert "| database |  |  | 1 |  |  |" in bottlenecks.matrix([NAMED, wrong])
    page = bottlenecks.report([NAMED, wrong], date="2026-11-21", seed=9)
    assert "**1 of 2 named.**" in page
    assert "| **server** |" in page
    assert bottlenecks.right([NAMED] * 28 + [wrong] * 2)
    assert not bottlenecks.right([NAMED] * 27 + [wrong] * 3)
    assert not bottlenecks.right([NAMED] * 29 + [replace(NAMED, party="workers")])
