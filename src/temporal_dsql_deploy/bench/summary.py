"""From everything that was seen in one iteration to its result: arithmetic, no more."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from temporal_dsql_deploy.bench import arrivals, bottleneck
from temporal_dsql_deploy.bench.options import Settings
from temporal_dsql_deploy.bench.raw import Raw
from temporal_dsql_deploy.bench.recorder import Histogram, merged
from temporal_dsql_deploy.bench.results import Counts, Iteration, Latency, Second, Worker
from temporal_dsql_deploy.bench.sdk_page import Waits


@dataclass(frozen=True, slots=True)
class Clock:
    """By how much the server's clock is ahead of the generator's."""

    offset: float
    """Seconds."""
    uncertainty: float | None
    """Seconds; None when it is not known."""


def clock(raw: Raw) -> Clock:
    """From starts whose sending and confirmation the generator timed, and the server in between.

    Each says: the offset is at least (started - confirmed) and at most (started - sent).
    """
    least, most = float("-inf"), float("inf")
    for end in raw.ends:
        for number, sent, confirmed in end["clock"]:
            if number in raw.outcome.started:
                started = raw.outcome.started[number] - raw.epoch
                least, most = max(least, started - confirmed), min(most, started - sent)
    if least == float("-inf"):
        return Clock(0.0, None)
    # Clocks that drift can contradict themselves over an hour.
    least, most = min(least, most), max(least, most)
    # Of all that it can be the one nearest to none: a server stamps a start before it stores it,
    # so the middle would be off by half of what storing takes.
    offset = min(max(0.0, least), most)
    return Clock(offset, max(most - offset, offset - least))


def counts(raw: Raw) -> Counts:
    """Where all workflows went."""
    told = [one for seconds in raw.seconds.values() for one in seconds]
    total = {
        name: sum(one[name] for one in told)
        for name in ("due", "dropped", "dropped_unanswered", "sent", "accepted", "rejected")
    }
    accepted = raw.accepted()
    seen = raw.outcome.seen
    return Counts(
        **total,
        completed=len(raw.outcome.numbers),
        failed=len(raw.outcome.failed),
        unfinished=len(raw.outcome.running),
        lost=accepted.missing_from(seen) - raw.outcome.unlisted,
        unlisted=raw.outcome.unlisted,
        unconfirmed=seen.missing_from(accepted),
    )


def iteration(raw: Raw, settings: Settings) -> Iteration:
    """The result of an iteration."""
    ahead = clock(raw)
    where = counts(raw)
    latency, series = _series(raw, settings, ahead)
    workflow_tasks, activities = (_waits(raw, name) for name in ("workflow_tasks", "activities"))
    length = settings.duration.seconds
    steady = [one for one in series if settings.ramp_up.seconds <= one.second < length]
    until = max(last_completion(raw, ahead), length)
    servers = raw.watch.grown()
    made = Iteration(
        number=raw.number,
        began=datetime.fromtimestamp(raw.epoch, UTC),
        counts=where,
        throughput=round(_rate(raw, ahead, settings.ramp_up.seconds, length), 3),
        success_rate=round(where.completed / where.due, 6) if where.due else 0.0,
        latency=Latency.of(latency),
        start_latency=Latency.of(_told(raw, "start")),
        lag=Latency.of(_told(raw, "lag")),
        client_latency=Latency.of(merged(end["client_latency"] for end in raw.ends)),
        close_to_listed=Latency.of(merged(end["listed"] for end in raw.ends)),
        query_latency=Latency.of(raw.queries),
        schedule_to_start=workflow_tasks,
        activity_schedule_to_start=activities,
        series=series,
        workers=_workers(raw, until),
        generator_cpu=round(_mean(steady, lambda one: one.generator_cpu) or 0.0, 3),
        server_cpu=_rounded(_mean(steady, lambda one: one.server_cpu)),
        state_transitions=raw.outcome.state_transitions,
        state_transitions_per_second=round(raw.outcome.state_transitions / until, 3),
        failures=dict(raw.outcome.failures()),
        rejections=dict(sum((Counter(end["errors"]) for end in raw.ends), Counter[str]())),
        resource_exhausted={
            cause: round(value) for cause, value in servers.exhausted.items() if value > 0
        },
        persistence=servers.by_operation(),
        database=dict(servers.database),
        clock_offset=round(ahead.offset * 1000, 3),
        clock_uncertainty=_milliseconds(ahead.uncertainty),
        bottleneck=bottleneck.UNKNOWN,
    )
    return bottleneck.judged(made, settings)


def last_completion(raw: Raw, ahead: Clock) -> float:
    """Seconds from the beginning to the last completion, by the generator's clock."""
    return max(raw.outcome.closed, default=raw.epoch) - raw.epoch - ahead.offset


