"""Durations, against what Go's time.ParseDuration takes and says."""

import contextlib
import math
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from temporal_dsql_deploy.topology import parse_duration

_UNITS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_NANOSECONDS = st.integers(min_value=-(2**62), max_value=2**62)


def _written(nanoseconds: int) -> str:
    """A duration in whole numbers of all units, as Go would take it."""
    if nanoseconds == 0:
        return "0"
    rest = abs(nanoseconds)
    text = "-" if nanoseconds < 0 else ""
    for unit, size in _UNITS.items():
        number, rest = divmod(rest, size)
        if number:
            text += f"{number}{unit}"
    return text


@given(_NANOSECONDS)
@example(0)
@example(1)
def test_what_is_written_is_read_again(nanoseconds: int) -> None:
    assert math.isclose(parse_duration(_written(nanoseconds)), nanoseconds / 1e9, rel_tol=1e-12)


@given(st.decimals(0, 10**6, places=6), st.sampled_from([*_UNITS]))
def test_a_fraction_counts(number: object, unit: str) -> None:
    expected = float(Fraction(str(number)) * _UNITS[unit] / 10**9)
    assert math.isclose(parse_duration(f"{number}{unit}"), expected, rel_tol=1e-12)


@given(st.text() | st.text("0123456789.hmsunµ+- "))
def test_any_text_is_a_number_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert math.isfinite(parse_duration(text))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15m", 900),
        ("1h30m", 5400),
        ("1m30s", 90),
        ("250ms", 0.25),
        ("1.5h", 5400),
        (".5s", 0.5),
        ("5.s", 5),
        ("+5s", 5),
        ("-1.5s", -1.5),
        ("30s1m", 90),
        ("1us", 1e-6),
        ("1\N{MICRO SIGN}s", 1e-6),
        ("1\N{GREEK SMALL LETTER MU}s", 1e-6),
        ("0", 0),
        ("-0", 0),
        ("0s", 0),
    ],
)
def test_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "s",
        ".s",
        "5",
        "1d",
        "1 h",
        "5s ",
        "5S",
        "1h 30m",
        "--5s",
        "00",
        "1e3s",
        "٣s",
        "5s\n",
        "1h-3m",
        "1,5s",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration: it"):
        parse_duration(text)


def test_a_number_without_a_unit_is_told_how_it_could_read() -> None:
    with pytest.raises(ValueError, match="for instance 10s"):
        parse_duration("10")


def test_more_than_go_holds_is_refused() -> None:
    assert parse_duration("2562047h") > 0
    for text in ("2562048h", "9" * 400 + "h"):
        with pytest.raises(ValueError, match="292 years"):
            parse_duration(text)
