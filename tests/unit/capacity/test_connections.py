"""The law of connections: what was measured is what it says, and a simulation never sees more."""

from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy.capacity.connections import (
    Cluster,
    Limiter,
    Mode,
    Pool,
    Quotas,
    Scenario,
    Service,
    at_once_by_limits,
    connects,
    first_healthy,
    held,
    per_second_by_limits,
    read,
    recycled_per_second,
    start_plan,
)
from tests.support import connection_trace as trace

ROLES = ("history", "matching", "frontend", "worker")
LEGACY = Pool(10)
LARGE = Pool(100, stagger=0)
RESERVOIR = Pool(10, Mode.RESERVOIR, target_ready=10, low_watermark=5, lifetime=660)


def four(pool: Pool, limiter: Limiter | None = None) -> Cluster:
    """One process of each role, as they were measured."""
    return Cluster(tuple(Service(role, pool, 1) for role in ROLES), limiter)


@pytest.mark.parametrize(
    ("measured", "bound", "at_most"),
    [
        # maxConns 10, TARGET_READY 10, LOW_WATERMARK 5; the plugin's own limits.
        (37, LEGACY.opens, 40),
        (18, LEGACY.held_at_start, 20),
        (10, LEGACY.held, 10),
        (42, RESERVOIR.opens, 50),
        (50, RESERVOIR.held_at_start, 50),
        (50, RESERVOIR.held, 50),
        # TARGET_READY 4: 18 idle, 26 under load.
        (26, replace(RESERVOIR, target_ready=4, low_watermark=4).held, 26),
        # All four together, in the busiest second, and in 2.5 s.
        (93, connects(four(LEGACY), Scenario.COLD_START).busiest_second, 160),
        (146, connects(four(LEGACY), Scenario.COLD_START).total, 160),
        (57, connects(four(RESERVOIR, Limiter()), Scenario.COLD_START).busiest_second, 200),
        # After 30 s of refusal: 235 connections counted, two more reservoirs in two of the four.
        (235, held(four(RESERVOIR), Scenario.OUTAGE), 280),
        # Tries per second of all four while nothing is taken.
        (4, 4 * LEGACY.retries_per_second(), 4),
        (27, 4 * RESERVOIR.retries_per_second(), 64),
        # Healthy after so many seconds: four pools of maxConns 100, and all four roles together.
        (29, first_healthy(four(LARGE), Service("history", LARGE, 1)), 31),
        (6, first_healthy(four(RESERVOIR, Limiter()), Service("history", RESERVOIR, 4)), 8),
        # A start that nothing is given to ends by itself.
        (96, RESERVOIR.last_start_seconds, 96),
        (10, replace(RESERVOIR, fill_timeout=3, stagger=0).last_start_seconds, 10),
    ],
)
def test_never_below_what_was_measured(measured: float, bound: float, at_most: float) -> None:
    """Measured with the Temporal-DSQL server at cf90c57."""
    assert measured <= bound <= at_most


def test_what_the_plugin_has_by_default_in_reservoir_mode() -> None:
    """Five times maxConns: four reservoirs of maxConns, and what the role holds."""
    pool = Pool(100, Mode.RESERVOIR)
    assert pool.target == 100
    assert pool.held == 500


def test_a_high_watermark_raises_the_target() -> None:
    assert replace(RESERVOIR, target_ready=4, low_watermark=30).target == 30


def test_turnover() -> None:
    """Idle reservoirs are replaced each 675 s: 11 minutes, half the jitter, less the guard."""
    assert RESERVOIR.recycled_per_second == pytest.approx(40 / 675 + 10 / 3600)
    assert Pool(50, lifetime=3000).recycled_per_second == pytest.approx(50 / 3000)
    assert Pool(50, lifetime=7200).recycled_per_second == pytest.approx(50 / 3600)
    assert replace(RESERVOIR, lifetime=30).recycled_per_second is None
    assert recycled_per_second(four(replace(RESERVOIR, lifetime=30))) == inf


@pytest.mark.parametrize(
    ("tasks", "least", "most", "at_once", "alive"),
    [
        (1, 100, 200, 2, 2),
        (4, 75, 100, 4, 8),
        (4, 100, 200, 8, 8),
        (3, 100, 150, 4, 6),
        # One by one: seven that were told to stop may live beside the new ones.
        (100, 99, 100, 100, 107),
        (10, 0, 100, 10, 20),
        (0, 100, 200, 1, 2),
    ],
)
def test_tasks_of_a_deployment(tasks: int, least: int, most: int, at_once: int, alive: int) -> None:
    service = Service("history", LEGACY, tasks, least, most)
    assert (service.at_once, service.alive) == (at_once, alive)


