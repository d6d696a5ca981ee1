"""What speaks against each party, in words and numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from temporal_dsql_deploy.bench.bottleneck.seen import Seen, Slots

_LAG = 0.05
"""Mean seconds that it may be late by."""
_SLOW_START = 0.25
"""Seconds of a start; what is slower holds up whoever waits for it."""
_VERY_SLOW_START = 1.0
_SILENT = 3
"""Seconds without any answer, which are no accident."""
_REFUSED = 0.01
"""Share of starts that may be refused once."""
_FULL = 0.5
"""Share of the seconds in which a worker that is too small is full."""
_CORE = 0.85
"""Cores of a process of Python that has no more to give."""
_SLOW_DATABASE = 0.02
"""Mean seconds of a database call that no healthy database needs: DSQL commits in about 0.01."""
_BUSY_DATABASE = 0.008
_LITTLE = 0.003
_GROWN = 4
"""Times that its calls take longer than in its quietest second when they queue."""
_ANSWER = 0.004
"""Seconds that a frontend may take for a call for which it asks nobody."""
_APART = 2
"""A database call that is slow takes so many times longer than the frontend's own answer; when both
are slow alike it is the process that is slow."""
_FAR_APART = 5
"""The same for a call that may be a healthy database's."""
_LONGER = 8
"""Times that a task waits for a slot longer than a start for the server, when slots are lacking."""
_WORKER_LATE = 0.02
"""Mean seconds that the event loop of a worker may be late by."""
_HELD = 0.3
"""Share of the open workflows whose task a worker has."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A party, why, and the numbers."""

    party: str
    sentence: str
    evidence: Sequence[str]


def behind(seen: Seen) -> str:
    """How far the cluster was behind with what it was sent."""
    return (
        f"when most was open, {seen.open:.0f} workflows were: {seen.behind:.1f} s of load beyond "
        f"their own work; in the end {seen.undone} of {seen.sent} that were sent were not done"
    )


def none(seen: Seen) -> Finding:
    """All was done in time."""
    sentence = (
        f"None: {seen.completed} of {seen.due} workflows completed, and none piled up; "
        "raise --rate to find the limit."
    )
    if seen.slow:
        sentence = (
            "None: workflows took longer than --max-p99, but none piled up and no party was slow; "
            "that is what their steps take here."
        )
    return Finding(
        "none",
        sentence,
        [
            behind(seen),
            f"half of the workflows took at most {_ms(seen.latency)}, 99 % {_ms(seen.tail)}",
        ],
    )


def generator(seen: Seen) -> Finding | None:
    """It did not send in time what the cluster would have done."""
    if seen.lag < _LAG and (not seen.left_out or seen.start > _patience(seen)):
        return None
    evidence = [
        f"{seen.dropped} of {seen.due} starts were dropped ({seen.late:.0%})",
        f"the others were sent {_ms(seen.lag)} late on average",
        f"the cluster completed {seen.completed} of {seen.sent} that were sent",
    ]
    if seen.lag >= _LAG:
        return Finding(
            "generator",
            "The generator: it could not send the starts when they were due. "
            "Add generator processes (--generators), or run it where it gets more CPU.",
            [*evidence, f"each generator process used {seen.generator_cpu:.2f} cores"],
        )
    return Finding(
        "generator",
        f"The generator: --max-in-flight {seen.settings.max_in_flight} did not let it send more, "
        "though starts were answered quickly. Raise it, or add generator processes (--generators).",
        [*evidence, f"a start was confirmed after {_ms(seen.start)} on average"],
    )


def _patience(seen: Seen) -> float:
    """Seconds that a start may take before a limit of starts in flight is not to blame."""
    settings = seen.settings
    needed = settings.rate / settings.generators * _SLOW_START
    return _VERY_SLOW_START if settings.max_in_flight < needed else _SLOW_START


