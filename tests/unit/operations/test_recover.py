"""The ladder of `recover`: the least repair first, each once, and an end."""

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.operations.membership import kinds
from temporal_dsql_deploy.operations.membership.kinds import Kind
from temporal_dsql_deploy.operations.membership.result import Finding
from temporal_dsql_deploy.operations.probe.result import CheckResult, ClosedPath, ProbeResult
from temporal_dsql_deploy.operations.recover.decide import PATIENCE, SURE, after_probe, decide
from temporal_dsql_deploy.operations.recover.result import Action, Repair, Seen
from temporal_dsql_deploy.platforms.protocol import Instance

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
    repair = decide(look, waited=waited, tried=[])
    return (str(repair.action), repair.names) if repair else None


def test_nothing_is_done_where_nothing_is_wrong() -> None:
    assert decide(seen(), waited=0, tried=[]) is None
    assert after_probe(seen(), probe(ok=True), []) is None


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
    repair = decide(seen(starting=outside, outside=outside, rows=4, fresh=True), waited=0, tried=[])
    assert repair is not None
    assert repair.rows == 4
    assert str(repair) == "delete 4 rows of processes that are gone; restart history-1"
    # It has joined, or nothing keeps it from that: it is only young.
    assert first(seen(starting=outside, rows=4, fresh=True)) == ("wait", ["history-1"])
    assert first(seen(starting=outside, outside=outside)) == ("wait", ["history-1"])


def test_a_ring_that_contradicts_itself_is_looked_at_again_before_all_is_stopped() -> None:
    look = seen(found=[kinds.SPLIT_RING])
    assert first(look) == ("wait", [])
    assert first(look, waited=PATIENCE) == ("rebuild", [name for name in NAMES if "-" in name])


def test_of_a_split_ring_the_smaller_part_is_restarted_first() -> None:
    look = seen(found=[kinds.SPLIT_RING], apart=["worker-1", "matching-1"])
    assert first(look) == ("wait", [])
    assert first(look, waited=PATIENCE) == ("restart", ["matching-1", "worker-1"])
    tried = [Repair(Action.RESTART, [], ["matching-1", "worker-1"])]
    repair = decide(look, waited=PATIENCE, tried=tried)
    assert repair is not None
    assert repair.action == "rebuild"


def test_old_rows_alone_are_deleted() -> None:
    assert first(seen(rows=3, found=[kinds.STALE_ROW])) == ("clean", [])


def test_a_member_without_a_heartbeat_is_restarted_after_a_while() -> None:
    look = seen(frozen=["matching-2"], found=[kinds.HEARTBEAT_FROZEN])
    assert first(look) == ("wait", [])
    assert first(look, waited=PATIENCE) == ("restart", ["matching-2"])


def test_shards_of_the_dead_are_waited_for() -> None:
    assert first(seen(orphans=3)) == ("wait", [])
    assert first(seen(orphans=3), waited=PATIENCE) is None


def test_who_does_not_come_back_is_not_started_for_ever() -> None:
    look = seen(dead=["worker-1"])
    tried = [Repair(Action.START, [], ["worker-1"])]
    repair = decide(look, waited=0, tried=tried)
    assert repair is not None
    assert repair.action == "give up"
    assert repair.why == ["worker-1 does not run: was killed by signal 9"]


def probe(*, ok: bool, closed: bool = False) -> ProbeResult:
    path = ClosedPath(
        "history", "matching", "grpc", 7235, certain=True, checks=["workflow"], log=[]
    )
    check = CheckResult("workflow", ok=ok, seconds=1.0, error="" if ok else "not done")
    return ProbeResult(
        address="127.0.0.1:7233",
        namespace="default",
        task_queue="any",
        ok=ok,
        at=datetime.now(UTC),
        seconds=1.0,
        checks=[check],
        paths=[path] if closed else [],
    )


def test_a_failed_probe_is_the_last_to_be_believed() -> None:
    repair = after_probe(seen(), probe(ok=False), [])
    assert repair is not None
    assert (repair.action, repair.why) == ("rebuild", ["probe: workflow: not done"])


def test_nothing_is_restarted_for_a_closed_path() -> None:
    repair = after_probe(seen(), probe(ok=False, closed=True), [])
    assert repair is not None
    assert repair.action == "give up"
    assert "history -> matching port 7235 is closed" in repair.why


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


@given(look=looks, waited=st.sampled_from([0, PATIENCE]))
def test_only_the_last_rung_stops_what_serves(look: Seen, waited: float) -> None:
    repair = decide(look, waited=waited, tried=[])
    if repair is None or repair.action is Action.REBUILD:
        return
    assert not look.serving & set(repair.names) - look.frozen - look.apart


@given(look=looks)
def test_the_ladder_ends_whatever_is_seen(look: Seen) -> None:
    tried: list[Repair] = []
    while True:
        repair = decide(look, waited=PATIENCE, tried=tried)
        if repair is None or repair.action in {Action.GIVE_UP, Action.WAIT}:
            # Who is starting serves or counts as hanging after a while.
            break
        tried.append(repair)
        assert len(tried) <= 5, tried


@given(rounds=st.lists(looks, max_size=40))
def test_it_ends_also_where_each_look_shows_something_else(rounds: list[Seen]) -> None:
    tried: list[Repair] = []
    for look in rounds:
        repair = decide(look, waited=PATIENCE, tried=tried)
        if repair is None or repair.action in {Action.GIVE_UP, Action.WAIT}:
            continue
        tried.append(repair)
    assert len(tried) <= 2 * len(NAMES) + 2