def test_rates_that_sum_to_exactly_100_double_in_a_deployment() -> None:
    """The reference's shares, 15, 8, 5 and 3 per second, with its fixed counts."""
    counts = {"history": (4, 15, 150), "matching": (3, 8, 80), "frontend": (2, 5, 50)}
    counts["worker"] = (2, 3, 30)
    cluster = Cluster(
        tuple(
            Service(role, replace(LEGACY, rate=rate, burst=burst), tasks)
            for role, (tasks, rate, burst) in counts.items()
        )
    )
    assert per_second_by_limits(cluster, lambda service: service.tasks) == 100
    assert at_once_by_limits(cluster, lambda service: service.tasks) == 1000
    assert per_second_by_limits(cluster, lambda service: service.at_once) == 200
    assert at_once_by_limits(cluster, lambda service: service.at_once) == 2000


def test_start_at_most() -> None:
    """maxConns 100, the plugin's limits: ten bursts of 100 empty DSQL's bucket."""
    service = Service("history", Pool(100, stagger=0), 20)
    answer = start_plan(Cluster((service,)), service)
    assert (answer.tasks, answer.seconds) == (9, 38)
    # One that may open 2,000 at once alone is refused.
    greedy = Service("history", Pool(500, burst=5000, rate=100), 1)
    assert start_plan(Cluster((greedy,)), greedy).tasks == 0
    # The limiter lets 70 through each second, of which each waits 30 s at most.
    counted = start_plan(Cluster((service,), Limiter(70)), service)
    assert (counted.tasks, counted.seconds) == (5, 29)


def test_a_start_that_a_limit_never_lets_through_is_never_healthy() -> None:
    service = Service("worker", Pool(10, rate=0, burst=1), 1)
    assert first_healthy(Cluster((service,)), service) == inf


def test_large_pools_are_spread_in_legacy_mode() -> None:
    settings_ = read({"TEMPORAL_SQL_MAX_CONNS": "200"})
    service = Service("history", settings_.pool, 1)
    assert settings_.pool.warmup == 120
    assert first_healthy(Cluster((service,)), service) >= 480


def test_silent_defaults_of_the_plugin() -> None:
    found = read(
        {
            "TEMPORAL_SQL_MAX_CONNS": "0",
            "DSQL_CONNECTION_RATE_LIMIT": "abc",
            "DSQL_CONNECTION_BURST_LIMIT": "0",
            "DSQL_RESERVOIR_ENABLED": "yes",
            "DSQL_RESERVOIR_TARGET_READY": "0",
            "DSQL_RESERVOIR_BASE_LIFETIME": "11",
            "DSQL_DISTRIBUTED_CONN_LIMIT": "-1",
            "DSQL_STAGGERED_STARTUP_MAX_DELAY": "10",
        }
    )
    assert found.sized
    assert found.pool.max_conns == 100
    assert found.pool.mode is Mode.LEGACY
    assert (found.pool.rate, found.pool.burst, found.pool.stagger) == (10, 0, 5.0)
    assert found.pool.target_ready == 100
    assert found.lease_limit == 10_000
    assert set(found.defaulted) == {
        "TEMPORAL_SQL_MAX_CONNS",
        "DSQL_CONNECTION_RATE_LIMIT",
        "DSQL_RESERVOIR_ENABLED",
        "DSQL_RESERVOIR_TARGET_READY",
        "DSQL_DISTRIBUTED_CONN_LIMIT",
        "DSQL_STAGGERED_STARTUP_MAX_DELAY",
    }


def test_an_empty_environment_says_nothing_of_the_size() -> None:
    found = read({})
    assert not found.sized
    assert found.pool == Pool(100, target_ready=100, low_watermark=100)
    assert not found.limits_together


pools = st.builds(
    Pool,
    max_conns=st.integers(1, 40),
    mode=st.sampled_from(Mode),
    target_ready=st.integers(1, 15),
    low_watermark=st.integers(1, 15),
    lifetime=st.sampled_from([600.0, 660.0]),
    rate=st.integers(1, 40),
    burst=st.integers(1, 200),
    stagger=st.sampled_from([0.0, 2.0, 5.0]),
)
services = st.tuples(
    pools, st.integers(1, 6), st.sampled_from([0, 50, 75, 100]), st.sampled_from([150, 200])
)


@st.composite
def clusters(draw: st.DrawFn) -> Cluster:
    given_ = draw(st.lists(services, min_size=1, max_size=4))
    limiter = draw(st.none() | st.builds(Limiter, per_second=st.integers(20, 100)))
    # Small quotas too, so that refusals happen.
    quotas = draw(st.sampled_from([Quotas(), Quotas(per_second=20, at_once=100)]))
    return Cluster(
        tuple(Service(role, *one) for role, one in zip(ROLES, given_, strict=False)),
        limiter,
        quotas,
    )


@settings(max_examples=100, deadline=None)
@given(clusters(), st.integers(0, 1000))
def test_a_cold_start_never_sees_more_than_the_budget(cluster: Cluster, seed: int) -> None:
    seen = trace.cold_start(cluster, seed)
    assert seen.connects
    within(cluster, Scenario.COLD_START, seen)


