"""Texts of variables are read as Go reads them, neither more strictly nor less."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from temporal_dsql_deploy.checks import judge
from temporal_dsql_deploy.checks.contract import FAMILY, values
from temporal_dsql_deploy.topology import load, parse_duration
from tests.unit.checks.contract.good import good

TEXTS = st.one_of(
    st.text(),
    st.text("0123456789.hmsun+- ", max_size=8),
    st.sampled_from(["true", "false", "1", "0", "yes", "ON", "True", "t", "10s", "1e3", "0x1f"]),
    st.integers().map(str),
)
STRICT = {
    "int": "contract-int-strict",
    "bool": "contract-bool-strict",
    "duration": "contract-duration-strict",
}


def _reference(kind: str, text: str) -> bool:
    """What a reader of Go's documents would take."""
    if kind == "int":
        return re.fullmatch(r"[-+]?[0-9]+", text, re.ASCII) is not None and len(text) <= 19
    if kind == "bool":
        return text in {"true", "false", "1", "0"}
    try:
        parse_duration(text)
    except ValueError:
        return False
    return True


@given(TEXTS)
@example("")
@example("\N{ARABIC-INDIC DIGIT ONE}")
@example("1\n")
def test_a_text_is_an_int_a_bool_or_a_duration_as_the_reference_says(text: str) -> None:
    for kind in ("bool", "duration"):
        assert values.is_a(kind, text) is _reference(kind, text)
    assert not values.is_a("int", text) or _reference("int", text)
    assert values.is_a("int", text) or not re.fullmatch(r"[0-9]{1,18}", text, re.ASCII)


@given(TEXTS)
def test_what_is_taken_has_a_value(text: str) -> None:
    assert (values.whole(text) is not None) is values.is_a("int", text)
    assert (values.switch(text) is not None) is values.is_a("bool", text)
    assert (values.seconds(text) is not None) is values.is_a("duration", text)


@pytest.mark.parametrize("kind", STRICT)
@given(text=TEXTS)
def test_the_rule_says_of_every_variable_what_the_reference_says(kind: str, text: str) -> None:
    """Feature: temporal-dsql, S1-19.3: no value that the plugin would swallow passes."""
    rule = next(rule for rule in FAMILY.rules if rule.id == STRICT[kind])
    for name, variable in load().environment.items():
        if variable.type == kind:
            outcome = judge(good().set("history", name, text).subject(), [rule]).outcomes[0]
            wrong = {each.attribute.rpartition(".")[2] for each in outcome.findings}
            assert (name in wrong) is not values.is_a(kind, text)
            break


@given(
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?(\.[a-z][a-z0-9]{0,5}){1,4}", fullmatch=True)
)
def test_a_host_has_no_port_no_scheme_and_is_no_address(host: str) -> None:
    assert values.is_host(host)
    assert not values.is_host(f"{host}:5432")
    assert not values.is_host(f"https://{host}")
    assert not values.is_host("10.0.0.7")
    assert not values.is_host("::1")


@given(st.sampled_from(sorted(load().environment)), st.integers(0, 100), st.characters())
def test_one_wrong_letter_leads_back_to_the_name(name: str, place: int, letter: str) -> None:
    at = place % len(name)
    spelt = name[:at] + letter + name[at + 1 :]
    near = values.nearest(spelt, load().environment)
    assert near is not None
    # Two names of the contract may be as near, such as of the limiter and of the lease.
    assert near == name or near.split("_")[0] == name.split("_", maxsplit=1)[0]
