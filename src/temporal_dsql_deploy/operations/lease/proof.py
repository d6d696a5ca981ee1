"""Whether the counter of leases is wrong: arithmetic over what was seen of it and of the database.

The counter is what is open and what has leaked. What has leaked never comes back, so it only grows;
so in each minute the lowest that the counter said, less the most that was open, is at least in the
counter from then on. The least of these over the whole time may be taken from it at any later
moment, whatever was opened and closed meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from temporal_dsql_deploy.platforms.protocol import Result

FACTOR = 1.2
"""The counter is wrong where it says more than so many times what is open."""
LEAST_MINUTES = 10
LATE_MINUTES = 15
"""CloudWatch's figures are minutes late; later than this they are too old."""
_MINUTE = timedelta(minutes=1)


class Verdict(StrEnum):
    """What is known of the counter."""

    RIGHT = "right"
    WRONG = "wrong"
    """Provably."""
    SUSPECT = "suspect"
    """It says too much, and not yet for long enough to prove it."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Sample:
    """The counter when it was looked at."""

    at: datetime
    active: int
    updated: datetime | None = None
    """When it was changed last; it has said the same since."""


@dataclass(frozen=True, slots=True)
class Minute(Result):
    """One minute of the time that is judged."""

    at: datetime
    """Its start, UTC."""
    counter: int | None
    """The lowest that the counter was seen to say; null where it was not looked at."""
    open: int | None
    """The most connections that were open; null where nothing tells."""

    @property
    def known(self) -> bool:
        """Whether it says anything."""
        return self.counter is not None and self.open is not None

    @property
    def over(self) -> int:
        """What is in the counter and is not open, at least; 0 where that is not known."""
        return self.counter - self.open if self.counter is not None and self.open is not None else 0

    @property
    def wrong(self) -> bool:
        """Whether the counter says too much."""
        if self.counter is None or self.open is None:
            return False
        return self.counter > FACTOR * self.open


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of the counter, and of what."""

    verdict: Verdict
    why: str
    minutes: tuple[Minute, ...] = ()
    """Those that were judged, oldest first."""
    leaked: int = 0
    """What is in the counter and in no connection; at least, where it is wrong."""

    @property
    def most_open(self) -> int:
        """Connections that were open at one time."""
        return max((one.open or 0 for one in self.minutes), default=0)

    def right(self, seen: int, alive: int) -> int:
        """What the counter is to say that now says `seen`, with so many leases of late.

        Never more than it says, and never less than what is open.
        """
        if self.verdict is not Verdict.WRONG:
            return seen
        return min(seen, max(seen - self.leaked, self.most_open, alive))


def weigh(
    samples: Sequence[Sample], counted: Mapping[datetime, int], now: datetime, minutes: int
) -> Proof:
    """What samples of the counter, oldest first, and counts of connections by minute prove.

    It is proven by whole minutes, `minutes` of them one after the other, up to the newest one of
    which both are known. A minute that CloudWatch does not count is not known, whoever is stopped:
    roles off ECS (`env`) take leases of the same table.
    """
    newest = max((at for at in counted if at <= now), default=None)
    known = [one for one in _minutes(samples, counted, now, minutes) if one.known]
    if known:
        return _judged(known, now, minutes)
    if newest is None:
        return Proof(Verdict.UNKNOWN, "CloudWatch has no count of this cluster's connections")
    if not _fresh(newest, now):
        return Proof(Verdict.UNKNOWN, _stale(newest, now))
    return _guess(samples[-1].active, counted[newest], newest)


def _judged(known: list[Minute], now: datetime, minutes: int) -> Proof:
    last = known[-1]
    if not _fresh(last.at, now):
        return Proof(Verdict.UNKNOWN, _stale(last.at, now))
    first = last.at - _MINUTE * (minutes - 1)
    window = tuple(one for one in known if one.at >= first)
    if not last.wrong:
        return Proof(Verdict.RIGHT, "it says no more than 1.2 times what is open", window)
    fair = next((one for one in reversed(window) if not one.wrong), None)
    if fair is not None:
        why = f"at {fair.at:%H:%M} UTC it said {fair.counter}, and {fair.open} were open"
        return Proof(Verdict.SUSPECT, why, window, last.over)
    if len(window) < minutes:
        why = f"it is known for {len(window)} whole minutes, and takes {minutes} without a gap"
        return Proof(Verdict.SUSPECT, why, window, last.over)
    why = f"for {minutes} minutes it has said more than 1.2 times what was open"
    return Proof(Verdict.WRONG, why, window, min(one.over for one in window))


def _guess(active: int, opened: int, at: datetime) -> Proof:
    """Of a counter that has just been looked at, and a count of some minutes ago."""
    if active <= FACTOR * opened:
        return Proof(Verdict.RIGHT, "it says no more than 1.2 times what was open last")
    why = f"it changes, so what it said at {at:%H:%M} UTC, when {opened} were open, is not known"
    return Proof(Verdict.SUSPECT, why, (), active - opened)


def _minutes(
    samples: Sequence[Sample], counted: Mapping[datetime, int], now: datetime, minutes: int
) -> list[Minute]:
    """The whole minutes of late, oldest first."""
    current = now.replace(second=0, microsecond=0)
    found = []
    for back in range(minutes + LATE_MINUTES, 0, -1):
        at = current - _MINUTE * back
        inside = [one for one in samples if at <= one.at < at + _MINUTE]
        found.append(Minute(at, _lowest(inside, samples, at), counted.get(at)))
    return found


def _lowest(inside: list[Sample], samples: Sequence[Sample], at: datetime) -> int | None:
    values = [one.active for one in inside]
    # It has not changed since, but for the clock of the process that says so: a minute's grace.
    values += [
        one.active
        for one in samples
        if one.updated is not None and one.updated + _MINUTE <= at <= one.at - _MINUTE
    ]
    return min(values, default=None)


def _fresh(at: datetime, now: datetime) -> bool:
    return now - at <= _MINUTE * LATE_MINUTES


def _stale(at: datetime, now: datetime) -> str:
    return f"the newest that is known is of {at:%H:%M} UTC, {(now - at) // _MINUTE} minutes ago"