@settings(max_examples=100, deadline=None)
@given(clusters(), st.integers(0, 1000), st.sets(st.sampled_from(ROLES), min_size=1))
def test_a_deployment_never_sees_more_than_the_budget(
    cluster: Cluster, seed: int, roles: set[str]
) -> None:
    seen = trace.deployment(cluster, sorted(roles), seed)
    deployed = [one.name for one in cluster.services if one.name in roles]
    moves = any(trace.can_deploy(one) for one in cluster.services if one.name in roles)
    assert bool(seen.connects) == moves
    within(cluster, Scenario.DEPLOYMENT, seen, deployed)


@settings(max_examples=100, deadline=None)
@given(clusters(), st.integers(0, 1000))
def test_recycling_never_sees_more_than_the_budget(cluster: Cluster, seed: int) -> None:
    within(cluster, Scenario.RECYCLING, trace.recycling(cluster, seed))


def within(
    cluster: Cluster, scenario: Scenario, seen: trace.Trace, roles: list[str] | None = None
) -> None:
    """What was seen is not above the budget, and where that fits into the quotas nothing fails."""
    bound = connects(cluster, scenario, roles)
    assert seen.peak <= held(cluster, scenario, roles)
    assert len(seen.connects) <= bound.total
    if bound.at_once <= cluster.quotas.at_once and _slow_enough(cluster):
        assert seen.refused == 0
        assert seen.busiest_second <= bound.busiest_second


def _slow_enough(cluster: Cluster) -> bool:
    return cluster.limiter is None or cluster.limiter.per_second <= cluster.quotas.per_second


@settings(max_examples=100, deadline=None)
@given(pools, st.integers(0, 1000), st.sampled_from([Quotas(), Quotas(per_second=30, at_once=150)]))
# Its last connects are made 13 s after its first, on the dot.
@example(
    Pool(
        max_conns=1,
        mode=Mode.RESERVOIR,
        target_ready=1,
        low_watermark=5,
        rate=1,
        burst=8,
        stagger=0.0,
    ),
    0,
    Quotas(per_second=30, at_once=150),
)
def test_tasks_started_by_the_plan_are_not_refused(pool: Pool, seed: int, quotas: Quotas) -> None:
    service = Service("history", replace(pool, lifetime=3600, guard=0), 1)
    cluster = Cluster((service,), quotas=quotas)
    answer = start_plan(cluster, service)
    tasks = min(answer.tasks, 20)
    if tasks:
        assert trace.batches(cluster, service.pool, tasks, answer.seconds, seed).refused == 0


@settings(max_examples=100, deadline=None)
@given(clusters(), st.integers(0, 1000))
def test_a_start_is_healthy_in_time(cluster: Cluster, seed: int) -> None:
    """What the limits alone make it wait, and what each connect takes."""
    (service, *_) = cluster.services
    cluster = replace(cluster, services=(service,), quotas=Quotas())
    seen = trace.cold_start(cluster, seed)
    assert len(seen.ready) == service.at_rest
    # 30 ms for a connect, 100 ms until somebody looks, and up to 200 ms of each limiter's second.
    pool = service.pool
    latency = 0.03 * pool.opens + 0.1 * 4
    limits = first_healthy(cluster, service) - pool.stagger
    waits = limits * 1.25 + 1 if cluster.limiter else limits
    if connects(cluster, Scenario.COLD_START).at_once <= cluster.quotas.at_once:
        assert max(seen.ready) <= pool.stagger + waits + latency


SCENARIOS = tuple(Scenario)
COUNTS = ("max_conns", "target_ready", "low_watermark", "rate", "burst")


@settings(max_examples=200, deadline=None)
@given(clusters(), st.sampled_from([*COUNTS, "tasks"]), st.integers(0, 3), st.integers(1, 20))
def test_the_budget_grows_with_every_count(
    cluster: Cluster, count: str, which: int, more: int
) -> None:
    larger = _with_more(cluster, which % len(cluster.services), count, more)
    for scenario in SCENARIOS:
        before, after = connects(cluster, scenario), connects(larger, scenario)
        assert held(larger, scenario) >= held(cluster, scenario)
        assert after.total >= before.total
        assert after.busiest_second >= before.busiest_second
        assert after.at_once >= before.at_once
    for summed in (per_second_by_limits, at_once_by_limits):
        assert summed(larger, lambda one: one.at_once) >= summed(cluster, lambda one: one.at_once)


def _with_more(cluster: Cluster, which: int, count: str, more: int) -> Cluster:
    changed = list(cluster.services)
    one = changed[which]
    if count == "tasks":
        changed[which] = replace(one, tasks=one.tasks + more)
    else:
        grown = getattr(one.pool, count) + more
        changed[which] = replace(one, pool=replace(one.pool, **{count: grown}))
    return replace(cluster, services=tuple(changed))


def test_the_numbers_of_terraform_are_the_same() -> None:
    """The module connection-budget, which cannot read Python, has DSQL's numbers too."""
    module = Path(__file__).parents[3] / "terraform" / "modules" / "connection-budget" / "main.tf"
    text = " ".join(module.read_text(encoding="utf-8").split())
    assert f"_connects_per_second = {Quotas().per_second} " in text
    assert f"_connects_at_once = {Quotas().at_once} " in text
