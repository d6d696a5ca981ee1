"""What a server expects: the packaged schema, that of a source tree, names and patterns."""

import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.errors import InvalidSetting
from temporal_dsql_deploy.visibility import expected, index

TEMPLATE: dict[str, Any] = {
    "index_patterns": ["temporal_visibility_v1*"],
    "settings": {"index": {"number_of_shards": "1", "sort": {"field": ["CloseTime"]}}},
    "mappings": {"dynamic": "false", "properties": {"CloseTime": {"type": "date_nanos"}}},
}
names = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,8}", fullmatch=True)


def test_the_packaged_one_is_for_the_names_that_the_terraform_allows() -> None:
    found = expected.packaged()
    assert found.is_for("temporal_visibility_v1_dev")
    assert not found.is_for("temporal_visibility_dev")
    assert index.PATTERN + "*" in found.patterns()
    assert found.settings == {"persistent": {expected.AUTO_CREATE: "false"}}


def test_settings_are_the_same_flat_or_not() -> None:
    made = expected.packaged().definition()
    assert made.sort["index.sort.field"] == ["CloseTime", "StartTime", "RunId"]
    assert len(made.sort) == 3
    assert index.body(TEMPLATE).sort == {"index.sort.field": ["CloseTime"]}


def write(folder: Path, text: str) -> None:
    folder.mkdir(parents=True)
    (folder / "index_template_v7.json").write_text(text)


def test_the_newest_of_a_source_tree_is_taken(tmp_path: Path) -> None:
    for version in ("v2", "v9", "v10"):
        patterns = [f"{version}*"]
        write(
            tmp_path / "versioned" / version, json.dumps({**TEMPLATE, "index_patterns": patterns})
        )
    settings = {"persistent": {expected.AUTO_CREATE: "-temporal*,+*"}}
    (tmp_path / "cluster_settings_v7.json").write_text(json.dumps(settings))
    newest = expected.read(tmp_path)
    assert newest.patterns() == ["v10*"]
    assert newest.settings == settings
    assert newest.source.endswith("v10")
    assert expected.read(tmp_path / "versioned" / "v2").patterns() == ["v2*"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"mappings": {}}', json.dumps(TEMPLATE)[:-1]])
def test_what_is_no_template_is_refused(tmp_path: Path, text: str) -> None:
    write(tmp_path / "schema", text)
    for folder in (tmp_path, tmp_path / "schema", tmp_path / "nowhere"):
        with pytest.raises(InvalidSetting):
            expected.read(folder)


@given(name=names, words=st.lists(st.tuples(st.sampled_from(["", "+", "-"]), names | st.just("*"))))
def test_the_first_pattern_that_matches_decides(name: str, words: list[tuple[str, str]]) -> None:
    setting = ",".join(sign + pattern for sign, pattern in words)
    deciding = [sign for sign, pattern in words if fnmatchcase(name, pattern)]
    assert expected.creates(setting, name) == (bool(deciding) and deciding[0] != "-")


@pytest.mark.parametrize(("setting", "creates"), [("true", True), ("false", False), ("TRUE", True)])
def test_a_plain_setting_is_for_all(setting: str, creates: bool) -> None:  # noqa: FBT001
    assert expected.creates(setting, "temporal_visibility_v1") == creates


def test_brackets_mean_themselves() -> None:
    assert not expected.matches("a1", ["a[0-9]"])
    assert expected.matches("a[0-9]", ["a[0-9]"])
    assert not expected.matches("ab", ["a?"])