def _rate(raw: Raw, ahead: Clock, begin: float, end: float) -> float:
    """Completions a second between two moments."""
    base = raw.epoch + ahead.offset
    return sum(begin <= closed - base < end for closed in raw.outcome.closed) / (end - begin)


def _series(raw: Raw, settings: Settings, ahead: Clock) -> tuple[Histogram, list[Second]]:
    """The latency of all that completed, and every second from the first to the last event."""
    base = raw.epoch + ahead.offset
    latency = Histogram()
    completions: defaultdict[int, list[float]] = defaultdict(list)
    for number, closed in zip(raw.outcome.numbers, raw.outcome.closed, strict=True):
        seconds = closed - base - raw.due[number]
        latency.record(seconds)
        completions[max(0, int(closed - base))].append(seconds)
    failed = Counter(max(0, int(closed - base)) for _, closed in raw.outcome.failed.values())
    ended = _ended(raw, base)
    workers = _worker_seconds(raw)
    curve = arrivals.Curve(settings.rate, settings.ramp_up.seconds)
    last = max([int(settings.duration.seconds) - 1, *completions, *failed, *_busy(raw)])
    series = []
    is_open = 0
    for second in range(last + 1):
        told = raw.seconds.get(second, [])
        took = completions.get(second, [])
        is_open += _sum(told, "accepted") - ended[second]
        series.append(
            Second(
                second=second,
                target=_target(curve, second, settings.duration.seconds),
                due=_sum(told, "due"),
                dropped=_sum(told, "dropped"),
                sent=_sum(told, "sent"),
                accepted=_sum(told, "accepted"),
                rejected=_sum(told, "rejected"),
                completed=len(took),
                failed=failed[second],
                open=max(0, is_open),
                **_percentiles(took),
                start_p99=_p99(told, "start"),
                lag_p99=_p99(told, "lag"),
                generator_cpu=round(sum(one["cpu"] for one in told), 3) if told else None,
                **_seen(raw, second),
                **workers.get(second, {}),
            )
        )
    return latency, series


def _ended(raw: Raw, base: float) -> Counter[int]:
    """How many of those that were confirmed have closed, by second."""
    accepted = raw.accepted()
    closed = zip(raw.outcome.numbers, raw.outcome.closed, strict=True)
    failed = ((number, at) for number, (_, at) in raw.outcome.failed.items())
    return Counter(
        max(0, int(at - base)) for number, at in chain(closed, failed) if number in accepted
    )


def _busy(raw: Raw) -> list[int]:
    """The seconds in which a generator has done something."""
    return [
        second
        for second, told in raw.seconds.items()
        if any(one["due"] or one["accepted"] or one["rejected"] for one in told)
    ]


def _target(curve: arrivals.Curve, second: int, end: float) -> float:
    return round(curve.rate_at(second + 0.5), 3) if second < end else 0.0


def _sum(told: list[dict[str, Any]], name: str) -> int:
    return sum(int(one[name]) for one in told)


