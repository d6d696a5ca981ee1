"""The emitter, against a parser that is not ours."""

from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy.runtime import yaml_text

_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_SCALAR = st.none() | st.booleans() | st.integers() | _TEXT
_DATA = st.recursive(
    _SCALAR, lambda part: st.lists(part) | st.dictionaries(_TEXT, part), max_leaves=12
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


@settings(max_examples=300)
@given(st.dictionaries(_TEXT, _DATA.filter(_one_level_lists), min_size=1))
@example({"a": "# enable-template {{ env `HOME` }}", "b": "${X}", "no": "on", "1": "null"})
@example({"a": "\x85\u2028\ufeff\U0001f600\x00\x7f", "b": [{"c": {"d": []}}, {"e": {}}]})
def test_what_is_written_is_read_back(data: dict[str, Any]) -> None:
    text = yaml_text.dump(data)
    assert yaml.safe_load(text) == data
    assert text.isascii()


@given(_TEXT)
@example("# enable-template")
def test_no_value_makes_a_template_of_the_file(text: str) -> None:
    assert "#" not in yaml_text.dump({"key": text, text: "value"})


@pytest.mark.parametrize("value", [1.5, b"x", {1}, [[1]]])
def test_what_it_does_not_know_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match=r"no YAML is known here"):
        yaml_text.dump({"key": value})
