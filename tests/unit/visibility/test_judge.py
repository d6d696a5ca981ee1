"""What is wrong with an index, who can mend it, and in which order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.operations.visibility import judge, reindex
from temporal_dsql_deploy.operations.visibility.judge import Cure
from temporal_dsql_deploy.operations.visibility.setup import mending
from temporal_dsql_deploy.visibility import calls, index
from tests.unit.visibility.world import NAME, REQUEST, document, row, seen

FIELDS = sorted(REQUEST.expected.template["mappings"]["properties"])


def cures(**changes: Any) -> list[tuple[str, Cure]]:
    return [(one.finding.what, one.cure) for one in judge.faults(REQUEST, seen(**changes))]


def test_nothing_is_wrong_with_what_is_right() -> None:
    assert cures() == []
    told = judge.status(REQUEST, seen())
    assert told.ok
    assert (told.template, told.stored_in, told.documents) == ("as expected", NAME, 0)


@given(names=st.sets(st.sampled_from(FIELDS), min_size=1), typed=st.sets(st.sampled_from(FIELDS)))
def test_every_field_that_is_not_right_is_found(names: set[str], typed: set[str]) -> None:
    made = document()
    for name in names | typed:
        del made["mappings"]["properties"][name]
    for name in typed:
        made["mappings"]["properties"][name] = {"type": "geo_point"}
    told = judge.status(REQUEST, seen(index={NAME: made}))
    assert not told.ok
    wrong = {one.name: one.found for one in told.fields if not one.ok}
    assert wrong == {name: "geo_point" if name in typed else "" for name in names | typed}
    assert {one.what for one in told.findings} == {f"field {name}" for name in names | typed}
    # Whatever is missing beside them, one that is another makes a new index necessary.
    assert all(("instead" in one.fix) == bool(typed) for one in told.findings)
    assert all(
        one.cure in {Cure.ADD, Cure.REBUILD}
        for one in judge.faults(REQUEST, seen(index={NAME: made}))
    )


def test_from_nothing_it_is_mended_in_the_order_that_matters() -> None:
    found = judge.faults(REQUEST, seen(auto_create="true", template=None, index=None, indices={}))
    made = mending(found, {Cure.PREPARE, Cure.CREATE})
    assert [call.path for call in made] == [
        "/_cluster/settings",
        f"/_template/{index.TEMPLATE}",
        f"/{NAME}",
    ]


def test_a_template_with_many_differences_is_written_once() -> None:
    made = document()
    made["mappings"] = {}
    found = judge.faults(REQUEST, seen(template={index.TEMPLATE: made}))
    assert len(found) > 49
    assert len(mending(found, {Cure.PREPARE})) == 1


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"health": "red", "unassigned": 1, "explained": ["no node"]}, "cluster health"),
        ({"version": "opensearch 1.3.2"}, "version"),
        ({"overriding": ["everything"]}, "index template everything"),
        ({"auto_create": "true", "transient": True}, "setting action.auto_create_index"),
        ({"index": {"a": document(), "b": document()}}, f"index {NAME}"),
        ({"indices": {NAME: {**row(NAME), "status": "close"}}}, f"index {NAME}"),
    ],
)
def test_what_somebody_has_to_see_to_comes_first(changes: dict[str, Any], what: str) -> None:
    found = judge.faults(REQUEST, seen(template=None, **changes))
    assert (what, Cure.OTHER) in [(one.finding.what, one.cure) for one in found]
    assert mending(found, set(Cure)) == []


def test_a_block_is_of_a_repair_only_where_that_has_left_its_sign() -> None:
    made = document()
    made["settings"] |= {"index.blocks.write": "true"}
    assert cures(index={NAME: made}) == [("setting index.blocks.write", Cure.OTHER)]
    made["aliases"] = {calls.REPAIR: {}}
    found = judge.faults(REQUEST, seen(index={NAME: made}))
    assert {one.cure for one in found} == {Cure.RESUME}
    # The sign goes last: a lift that is stopped can be known again.
    assert mending(found, {Cure.RESUME}) == [
        calls.block_writes(NAME, blocked=False),
        calls.unmark_repair(NAME),
    ]
    made["settings"] |= {"index.blocks.read_only_allow_delete": "true"}
    full = ("setting index.blocks.read_only_allow_delete", Cure.OTHER)
    assert full in cures(index={NAME: made})


def test_a_setting_that_spares_the_index_may_stay() -> None:
    assert cures(auto_create="-temporal_visibility_v1*,+*") == []
    assert cures(auto_create="+logs-*") == []
    assert cures(auto_create="+*") == [("setting action.auto_create_index", Cure.PREPARE)]


def test_elasticsearch_and_what_comes_later_are_taken() -> None:
    assert cures(version="elasticsearch 7.10.2") == []
    assert cures(version="opensearch 3.6.0") == []


def test_a_yellow_one_works_and_is_warned_of() -> None:
    told = judge.status(REQUEST, seen(health="yellow", unassigned=1, explained=["replica 0"]))
    assert told.ok
    assert "replica 0" in told.warnings[0]


def texts(name: str = NAME, **changes: Any) -> str:
    found = reindex.steps(REQUEST, seen(**changes), name)
    return "\n".join(line for step in found for line in (step.text, *step.calls))


def test_the_way_to_a_new_index_copies_before_and_after_the_move() -> None:
    made = document()
    made["mappings"]["properties"]["Customer"] = {"type": "keyword"}
    guessed = {"type": "text", "fields": {"keyword": {"type": "keyword"}}}
    made["mappings"]["properties"]["Guessed"] = guessed
    told = texts(index={NAME: made})
    assert told.count("POST /_reindex") == 2
    first, second = (told.index("POST /_reindex", at) for at in (0, told.index("Move the servers")))
    assert first < told.index("Move the servers") < second < told.index(f"DELETE /{NAME}")
    assert '"Customer"' in told
    assert "Guessed" not in told


def test_an_alias_is_moved_and_servers_stay() -> None:
    told = texts(f"{NAME}_4", index={f"{NAME}_4": document()}, indices={f"{NAME}_5": {}})
    assert f"PUT /{NAME}_6\n" in told
    assert '{"actions": [{"remove": ' in told
    assert "opensearch_visibility_index" not in told


@given(taken=st.sets(st.integers(2, 9)))
def test_the_new_name_is_free_and_the_template_is_for_it(taken: set[int]) -> None:
    rows: dict[str, Any] = {f"{NAME}_{number}": {} for number in taken}
    told = reindex.steps(REQUEST, seen(indices=rows), NAME)[0].calls[0]
    new = told.split()[1].lstrip("/")
    assert new not in rows
    assert REQUEST.expected.is_for(new)