def _percentiles(took: list[float]) -> dict[str, Any]:
    """Of the latencies of one second, exactly; milliseconds."""
    if not took:
        return {"p50": None, "p99": None, "max": None}
    ordered = sorted(took)
    at = {name: ordered[math.ceil(len(ordered) * share) - 1] for name, share in _SHARES}
    return {name: round(max(0.0, value) * 1000, 3) for name, value in at.items()}


_SHARES = (("p50", 0.5), ("p99", 0.99), ("max", 1.0))


def _p99(told: list[dict[str, Any]], name: str) -> float | None:
    whole = merged(one[name] for one in told)
    return round(whole.percentile(99) * 1000, 3) if whole.count else None


def _seen(raw: Raw, second: int) -> dict[str, Any]:
    """What was seen of queue, visibility and servers in a second."""
    queue = raw.queues.get(second)
    server = raw.watch.seconds.get(int(raw.epoch) + second, {})
    answer, least = raw.answers.look(int(raw.epoch) + second) or (None, None)
    return {
        "waiting_workflow_tasks": queue.waiting_workflow_tasks if queue else None,
        "waiting_activity_tasks": queue.waiting_activity_tasks if queue else None,
        "server_cpu": _rounded(server.get("cpu")),
        "persistence": _milliseconds(server.get("persistence")),
        "query": _milliseconds(raw.query_seconds.get(second)),
        "answer": _milliseconds(answer),
        "answer_least": _milliseconds(least),
    }


def _worker_seconds(raw: Raw) -> dict[int, dict[str, Any]]:
    """What all workers together have measured, by second."""
    by_second: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for one in raw.reports.values():
        for unix, measured in one["seconds"].items():
            by_second[int(unix) - int(raw.epoch)].append(measured)
    made = {}
    for second, all_of_it in by_second.items():
        values = {
            name: [one[name] for one in all_of_it if one[name] is not None]
            for name in ("workflow_slots", "activity_slots", "schedule_to_start", "late")
        }
        waited = values["schedule_to_start"]
        made[second] = {
            "worker_cpu": round(sum(one["cpu"] for one in all_of_it), 3),
            "workflow_slots_free": _least(values["workflow_slots"]),
            "activity_slots_free": _least(values["activity_slots"]),
            "schedule_to_start": _milliseconds(sum(waited) / len(waited) if waited else None),
            "worker_late": _milliseconds(max(values["late"], default=None)),
        }
    return made


def _least(values: list[float]) -> int | None:
    return int(min(values)) if values else None


def _waits(raw: Raw, name: str) -> Latency | None:
    """What the tasks of all workers have waited in this iteration."""
    whole = Histogram()
    for identity in raw.reports:
        whole.add(_since(raw, identity, name).histogram())
    return Latency.of(whole) if whole.count else None


def _since(raw: Raw, identity: str, name: str) -> Waits:
    """What the tasks of one worker have waited in this iteration."""
    waits = Waits.from_json(raw.reports[identity][name])
    before = raw.before.get(identity)
    return waits.minus(Waits.from_json(before[name])) if before else waits


def _workers(raw: Raw, until: float) -> list[Worker]:
    return [
        Worker(
            identity=identity,
            cpu=round(
                sum(
                    measured["cpu"]
                    for unix, measured in one["seconds"].items()
                    if int(unix) <= raw.epoch + until
                )
                / until,
                3,
            ),
            cores=one["cores"],
            workflow_pollers=one["workflow_pollers"],
            activity_pollers=one["activity_pollers"],
            sticky_pollers=one["sticky_pollers"],
            workflow_tasks=round(_since(raw, identity, "workflow_tasks").count),
        )
        for identity, one in sorted(raw.reports.items())
    ]


def _told(raw: Raw, name: str) -> Histogram:
    return merged(one[name] for told in raw.seconds.values() for one in told)


def _mean(series: list[Second], value: Callable[[Second], float | None]) -> float | None:
    values = [found for one in series if (found := value(one)) is not None]
    return sum(values) / len(values) if values else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)
