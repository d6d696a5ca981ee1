"""Durations as Go writes them, which is how Temporal and its DSQL plugin read theirs."""

import re

_SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "\N{MICRO SIGN}s": 1e-6,
    "\N{GREEK SMALL LETTER MU}s": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_PART = re.compile(rf"([0-9]+\.?[0-9]*|\.[0-9]+)({'|'.join(_SECONDS)})")
_WHOLE = re.compile(rf"([+-]?)(0|(?:{_PART.pattern})+)")
_LONGEST = 2**63 / 1e9


def parse_duration(text: str) -> float:
    """Seconds of a Go duration such as `15m`, `1h30m` or `250ms`; negative ones are kept.

    Takes what Go's time.ParseDuration takes, so a number needs a unit unless it is 0.
    Raises ValueError with a sentence that says what a duration looks like.
    """
    match = _WHOLE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no duration: {_advice(text)}")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(match[2]))
    if seconds >= _LONGEST:
        raise ValueError(f"{text!r} is no duration: Go holds 292 years at most")
    return -seconds if match[1] == "-" else seconds


def _advice(text: str) -> str:
    if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text):
        return f"it needs a unit (ns, us, ms, s, m, h), for instance {text}s"
    return "it is numbers, each with a unit (ns, us, ms, s, m, h), without spaces, such as 1h30m"
