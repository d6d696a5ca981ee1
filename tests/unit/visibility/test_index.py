"""An index that is not as its template wants it: whatever differs is named."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from temporal_dsql_deploy.visibility import index
from temporal_dsql_deploy.visibility.index import Difference

SORT = {
    "index.sort.field": ["CloseTime", "StartTime", "RunId"],
    "index.sort.order": ["desc", "desc", "desc"],
    "index.sort.missing": ["_first", "_first", "_first"],
}
FIELDS: dict[str, Any] = {
    "BuildIds": {"type": "keyword"},
    "CloseTime": {"type": "date_nanos"},
    "HistoryLength": {"type": "long"},
    "TemporalBool01": {"type": "boolean"},
    "TemporalDouble01": {"scaling_factor": 10000, "type": "scaled_float"},
}
"""One of each type in the template of temporal-server 1.32.2."""
parameters = st.fixed_dictionaries(
    {"type": st.sampled_from(["keyword", "date", "date_nanos", "long", "text", "boolean"])},
    optional={"index": st.booleans(), "ignore_above": st.integers(1, 9), "store": st.booleans()},
)


def answers(**fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What OpenSearch 2.19 answers about the template, and about an index made from it."""
    mappings: dict[str, Any] = {"dynamic": "false", "properties": {**FIELDS, **fields}}
    template = {
        "order": 0,
        "index_patterns": ["temporal_visibility_v1*"],
        "settings": {"index.auto_expand_replicas": "0-2", **SORT},
        "mappings": mappings,
        "aliases": {},
    }
    made = deepcopy(mappings)
    made["properties"]["TemporalDouble01"]["scaling_factor"] = 10000.0
    one = {
        "aliases": {},
        "mappings": made,
        "settings": {"index.auto_expand_replicas": "0-2", "index.uuid": "J5XRU3fyRb6", **SORT},
    }
    return {"temporal_visibility_v1_template": template}, {"temporal_visibility_v1": one}


def compared(template: dict[str, Any], made: dict[str, Any]) -> list[Difference]:
    return index.differences(index.template(template), index.index(made))


@given(fields=st.dictionaries(st.from_regex(r"[A-Z][a-z]{1,6}", fullmatch=True), parameters))
def test_an_index_made_from_the_template_differs_in_nothing(fields: dict[str, Any]) -> None:
    template, made = answers(**fields)
    assert compared(template, made) == []
    # The server adds fields for custom search attributes.
    made["temporal_visibility_v1"]["mappings"]["properties"]["OrderTotal"] = {"type": "long"}
    assert compared(template, made) == []


@given(name=st.sampled_from(sorted(FIELDS)), other=parameters)
def test_any_one_field_that_is_another_is_named(name: str, other: dict[str, Any]) -> None:
    assume(other != FIELDS[name])
    template, made = answers()
    made["temporal_visibility_v1"]["mappings"]["properties"][name] = other
    (found,) = compared(template, made)
    assert found.what == f"field {name}"
    assert not found.addable
    assert found.expected.split()[0] == FIELDS[name]["type"]
    assert found.found.split()[0] == other["type"]
    assert str(found) == f"field {name} is {found.found}, {found.expected} is expected"


@given(names=st.sets(st.sampled_from(sorted(FIELDS)), min_size=1))
def test_fields_that_are_missing_are_named_and_can_be_added(names: set[str]) -> None:
    template, made = answers()
    for name in names:
        del made["temporal_visibility_v1"]["mappings"]["properties"][name]
    found = compared(template, made)
    assert {one.what for one in found} == {f"field {name}" for name in names}
    assert all(one.addable for one in found)
    assert str(found[0]).endswith("is expected")


@pytest.mark.parametrize(
    ("where", "name", "value", "said"),
    [
        (
            "mappings",
            "dynamic",
            "strict",
            "mapping option dynamic is strict, false is expected",
        ),
        (
            "mappings",
            "date_detection",
            False,
            "mapping option date_detection is false, nothing is expected",
        ),
        (
            "settings",
            "index.sort.order",
            ["asc"],
            'setting index.sort.order is ["asc"], ["desc", "desc", "desc"] is expected',
        ),
    ],
)
def test_what_else_differs_is_named(where: str, name: str, value: Any, said: str) -> None:
    template, made = answers()
    made["temporal_visibility_v1"][where][name] = value
    (found,) = compared(template, made)
    assert str(found) == said
    # An option can be set to what is expected, but not be taken back; a sort order is for ever.
    assert found.addable == (name == "dynamic")


def test_an_index_that_was_made_before_the_template_lacks_everything() -> None:
    template, _ = answers()
    made = {"temporal_visibility_v1": {"mappings": {}, "settings": {"index.uuid": "x"}}}
    found = compared(template, made)
    assert {one.what for one in found} == {
        *(f"field {name}" for name in FIELDS),
        *(f"setting {name}" for name in SORT),
        "mapping option dynamic",
    }
    # Its order cannot be given to it any more, so it cannot be mended as a whole.
    assert not all(one.addable for one in found)


def test_fields_within_fields_are_compared_too() -> None:
    template, made = answers(Outer={"properties": {"Inner": {"type": "long"}}})
    outer = made["temporal_visibility_v1"]["mappings"]["properties"]["Outer"]
    outer["properties"]["Inner"] = {"type": "keyword"}
    (found,) = compared(template, made)
    assert found.what == "field Outer.Inner"
