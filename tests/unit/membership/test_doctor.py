"""What is wrong with a membership: each finding shows where it should, and not elsewhere."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.operations import explain
from temporal_dsql_deploy.operations.membership import doctor, kinds
from temporal_dsql_deploy.operations.membership.result import Finding, Look, Port
from tests.unit.membership import world
from tests.unit.membership.world import ROLES, address, gone, healthy, killed, row, seen, with_port


def codes(look: Look) -> set[str]:
    return {one.code for one in doctor.judge(look).findings}


def finding(look: Look, kind: kinds.Kind) -> Finding:
    return next(one for one in doctor.judge(look).findings if one.code == kind.code)


def test_nothing_is_wrong_with_a_healthy_cluster() -> None:
    result = doctor.judge(healthy())
    assert result.findings == []
    assert result.ok
    assert (result.members, result.rows) == (4, 4)


@pytest.mark.parametrize("role", ROLES)
def test_a_killed_role_is_missing_and_its_row_is_silent_and_then_stale(role: str) -> None:
    fresh = killed(healthy(), role, age=12)
    assert codes(fresh) == {"membership-role-missing", "membership-silent-row"}
    stale = killed(healthy(), role, age=70)
    assert codes(stale) == {"membership-role-missing", "membership-stale-row"}
    missing = finding(stale, kinds.ROLE_MISSING)
    assert missing.evidence == [
        f"{role}: the last was at {role} {address(role)}, heartbeat 70 s ago, host id {role}-1"
    ]


def test_one_of_two_instances_that_died_is_no_missing_role() -> None:
    look = healthy()
    two = replace(look, rows=[*look.rows, row("matching", 2)], running=[])
    died = killed(two, "matching", 2, age=61)
    result = doctor.judge(died)
    assert [one.code for one in result.findings] == ["membership-stale-row"]
    assert result.ok


def test_a_row_that_a_newer_process_of_the_same_address_has_replaced_is_stale() -> None:
    look = healthy()
    old = replace(row("worker", age=300), host_id="before")
    assert codes(replace(look, rows=[*look.rows, old])) == {"membership-stale-row"}


def test_a_database_that_is_down_leaves_the_findings_of_the_ring() -> None:
    look = replace(healthy(), rows=[], shards=None, database_error="it does not answer")
    assert codes(look) == {"membership-no-database"}
    others = [one for one in look.ports if one.address != address("history")]
    views = [
        replace(one, seen=[s for s in one.seen or [] if s.role != "history"]) for one in others
    ]
    without = replace(look, ports=views, running=[])
    assert codes(without) == {"membership-no-database", "membership-role-missing"}


def test_nobody_in_the_ring() -> None:
    look = healthy()
    ports = [gone(address(role)) for role in ROLES]
    dead = replace(look, rows=[row(role, age=100) for role in ROLES], ports=ports, running=[])
    assert codes(dead) == {"membership-empty-ring", "membership-stale-row"}
    nothing = replace(look, rows=[], ports=[], running=[], shards={})
    assert codes(nothing) == {"membership-empty-ring"}


def test_a_process_that_has_not_joined() -> None:
    alone = [replace(seen("worker"), role="", grpc="")]
    look = with_port(healthy(), Port(address("worker"), listens=True, seen=alone))
    views = [
        replace(one, seen=[s for s in one.seen or [] if s.role != "worker"]) for one in look.ports
    ]
    assert codes(replace(look, ports=views)) == {
        "membership-not-joined",
        "membership-role-missing",
    }
    mute = Port(address("worker"), listens=True, seen=None, error="no answer within 2 s")
    look = with_port(replace(look, ports=views), mute)
    evidence = finding(look, kinds.NOT_JOINED).evidence
    assert evidence == [f"worker {address('worker')}: no answer within 2 s"]


def test_a_split_ring_names_its_parts() -> None:
    halves = [["frontend", "history"], ["matching", "worker"]]
    ports = [
        Port(address(role), listens=True, seen=[seen(other) for other in half])
        for half in halves
        for role in half
    ]
    split = finding(replace(healthy(), ports=ports), kinds.SPLIT_RING)
    assert split.evidence[0] == "parts: " + "; ".join(
        ", ".join(sorted(map(address, half))) for half in halves
    )
    assert codes(replace(healthy(), ports=ports)) == {"membership-split-ring"}


def test_a_member_that_one_other_holds_faulty() -> None:
    view = [seen(role, status="faulty" if role == "matching" else "alive") for role in ROLES]
    look = with_port(healthy(), Port(address("history"), listens=True, seen=view))
    split = finding(look, kinds.SPLIT_RING)
    assert split.evidence == [f"{address('history')} has {address('matching')} as faulty"]


def test_a_process_that_broadcasts_another_address() -> None:
    wrong = replace(seen("worker"), address="10.9.9.9:6939", grpc="10.9.9.9:7239")
    view = [*(seen(role) for role in ROLES if role != "worker"), wrong]
    ports = [Port(address(role), listens=True, seen=view) for role in ROLES]
    rows = [one for one in healthy().rows if one.role != "worker"]
    look = replace(
        healthy(),
        rows=[*rows, replace(row("worker"), address="10.9.9.9:6939")],
        ports=[*ports, gone("10.9.9.9:6939")],
    )
    assert codes(look) == {"membership-other-address", "membership-silent-row"}
    assert address("worker") in finding(look, kinds.OTHER_ADDRESS).evidence[0]


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("127.0.0.1", kinds.LOOPBACK_ADDRESS),
        ("[::1]", kinds.LOOPBACK_ADDRESS),
        ("[::]", kinds.UNROUTABLE_ADDRESS),
        ("169.254.1.2", kinds.UNROUTABLE_ADDRESS),
        ("[fe80::1]", kinds.UNROUTABLE_ADDRESS),
        ("worker.internal", kinds.UNROUTABLE_ADDRESS),
    ],
)
def test_an_address_that_nobody_else_can_dial(host: str, kind: kinds.Kind) -> None:
    look = healthy()
    bad = replace(row("worker", 9), address=f"{host}:6939")
    look = replace(look, rows=[*look.rows, bad], ports=[*look.ports, gone(bad.address)])
    assert codes(look) == {kind.code, "membership-silent-row"}


def test_loopback_is_right_where_all_have_it() -> None:
    look = healthy()

    def local(text: str) -> str:
        return text.replace("10.0.", "127.0.")

    rows = [replace(one, address=local(one.address)) for one in look.rows]
    everybody = [
        replace(one, address=local(one.address), grpc=local(one.grpc))
        for one in look.ports[0].seen or []
    ]
    ports = [Port(local(one.address), listens=True, seen=everybody) for one in look.ports]
    running = [replace(one, address=local(one.address)) for one in look.running]
    shards = {local(world.grpc("history")): 4}
    here = replace(look, rows=rows, ports=ports, running=running, shards=shards)
    assert codes(here) == set()


def test_a_frozen_heartbeat_is_that_of_a_member() -> None:
    look = healthy()
    rows = [row(role, age=45 if role == "matching" else 5) for role in ROLES]
    frozen = finding(replace(look, rows=rows), kinds.HEARTBEAT_FROZEN)
    assert frozen.evidence == [f"matching {address('matching')}: its last heartbeat is 45 s old"]
    none = [one for one in look.rows if one.role != "matching"]
    assert finding(replace(look, rows=none), kinds.HEARTBEAT_FROZEN).evidence == [
        f"matching {address('matching')}: it has no row"
    ]


def test_a_history_without_shards() -> None:
    look = replace(healthy(), shards={"10.0.1.2:7234": 4})
    assert codes(look) == {"membership-no-shards"}
    assert finding(look, kinds.NO_SHARDS).evidence == [
        f"{world.grpc('history')}: all 4 shards were taken by 10.0.1.2:7234"
    ]


def test_a_clock_that_is_ahead() -> None:
    look = replace(healthy(), rows=[row(role, age=-30) for role in ROLES])
    assert codes(look) == {"membership-clock-ahead"}
    skew = replace(healthy(), rows=[row(role, age=-4) for role in ROLES])
    assert codes(skew) == set()


@pytest.mark.parametrize("kind", kinds.ALL, ids=lambda kind: kind.code)
def test_explain_knows_every_finding(kind: kinds.Kind) -> None:
    told = explain.explain(kind.code)
    assert (told.kind, told.text, told.fix) == ("finding", kind.text, kind.fix)
    assert told.symptom
    assert told.source
    assert kind.code in list(explain.codes())


@given(
    replicas=st.lists(st.integers(1, 4), min_size=4, max_size=4),
    ages=st.data(),
    outdated=st.integers(0, 20),
)
def test_a_healthy_cluster_of_any_size_has_no_problem(
    replicas: list[int], ages: st.DataObject, outdated: int
) -> None:
    instances = [
        (role, number)
        for role, count in zip(ROLES, replicas, strict=True)
        for number in range(1, count + 1)
    ]
    everybody = [seen(*one) for one in instances]
    dead = [row("history", 100 + number, age=61 + number) for number in range(outdated)]
    look = replace(
        healthy(),
        rows=[row(*one, age=ages.draw(st.floats(-5, 20))) for one in instances] + dead,
        ports=[
            *(Port(address(*one), listens=True, seen=everybody) for one in instances),
            *(gone(one.address) for one in dead),
        ],
        running=[world.member(*one) for one in instances],
        shards={world.grpc(*one): 1 for one in instances if one[0] == "history"},
    )
    result = doctor.judge(look)
    assert result.ok, result.findings
    assert [len(one.evidence) for one in result.findings] == ([outdated] if outdated else [])
