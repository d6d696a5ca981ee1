"""Results on disk: written, listed, found again, and refused with a reason."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from temporal_dsql_deploy.bench import store
from temporal_dsql_deploy.errors import DirectoryUnusable, NotAResult, UnknownChoice
from tests.support.bench_results import result

ONE = result()
LATER = replace(ONE, id="later", timestamp=ONE.timestamp + timedelta(days=1))


def test_what_is_saved_is_loaded_by_id_by_file_and_as_the_last(tmp_path: Path) -> None:
    for made in (LATER, ONE):
        saved = store.save(made, tmp_path)
        assert saved.report.read_text().startswith("<!doctype html>")
    assert store.load(ONE.id, tmp_path)[0] == ONE
    assert store.load(str(tmp_path / "later.json"), tmp_path / "elsewhere")[0] == LATER
    assert store.load("last", tmp_path)[0] == LATER


def test_the_list_is_by_time_and_passes_over_what_is_none(tmp_path: Path) -> None:
    for made in (LATER, ONE):
        store.save(made, tmp_path)
    (tmp_path / "other.json").write_text("{}")
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "text.json").write_text("text")
    assert [one.id for one in store.listed(tmp_path).results] == [ONE.id, "later"]


@pytest.mark.parametrize("which", ["last", "nothing", "../x"])
def test_one_that_is_not_there_says_which_are(tmp_path: Path, which: str) -> None:
    with pytest.raises(UnknownChoice) as refused:
        store.load(which, tmp_path)
    assert str(tmp_path) in refused.value.cause


@pytest.mark.parametrize(
    ("text", "said"),
    [("text", "Expecting value"), ("[]", "'list'"), ('{"schemaVersion": 1}', "Field required")],
)
def test_a_file_that_is_no_result_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(NotAResult) as refused:
        store.read(path)
    assert said in refused.value.cause


def test_a_result_of_another_version_is_refused_by_its_version(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps({**json.loads(store.document(ONE)), "schemaVersion": 99}))
    with pytest.raises(NotAResult, match="can be read") as refused:
        store.read(path)
    assert "99, not 1" in refused.value.cause


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DirectoryUnusable):
        store.folder(tmp_path / "file" / "below")
    with pytest.raises(DirectoryUnusable):
        store.save(ONE, tmp_path / "gone")