def silence(seen: Seen) -> Finding | None:
    """The server was away."""
    if len(seen.silent) < _SILENT:
        return None
    first, last = seen.silent[0], seen.silent[-1]
    return Finding(
        "server",
        f"The server: it answered nothing for {len(seen.silent)} s. Look whether it was restarted "
        "or stood still: dsql-deploy events ENV, dsql-deploy logs ENV.",
        [
            f"not even a call without a database was answered in seconds {first} to {last}",
            "no start was confirmed then, and no workflow completed",
        ],
    )


def limits(seen: Seen) -> Finding | None:
    """The server refuses what it is asked."""
    refused = max(sum(each.values()) for each in (seen.refused, seen.exhausted))
    if refused <= _REFUSED * seen.sent:
        return None
    evidence = [
        f"{whose} were answered with RESOURCE_EXHAUSTED: {_counts(causes)}"
        for whose, causes in (("starts", seen.refused), ("calls of all clients", seen.exhausted))
        if causes
    ]
    return Finding(
        "server",
        "The server: it refuses calls by a limit of its own. Raise that limit in its dynamic "
        "config (RPS_LIMIT: frontend.namespaceRPS, frontend.rps), or lower --rate.",
        evidence,
    )


def busy_workers(seen: Seen) -> Finding | None:
    """The workers have no slot or no CPU left, and what waits does not wait for the server."""
    for slots in (seen.activity_slots, seen.workflow_slots):
        if slots.full >= _FULL and seen.start < max(_SLOW_START, slots.waited / _LONGER):
            return _full(seen, slots)
    if seen.start > _SLOW_START:
        return None
    if seen.worker_cpu is not None and seen.worker_cpu >= _CORE:
        return Finding(
            "workers",
            "The workers: their processes use all the CPU that a process of Python can. "
            "Add worker processes (--workers).",
            [f"the busiest used {seen.worker_cpu:.2f} cores", *_waiting(seen)],
        )
    return None


def _full(seen: Seen, slots: Slots) -> Finding:
    return Finding(
        "workers",
        f"The workers: their {slots.name} slots were all in use. "
        f"Raise {slots.option}, or add worker processes (--workers).",
        [
            f"no {slots.name} slot of {slots.size} was free in {slots.full:.0%} of the seconds",
            *_waiting(seen),
        ],
    )


def database(seen: Seen) -> Finding | None:
    """Its calls are slow, and the frontend is not."""
    if seen.persistence is None:
        return None
    itself = seen.answer or 0.0
    if seen.persistence >= _SLOW_DATABASE:
        if seen.persistence < _APART * itself:
            return None
    elif not _busy_database(seen, seen.persistence) or seen.persistence < _FAR_APART * itself:
        return None
    quiet = _ms(seen.quiet or seen.persistence)
    slowest = sorted(seen.operations.items(), key=lambda one: -one[1])[:3]
    named = ", ".join(f"{name} {_ms(value)}" for name, value in slowest)
    return Finding(
        "database",
        "The database: the server waits for its answers. Look at its load, its locks and the "
        "server's connections to it; more workers or server instances would not help.",
        [
            f"a database call took {_ms(seen.persistence)}, in the quietest second {quiet}",
            f"slowest: {named}",
            f"the frontend itself answered within {_ms(itself)}",
            f"a start was confirmed after {_ms(seen.start)} on average",
        ],
    )


def _busy_database(seen: Seen, took: float) -> bool:
    """Whether calls that are not slow by themselves are what is waited for."""
    if (seen.answer or 0.0) > _ANSWER or _held(seen):
        return False
    grown = seen.start > _SLOW_START and took >= max(_LITTLE, _GROWN * (seen.quiet or took))
    return took >= _BUSY_DATABASE or grown


def slow_server(seen: Seen) -> Finding | None:
    """The frontend is slow by itself."""
    if seen.answer is None or seen.answer < _ANSWER:
        return None
    return Finding(
        "server",
        "The server: it is slow even where it needs no database. Give it more CPU or more "
        "instances (dsql-deploy scale), or look what else runs on its machine.",
        [
            f"a call for which the frontend asks nobody took {_ms(seen.answer)} beyond the network",
            *_server(seen),
        ],
    )


