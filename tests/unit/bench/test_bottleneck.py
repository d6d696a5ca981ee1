"""Which party is named for what was measured, and that none is accused without a reason."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy.bench import bottleneck, options
from temporal_dsql_deploy.bench.bottleneck import verdict
from temporal_dsql_deploy.bench.bottleneck.seen import Seen, own_work, see
from temporal_dsql_deploy.bench.options import Duration, Settings
from temporal_dsql_deploy.bench.results import Iteration, Second
from tests.support.bench_results import Load, iteration

PARTIES = {"none", "workers", "server", "generator", "database"}
LOADS = st.builds(
    Load,
    seed=st.integers(0, 1000),
    seconds=st.integers(2, 12),
    rate=st.floats(2, 20),
    latency=st.floats(0.01, 0.2),
    server_seen=st.booleans(),
)
SHARES = st.floats(0, 0.9)
TROUBLED = st.builds(
    Load,
    seed=st.integers(0, 1000),
    seconds=st.integers(2, 12),
    rate=st.floats(2, 20),
    latency=st.floats(0.01, 20),
    dropped=SHARES,
    rejected=SHARES,
    failed=SHARES,
    unfinished=SHARES,
    server_seen=st.booleans(),
)


def given_settings(load: Load, **more: Any) -> Settings:
    asked = {"rate": load.rate, "duration": Duration(load.seconds), **more}
    return options.settings(asked, now="20260314-092653")


def healthy(**more: Any) -> Seen:
    """What is seen of a run that nothing limits."""
    load = Load()
    quick = [replace(one, answer=1.0, answer_least=0.6) for one in iteration(load).series]
    return see(replace(iteration(load), series=quick), given_settings(load, **more))


def behind(**more: Any) -> Seen:
    """Of one whose cluster is behind, and nothing says why."""
    return replace(healthy(**more), behind=4.0, open=80.0)


@given(LOADS)
def test_none_is_accused_when_all_is_done_in_time(load: Load) -> None:
    found = bottleneck.judged(iteration(load), given_settings(load)).bottleneck
    assert found.party == "none", found


@given(TROUBLED)
def test_whatever_is_seen_a_party_is_named_with_its_evidence(load: Load) -> None:
    found = bottleneck.judged(iteration(load), given_settings(load)).bottleneck
    assert found.party in PARTIES
    assert found.sentence.endswith(".")
    assert all(found.evidence)


@given(TROUBLED)
def test_what_has_not_been_done_has_a_party(load: Load) -> None:
    one = iteration(load)
    found = bottleneck.judged(one, given_settings(load)).bottleneck
    undone = one.counts.due - one.counts.completed
    assert found.party != "none" or undone <= 0.02 * one.counts.due


def full(seen: Seen) -> Seen:
    slots = replace(seen.activity_slots, full=0.9, held=200.0, waiting=70.0, waited=3.0)
    return replace(seen, activity_slots=slots)


BEHIND = behind()
CASES = [
    ("workers", full(BEHIND), "activity slots were all in use"),
    ("workers", replace(BEHIND, worker_cpu=0.97), "use all the CPU"),
    ("workers", replace(BEHIND, worker_late=0.3), "do not get the CPU"),
    ("workers", replace(BEHIND, workers=0), "0 of 1 answered"),
    ("workers", BEHIND, "by elimination"),
    ("server", replace(BEHIND, exhausted={"RpsLimit": 40}), "by a limit of its own"),
    ("server", replace(BEHIND, refused={"RPS_LIMIT": 40}), "by a limit of its own"),
    ("server", replace(BEHIND, answer=0.07, persistence=0.09, start=0.5), "slow even where"),
    ("server", replace(BEHIND, silent=[4, 5, 6, 7]), "answered nothing for 4 s"),
    ("server", replace(BEHIND, start=0.5), "starts are slow"),
    ("database", replace(BEHIND, persistence=0.3, start=2.0), "waits for its answers"),
    ("database", full(replace(BEHIND, persistence=0.3, start=2.0)), "waits for its answers"),
    ("generator", replace(healthy(), dropped=90, lag=0.4), "when they were due"),
    ("generator", replace(healthy(), lag=0.4), "when they were due"),
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


def test_starts_that_hang_are_not_the_generators_fault() -> None:
    """A limit of starts in flight is reached because the database is slow."""
    seen = replace(BEHIND, dropped=190, persistence=0.4, start=4.0)
    assert verdict(seen).party == "database"


def test_who_leaves_out_more_than_the_cluster_leaves_undone_is_to_blame() -> None:
    seen = replace(BEHIND, lag=0.4)
    assert verdict(replace(seen, dropped=seen.due // 2, open=5.0)).party == "generator"
    assert verdict(replace(seen, dropped=seen.due // 20)).party == "workers"


@settings(max_examples=200)
@given(st.sampled_from(options.WORKLOADS), st.floats(0, 60))
def test_what_a_workflow_takes_by_itself_is_nobodys_fault(kind: str, seconds: float) -> None:
    took = Duration(round(seconds, 3) or 0.001)
    asked = given_settings(Load(), workload=kind, activity_duration=took, timer_duration=took)
    work = own_work(asked)
    assert work >= (0 if kind in ("simple", "child-workflow") else took.seconds)
    seen = healthy(workload=kind, activity_duration=took, timer_duration=took)
    assert verdict(replace(seen, latency=work, tail=work)).party == "none"


def test_a_server_that_was_away_is_named_with_the_seconds() -> None:
    load = Load(seconds=20, away=(8, 14))
    one = iteration(load)

    def answered(second: Second) -> Second:
        away = load.away[0] <= second.second < load.away[1]
        return replace(second, answer=None if away else 1.0)

    gone: Iteration = replace(one, series=[answered(second) for second in one.series])
    found = bottleneck.judged(gone, given_settings(load)).bottleneck
    assert found.party == "server"
    assert any("seconds 8 to 13" in line for line in found.evidence), found
