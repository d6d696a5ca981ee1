"""What the campaign makes of a run under load."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.campaign import rehearsal_load
from tests.campaign.rehearsal_load import INSTANCE, Part, Row
from tests.support.cluster_faults import Measured

BEGAN = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROW = Row(
    replicas=1,
    event="history",
    steady=31.5,
    failed={"UNAVAILABLE": 3},
    requests=453,
    due=450,
    completed=450,
    lost=0,
    p99=2.5,
    worst=6.25,
    gap=4,
    parts=[Part(20.0, 50.0), Part(400.0, 6000.0), Part(None, None)],
)


def second(number: int, p50: float, completed: int = 5) -> dict[str, object]:
    return {"second": number, "completed": completed, "p50": p50, "p99": p50 * 2}


def test_seconds_belong_to_before_during_and_after() -> None:
    seen = Measured(
        {
            "iterations": [
                {
                    "began": BEGAN.isoformat(),
                    "series": [
                        *(second(number, 10.0) for number in range(4)),
                        second(4, 90.0),
                        second(5, 0.0, completed=0),
                        second(6, 70.0),
                        second(8, 20.0),
                    ],
                }
            ]
        }
    )
    began, ended = BEGAN + timedelta(seconds=3.5), BEGAN + timedelta(seconds=7.5)
    parts = rehearsal_load.parts_of(seen, began, ended)
    assert parts == [Part(10.0, 20.0), Part(80.0, 180.0), Part(20.0, 40.0)]


def test_rows_are_read_again_as_they_were_written(tmp_path: Path) -> None:
    progress = tmp_path / "rows.jsonl"
    assert rehearsal_load.resumed(progress) == []
    progress.write_text(json.dumps(asdict(ROW)) + "\n")
    assert rehearsal_load.resumed(progress) == [ROW]


def test_the_page_says_what_failed_and_what_was_lost() -> None:
    wrong = Row(**{**asdict(ROW), "event": INSTANCE, "lost": 2, "wrong": "not steady"})
    rows = [ROW, Row(**{**asdict(wrong), "parts": ROW.parts})]
    page = rehearsal_load.report(rows, date="2026-11-22")
    assert "| 1 | history restarted | 3 / 453 (3 UNAVAILABLE) | 32 s |" in page
    assert "0.02 s, 0.40 s, - | 0.05 s, 6.00 s, -" in page
    assert "did not complete: 2 of 900." in page
    assert "- 1, instance lost: not steady" in page
