"""Which party is named for what was measured, and that none is accused without a reason."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.bench import bottleneck, options
from temporal_dsql_deploy.bench.bottleneck import verdict
from temporal_dsql_deploy.bench.bottleneck.seen import Seen, own_work, see
from temporal_dsql_deploy.bench.option import Duration
from temporal_dsql_deploy.bench.options import Settings
from temporal_dsql_deploy.bench.results import Counts, Iteration, Second, Verdict
from tests.support.bench_results import Load, iteration

PARTIES = {"none", "workers", "server", "generator", "database"}


@dataclass(frozen=True, slots=True)
class Run:
    """A cluster that completes so many workflows a second of those that it is sent."""

    seconds: int = 20
    rate: int = 20
    capacity: int = 20
    dropped: int = 0
    """A second."""
    away: tuple[int, int] = (0, 0)
    """Seconds in which the server answers nothing."""
    latency: float = 0.05
    """Seconds, where nothing waits."""

    def settings(self, **more: Any) -> Settings:
        asked = {"rate": float(self.rate), "duration": Duration(self.seconds), "ramp_up": NO_TIME}
        return options.settings({**asked, **more}, now="20260314-092653")

    def iteration(self) -> Iteration:
        series = self._series()
        completed = sum(one.completed for one in series)
        due, dropped = self.seconds * self.rate, self.seconds * self.dropped
        sent = due - dropped
        waited = 1000 * (self.latency + max(one.open for one in series) / self.rate)
        one = base()
        return replace(
            one,
            counts=Counts(due, dropped, sent, sent, 0, completed, 0, sent - completed, 0, 0),
            latency=replace(one.latency, p50=waited / 2, p99=waited),
            series=series,
        )

    def _series(self) -> list[Second]:
        series = []
        is_open = 0
        for second in range(self.seconds + 10):
            sent = self.rate - self.dropped if second < self.seconds else 0
            away = self.away[0] <= second < self.away[1]
            completed = 0 if away else min(is_open + sent, self.capacity)
            is_open += sent - completed
            one = replace(base().series[1], second=second, due=sent, sent=sent, accepted=sent)
            answer = None if away else 1.0
            one = replace(one, completed=completed, open=is_open, answer=answer, answer_least=0.6)
            series.append(replace(one, accepted=0) if away else one)
        return series


NO_TIME = Duration(0)
RATES = st.integers(2, 50)
RUNS = st.builds(
    Run,
    seconds=st.integers(2, 30),
    rate=RATES,
    capacity=st.integers(0, 60),
    dropped=st.integers(0, 2),
)
TIMES = st.none() | st.floats(0, 5)
COUNTS = st.integers(0, 1000)
TROUBLES = st.fixed_dictionaries(
    {
        "dropped": COUNTS,
        "undone": COUNTS,
        "behind": st.floats(0, 60),
        "open": st.floats(0, 1000),
        "lag": st.floats(0, 1),
        "start": st.floats(0, 10),
        "refused": st.dictionaries(st.just("RPS_LIMIT"), COUNTS),
        "answer": TIMES,
        "persistence": TIMES,
        "worker_cpu": TIMES,
        "worker_late": TIMES,
        "workers": st.integers(0, 3),
        "server_cpu": TIMES,
        "cores": st.none() | st.integers(1, 64),
    }
)


@cache
def base() -> Iteration:
    return iteration(Load(seconds=3, rate=5.0))


@cache
def healthy() -> Seen:
    """What is seen of a run that nothing limits."""
    run = Run()
    return see(run.iteration(), run.settings())


def judge(run: Run, **more: Any) -> Verdict:
    return bottleneck.judged(run.iteration(), run.settings(**more)).bottleneck


@given(st.builds(Run, seconds=st.integers(2, 30), rate=RATES, capacity=st.integers(50, 60)))
def test_none_is_accused_when_all_is_done_in_time(run: Run) -> None:
    found = judge(run)
    assert found.party == "none", found


@given(RUNS)
def test_none_is_named_only_when_all_is_done(run: Run) -> None:
    counts = run.iteration().counts
    if judge(run).party == "none":
        assert counts.completed >= 0.98 * counts.due
    else:
        assert run.capacity < run.rate or run.dropped


@given(TROUBLES)
def test_whatever_is_seen_a_party_is_named_with_its_evidence(troubles: dict[str, Any]) -> None:
    found = verdict(replace(healthy(), **troubles))
    assert found.party in PARTIES
    assert found.sentence.endswith(".")
    assert all(found.evidence)


@given(TROUBLES, st.floats(0.001, 1))
def test_a_slower_database_never_takes_the_blame_off_it(
    troubles: dict[str, Any], more: float
) -> None:
    seen = replace(healthy(), **troubles)
    if verdict(seen).party == "database":
        slower = replace(seen, persistence=(seen.persistence or 0) + more)
        assert verdict(slower).party == "database"


BEHIND = replace(healthy(), behind=4.0, open=80.0)


def full(seen: Seen) -> Seen:
    slots = replace(seen.activity_slots, full=0.9, held=200.0, waiting=70.0, waited=3.0)
    return replace(seen, activity_slots=slots)


CASES = [
    ("workers", full(BEHIND), "activity slots were all in use"),
    ("workers", full(replace(BEHIND, start=0.3, answer=0.05)), "slots were all in use."),
    ("workers", replace(BEHIND, worker_cpu=0.97), "use all the CPU"),
    ("workers", replace(BEHIND, worker_late=0.3), "do not get the CPU"),
    ("workers", replace(BEHIND, workers=0), "0 of 1 answered"),
    ("workers", BEHIND, "by elimination"),
    ("server", replace(BEHIND, exhausted={"RpsLimit": 40}), "by a limit of its own"),
    ("server", replace(BEHIND, refused={"RPS_LIMIT": 40}), "refuses calls"),
    ("server", replace(BEHIND, answer=0.07, persistence=0.09, start=0.5), "slow even where"),
    ("server", replace(BEHIND, silent=[4, 5, 6, 7]), "answered nothing for 4 s"),
    ("server", replace(BEHIND, start=0.5), "starts are slow"),
    ("database", replace(BEHIND, persistence=0.3, start=2.0), "waits for its answers"),
    ("database", full(replace(BEHIND, persistence=0.3, start=2.0)), "more workers or server"),
    ("generator", replace(healthy(), dropped=90, lag=0.4), "when they were due"),
    ("generator", replace(healthy(), lag=0.4), "could not send the starts"),
    ("generator", replace(healthy(), dropped=90), "--max-in-flight"),
]


@pytest.mark.parametrize(("party", "seen", "words"), CASES, ids=[case[2] for case in CASES])
def test_each_party_is_known_by_its_own_trouble(party: str, seen: Seen, words: str) -> None:
    found = verdict(seen)
    assert found.party == party, found
    assert words in found.sentence


def test_the_others_are_spoken_of_too() -> None:
    evidence = "\n".join(verdict(full(BEHIND)).evidence)
    assert "workers:" not in evidence
    for party in ("generator:", "server:", "database:"):
        assert party in evidence


def test_a_database_that_is_not_seen_is_not_told_apart() -> None:
    found = verdict(replace(BEHIND, persistence=None, answer=None, start=1.0, operations={}))
    assert "cannot be told apart" in found.sentence
    assert any("not seen" in line for line in found.evidence)


@pytest.mark.parametrize("read_at", [1, 25])
def test_a_database_that_was_seen_once_is_seen(read_at: int) -> None:
    """A page that is large or slow may not be read in the quarter that decides."""
    run = Run(capacity=2)
    one = run.iteration()
    series = [
        replace(each, persistence=480.0 if each.second == read_at else None) for each in one.series
    ]
    found = bottleneck.judged(replace(one, series=series), run.settings()).bottleneck
    assert found.party == "database", found


def test_starts_that_hang_are_not_the_generators_fault() -> None:
    """A limit of starts in flight is reached because the database is slow."""
    seen = replace(BEHIND, dropped=190, persistence=0.4, start=4.0)
    assert verdict(seen).party == "database"


def test_who_leaves_out_more_than_the_cluster_leaves_undone_is_to_blame() -> None:
    seen = replace(BEHIND, lag=0.4)
    assert verdict(replace(seen, dropped=seen.due // 2, open=5.0)).party == "generator"
    assert verdict(replace(seen, dropped=seen.due // 20)).party == "workers"


@given(st.sampled_from(options.WORKLOADS), st.floats(0.001, 60))
def test_what_a_workflow_takes_by_itself_is_nobodys_fault(kind: str, seconds: float) -> None:
    took = Duration(round(seconds, 3))
    asked = {"workload": kind, "activity_duration": took, "timer_duration": took}
    work = own_work(Run().settings(**asked))
    assert work >= (0 if kind in ("simple", "child-workflow") else took.seconds)
    # All of them are open all the time, and none of them waits.
    open_all_along = replace(healthy(), settings=Run().settings(**asked), latency=work, tail=work)
    assert verdict(open_all_along).party == "none"


def test_a_threshold_that_none_could_meet_accuses_none() -> None:
    found = judge(Run(latency=0.3), max_p99=Duration(0.1))
    assert found.party == "none"
    assert "--max-p99" in found.sentence


def test_a_threshold_that_a_slow_database_missed_accuses_it() -> None:
    slow = replace(healthy(), tail=9.0, persistence=0.3)
    assert verdict(slow).party == "database"


@pytest.mark.parametrize("seconds", [20, 200])
def test_a_server_that_was_away_is_named_with_the_seconds(seconds: int) -> None:
    """Also where all was caught up with long before the end."""
    found = judge(Run(seconds=seconds, capacity=60, away=(8, 14)))
    assert found.party == "server"
    assert any("seconds 8 to 13" in line for line in found.evidence), found
