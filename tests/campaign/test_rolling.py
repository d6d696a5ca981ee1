"""What the campaign of rolling restarts itself must do: cover, resume, report."""

import json
from dataclasses import asdict, replace
from pathlib import Path

from temporal_dsql_deploy import topology
from tests.campaign import rolling
from tests.campaign.rolling import Row

ROW = Row("history", "drain", 20.5, {}, p99=0.9, worst=1.4, gap=0, lost=0)


def test_every_role_that_has_settings_is_restarted_with_and_without_them() -> None:
    cases = rolling.cases()
    drains = topology.load().drain.roles
    for role, drain in drains.items():
        for kind in ("drain", "default"):
            assert ((role, kind) in cases) == (bool(drain.keys) or kind == "drain")
    assert [role for role, kind in cases if kind == "align"] == ["history", "matching"]
    assert 'history.alignMembershipChange="10s"' in rolling.values("align")
    assert 'history.shutdownDrainDuration="0s"' in rolling.values("default")
    assert 'history.shutdownDrainDuration="5s"' in rolling.values("drain")


def test_rows_that_were_written_down_are_not_measured_again(tmp_path: Path) -> None:
    rows = [replace(ROW, role=role, settings=kind) for role, kind in rolling.cases()]
    progress = tmp_path / "progress.jsonl"
    progress.write_text("".join(json.dumps(asdict(row)) + "\n" for row in rows))
    assert rolling.run(progress, print) == rows


def test_the_page_has_failed_requests_by_cause() -> None:
    bad = replace(ROW, settings="default", failed={"UNAVAILABLE": 2}, lost=1, wrong="timer FAILED")
    page = rolling.report([ROW, bad], date="2026-11-22")
    assert "| history | drain | 20.5 | 0 | 0.90 s | 1.40 s | 0 |" in page
    assert "| history | default | 20.5 | 2 UNAVAILABLE |" in page
    assert "- history, default: timer FAILED" in page
    assert "not completed in the end: 1." in page
