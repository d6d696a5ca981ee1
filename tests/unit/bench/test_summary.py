"""From what was seen to the result: nothing is counted twice, nothing is lost on the way."""

import random
from array import array
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.bench import arrivals, options, summary
from temporal_dsql_deploy.bench.generator import Tally
from temporal_dsql_deploy.bench.numbers import Numbers
from temporal_dsql_deploy.bench.option import Duration
from temporal_dsql_deploy.bench.options import Settings
from temporal_dsql_deploy.bench.outcome import Outcome
from temporal_dsql_deploy.bench.pollers import Queue
from temporal_dsql_deploy.bench.raw import Raw
from temporal_dsql_deploy.bench.recorder import Histogram
from temporal_dsql_deploy.bench.sdk_page import Waits

EPOCH = 1_795_000_000.0


def _settings(rate: float = 5, duration: float = 6, generators: int = 1) -> Settings:
    given = {"rate": rate, "duration": Duration(duration), "generators": generators}
    return options.settings(given, now="now")


def _bitmap(numbers: set[int]) -> str:
    made = Numbers()
    for number in numbers:
        made.add(number)
    return made.encode()


def _end(accepted: set[int], clock: list[tuple[int, float, float]]) -> dict[str, Any]:
    return {
        "accepted": _bitmap(accepted),
        "errors": {},
        "clock": clock,
        "client_latency": "",
        "listed": "",
    }


def _raw(settings: Settings, seed: int, offset: float = 0.0) -> tuple[Raw, Counter[str]]:
    """An iteration in which everything happens that can, and how often each thing did."""
    chance = random.Random(seed)  # noqa: S311 - a seed is what makes an example repeatable
    due = array("d", arrivals.due(settings, seed=seed))
    raw = Raw(number=1, epoch=EPOCH, due=due)
    happened: Counter[str] = Counter(due=len(due))
    tallies: list[dict[int, Tally]] = [{} for _ in range(settings.generators)]
    accepted: list[set[int]] = [set() for _ in range(settings.generators)]
    outcome = Outcome()
    for number, second in enumerate(due):
        index = number % settings.generators
        tally = tallies[index].setdefault(int(second), Tally())
        tally.due += 1
        what = chance.choice(
            ["dropped", "rejected", "unconfirmed", "lost", "running", "failed"] + 6 * ["completed"]
        )
        happened[what] += 1
        if what == "dropped":
            tally.dropped += 1
            continue
        tally.sent += 1
        if what in {"rejected", "unconfirmed"}:
            tally.rejected += 1
        else:
            tally.accepted += 1
            accepted[index].add(number)
        closed = EPOCH + offset + second + chance.uniform(0.01, 5)
        if what in {"completed", "unconfirmed"}:
            outcome.numbers.append(number)
            outcome.closed.append(closed)
        elif what == "failed":
            outcome.failed[number] = ("Timed out", closed)
        elif what == "running":
            outcome.running.add(number)
        if what not in {"lost", "rejected"}:
            outcome.seen.add(number)
        outcome.started[number] = EPOCH + offset + second + 0.01
    for index, told in enumerate(tallies):
        for second, tally in told.items():
            raw.seconds.setdefault(second, []).append({"second": second, **tally.to_json()})
        clock = [(number, due[number], due[number] + 0.02) for number in accepted[index]]
        raw.ends.append(_end(accepted[index], clock))
    raw.outcome = outcome
    return raw, happened


@given(seed=st.integers(0, 10_000), generators=st.integers(1, 4), rate=st.floats(1, 20))
def test_every_workflow_is_in_one_place(seed: int, generators: int, rate: float) -> None:
    """Feature: benchmark, Property 8: throughput arithmetic."""
    settings = _settings(rate=rate, generators=generators)
    raw, happened = _raw(settings, seed)
    made = summary.iteration(raw, settings)
    counts = made.counts
    assert counts.due == happened["due"] == counts.dropped + counts.sent
    assert counts.sent == counts.accepted + counts.rejected
    assert counts.completed == happened["completed"] + happened["unconfirmed"]
    assert (counts.failed, counts.unfinished) == (happened["failed"], happened["running"])
    assert (counts.lost, counts.unconfirmed) == (happened["lost"], happened["unconfirmed"])
    assert counts.accepted + counts.unconfirmed == (
        counts.completed + counts.failed + counts.unfinished + counts.lost
    )
    assert made.latency.count == counts.completed
    for name in ("due", "dropped", "sent", "accepted", "rejected", "completed", "failed"):
        assert sum(getattr(second, name) for second in made.series) == getattr(counts, name)
    begin, end = settings.ramp_up.seconds, settings.duration.seconds
    within = sum(begin <= closed - EPOCH < end for closed in raw.outcome.closed)
    # The offset that the clocks seem to have moves a few over the edges.
    assert made.throughput * (end - begin) == pytest.approx(within, abs=3)
    assert made.failures == ({"Timed out": happened["failed"]} if happened["failed"] else {})


