"""The environment, read strictly: all faults at once, each with what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .contract import Contract, Variable
from .values import Value, parse, parse_duration

DSQL = "dsql"
_NEAR = 0.9
_FORMS = {
    "int": "a number in digits",
    "bool": "true or false",
    "duration": "a duration with its unit, such as 30s",
    "string": "a text without blanks around it",
    "host": "a host name without scheme and port",
    "address": "an IP address",
    "host_port": "a host and a port, HOST:PORT",
    "json": 'a JSON object of texts, whole numbers, true and false, such as {"frontend.rps": 5000}',
}
_PREFIXES = ("DSQL_", "TEMPORAL_", "PREFLIGHT")


@dataclass(frozen=True)
class Fault:
    """Why a start is refused."""

    variable: str
    """The variable to change."""
    what: str
    """What is wrong, with the value unless that is secret, and what comes of it."""
    fix: str
    """What to write instead."""


class Settings:
    """What the variables say: each has its value or its default, or is not there."""

    def __init__(
        self,
        values: Mapping[str, Value],
        secrets: Mapping[str, str],
        given: frozenset[str] = frozenset(),
    ) -> None:
        self._values = values
        self._secrets = secrets
        self.given = given
        """Variables that the environment has; the others have their defaults."""

    def __contains__(self, name: str) -> bool:
        return name in self._values or name in self._secrets

    def text(self, name: str) -> str:
        """The value of a string, duration, host or address. Raises KeyError where there is none."""
        return str(self._values[name])

    def number(self, name: str) -> int:
        """The value of an int. Raises KeyError where there is none."""
        return int(self._values[name])

    def switch(self, name: str) -> bool:
        """The value of a bool; False where there is none."""
        return bool(self._values.get(name, False))

    def seconds(self, name: str) -> float:
        """Seconds of a duration. Raises KeyError where there is none."""
        return parse_duration(self.text(name))

    def optional(self, name: str) -> Value | None:
        """The value, None where there is none."""
        return self._values.get(name)

    def secret(self, name: str) -> str | None:
        """A secret, from its variable or its file; None where there is none."""
        return self._secrets.get(name)

    @property
    def with_dsql(self) -> bool:
        """Whether the default store is Aurora DSQL."""
        return self._values.get("TEMPORAL_SQL_PLUGIN_NAME") == DSQL


def read(
    environ: Mapping[str, str],
    contract: Contract,
    read_file: Callable[[str], str] = lambda path: Path(path).read_text(encoding="utf-8"),
) -> tuple[Settings, list[Fault]]:
    """What the environment says, and what is wrong with it, variable by variable.

    An empty value counts as none, as the plugin and the server take it. What has a fault is not in
    the settings. What variables must have in common is told by `rules.check`.
    """
    values: dict[str, Value] = {}
    secrets: dict[str, str] = {}
    faults = list(_misspelt(environ, contract))
    for variable in _read_here(environ, contract):
        try:
            _take(variable, environ, values, secrets)
        except ValueError as error:
            faults.append(Fault(variable.name, str(error), _fix(variable)))
    for variable in contract.runtime.values():
        if variable.secret and _is_read(variable, environ, contract):
            try:
                _take_from_file(variable.name, values, secrets, read_file)
            except ValueError as error:
                faults.append(Fault(f"{variable.name}_FILE", str(error), "Name a readable file."))
    given = frozenset(n for n in (*contract.runtime, *contract.plugin) if environ.get(n))
    return Settings(values, secrets, given), faults


def _read_here(environ: Mapping[str, str], contract: Contract) -> Iterator[Variable]:
    """Variables that are read at all with these settings."""
    for variable in contract.runtime.values():
        if _is_read(variable, environ, contract):
            yield variable
    if environ.get("TEMPORAL_SQL_PLUGIN_NAME") == DSQL:
        yield from contract.plugin.values()
    elif environ.get("AWS_REGION"):
        yield contract.plugin["AWS_REGION"]  # Requests to OpenSearch are signed for it, too.


def _is_read(variable: Variable, environ: Mapping[str, str], contract: Contract) -> bool:
    if variable.only_with is None:
        return True
    name, _, wanted = variable.only_with.partition("=")
    return (environ.get(name) or contract.runtime[name].default) == wanted


def _take(
    variable: Variable,
    environ: Mapping[str, str],
    values: dict[str, Value],
    secrets: dict[str, str],
) -> None:
    name, text = variable.name, environ.get(variable.name, "")
    if text == "":
        if variable.required:
            raise ValueError(f"{name} is {'empty' if name in environ else 'not set'}")
        if variable.default is not None:
            values[name] = parse(variable.type, _as_text(variable.default))
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} is no UTF-8 text") from None
    if variable.secret:
        secrets[name] = text
        return
    try:
        value = parse(variable.type, text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    _check_choices(variable, text)
    _check_range(variable, value)
    values[name] = value


def _fix(variable: Variable) -> str:
    """What to write for a variable: its form, its range and what it means."""
    form = _FORMS[variable.type]
    if variable.choices:
        form = f"one of {', '.join(variable.choices)}"
    if variable.minimum is not None:
        most = "" if variable.maximum is None else f", {variable.maximum} at most"
        form += f", {variable.minimum} at least{most}"
    return f"Set it to {form}. {variable.meaning}"


def _as_text(default: Value) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


def _check_choices(variable: Variable, text: str) -> None:
    if variable.choices and text not in variable.choices:
        near = difflib.get_close_matches(text, variable.choices, 1)
        meant = f", {near[0]} is probably meant" if near else ""
        raise ValueError(f"{variable.name} is {text!r}{meant}")


def _check_range(variable: Variable, value: Value) -> None:
    if variable.type not in ("int", "duration"):
        return
    number = _number(value)
    for limit, word in ((variable.minimum, "at least"), (variable.maximum, "at most")):
        if limit is None:
            continue
        wrong = number < _number(limit) if word == "at least" else number > _number(limit)
        if wrong:
            raise ValueError(f"{variable.name} is {value}, {limit} {word} is possible")


def _number(value: Value) -> float:
    return parse_duration(value) if isinstance(value, str) else float(value)


def _take_from_file(
    name: str,
    values: Mapping[str, Value],
    secrets: dict[str, str],
    read_file: Callable[[str], str],
) -> None:
    path = values.get(f"{name}_FILE")
    if path is None:
        return
    if name in secrets:
        raise ValueError(f"{name} and {name}_FILE are both set: leave one of them out")
    try:
        secret = read_file(str(path)).rstrip("\r\n")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise ValueError(f"{name}_FILE is {str(path)!r}, which cannot be read: {why}") from None
    if not secret:
        raise ValueError(f"{name}_FILE is {str(path)!r}, which is empty")
    secrets[name] = secret


def _misspelt(environ: Mapping[str, str], contract: Contract) -> Iterator[Fault]:
    """Names that nothing reads, and that are nearly those of variables.

    The plugin would ignore them without a word. Other unknown names may be those of a newer one.
    """
    known = {**contract.runtime, **contract.plugin}
    for name in sorted(environ):
        if name in known or not name.startswith(_PREFIXES):
            continue
        near = difflib.get_close_matches(name, known, 1, _NEAR)
        if near:
            what = f"nothing reads {name}; {near[0]} is read"
            yield Fault(name, what, f"Write {near[0]}, or leave it out.")
