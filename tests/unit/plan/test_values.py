"""Values of plans: unknown is not null, and paths lead to what they name."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.plan.values import (
    UNKNOWN,
    at,
    differences,
    marked_paths,
    masked,
    merged,
    unknown_paths,
)

NAMES = st.text("abc_", min_size=1, max_size=4)
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(UNKNOWN)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=4)


def after(value: Any) -> Any:
    """As Terraform writes it: unknown keys left out, unknown elements null."""
    if isinstance(value, dict):
        return {key: after(part) for key, part in value.items() if part is not UNKNOWN}
    if isinstance(value, list):
        return [None if part is UNKNOWN else after(part) for part in value]
    return value


def after_unknown(value: Any) -> Any:
    """As Terraform writes it: true where unknown; known leaves of objects left out."""
    if value is UNKNOWN:
        return True
    if isinstance(value, dict):
        marks = {key: after_unknown(part) for key, part in value.items()}
        return {key: mark for key, mark in marks.items() if mark is not False}
    if isinstance(value, list):
        return [after_unknown(part) for part in value]
    return False


@given(value=OBJECTS)
def test_what_terraform_takes_apart_is_put_together_again(value: dict[str, Any]) -> None:
    assert merged(after(value), after_unknown(value)) == value


@given(value=OBJECTS)
def test_an_unknown_value_is_never_null(value: dict[str, Any]) -> None:
    read = merged(after(value), after_unknown(value))
    paths = unknown_paths(read)
    assert paths == marked_paths(after_unknown(value))
    assert all(at(read, path) is UNKNOWN for path in paths)


@given(value=OBJECTS)
def test_nothing_differs_from_itself_but_what_is_unknown(value: dict[str, Any]) -> None:
    known = after(value)
    assert list(differences(known, known)) == []
    assert bool(list(differences(value, value))) == bool(_unknown_below_objects(value))


def _unknown_below_objects(value: Any) -> int:
    """UNKNOWN leaves that no list hides: a list differs as a whole, by comparison."""
    if isinstance(value, dict):
        return sum(map(_unknown_below_objects, value.values()))
    return value is UNKNOWN


@given(before=OBJECTS, new=OBJECTS)
def test_differences_are_what_differs(before: dict[str, Any], new: dict[str, Any]) -> None:
    before, new = after(before), after(new)
    for path, old, now in differences(before, new):
        assert at(before, path) == old
        assert at(new, path) == now
        assert old != now


def test_paths() -> None:
    value = {"a": [{"b.c": 1}, None], "tags": {"k.v": "x"}, "u": UNKNOWN}
    assert at(value, "a.0.b.c") == 1
    assert at(value, "tags.k.v") == "x"
    assert at(value, "u.0.anything") is UNKNOWN
    assert at(value, "a.1") is None
    assert at(value, "a.2") is None
    assert at(value, "a.x") is None
    assert at(value, "nothing.at.all") is None


def test_unknown_is_neither_yes_nor_no() -> None:
    with pytest.raises(TypeError, match="UNKNOWN"):
        bool(UNKNOWN)
    assert repr(UNKNOWN) == "(known after apply)"


def test_what_is_sensitive_says_only_whether_it_differs() -> None:
    marks = {"a": True, "b": [False, True], "c": {"d": True}, "text": {"x": True}, "gone": True}
    value = {"a": "s", "b": ["1", "2"], "c": {"d": 1, "e": 2}, "text": "{}", "n": None}
    read = masked(value, marks)
    assert read["b"][0] == "1"
    assert read["c"]["e"] == 2
    hidden = (read["a"], read["b"][1], read["c"]["d"], read["text"])
    assert {repr(one) for one in hidden} == {"(sensitive)"}
    assert read == masked(value, marks)
    changed = masked({**value, "a": "t"}, marks)
    assert [path for path, _, _ in differences(read, changed)] == ["a"]
    assert masked(read, True) != masked(changed, True)
    assert masked(UNKNOWN, True) is UNKNOWN
    with pytest.raises(TypeError, match="sensitive"):
        bool(read["a"])
