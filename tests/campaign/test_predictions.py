"""The campaign of predictions: what agrees, and that nothing is measured twice."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from temporal_dsql_deploy.checks import registry
from tests.campaign import predictions
from tests.campaign.predictions import Row
from tests.support.measured import differs
from tests.support.measured.base import Base
from tests.support.measured.measure import Seen
from tests.support.measured.predict import NOTHING, SHOWN, Prediction
from tests.support.mutants import judging

BROKEN = Prediction("port: x: deleted", "port", "deleted", ["ports-role"], ["path"], "It hangs.")
HARMLESS = replace(BROKEN, id="port: y: deleted", expected=[], rules=[], symptom="")
SEEN = Seen("path", ["workflow"], "no | answer", ["history -> matching:7235"], 12.5)


@pytest.mark.parametrize(
    ("prediction", "how", "agrees"),
    [
        (BROKEN, "path", True),
        (BROKEN, "start", True),
        (BROKEN, "refused", False),
        (BROKEN, "", False),
        (HARMLESS, "", True),
        (HARMLESS, "path", False),
        (replace(BROKEN, expected=["refused"]), "start", False),
        (replace(BROKEN, expected=["start", "refused"]), "refused", True),
        (replace(BROKEN, expected=["path", "refused"]), "path", False),
        (replace(BROKEN, expected=["count"]), "path", True),
    ],
)
def test_what_agrees(prediction: Prediction, how: str, *, agrees: bool) -> None:
    assert Row(prediction, replace(SEEN, how=how)).agrees == agrees


def test_the_tables_speak_of_what_there_is() -> None:
    table = differs.shows()
    rules = registry.rules().keys()
    assert table["rules"].keys() | table["unplayed"].keys() <= rules
    assert table["kinds"].keys() <= judging.meant().keys()
    said = {*table["rules"].values(), *table["begins"].values()}
    assert {*SHOWN, NOTHING} - {"count"} <= said
    assert all(len(one.split()) > 3 for one in said - {*SHOWN, NOTHING})


def test_what_was_measured_is_not_measured_again(tmp_path: Path) -> None:
    progress = tmp_path / "progress.jsonl"
    rows = [Row(BROKEN, SEEN), Row(HARMLESS, Seen())]
    progress.write_text("".join(json.dumps(asdict(one)) + "\n" for one in rows))
    drawn = {"predictions": [asdict(one.prediction) for one in rows], "unseen": {"no": {"port": 3}}}
    progress.with_suffix(".drawn.json").write_text(json.dumps(drawn))

    @contextmanager
    def base() -> Iterator[Base]:
        raise AssertionError("nothing is left to measure")
        yield

    found, unseen = predictions.run(base, progress, print, seed=1)
    assert (found, unseen) == (rows, {"no": {"port": 3}})


def test_the_page_says_who_was_wrong() -> None:
    rows = [Row(BROKEN, SEEN), Row(HARMLESS, Seen()), Row(HARMLESS, SEEN)]
    page = predictions.report(rows, {"no": {"port": 3}}, date="2026-11-22", seed=1)
    assert "**2 of 3 agree.** 1 were predicted to break something, 2 to break\nnothing" in page
    assert "| `port: x: deleted` | ports-role | path: It hangs. |" in page
    assert "path: workflow: no / answer | 12.5 | yes |" in page
    assert "- `port: y: deleted`: not explained" in page
    assert "| no | port 3 |" in page
    assert predictions.right(rows)
    assert not predictions.right([rows[2]] * 3)
