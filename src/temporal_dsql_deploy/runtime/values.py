"""Texts of environment variables, read as strictly as Go would if the DSQL plugin let it."""

from __future__ import annotations

import ipaddress
import json
import re
from typing import Union

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Value = Union[str, int, bool]

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
_INT = re.compile(r"[+-]?[0-9]{1,18}")
_SETTING = re.compile(r"[a-zA-Z]+(\.[a-zA-Z0-9_]+)+")
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_BOOLS = {"true": True, "1": True, "false": False, "0": False}
_LONGEST_HOST = 253


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


def parse_address(text: str) -> Address:
    """The IP address that a text is; raises ValueError for anything else, host names too.

    An IPv4 address in the clothes of an IPv6 one is taken for what it is, as Go does.
    """
    if "%" in text:
        raise ValueError(f"{text!r} has a zone, which only its own machine understands")
    address = ipaddress.ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address


def parse(kind: str, text: str) -> Value:
    """The value of a text of a type of contract.json: int, bool, duration, host, address, ...

    All but int and bool stay texts, as the server wants them.
    Raises ValueError with a sentence that says what the text is not.
    """
    if kind == "int":
        return _int(text)
    if kind == "bool":
        return _bool(text)
    if kind == "duration":
        parse_duration(text)
    elif kind == "host":
        _check_host(text)
    elif kind == "address":
        if not is_address(text):
            raise ValueError(f"{text!r} is no IP address")
    elif kind == "host_port":
        _check_host_port(text)
    elif kind == "json":
        parse_settings(text)
    elif text != text.strip() or not text:
        raise ValueError(f"{text!r} has blanks around it")
    return text


def parse_settings(text: str) -> dict[str, Value]:
    """Dynamic config keys with their values, from a JSON object; raises ValueError for others.

    A fraction is refused: no setting here needs one, and parsers read them each in its own way.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    for key, value in found.items():
        if _SETTING.fullmatch(key) is None:
            raise ValueError(f"{key!r} is no key of the dynamic configuration")
        half = isinstance(value, str) and any("\ud800" <= one <= "\udfff" for one in value)
        if not isinstance(value, (str, int)) or half:
            raise ValueError(f"the value of {key} is no text, whole number, true or false")
    return found


def is_address(text: str) -> bool:
    """Whether a text is an IP address."""
    try:
        parse_address(text)
    except ValueError:
        return False
    return True


def is_loopback(text: str) -> bool:
    """Whether a text is a loopback address."""
    try:
        return parse_address(text).is_loopback
    except ValueError:
        return False


def join_host_port(host: str, port: int) -> str:
    """host:port, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _int(text: str) -> int:
    if _INT.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no int")
    return int(text)


def _bool(text: str) -> bool:
    if text not in _BOOLS:
        raise ValueError(f"{text!r} is no bool")
    return _BOOLS[text]


def _check_host(text: str) -> None:
    if len(text) > _LONGEST_HOST or not (_HOST.fullmatch(text) or is_address(text)):
        raise ValueError(f"{text!r} is no host name")


def _check_host_port(text: str) -> None:
    host, _, port = text.rpartition(":")
    right = port.isascii() and port.isdigit() and 1 <= int(port) <= 65535
    bracketed = host.startswith("[") and host.endswith("]")
    named = is_address(host[1:-1]) if bracketed else ":" not in host and _HOST.fullmatch(host)
    if not right or not named:
        raise ValueError(f"{text!r} is no host:port")