@given(seed=st.integers(0, 1000), offset=st.floats(-3600, 3600))
def test_a_server_whose_clock_is_wrong_gives_the_same_latencies(seed: int, offset: float) -> None:
    settings = _settings()
    right = summary.iteration(_raw(settings, seed)[0], settings)
    wrong = summary.iteration(_raw(settings, seed, offset)[0], settings)
    unsure = wrong.clock_uncertainty
    assert unsure == pytest.approx(20, abs=0.1) or abs(offset) < 0.02
    # A start takes 20 ms here: so well is the offset known.
    assert wrong.clock_offset == pytest.approx(offset * 1000, abs=20)
    assert wrong.latency.p50 == pytest.approx(right.latency.p50, rel=0.01, abs=21)
    assert wrong.latency.max == pytest.approx(right.latency.max, rel=0.01, abs=21)


def test_the_offset_is_as_certain_as_the_fastest_starts() -> None:
    raw = Raw(number=1, epoch=EPOCH, due=array("d", [0.0, 1.0]))
    raw.ends = [_end({0, 1}, [(0, 0.0, 0.1), (1, 1.0, 1.004)])]
    raw.outcome.started = {0: EPOCH + 5.05, 1: EPOCH + 6.003}
    clock = summary.clock(raw)
    # The second start: between 5.003 - 0.004 and 5.003; the first says no more than that.
    assert clock.offset == pytest.approx(4.999)
    assert clock.uncertainty == pytest.approx(0.004)
    raw.outcome.started = {0: EPOCH + 0.05, 1: EPOCH + 1.003}
    assert summary.clock(raw).offset == 0


def test_without_a_start_there_is_no_offset() -> None:
    raw = Raw(number=1, epoch=EPOCH, due=array("d"))
    assert summary.clock(raw) == summary.Clock(0.0, None)


def test_what_was_seen_beside_is_in_its_second() -> None:
    settings = _settings(rate=1, duration=10)
    raw, _ = _raw(settings, 3)
    raw.queues[4] = Queue(7, 8, {"w"})
    raw.query_seconds[5] = 0.25
    raw.watch.seconds[int(EPOCH) + 6] = {"cpu": 1.5, "persistence": 0.002}
    histogram = Waits(sum=1.0, count=2, buckets={0.5: 1, 1.0: 2, float("inf"): 2})
    report = {
        "cores": 4,
        "seconds": {
            str(int(EPOCH) + 2): {
                "cpu": 0.5, "late": 0.0, "schedule_to_start": 0.04,
                "workflow_slots": 3, "activity_slots": 9,
            }
        },
        "workflow_tasks": histogram.to_json(),
        "activities": Waits().to_json(),
        "workflow_pollers": 10,
        "sticky_pollers": 2,
        "activity_pollers": 5,
    }  # fmt: skip
    raw.reports = {"w": report, "v": report}
    raw.before = {
        "w": {
            **report,
            "workflow_tasks": Waits(0.5, 1, {0.5: 1, 1.0: 1, float("inf"): 1}).to_json(),
        }
    }
    made = summary.iteration(raw, settings)
    assert made.series[4].waiting_workflow_tasks == 7
    assert made.series[4].waiting_activity_tasks == 8
    assert made.series[5].query == 250
    assert (made.series[6].server_cpu, made.series[6].persistence) == (1.5, 2)
    second = made.series[2]
    assert second.worker_cpu == 1.0
    assert (second.workflow_slots_free, second.activity_slots_free) == (3, 9)
    assert second.schedule_to_start == pytest.approx(40)
    # Of w only what came since the beginning, of v, which was not asked then, all.
    assert made.schedule_to_start is not None
    assert made.schedule_to_start.count == 3
    assert [one.workflow_tasks for one in made.workers] == [2, 1]
    assert made.activity_schedule_to_start is None


def test_a_generator_that_ends_late_tells_of_it() -> None:
    """What is confirmed after the last start stands in its own second."""
    settings = _settings(rate=1, duration=2)
    raw = Raw(number=1, epoch=EPOCH, due=array("d", [0.0, 1.0]))
    late = Tally(accepted=2)
    late.start.record(7.0)
    raw.seconds = {
        0: [{"second": 0, **Tally(due=1, sent=1).to_json()}],
        1: [{"second": 1, **Tally(due=1, sent=1).to_json()}],
        8: [{"second": 8, **late.to_json()}],
    }
    raw.ends = [_end({0, 1}, [])]
    raw.outcome.numbers.extend([0, 1])
    raw.outcome.closed.extend([EPOCH + 8.5, EPOCH + 8.6])
    made = summary.iteration(raw, settings)
    assert [one.accepted for one in made.series] == [0] * 8 + [2]
    assert made.series[8].start_p99 == pytest.approx(7000, rel=0.01)
    assert made.series[8].open == 0
    assert made.throughput == 0
    assert made.start_latency.count == 1
    assert Histogram(made.latency.histogram).count == 2
