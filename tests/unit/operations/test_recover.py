"""The ladder of `recover`: the least repair first, each once, and an end."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.operations.membership import kinds
from temporal_dsql_deploy.operations.membership.kinds import Kind
from temporal_dsql_deploy.operations.membership.result import Finding
from temporal_dsql_deploy.operations.probe import dials
from temporal_dsql_deploy.operations.probe.result import CheckResult, ClosedPath, ProbeResult
from temporal_dsql_deploy.operations.recover.decide import (
    PATIENCE,
    SLOW,
    SURE,
    TOLD,
    after_probe,
    decide,
    harm,
    symptoms,
)
from temporal_dsql_deploy.operations.recover.result import Action, Repair, Seen
from temporal_dsql_deploy.platforms.protocol import Instance, LogLine

ROLES = ["history", "matching", "frontend", "worker"]
NAMES = ["database", *(f"{role}-{number}" for role in ROLES for number in (1, 2)), "ui"]


def instance(name: str, *, running: bool = True) -> Instance:
    note = "" if running else "was killed by signal 9"
    return Instance(name, name.partition("-")[0], running=running, note=note)


def finding(kind: Kind) -> Finding:
    return Finding(kind.code, kind.problem, kind.text, evidence=["this"], fix=kind.fix)


def seen(
    *,
    dead: Sequence[str] = (),
    hung: Sequence[str] = (),
    starting: Sequence[str] = (),
    outside: Sequence[str] = (),
    found: Sequence[Kind] = (),
    rows: int = 0,
    fresh: bool = False,
    frozen: Sequence[str] = (),
    apart: Sequence[str] = (),
    orphans: int = 0,
) -> Seen:
    """Everything serves and has joined but these."""
    away = {*dead, *hung, *starting}
    return Seen(
        instances=[instance(name, running=name not in dead) for name in NAMES],
        serving=frozenset(NAMES) - away,
        starting=frozenset(starting) - {*dead},
        joined=frozenset(name for name in NAMES if "-" in name) - {*dead, *outside},
        findings=[finding(kind) for kind in found],
        gone=frozenset(str(number) for number in range(rows)),
        fresh=fresh,
        frozen=frozenset(frozen),
        apart=frozenset(apart),
        orphans=orphans,
    )


def first(look: Seen, waited: float = 0) -> tuple[str, list[str]] | None:
    return said(after(look, waited))


def after(look: Seen, waited: float, tried: Sequence[Repair] = ()) -> Repair | None:
    """What is decided where everything that is seen has been seen for so long."""
    return decide(look, dict.fromkeys(symptoms(look), waited), tried)


def said(repair: Repair | None) -> tuple[str, list[str]] | None:
    return (str(repair.action), repair.names) if repair else None


def restarted(*names: str) -> Repair:
    return Repair(Action.RESTART, [], [*names])


def test_nothing_is_done_where_nothing_is_wrong() -> None:
    assert decide(seen(), {}, []) is None
    assert after_probe(seen(), probe(ok=True), None, []) is None


def test_the_dead_are_started_and_nobody_else_is_touched() -> None:
    assert first(seen(dead=["ui", "history-2"])) == ("start", ["history-2", "ui"])


def test_with_the_dead_what_hangs_is_restarted() -> None:
    look = seen(dead=["database"], hung=["matching-1"])
    assert first(look, waited=SURE) == ("start", ["database", "matching-1"])


def test_what_does_not_answer_once_may_only_be_slow() -> None:
    assert first(seen(hung=["matching-1"])) == ("wait", ["matching-1"])
    assert first(seen(hung=["matching-1"]), waited=SURE) == ("restart", ["matching-1"])


def test_a_worker_that_waits_for_a_frontend_is_started_again_after_it() -> None:
    look = seen(hung=["frontend-1"], starting=["worker-1"], rows=4, fresh=True)
    assert first(look, waited=SURE) == ("restart", ["frontend-1", "worker-1"])
    look = seen(hung=["matching-1"], starting=["worker-1"])
    assert first(look, waited=SURE) == ("restart", ["matching-1"])


def test_who_cannot_join_for_the_rows_of_the_dead_is_not_waited_for() -> None:
    outside = ["history-1"]
    assert first(seen(starting=outside, outside=outside, rows=4, fresh=True)) == (
        "restart",
        ["history-1"],
    )
    repair = after(seen(starting=outside, outside=outside, rows=4, fresh=True), 0)
    assert repair is not None
    assert repair.rows == 4
    assert str(repair) == "delete 4 rows of processes that are gone; restart history-1"
    # It has joined, or nothing keeps it from that: it is only young.
    assert first(seen(starting=outside, rows=4, fresh=True)) == ("wait", ["history-1"])
    assert first(seen(starting=outside, outside=outside)) == ("wait", ["history-1"])
    # A matching says SERVING before it has joined.
    assert first(seen(outside=["matching-1"], rows=4, fresh=True)) == ("restart", ["matching-1"])


def test_who_serves_and_does_not_join_is_restarted_before_all_are() -> None:
    look = seen(outside=["matching-1"], found=[kinds.NOT_JOINED])
    assert first(look) == ("wait", [])
    assert first(look, waited=PATIENCE) == ("restart", ["matching-1"])
    repair = after(look, PATIENCE, [restarted("matching-1")])
    assert repair is not None
    assert repair.action is Action.REBUILD


def test_where_nobody_joins_it_asks_before_all_are_stopped() -> None:
    look = seen(outside=[name for name in NAMES if "-" in name], found=[kinds.EMPTY_RING])
    assert first(look) == ("wait", [])
    repair = after(look, PATIENCE)
    assert repair is not None
    assert repair.action is Action.REBUILD


def test_a_ring_that_contradicts_itself_is_looked_at_again_before_all_is_stopped() -> None:
    look = seen(found=[kinds.SPLIT_RING])
    assert first(look) == ("wait", [])
    assert first(look, waited=PATIENCE) == ("rebuild", [name for name in NAMES if "-" in name])


def test_of_a_split_ring_the_smaller_part_is_restarted_first() -> None:
    look = seen(found=[kinds.SPLIT_RING], apart=["worker-1", "matching-1"])
    assert first(look) == ("wait", [])
    assert first(look, waited=PATIENCE) == ("restart", ["matching-1", "worker-1"])
    tried = [Repair(Action.RESTART, [], ["matching-1", "worker-1"])]
    repair = after(look, PATIENCE, tried)
    assert repair is not None
    assert repair.action == "rebuild"


def test_old_rows_alone_are_deleted() -> None:
    assert first(seen(rows=3, found=[kinds.STALE_ROW])) == ("clean", [])


def test_a_member_without_a_heartbeat_is_restarted_after_a_while() -> None:
    look = seen(frozen=["matching-2"], found=[kinds.HEARTBEAT_FROZEN])
    assert first(look) == ("wait", [])
    # A heartbeat comes every 10 to 15 s, so after an outage of the database all are old.
    assert first(look, waited=15) == ("wait", [])
    assert first(look, waited=SLOW) == ("restart", ["matching-2"])


def test_of_those_without_a_heartbeat_one_is_restarted_at_a_time() -> None:
    look = seen(frozen=[name for name in NAMES if "-" in name])
    assert first(look, waited=SLOW) == ("restart", ["history-1"])
    assert said(after(look, SLOW, [restarted("history-1")])) == ("restart", ["history-2"])


def test_no_rebuild_brings_a_heartbeat_back() -> None:
    repair = after(seen(frozen=["matching-2"]), SLOW, [restarted("matching-2")])
    assert repair is not None
    assert repair.action is Action.GIVE_UP
    assert "see the clocks" in repair.why[-1]


def test_each_symptom_has_an_age_of_its_own() -> None:
    look = seen(hung=["ui"], starting=["history-1"], frozen=["matching-1"])
    ages = {"frozen matching-1": SLOW}
    assert said(decide(look, ages, [])) == ("wait", ["ui"])
    assert said(decide(look, {**ages, "silent ui": SURE}, [])) == ("restart", ["ui"])


def test_a_part_of_the_ring_that_is_a_whole_role_is_restarted_by_turns() -> None:
    look = seen(found=[kinds.SPLIT_RING], apart=["history-1", "history-2", "worker-2"])
    assert first(look, waited=PATIENCE) == ("restart", ["history-1", "worker-2"])
    tried = [restarted("history-1", "worker-2")]
    assert said(after(look, PATIENCE, tried)) == ("restart", ["history-2"])
    tried.append(restarted("history-2"))
    repair = after(look, PATIENCE, tried)
    assert repair is not None
    assert repair.action is Action.REBUILD


@pytest.mark.parametrize("hung", [["ui"], ["database"], ["database", "history-1"]])
def test_for_what_is_no_role_no_role_is_rebuilt(hung: list[str]) -> None:
    repair = after(seen(hung=hung), SURE, [restarted(*hung)])
    assert repair is not None
    assert repair.action is Action.GIVE_UP
    assert repair.why[-1].startswith(f"a restart was no cure for {hung[0]}")


def test_a_role_that_hangs_after_its_restart_is_rebuilt_with_all() -> None:
    hung = ["frontend-1", "ui"]
    repair = after(seen(hung=hung), SURE, [restarted(*hung)])
    assert repair is not None
    assert repair.action is Action.REBUILD


def test_a_database_that_cannot_be_read_is_waited_for_and_nothing_is_stopped() -> None:
    look = seen(found=[kinds.NO_DATABASE])
    assert first(look) == ("wait", [])
    assert first(look, waited=PATIENCE) == ("give up", [])


def test_rows_of_the_dead_do_no_harm_and_shards_of_the_dead_do() -> None:
    assert not harm(seen(rows=2, found=[kinds.STALE_ROW]))
    assert harm(seen(orphans=1))
    assert harm(seen(found=[kinds.CLOCK_AHEAD]))


def test_shards_of_the_dead_are_waited_for() -> None:
    assert first(seen(orphans=3)) == ("wait", [])
    assert first(seen(orphans=3), waited=PATIENCE) == ("wait", [])
    assert first(seen(orphans=3), waited=SLOW) is None


def test_who_does_not_come_back_is_not_started_for_ever() -> None:
    look = seen(dead=["worker-1"])
    tried = [Repair(Action.START, [], ["worker-1"])]
    repair = after(look, 0, tried)
    assert repair is not None
    assert repair.action == "give up"
    assert repair.why == ["worker-1 does not run: was killed by signal 9"]


def probe(
    *, ok: bool, closed: bool = False, error: str = "not done", notes: Sequence[str] = ()
) -> ProbeResult:
    path = ClosedPath(
        "history", "matching", "grpc", 7235, certain=True, checks=["workflow"], log=[]
    )
    check = CheckResult("workflow", ok=ok, seconds=1.0, error="" if ok else error)
    return ProbeResult(
        address="127.0.0.1:7233",
        namespace="default",
        task_queue="any",
        ok=ok,
        at=datetime.now(UTC),
        seconds=1.0,
        checks=[check],
        paths=[path] if closed else [],
        notes=[*notes],
    )


def test_a_failed_probe_is_the_last_to_be_believed_and_only_the_second_time() -> None:
    assert said(after_probe(seen(), probe(ok=False), None, [])) == ("wait", [])
    repair = after_probe(seen(), probe(ok=False), 0.0, [])
    assert repair is not None
    assert (repair.action, repair.why) == ("rebuild", ["probe: workflow: not done"])


def test_nothing_is_restarted_for_a_closed_path() -> None:
    repair = after_probe(seen(), probe(ok=False, closed=True), None, [])
    assert repair is not None
    assert repair.action == "give up"
    assert "history -> matching port 7235 is closed" in repair.why


def test_nothing_is_restarted_for_a_namespace_that_is_not_there() -> None:
    failed = probe(ok=False, error="no worker can run at x: Namespace orders is not found.")
    repair = after_probe(seen(), failed, 0.0, [])
    assert repair is not None
    assert repair.action == "give up"
    assert "no restart makes a namespace" in repair.why[-1]


def test_nothing_is_restarted_while_roles_have_lost_the_database() -> None:
    lost = LogLine("history-1", "sql handle: unable to refresh database connection pool")
    failed = probe(ok=False, notes=dials.notes([lost]))
    assert said(after_probe(seen(), failed, 0.0, [])) == ("wait", [])
    repair = after_probe(seen(), failed, TOLD, [])
    assert repair is not None
    assert repair.action == "give up"
    assert repair.why[-1] == "no restart brings a database back"


some = st.lists(st.sampled_from(NAMES), unique=True)
looks = st.builds(
    seen,
    dead=some,
    hung=some,
    starting=some,
    outside=some,
    found=st.lists(st.sampled_from(kinds.ALL), unique=True),
    rows=st.integers(0, 3),
    fresh=st.booleans(),
    frozen=st.lists(st.sampled_from([name for name in NAMES if "-" in name]), unique=True),
    apart=st.lists(st.sampled_from([name for name in NAMES if "-" in name]), unique=True),
    orphans=st.integers(0, 3),
)


@given(look=looks, waited=st.sampled_from([0, SURE, PATIENCE, SLOW]))
def test_only_the_last_rung_stops_what_serves(look: Seen, waited: float) -> None:
    repair = after(look, waited)
    if repair is None or repair.action is Action.REBUILD:
        return
    # To whom the ring sends nothing serves nobody, where there is a ring or rows that prevent it.
    outside = {name for name in NAMES if "-" in name} - look.joined
    if not look.joined and not look.fresh:
        outside = set()
    assert not look.serving & set(repair.names) - look.frozen - look.apart - outside


@given(look=looks)
def test_the_ladder_ends_whatever_is_seen(look: Seen) -> None:
    tried: list[Repair] = []
    while True:
        repair = after(look, SLOW, tried)
        if repair is None or repair.action in {Action.GIVE_UP, Action.WAIT}:
            # Who is starting serves or counts as hanging after a while.
            break
        tried.append(repair)
        assert len(tried) <= 2 * len(NAMES) + 2, tried


@given(rounds=st.lists(looks, max_size=40))
def test_it_ends_also_where_each_look_shows_something_else(rounds: list[Seen]) -> None:
    tried: list[Repair] = []
    for look in rounds:
        repair = after(look, SLOW, tried)
        if repair is None or repair.action in {Action.GIVE_UP, Action.WAIT}:
            continue
        tried.append(repair)
    assert len(tried) <= 2 * len(NAMES) + 2
