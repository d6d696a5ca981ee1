"""Reservoir mode: what its numbers do to one another, and what has no effect without it."""

from collections.abc import Iterator

from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.places import Place, judged, with_dsql
from temporal_dsql_deploy.checks.contract.plugin import (
    SOURCE,
    VARIABLES,
    contract_rule,
    effective,
)
from temporal_dsql_deploy.checks.contract.values import quoted, seconds, switch, whole
from temporal_dsql_deploy.checks.model import Said
from temporal_dsql_deploy.checks.subject import Subject

_ENABLED = "DSQL_RESERVOIR_ENABLED"
_BASE = "DSQL_RESERVOIR_BASE_LIFETIME"
_JITTER = "DSQL_RESERVOIR_LIFETIME_JITTER"
_GUARD = "DSQL_RESERVOIR_GUARD_WINDOW"
_TARGET = "DSQL_RESERVOIR_TARGET_READY"
_LOW = "DSQL_RESERVOIR_LOW_WATERMARK"
_MOST = "TEMPORAL_SQL_MAX_CONNS"
_LEAST_USE = 120
"""Seconds of use that a connection must have before the guard takes it back."""
_LONGEST = 50 * 60


def duration(place: Place, name: str) -> float:
    """Seconds that the plugin takes: the value, or the default for what does not parse."""
    found = seconds(place.value(name))
    return seconds(str(VARIABLES[name].default)) or 0.0 if found is None else found


def in_reservoir_mode(place: Place) -> bool:
    """Whether the plugin would take reservoir mode."""
    return switch(place.value(_ENABLED)) is True


@contract_rule("lifetime-over-guard", "Set the lifetime to two minutes more than the guard.")
def lifetime_over_guard(subject: Subject) -> Iterator[Said]:
    """In reservoir mode; defaults count."""

    def judge(place: Place) -> Iterator[Said]:
        base, guard = duration(place, _BASE), duration(place, _GUARD)
        if in_reservoir_mode(place) and base < guard + _LEAST_USE:
            name = _BASE if place.has(_BASE) else _GUARD
            yield place.variable(name, f"{_BASE} is {base:g} s, {_GUARD} is {guard:g} s")

    return judged(with_dsql(subject), judge)


@contract_rule("lifetime-before-cut", "Let lifetime and jitter be 50m together at most.")
def lifetime_before_cut(subject: Subject) -> Iterator[Said]:
    """The jitter is added."""

    def judge(place: Place) -> Iterator[Said]:
        base, jitter = duration(place, _BASE), duration(place, _JITTER)
        if in_reservoir_mode(place) and base + jitter > _LONGEST:
            name = _BASE if base > jitter else _JITTER
            yield place.variable(name, f"{_BASE} is {base:g} s, {_JITTER} is {jitter:g} s")

    return judged(with_dsql(subject), judge)


@FAMILY.rule(
    "reservoir-explicit",
    holds="Reservoir mode comes with a DSQL_RESERVOIR_TARGET_READY that is not above maxConns, and "
    "a DSQL_RESERVOIR_LOW_WATERMARK that is not above it.",
    symptom="What is left out becomes maxConns, and a higher watermark raises the target: each "
    "process then keeps 4 reservoirs of that size beside the maxConns that it holds.",
    fix="Set both; the target far below maxConns, the watermark at most the target.",
    source=SOURCE,
)
def reservoir_explicit(subject: Subject) -> Iterator[Said]:
    """What is not a number is `int-strict`'s, what is not positive `reservoir-size-positive`'s."""

    def judge(place: Place) -> Iterator[Said]:
        if not in_reservoir_mode(place):
            return
        for name in (_TARGET, _LOW):
            if not place.has(name):
                yield place.variable(name, f"{name} is not set")
        target, low = whole(place.value(_TARGET)), whole(place.value(_LOW))
        most = whole(place.value(_MOST))
        if target is not None and most is not None and target > most >= 1:
            yield place.variable(_TARGET, f"{_TARGET} is {target}, {_MOST} is {most}")
        if target is not None and low is not None and low > target:
            yield place.variable(_LOW, f"{_LOW} is {low}, {_TARGET} is {target}")

    return judged(with_dsql(subject), judge)


@FAMILY.rule(
    "no-effect",
    holds="A variable of the plugin comes with the switch that makes it read.",
    symptom="The value is ignored without a word: with DSQL_RESERVOIR_TARGET_READY alone the "
    "server runs in legacy mode.",
    fix="Set the switch to true, or to false where the value is to wait for it.",
    source=SOURCE,
)
def no_effect(subject: Subject) -> Iterator[Said]:
    """A switch that is there and says false is meant so; then nothing is said."""

    def judge(place: Place) -> Iterator[Said]:
        for name, variable in VARIABLES.items():
            if not place.has(name) or variable.type == "bool":
                continue
            for needed in variable.requires:
                other = VARIABLES[needed]
                off = other.type == "bool" and switch(place.value(needed)) is not False
                if off and needed not in place.container.secrets and not effective(place, other):
                    yield place.variable(
                        needed, f"{name} is set, {needed} is {quoted(place.value(needed))}"
                    )
            if variable.mode == "legacy" and in_reservoir_mode(place):
                yield place.variable(name, f"{name} is read in legacy mode, {_ENABLED} is true")

    return judged(with_dsql(subject), judge)
