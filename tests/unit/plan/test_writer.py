"""A plan that was written is read back as it was."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.plan import UNKNOWN, Action, Change, Output, Plan, read_plan
from temporal_dsql_deploy.plan.reader import resource_after
from temporal_dsql_deploy.plan.values import Sensitive, unknown_paths
from temporal_dsql_deploy.plan.writer import document
from tests.support import check_plans

_NAMES = st.text("abc_", min_size=1, max_size=4)
_LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.just(UNKNOWN))
_VALUES = st.recursive(
    _LEAVES,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(_NAMES, inside, max_size=3),
    max_leaves=8,
)


def _paths(value: Any, here: str = "") -> list[str]:
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, part in inside:
        path = f"{here}.{key}".lstrip(".")
        below = _paths(part, path) if isinstance(part, dict | list) and part else []
        # What is below a sensitive path is covered by it, so only leaves are drawn; what is not
        # known or not there has no mark that could be told.
        found += below or ([path] if part not in (None, [], {}) and part is not UNKNOWN else [])
    return found


@st.composite
def _changes(draw: st.DrawFn) -> Change:
    name = draw(_NAMES)
    module = draw(st.sampled_from(["", "module.a", 'module.a["x.y"].module.b[0]']))
    after = draw(st.dictionaries(_NAMES, _VALUES, max_size=4))
    leaves = _paths(after)
    sensitive = draw(st.sets(st.sampled_from(leaves), max_size=3)) if leaves else set()
    address = ".".join(part for part in (module, "aws_x", name) if part)
    return Change(
        address=address,
        module=module,
        mode="managed",
        type="aws_x",
        name=name,
        index=draw(st.none() | st.integers(0, 3) | _NAMES),
        action=draw(st.sampled_from([Action.CREATE, Action.UPDATE, Action.NO_OP, Action.REPLACE])),
        before=None,
        after=after,
        unknown=unknown_paths(after),
        sensitive=frozenset(sensitive),
        create_before_destroy=False,
    )


@given(changes=st.lists(_changes(), max_size=4, unique_by=lambda change: change.address))
def test_what_is_written_is_read_back(changes: list[Change]) -> None:
    ordered = tuple(sorted(changes, key=lambda change: change.address))
    after = (resource_after(change) for change in ordered)
    plan = Plan(
        terraform_version="1.11.4",
        resources=tuple(resource for resource in after if resource),
        changes=ordered,
        outputs={"a": Output("a", {"b": UNKNOWN, "c": [1]}), "s": Output("s", "x", sensitive=True)},
        variables={"region": "eu-west-1"},
    )
    text = json.dumps(document(plan))
    assert read_plan(json.loads(text), revealed=True) == plan


def test_resources_without_a_change_are_written_too() -> None:
    plan = check_plans.good().plan()
    assert plan.resources
    assert not plan.changes
    assert read_plan(json.loads(json.dumps(document(plan)))) == plan


def test_what_was_not_revealed_is_lost_and_not_written() -> None:
    change = Change(
        "aws_x.a", "", "managed", "aws_x", "a", None, Action.CREATE, None,
        {"password": Sensitive.of("hunter2")}, sensitive=frozenset({"password"}),
    )  # fmt: skip
    plan = Plan("1.11.4", changes=(change,))
    made = document(plan)
    assert "hunter2" not in json.dumps(made)
    assert made["resource_changes"][0]["change"]["after"] == {"password": None}
    marked = made["resource_changes"][0]["change"]["after_sensitive"]
    assert marked == {"password": True}


def test_how_something_is_replaced_is_kept() -> None:
    change = Change(
        "aws_x.a", "", "managed", "aws_x", "a", None, Action.REPLACE, {"x": 1}, {"x": 2},
        replace_paths=("x",), reason="replace_because_cannot_update", create_before_destroy=True,
        previous_address="aws_x.b", importing=True,
    )  # fmt: skip
    plan = Plan("1.11.4", changes=(change,), complete=False, errored=True, applyable=False)
    again = read_plan(document(plan))
    assert again.changes == plan.changes
    assert (again.complete, again.errored, again.applyable) == (False, True, False)
    assert read_plan(document(replace(plan, drift=plan.changes))).drift == plan.changes
