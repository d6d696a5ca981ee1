"""When an instance that was started does its part."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.operations.joined import outside, untaken
from temporal_dsql_deploy.operations.membership.result import Port
from temporal_dsql_deploy.persistence.shards import Taken
from tests.unit.membership.world import ROLES, address, gone, healthy, seen

ONE, TWO, DEAD = "127.0.1.1:7234", "127.0.1.2:7234", "127.0.1.3:7234"


def test_in_a_healthy_ring_nobody_is_outside() -> None:
    assert list(outside(healthy().ports, {address(role) for role in ROLES})) == []


def test_who_does_not_answer_is_outside_only_if_it_is_asked_for() -> None:
    ports = [
        gone(address("worker")) if port.address == address("worker") else port
        for port in healthy().ports
    ]
    assert list(outside(ports, {address("history")})) == []
    assert list(outside(ports, {address("worker")})) == [f"{address('worker')} has not joined"]


def test_each_has_to_hold_the_other() -> None:
    everybody = [seen(role) for role in ROLES]
    without = [one for one in everybody if one.address != address("history")]
    ports = [
        replace(port, seen=without) if port.address == address("worker") else port
        for port in healthy().ports
    ]
    said = f"{address('worker')} does not hold {address('history')} yet"
    assert list(outside(ports, {address("history")})) == [said]
    assert list(outside(ports, {address("worker")})) == [said]
    assert list(outside(ports, {address("matching")})) == []


def test_who_is_faulty_to_another_is_not_held() -> None:
    suspect = [seen(role, status="faulty" if role == "history" else "alive") for role in ROLES]
    ports = [
        Port(address("worker"), listens=True, seen=suspect)
        if port.address == address("worker")
        else port
        for port in healthy().ports
    ]
    assert list(outside(ports, {address("history")}))


def test_a_shard_has_to_be_taken_again_by_who_was_restarted() -> None:
    before = {1: Taken(5, ONE), 2: Taken(7, TWO)}
    assert list(untaken(before, before, {ONE, TWO}, [])) == []
    assert list(untaken(before, before, {ONE, TWO}, [ONE])) == [
        f"shard 1 has not been taken again by {ONE}"
    ]
    assert list(untaken(before, {**before, 1: Taken(6, ONE)}, {ONE, TWO}, [ONE])) == []
    assert list(untaken(before, {**before, 1: Taken(6, TWO)}, {ONE, TWO}, [ONE])) == []


shards = st.dictionaries(
    st.integers(1, 8), st.builds(Taken, st.integers(1, 9), st.sampled_from([ONE, TWO, DEAD]))
)


@given(before=shards, now=shards)
def test_nobody_who_does_not_run_keeps_a_shard(
    before: dict[int, Taken], now: dict[int, Taken]
) -> None:
    said = list(untaken(before, now, {ONE, TWO}, [ONE]))
    dead = [shard for shard, one in now.items() if one.owner == DEAD]
    assert sum("does not run" in line for line in said) == len(dead)
    if not said:
        assert all(
            one.owner == TWO or shard not in before or one.range_id > before[shard].range_id
            for shard, one in now.items()
        )
