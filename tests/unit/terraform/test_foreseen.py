"""First plans, foreseen from other sets: right where said, and not said where it may be wrong."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.plan import UNKNOWN, Plan, read_plan
from temporal_dsql_deploy.terraform import invented
from temporal_dsql_deploy.terraform.foreseen import Foresight, teachers
from tests.unit.plan.documents import change, plan

ROLE = "aws_iam_role.r"
ARN = "arn:aws:iam::123456789012:role/temporal"
NAMES = st.sampled_from(["name", "size", "on", "list", "text"])
# What Terraform makes up, and what looks like it and is configured.
MADE_UP: dict[str, Any] = {
    "name": "x9y8z7w6",
    "size": 0,
    "on": False,
    "list": [],
    "text": "a1b2c3d4",
}
CONFIGURED = st.sampled_from(["frontend", "other", 0, 5, False, True, None, [], ["a"], {"b": "c"}])


def of(address: str, known: Mapping[str, Any], *unknown: str) -> Plan:
    marks = dict.fromkeys(unknown, True)
    return read_plan(plan(change(address, "create", after=dict(known), after_unknown=marks)))


def foresight() -> Foresight:
    return Foresight("123456789012", "eu-west-1")


def taught(*lessons: tuple[Plan, Plan]) -> Foresight:
    made = foresight()
    for first, second in lessons:
        overrides = invented.of_resources(first, account=made.account, region=made.region)
        made.learn(first, second, overrides)
    return made


def role(**known: Any) -> Plan:
    """A role as a second plan has it."""
    return of(ROLE, {"name": "temporal", "arn": ARN, **known})


LESSON = (
    of(ROLE, {"name": "temporal", "path": None, "on": False}, "arn", "create_date", "tags_all"),
    role(path=None, on=False, create_date="a1b2c3d4", tags_all={}),
)


def test_another_set_is_foreseen_from_one() -> None:
    first = taught(LESSON).first_plan(
        role(path=None, on=False, create_date="z9y8x7w6", tags_all={})
    )
    assert first is not None
    after = first[ROLE]
    assert after["name"] == "temporal"
    assert after["on"] is False
    assert after["path"] is None
    assert after["arn"] is after["create_date"] is after["tags_all"] is UNKNOWN


@pytest.mark.parametrize(
    "second",
    [
        of("aws_iam_role.another", {"name": "temporal"}),
        role(create_date="z9y8x7w6", tags_all={}, on=0),
        role(create_date="z9y8x7w6", tags_all={}, never_seen=False),
        role(create_date="z9y8x7w6", tags_all={}, never_seen="b2c3d4e5"),
        role(path="frontend", create_date="z9y8x7w6", tags_all={}),
        # Its ARN would have been another.
        of(ROLE, {"name": "other", "arn": ARN}),
    ],
)
def test_what_is_not_certain_is_not_foreseen(second: Plan) -> None:
    assert taught(LESSON).first_plan(second) is None


def test_what_two_sets_tell_differently_is_not_foreseen() -> None:
    configured = (of(ROLE, {"name": "temporal", "tags_all": {}}, "arn"), role(tags_all={}))
    assert taught(configured).first_plan(role(tags_all={})) is not None
    assert taught(LESSON).first_plan(role(tags_all={})) is not None
    assert taught(LESSON, configured).first_plan(role(tags_all={})) is None
    assert taught(LESSON, configured).first_plan(role(tags_all={"a": "b"})) is not None


def test_lists_are_looked_into() -> None:
    first = of(ROLE, {"name": "temporal", "of": [{"a": "kept"}]}, "arn")
    made = taught((first, role(of=[{"a": "kept"}])))
    foreseen = made.first_plan(role(of=[{"a": "kept"}, {"a": "more"}]))
    assert foreseen is not None
    assert foreseen[ROLE]["of"] == [{"a": "kept"}, {"a": "more"}]


@given(
    st.lists(st.dictionaries(NAMES, CONFIGURED, max_size=5), min_size=1, max_size=6),
    st.dictionaries(NAMES, CONFIGURED, max_size=5),
)
def test_what_is_foreseen_is_so_or_was_so_in_every_lesson_that_was_alike(
    lessons: list[dict[str, Any]], asked: dict[str, Any]
) -> None:
    """Terraform fills what is left out; the same attribute may be configured in another set."""
    address = "aws_x.y"

    def plans(given: dict[str, Any]) -> tuple[Plan, Plan]:
        left_out = [name for name in MADE_UP if name not in given]
        return of(address, given, *left_out), of(address, {**MADE_UP, **given})

    first, second = plans(asked)
    foreseen = taught(*map(plans, lessons)).first_plan(second)
    if foreseen is None:
        return
    truly, told = (invented.only(second, one, {address: {}})[address] for one in (first, foreseen))
    for name, made_up in MADE_UP.items():
        known = told[name] is not UNKNOWN
        if known == (truly[name] is not UNKNOWN):
            continue
        value = second[address][name]
        alike = [one for one in lessons if same(one.get(name, made_up), value)]
        assert {name in one for one in alike} == {known}


def same(one: Any, other: Any) -> bool:
    """Equal, or both as Terraform makes up a text: eight letters may be a word."""
    if isinstance(one, str) and isinstance(other, str):
        return invented.may_be_made_up(one) and invented.may_be_made_up(other)
    return type(one) is type(other) and bool(one == other)


def test_teachers_have_the_most_values_between_them() -> None:
    sets: list[dict[str, Any]] = [
        {"a": 1},
        {"a": 1, "b": {"c": 1}},
        {"a": 1, "b": {"c": 1}},
        {"a": 2},
        {"a": 1, "b": {"c": 2, "d": 3}},
    ]
    assert teachers(sets, 3) == [4, 1, 3]
    assert sorted(teachers(sets, 9)) == [0, 1, 2, 3, 4]
