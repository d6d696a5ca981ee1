"""Numbers as people read them."""

import math


def count(value: float) -> str:
    """`12,345`."""
    return f"{value:,.0f}"


def short(value: float, digits: int = 3) -> str:
    """With so many significant digits, but never without the ones: `12,345`, `19.8`, `0.0042`."""
    if not value or not math.isfinite(value):
        return f"{value:g}"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    text = f"{value:,.{max(0, places)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def milliseconds(value: float) -> str:
    """`0.89 ms`, `194 ms`, `1.23 s`."""
    return f"{short(value / 1000)} s" if value >= 1000 else f"{short(value)} ms"


def share(value: float) -> str:
    """A share of one in percent; 100 % and 0 % are said of nothing less and nothing more."""
    if 0 < value < 0.0001:
        return "<0.01 %"
    if 0.9999 < value < 1:
        return ">99.99 %"
    return f"{100 * value:.2f}".rstrip("0").rstrip(".") + " %"


def part(value: float, whole: float) -> str:
    """`value` as a share of `whole`; empty when that is nothing."""
    return share(value / whole) if whole else ""


def moment(second: float, length: float) -> str:
    """A second on an axis of so many: `20 s`, `5 min`, `2.5 min`."""
    return f"{second:g} s" if length < 180 else f"{second / 60:g} min"
