"""What the verbs of `lease` do: show the counter, watch it, and correct it where it is wrong."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from temporal_dsql_deploy.errors import RefusedError
from temporal_dsql_deploy.operations.lease.look import LeaseStatus, Look, Sources, look
from temporal_dsql_deploy.operations.lease.proof import LATE_MINUTES, Verdict
from temporal_dsql_deploy.platforms.protocol import Report, Result

EVERY_SECONDS = 30.0
"""Between two looks of a watch."""
_TRIES = 20
"""Of a write whose counter is changed by others meanwhile: some ten times a second at most."""


@dataclass(frozen=True, slots=True)
class LeaseReset(Result):
    """What became of the counter."""

    environment: str
    dry_run: bool
    """Whether it would be written, and was not."""
    before: int
    """What the counter said."""
    after: int
    """What it says now: what it said less what is proven to have leaked."""
    tries: int
    """Writes that were tried; more than one where processes changed the counter meanwhile."""
    status: LeaseStatus
    """What it rests on."""


@dataclass(frozen=True, slots=True)
class Watching:
    """How a counter is watched."""

    report: Report
    sleep: Callable[[float], None] = time.sleep
    every: float = EVERY_SECONDS


def show(sources: Sources) -> LeaseStatus:
    """The counter against what is open. Raises what AWS's refusals are told as."""
    return look(sources).status(sources)


def watch(sources: Sources, minutes: int, how: Watching) -> Look:
    """Look until it is proven that the counter is wrong, or shown that it is not.

    It ends by itself: CloudWatch's figures of the last minute come some minutes later, or never.
    """
    seen = look(sources, minutes=minutes)
    began, told = seen.at, ""
    while seen.known and seen.proof.verdict in (Verdict.SUSPECT, Verdict.UNKNOWN):
        # The first and the last minute are not whole.
        if (seen.at - began).total_seconds() > 60 * (seen.minutes + LATE_MINUTES + 2):
            return seen
        line = _line(seen)
        if line != told:
            how.report(line)
            told = line
        how.sleep(how.every)
        seen = look(sources, seen, minutes)
    return seen


def _line(seen: Look) -> str:
    newest = max(seen.counted, default=None)
    opened = "CloudWatch says nothing"
    if newest is not None:
        opened = f"{seen.counted[newest]} open at {newest:%H:%M} UTC"
    known = f"{len(seen.proof.minutes)} of {seen.minutes} minutes are known"
    return f"counter {seen.samples[-1].active}, {opened}; {known}"


def plan(sources: Sources, seen: Look) -> LeaseReset:
    """What a reset would write. Raises RefusedError where nothing proves that it has to be."""
    status = seen.status(sources)
    before = status.counter or 0
    after = seen.proof.right(before, seen.leases.alive)
    if after >= before:
        raise _refused(status)
    return LeaseReset(
        environment=status.environment,
        dry_run=True,
        before=before,
        after=after,
        tries=0,
        status=status,
    )


def reset(sources: Sources, seen: Look, report: Report) -> LeaseReset:
    """Take what has leaked from the counter, and nothing else: by a write on the value seen.

    Where processes change it meanwhile it is read again, and what has leaked is taken from that.
    Raises RefusedError as `plan` does, and where somebody else was faster.
    """
    status = plan(sources, seen).status
    counter = first = seen.leases.counter
    for tried in range(1, _TRIES + 1):
        if first is None or counter is None or counter.reset != first.reset:
            raise _refused(status, "somebody else has reset it meanwhile")
        after = seen.proof.right(counter.active, seen.leases.alive)
        if after >= counter.active:
            raise _refused(status, f"meanwhile it says {counter.active}")
        if sources.table.replace(counter, after, sources.now()):
            return LeaseReset(
                environment=status.environment,
                dry_run=False,
                before=counter.active,
                after=after,
                tries=tried,
                status=status,
            )
        before, counter = counter.active, sources.table.counter()
        if counter is not None:
            report(f"the counter went from {before} to {counter.active} meanwhile: tried again")
    raise _refused(status, f"each of {_TRIES} writes has found another value than was just read")


def _refused(status: LeaseStatus, meanwhile: str = "") -> RefusedError:
    opened = "what is open is not known"
    if status.open is not None and status.open_at is not None:
        opened = f"{status.open} were open at {status.open_at:%H:%M} UTC"
    counter = "there is none" if status.counter is None else f"it says {status.counter}"
    longest = status.needed_minutes + LATE_MINUTES
    fix = "nothing has to be done; to see it: dsql-deploy lease show ENV"
    if meanwhile:
        fix = "look again: dsql-deploy lease show ENV"
    elif status.counter is not None and status.verdict is not Verdict.RIGHT:
        fix = (
            "watch it until it is proven, for "
            f"{status.needed_minutes} to {longest} minutes: dsql-deploy lease reset ENV --watch"
        )
        if status.open is None:
            # A metric of AWS/Usage may have no figure while there is nothing to count.
            fix = f"if no connection is open, open one with psql and leave it open; then {fix}"
    return RefusedError(
        f"the counter of leases of environment {status.environment} is not reset",
        cause=f"{counter}, {opened}: {meanwhile or status.why}",
        fix=fix,
    )
