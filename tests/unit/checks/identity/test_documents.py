"""Policy documents: wildcards, conditions, Allow and Deny."""

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.checks.identity.documents import (
    Answer,
    CannotRead,
    Statement,
    decide,
    holds,
    matches,
    parse,
)
from temporal_dsql_deploy.plan import UNKNOWN, Sensitive

_LETTERS = "aB:/."
texts = st.text(alphabet=_LETTERS, max_size=8)
patterns = st.text(alphabet=_LETTERS + "*?", max_size=8)
ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:ListBucket", "es:ESHttpGet")
RESOURCES = ("arn:aws:s3:::a", "arn:aws:s3:::a/x", "arn:aws:s3:::b/x")
statements = st.builds(
    Statement,
    effect=st.sampled_from(["Allow", "Deny"]),
    actions=st.lists(st.sampled_from([*ACTIONS, "s3:*", "*", "s3:get*"]), max_size=2).map(tuple),
    resources=st.lists(
        st.sampled_from([*RESOURCES, "*", "arn:aws:s3:::a*"]), min_size=1, max_size=2
    ).map(tuple),
    conditions=st.sampled_from(
        [
            {},
            {"StringEquals": {"aws:SourceAccount": ("1",)}},
            {"StringEquals": {"aws:SourceAccount": ("2",)}},
            {"StringEquals": {"aws:Mystery": ("2",)}},
        ]
    ),
)
KNOWN = {"aws:sourceaccount": "1"}


def naive(pattern: str, text: str) -> bool:
    """The definition: `?` is one character, `*` any number, everything else itself."""

    @cache
    def here(i: int, j: int) -> bool:
        if i == len(pattern):
            return j == len(text)
        if pattern[i] == "*":
            return here(i + 1, j) or (j < len(text) and here(i, j + 1))
        return j < len(text) and pattern[i] in {"?", text[j]} and here(i + 1, j + 1)

    return here(0, 0)


@given(patterns, texts)
def test_wildcards_are_those_of_the_definition(pattern: str, text: str) -> None:
    assert matches(pattern, text) is naive(pattern, text)
    assert matches(pattern, text, case=False) is naive(pattern.lower(), text.lower())


@given(texts, st.lists(st.integers(0, 7), max_size=3))
def test_a_text_is_matched_by_itself_with_parts_made_wild(text: str, at: list[int]) -> None:
    pattern = "".join("*" if i in at else one for i, one in enumerate(text))
    assert matches(pattern, text)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (UNKNOWN, "only after the apply"),
        (Sensitive.of("x"), "must not be shown"),
        (None, "no policy document"),
        ("no JSON", "not JSON"),
        ('{"Statement": [{"Action": "s3:GetObject"}]}', "not JSON"),
        ('{"Statement": [{"Effect": "Maybe"}]}', "not JSON"),
        ('{"Statement": [{"Effect": "Allow", "Action": {}}]}', "not JSON"),
        ('["Statement"]', "not JSON"),
    ],
)
def test_what_cannot_be_read_is_said_to_be_so(value: Any, reason: str) -> None:
    with pytest.raises(CannotRead, match=reason):
        parse(value)


def test_one_and_many_are_the_same() -> None:
    one = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Principal": "*"}
    many: dict[str, Any] = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"]}
    many["Principal"] = {"AWS": ["*"]}
    assert parse(json.dumps({"Statement": one})) == parse(json.dumps({"Statement": [many]}))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({}, True),
        ({"StringEquals": {"aws:SourceAccount": ("1", "2")}}, True),
        ({"StringEquals": {"AWS:sourceaccount": ("2",)}}, False),
        ({"StringNotEquals": {"aws:SourceAccount": ("2",)}}, True),
        ({"StringEqualsIfExists": {"aws:SourceAccount": ("2",)}}, False),
        ({"ForAnyValue:StringLike": {"aws:SourceAccount": ("?",)}}, True),
        ({"ArnNotLike": {"aws:SourceAccount": ("*",)}}, False),
        ({"StringEqualsIgnoreCase": {"aws:SourceAccount": ("1",)}}, True),
        ({"NumericEquals": {"aws:SourceAccount": ("1",)}}, None),
        ({"StringEquals": {"aws:Mystery": ("1",)}}, None),
        ({"StringEquals": {"aws:Mystery": ("1",), "aws:SourceAccount": ("2",)}}, False),
    ],
)
def test_conditions(condition: Any, expected: bool | None) -> None:  # noqa: FBT001
    assert holds(condition, KNOWN) is expected


@given(st.lists(statements, max_size=4), st.sampled_from(ACTIONS), st.sampled_from(RESOURCES))
def test_an_answer_is_that_of_the_definition(
    given_: list[Statement], action: str, resource: str
) -> None:
    """A Deny wins, else an Allow is needed; what hangs on an unknown condition may be either."""

    def about(one: Statement) -> bool:
        return any(naive(p.lower(), action.lower()) for p in one.actions) and any(
            naive(p, resource) for p in one.resources
        )

    possible = set()
    for mystery in ("1", "2"):
        told = {**KNOWN, "aws:mystery": mystery}
        mine = [one for one in given_ if about(one) and holds(one.conditions, told)]
        denied = any(not one.allows for one in mine)
        possible.add("denied" if denied else "yes" if mine else "no")
    answer = decide(given_, action, resource, KNOWN)
    expected = {
        Answer.YES: [{"yes"}],
        Answer.NO: [{"no"}, {"no", "denied"}],
        Answer.DENIED: [{"denied"}],
        Answer.MAYBE: [{"yes", "no"}, {"yes", "denied"}, {"yes", "no", "denied"}, {"no", "denied"}],
    }
    assert possible in expected[answer]


@given(st.lists(statements, max_size=4), statements, st.sampled_from(ACTIONS))
def test_one_more_allow_takes_nothing_away(
    given_: list[Statement], more: Statement, action: str
) -> None:
    order = [Answer.DENIED, Answer.NO, Answer.MAYBE, Answer.YES]
    for resource in (*RESOURCES, None):
        before = decide(given_, action, resource, KNOWN)
        after = decide([*given_, more], action, resource, KNOWN)
        if more.allows:
            assert order.index(after) >= order.index(before)
        else:
            assert order.index(after) <= order.index(before)


def test_a_resource_that_is_not_known_is_asked_for_by_its_service() -> None:
    other = Statement("Allow", actions=("ecs:ListTasks",), resources=("arn:aws:s3:::other",))
    mine = Statement("Allow", actions=("ecs:ListTasks",), resources=("arn:aws:ecs:*:*:task/*",))
    assert decide([other], "ecs:ListTasks", None, {}) is Answer.NO
    assert decide([mine], "ecs:ListTasks", None, {}) is Answer.YES


def test_everything_but() -> None:
    one = Statement("Allow", not_actions=("iam:*",), not_resources=("arn:aws:s3:::secret",))
    assert decide([one], "s3:GetObject", "arn:aws:s3:::x", {}) is Answer.YES
    assert decide([one], "iam:PassRole", "arn:aws:iam::1:role/x", {}) is Answer.NO
    assert decide([one], "s3:GetObject", "arn:aws:s3:::secret", {}) is Answer.NO
