"""The emitter, against a parser that is not ours."""

from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy.runtime import yaml_text

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_KEY = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,20}", fullmatch=True).filter(
    lambda name: name.lower() not in yaml_text._WORDS
)
_SCALAR = st.none() | st.booleans() | st.integers() | _TEXT
_DATA = st.recursive(
    _SCALAR,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(_KEY, part, max_size=3),
    max_leaves=8,
)


def _one_level_lists(data: Any) -> bool:
    """No list of lists, which no configuration of the server has."""
    if isinstance(data, dict):
        return all(map(_one_level_lists, data.values()))
    if isinstance(data, list):
        return not any(isinstance(part, list) and part for part in data) and all(
            map(_one_level_lists, data)
        )
    return True


@settings(max_examples=200)
@given(st.dictionaries(_KEY, _DATA.filter(_one_level_lists), min_size=1, max_size=4))
@example({"a": "# enable-template {{ env `HOME` }}", "b": "${X}", "n1": "on", "x.y-z": "null"})
@example({"a": "\x85\u2028\ufeff\U0001f600\x00\x7f", "b": [{"c": {"d": []}}, {"e": {}}]})
def test_what_is_written_is_read_back(data: dict[str, Any]) -> None:
    text = yaml_text.dump(data)
    assert yaml.safe_load(text) == data
    assert text.isascii()


@given(_TEXT)
@example("# enable-template")
def test_no_value_makes_a_template_of_the_file(text: str) -> None:
    assert "#" not in yaml_text.dump({"key": text})


@pytest.mark.parametrize("value", [1.5, b"x", {1}, [[1]]])
def test_what_it_does_not_know_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match=r"no YAML is known here"):
        yaml_text.dump({"key": value})


@pytest.mark.parametrize("key", ["", "a b", "yes", "No", "1a", "a:", "#a", "\u00e4", "a" + "\n"])
def test_a_key_is_one_plain_word(key: str) -> None:
    with pytest.raises(ValueError, match=r"is no key"):
        yaml_text.dump({key: 1})
