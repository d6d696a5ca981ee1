"""The faults that `rehearse --fault` takes: their names, their arguments, and how they happen."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from temporal_dsql_deploy.errors import InvalidSetting, UnknownChoice
from temporal_dsql_deploy.rehearsal.faults import Faults

NONE = "none"
"""All is well again."""
_CALLS = 20


@dataclass(frozen=True, slots=True)
class Requested:
    """One fault that somebody has asked for."""

    name: str
    argument: str = ""

    def __str__(self) -> str:
        return f"{self.name}={self.argument}" if self.argument else self.name

    @property
    def what(self) -> str:
        """What happens, for a sentence."""
        kind = self.kind
        return kind.what.replace(kind.argument, self.argument) if self.argument else kind.what

    @property
    def kind(self) -> "Kind":
        """What it is."""
        return KINDS[self.name]


@dataclass(frozen=True, slots=True)
class Kind:
    """One that there is."""

    what: str
    """What happens, for a sentence."""
    do: Callable[["Where", str], Sequence[str]]
    """Lets it happen; what it has hit."""
    argument: str = ""
    """What its argument is; empty where it takes none."""
    optional: bool = False
    """Whether that may be left out."""
    lasting: bool = True
    """Whether it holds until `none`."""
    of_tasks: bool = False
    """Whether it takes tasks that run."""
    before_apply: bool = False
    """Whether it has to be there when the instances are made."""


@dataclass(frozen=True, slots=True)
class Where:
    """What the faults happen to."""

    faults: Faults
    close_database: Callable[[], None]
    service: Callable[[str], str] = str
    """Name of the service of a component."""


def _throttle(where: Where, calls: str) -> Sequence[str]:
    where.faults.throttle(count=int(calls) if calls else _CALLS)
    return []


def _no_capacity(where: Where, _: str) -> Sequence[str]:
    where.faults.no_capacity()
    return []


def _no_database(where: Where, _: str) -> Sequence[str]:
    where.close_database()
    return []


def _no_image(where: Where, part: str) -> Sequence[str]:
    where.faults.no_image(part)
    return []


def _no_secret(where: Where, part: str) -> Sequence[str]:
    where.faults.no_secret(part)
    return []


KINDS: Mapping[str, Kind] = {
    "task-killed": Kind(
        "the containers of a task of SERVICE are killed",
        lambda where, component: where.faults.kill_tasks(where.service(component)),
        argument="SERVICE",
        lasting=False,
        of_tasks=True,
    ),
    "instance-lost": Kind(
        "an EC2 instance is gone at once, this one or any",
        lambda where, instance: where.faults.lose_instance(instance or None),
        argument="INSTANCE",
        optional=True,
        lasting=False,
    ),
    "zone-lost": Kind(
        "all of an Availability Zone is gone, and nothing starts there",
        lambda where, zone: where.faults.lose_zone(zone),
        argument="ZONE",
    ),
    "database-away": Kind("nobody reaches the database", _no_database),
    "api-throttled": Kind(
        f"the next CALLS of AWS's APIs [{_CALLS}] are refused as too many",
        _throttle,
        argument="CALLS",
        optional=True,
        lasting=False,
    ),
    "capacity-not-arriving": Kind(
        "no EC2 instance joins any more", _no_capacity, before_apply=True
    ),
    "image-missing": Kind(
        "images with PART in their names cannot be pulled", _no_image, argument="PART"
    ),
    "secret-missing": Kind(
        "secrets and parameters with PART in their names are not there",
        _no_secret,
        argument="PART",
    ),
}
"""By name, as an issue or a runbook would say it."""


def parse(words: Sequence[str]) -> list[Requested]:
    """Of NAME[=ARGUMENT]; empty for `none`, which goes alone. Raises UnknownChoice, InvalidSetting.

    No word at all is no request: see to that before.
    """
    if NONE in words and len(words) > 1:
        raise InvalidSetting(
            f"--fault {NONE} goes alone",
            cause="it takes all faults away",
            fix="leave the others out, or ask for them afterwards",
        )
    return [_parse(word) for word in words if word != NONE]


def _parse(word: str) -> Requested:
    name, given, argument = word.partition("=")
    kind = KINDS.get(name)
    if kind is None:
        close = difflib.get_close_matches(name, [*KINDS, NONE], n=1)
        raise UnknownChoice(
            f"there is no fault {name!r}",
            cause=f"known are: {', '.join(spellings())}",
            fix=f"did you mean {close[0]}?" if close else "choose one of them",
        )
    if given and not kind.argument:
        raise _wrong(name, f"it takes no argument, and was given {argument!r}")
    if kind.argument and not kind.optional and not argument:
        raise _wrong(name, f"it does not say which: {name}={kind.argument}")
    if kind.argument == "CALLS" and argument and not (argument.isdecimal() and int(argument)):
        raise _wrong(name, f"{argument!r} is no number of calls")
    return Requested(name, argument)


def _wrong(name: str, why: str) -> InvalidSetting:
    return InvalidSetting(
        f"the fault {name} is not right",
        cause=why,
        fix=f"there are: {', '.join(spellings())}",
    )


def check_from_nothing(requested: Requested) -> None:
    """Raises InvalidSetting for what can only happen to a rehearsal that stands."""
    if requested.kind.of_tasks:
        raise _wrong(
            requested.name,
            "it takes tasks that run, and no rehearsal stands: dsql-deploy rehearse ENV --keep",
        )


def spellings() -> list[str]:
    """Each as it is written, `none` last."""
    return [*(_spelling(name, kind) for name, kind in KINDS.items()), NONE]


def _spelling(name: str, kind: Kind) -> str:
    if not kind.argument:
        return name
    return f"{name}[={kind.argument}]" if kind.optional else f"{name}={kind.argument}"


def do(requested: Requested, where: Where) -> list[str]:
    """Let it happen; what it has hit. Raises InvalidSetting where it has hit nothing."""
    hit = list(requested.kind.do(where, requested.argument))
    if not hit and requested.name in {"task-killed", "instance-lost"}:
        raise InvalidSetting(
            f"the fault {requested} has hit nothing",
            cause="no task of this service runs"
            if requested.kind.of_tasks
            else "no such EC2 instance is there",
            fix="see what runs: dsql-deploy status ENV",
        )
    return hit