def _server(seen: Seen) -> list[str]:
    evidence = [f"a start was confirmed after {_ms(seen.start)} on average"]
    if seen.server_cpu is not None:
        evidence.append(f"the server used {seen.server_cpu:.2f} of {seen.cores or '?'} cores")
    return evidence


def late_workers(seen: Seen) -> Finding | None:
    """They do not get to what they have, and the server does."""
    late, answer = seen.worker_late or 0.0, seen.answer or 0.0
    if late < max(_WORKER_LATE, 2 * answer, seen.start / 4):
        return None
    return Finding(
        "workers",
        "The workers: they do not get the CPU that they need. Give them more, or add worker "
        "processes on other machines (--workers, --worker-only).",
        [
            f"what is due in a worker's event loop was run {_ms(late)} late on average",
            *_waiting(seen),
        ],
    )


def stalled_workers(seen: Seen) -> Finding | None:
    """Server and database are quick, and what is open is with the workers."""
    if seen.workers < seen.settings.workers and not seen.exhausted:
        return Finding(
            "workers",
            f"The workers: {seen.workers} of {seen.settings.workers} answered at the end. "
            "Look whether the others still run.",
            _waiting(seen),
        )
    if not _held(seen) or seen.start > _SLOW_START:
        return None
    return Finding(
        "workers",
        "The workers: they hold tasks and do not get them done, though they have free slots. "
        "Look whether they get the CPU that they need, or add worker processes (--workers).",
        _waiting(seen),
    )


def unknown(seen: Seen) -> Finding:
    """The cluster is behind, and nothing that was seen says why."""
    if seen.persistence is None:
        return Finding(
            "server",
            "The server or its database, which cannot be told apart here: the servers' metrics "
            "are not seen. Look at persistence_latency there.",
            [f"a start was confirmed after {_ms(seen.start)} on average", *_waiting(seen)],
        )
    if seen.start > _SLOW_START:
        return Finding(
            "server",
            "The server: starts are slow, and neither its database nor its frontend is. Look at "
            "the CPU of history and matching, and at lock contention on shards.",
            [f"the frontend itself answered within {_ms(seen.answer or 0.0)}", *_server(seen)],
        )
    return Finding(
        "workers",
        "The workers: by elimination, for server and database were quick. "
        "Look at their CPU, their slots and the network between them and the server.",
        _waiting(seen),
    )


def seen_of_each(seen: Seen) -> dict[str, str]:
    """A sentence on each party, for when it is not the one."""
    cpu = "CPU not seen" if seen.worker_cpu is None else f"{seen.worker_cpu:.2f} cores"
    return {
        "generator": f"generator: {seen.dropped} starts dropped, the others {_ms(seen.lag)} late",
        "workers": f"workers: the busiest process used {cpu}, and held "
        f"{seen.workflow_slots.held:.0f} of {seen.workflow_slots.size} workflow slots and "
        f"{seen.activity_slots.held:.0f} of {seen.activity_slots.size} activity slots",
        "server": "server: its frontend's own answers are not seen"
        if seen.answer is None
        else f"server: its frontend answered within {_ms(seen.answer)} by itself",
        "database": "database: not seen, the servers' metrics are not read"
        if seen.persistence is None
        else f"database: a call took {_ms(seen.persistence)}",
    }


def _held(seen: Seen) -> bool:
    """Whether the workers have much of what is open in their hands."""
    held = (seen.workflow_slots.held + seen.activity_slots.held) * max(1, seen.workers)
    return held >= _HELD * seen.open


def _waiting(seen: Seen) -> list[str]:
    return [
        f"{slots.waiting:.0f} {slots.name} tasks waited in matching, for {_ms(slots.waited)} on "
        f"average, and a worker held {slots.held:.0f} of {slots.size}"
        for slots in (seen.workflow_slots, seen.activity_slots)
        if slots.waited
    ]


def _counts(causes: dict[str, int]) -> str:
    return ", ".join(f"{name} {count} times" for name, count in causes.items())


def _ms(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"
