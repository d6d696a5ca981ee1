"""What the campaign of faults on four roles itself must do: cover, resume, judge, report."""

import json
from dataclasses import asdict, replace
from pathlib import Path

from tests.campaign import cluster_faults
from tests.campaign.cluster_faults import FAULTS, Round

DONE = Round(7, "kill one", "history-1", acknowledged=40, recovered=9.5, losses=[])


def test_every_fault_has_its_turn_in_so_many_rounds_as_there_are_faults() -> None:
    names = [cluster_faults.drawn(seed)[0].__name__ for seed in range(len(FAULTS))]
    assert sorted(names) == sorted(fault.__name__ for fault in FAULTS)
    assert len(set(names)) == len(FAULTS)
    assert names != [cluster_faults.drawn(seed + 17)[0].__name__ for seed in range(17)]
    assert sum(map(cluster_faults.is_silent, cluster_faults.seeds(1, 100))) == 10


def test_rounds_that_were_written_down_are_not_run_again(tmp_path: Path) -> None:
    rounds = [replace(DONE, seed=seed) for seed in cluster_faults.seeds(3, 5)]
    progress = tmp_path / "progress.jsonl"
    progress.write_text("".join(json.dumps(asdict(done)) + "\n" for done in rounds))
    assert cluster_faults.campaign(progress, print, seed=3, count=5) == rounds


def test_the_page_counts_losses_and_what_could_not_be_mended() -> None:
    lost = replace(DONE, seed=8, losses=["x: completed 2 times"])
    stuck = replace(DONE, seed=9, fault="down", problems=["up failed twice:\nfine\nerror: no"])
    again = replace(DONE, seed=10, fault="freeze", recovered=20, first="nexus FAILED")
    assert [each.right for each in (DONE, lost, stuck, again)] == [True, False, False, True]
    page = cluster_faults.report([DONE, lost, stuck, again], date="2026-11-22", seed=1)
    assert "**160 acknowledged, 1 lost or duplicate; 1 rounds could not be mended by" in page
    assert "In 1 rounds the probe of the first `up` failed" in page
    assert "| kill one | 2 | 80 | 1 | 9.5 s / 9.5 s |" in page
    assert "- seed 8, kill one (history-1): x: completed 2 times" in page
    assert "- seed 9, down (history-1): up failed twice: error: no" in page
    assert "- freeze (history-1): nexus FAILED" in page
