"""Texts of environment variables, read as strictly as Go reads them."""

import difflib
import ipaddress
import re
from collections.abc import Iterable

from temporal_dsql_deploy.topology import parse_duration

TRUE = frozenset({"true", "1"})
FALSE = frozenset({"false", "0"})
_INT = re.compile(r"[+-]?[0-9]{1,18}")
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_NEAR = 0.7


def whole(text: str | None) -> int | None:
    """The int that a text is, as strconv.Atoi takes it; None for anything else."""
    return int(text) if text is not None and _INT.fullmatch(text) else None


def switch(text: str | None) -> bool | None:
    """The bool that a text is: true, false, 1 or 0; None for anything else, such as yes or ON."""
    return True if text in TRUE else False if text in FALSE else None


def seconds(text: str | None) -> float | None:
    """Seconds of a Go duration; None for anything else, such as a number without a unit."""
    try:
        return None if text is None else parse_duration(text)
    except ValueError:
        return None


def address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address that a text is, None for anything else."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def is_host(text: str) -> bool:
    """Whether a text is a host name: no scheme, no port, no address."""
    return _HOST.fullmatch(text) is not None and address(text) is None


def is_a(kind: str, text: str) -> bool:
    """Whether a text is what topology.json calls int, bool, duration, host or string."""
    match kind:
        case "int":
            return whole(text) is not None
        case "bool":
            return switch(text) is not None
        case "duration":
            return seconds(text) is not None
        case "host":
            return is_host(text)
        case _:
            return text.strip() != ""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one was probably meant to be."""
    return next(iter(difflib.get_close_matches(name, known, 1, _NEAR)), None)


def quoted(text: str | None) -> str:
    """A value as evidence shows it."""
    return "not set" if text is None else f"`{text}`" if text else "empty"
