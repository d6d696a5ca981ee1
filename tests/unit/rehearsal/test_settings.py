"""The settings of the emulated ECS: one file."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.errors import InvalidSetting
from temporal_dsql_deploy.rehearsal import settings
from temporal_dsql_deploy.rehearsal.settings import RehearsalSettings

text = st.text(min_size=1, max_size=10)


@given(
    made=st.builds(
        RehearsalSettings,
        text,
        text,
        text,
        text,
        images=st.dictionaries(text, text),
        hosts=st.dictionaries(text, text),
        worn=st.dictionaries(text, st.lists(text)),
        environment=st.dictionaries(text, st.dictionaries(text, st.none() | text)),
        seconds=st.dictionaries(st.sampled_from(sorted(settings.SECONDS)), st.floats(0, 9)),
    )
)
def test_what_is_written_is_read(
    made: RehearsalSettings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "settings.json"
    settings.write(path, made)
    assert settings.read(path) == made
    # A password may be in it.
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("said", ["", "[]", "{}", '{"folder": "a"}', '{"folder":1,"x":2}', "null"])
def test_what_is_none_is_refused(tmp_path: Path, said: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(said)
    with pytest.raises(InvalidSetting, match="no file of settings"):
        settings.read(path)


def test_a_time_that_there_is_not_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    settings.write(path, RehearsalSettings("a", "b", "c", "d", seconds={"lunch": 1}))
    with pytest.raises(InvalidSetting) as refused:
        settings.read(path)
    assert "seconds has no lunch" in str(refused.value.cause)


def test_images_are_found_by_their_name_with_or_without_tag() -> None:
    made = RehearsalSettings(
        "a",
        "b",
        "c",
        "d",
        images={"host:5000/x/runtime": "local", "runtime:2": "exact", "runtime": "any"},
        placeholders={"grafana": "python", "host/loki": "python3"},
    )
    assert made.image("host:5000/x/runtime:1.2") == "local"
    assert made.image("host:5000/x/runtime@sha256:abc") == "local"
    assert made.image("runtime:2") == "exact"
    assert made.image("runtime:3") == "any"
    assert made.image("other:1") is None
    assert made.placeholder("grafana", "whatever:1") == "python"
    assert made.placeholder("loki", "host/loki:3") == "python3"
    assert made.placeholder("ui", "ui") is None
