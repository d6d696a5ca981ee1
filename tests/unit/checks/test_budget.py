"""The family `budget`: each rule where it holds, where not, and where nothing can be said."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy.checks.budget import FAMILY
from temporal_dsql_deploy.checks.model import Verdict
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.draft import SERVICE, TASK, Draft, ng
from tests.support.dsql_clusters import LEASE, LIMITER, RESERVOIR, ROLES, Cluster, at, cluster


@pytest.mark.parametrize(
    "good", [cluster(), cluster(LIMITER), cluster(RESERVOIR), cluster(LIMITER, LEASE)]
)
def test_nothing_is_wrong(good: Cluster) -> None:
    judged = good.draft().judged(FAMILY)
    assert judged.findings == ()
    skipped = {each.rule.id for each in judged.outcomes if each.verdict is Verdict.SKIP}
    optional = {
        "budget-limiter",
        "budget-lease",
        "budget-lease-leak",
        "budget-reservoir-refill",
        "budget-reservoir-size",
        "budget-fill-time",
    }
    if "DSQL_DISTRIBUTED_CONN_LIMIT" in good.environments["history"]:
        optional = set()
    assert skipped <= optional
    assert "start at most" in good.of("cold-start").seen[0]


def test_too_many_connections() -> None:
    """S2-6a: 10,000 connections, with what a deployment adds.

    5 x maxConns in each process, for TARGET_READY is not stated.
    """
    made = cluster(RESERVOIR, TEMPORAL_SQL_MAX_CONNS="500", DSQL_RESERVOIR_TARGET_READY="100")
    made.environments["history"]["DSQL_RESERVOIR_TARGET_READY"] = "200"
    for role in ROLES:
        made.set(role, TEMPORAL_SQL_MAX_IDLE_CONNS="500")
    (found,) = made.only("connections")
    assert (found.resource, found.attribute) == at("history", "DSQL_RESERVOIR_TARGET_READY")
    assert "history 4 x 1,300 + " in found.evidence
    assert "= 16,000, DSQL takes 10,000" in found.evidence
    assert "53300" in found.symptom
    # A limit of leases above 10,000 says that AWS gave more.
    more = {**LEASE, **made.environments["worker"], "DSQL_DISTRIBUTED_CONN_LIMIT": "20000"}
    assert cluster(more).of("connections").verdict is Verdict.OK


def test_connections_of_legacy_mode_double_while_it_starts() -> None:
    made = cluster(TEMPORAL_SQL_MAX_CONNS="400", TEMPORAL_SQL_MAX_IDLE_CONNS="400")
    (found,) = made.only("connections")
    assert (found.resource, found.attribute) == at("frontend", "TEMPORAL_SQL_MAX_CONNS")
    assert "history 4 x 800" in found.evidence


def test_some_connections_are_left_to_operators() -> None:
    """16 processes that hold twice their pools: 9,984 of 10,000 are too many, 9,952 are not."""
    (found,) = pools_of(312).only("connections")
    assert "of which 20 are left to operators" in found.evidence
    assert pools_of(311).of("connections").seen == (
        "9,952 of 10,000 connections, 20 left to operators",
    )


def pools_of(size: int) -> Cluster:
    return cluster(TEMPORAL_SQL_MAX_CONNS=str(size), TEMPORAL_SQL_MAX_IDLE_CONNS=str(size))


def test_tasks_that_stop_slowly_hold_their_connections() -> None:
    """One by one, each for two minutes: 25 of them beside the 100 that run."""
    made = cluster(LIMITER, TEMPORAL_SQL_MAX_CONNS="50", TEMPORAL_SQL_MAX_IDLE_CONNS="50")
    made.tasks["history"] = 100
    one_by_one = {"deployment_minimum_healthy_percent": 99, "deployment_maximum_percent": 100}
    made.services["history"] |= one_by_one
    draft = made.draft()
    draft.containers["history"][0]["stopTimeout"] = 120
    (found,) = draft.judged(FAMILY).of("budget-connections").findings
    assert "history 125 x 100 + " in found.evidence


def test_rates_that_sum_to_exactly_100_with_the_fixed_counts() -> None:
    """S2-6a: the reference's rates double in a deployment."""
    shares = {"history": (4, "15"), "matching": (3, "8"), "frontend": (2, "5"), "worker": (2, "3")}
    made = cluster(DSQL_CONNECTION_BURST_LIMIT="40")
    for role, (tasks, rate) in shares.items():
        made.set(role, DSQL_CONNECTION_RATE_LIMIT=rate).tasks[role] = tasks
    (found,) = made.only("connection-rate")
    assert (found.resource, found.attribute) == at("history", "DSQL_CONNECTION_RATE_LIMIT")
    assert "frontend 4 x 5 + history 8 x 15 + matching 6 x 8 + worker 4 x 3 = 200" in found.evidence
    assert "(100 at rest), DSQL takes 100" in found.evidence
    assert "to frontend 1, history 5, matching 2, worker 1" in found.fix
    assert "start at most 22 tasks of frontend per 23 s, or 15 tasks of history " in found.fix
    assert "53400" in found.symptom


def test_rates_at_the_limit_in_a_deployment_hold() -> None:
    made = cluster()
    for role, rate in zip(ROLES, ("15", "5", "3", "2"), strict=True):
        made.set(role, DSQL_CONNECTION_RATE_LIMIT=rate)
    assert made.of("connection-rate").verdict is Verdict.OK
    made.set("worker", DSQL_CONNECTION_RATE_LIMIT="3")
    assert ng(made.of("connection-rate")) == [at("history", "DSQL_CONNECTION_RATE_LIMIT")]


def test_tasks_that_no_shares_suffice_for() -> None:
    made = cluster()
    made.tasks["history"] = 60
    (found,) = made.of("connection-rate").findings
    assert "DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED=true" in found.fix


def test_bursts() -> None:
    (found,) = cluster(DSQL_CONNECTION_BURST_LIMIT="80").only("burst")
    assert (found.resource, found.attribute) == at("frontend", "DSQL_CONNECTION_BURST_LIMIT")
    assert "= 1,280 connects at once" in found.evidence


def test_values_that_cannot_be_read_count_as_the_default_and_the_evidence_says_so() -> None:
    made = cluster().set("worker", DSQL_CONNECTION_BURST_LIMIT="1e3")
    made.tasks["worker"] = 8
    (found,) = made.of("burst").findings
    assert (found.resource, found.attribute) == at("worker", "DSQL_CONNECTION_BURST_LIMIT")
    assert "worker 16 x 100" in found.evidence
    assert "worker: DSQL_CONNECTION_BURST_LIMIT=1e3 is read as the default" in found.evidence


def test_the_limiter_counts_for_all() -> None:
    made = cluster(LIMITER)
    made.tasks["history"] = 60
    assert made.of("connection-rate").verdict is Verdict.OK
    assert made.of("burst").verdict is Verdict.OK


def test_a_cold_start() -> None:
    made = cluster(
        TEMPORAL_SQL_MAX_CONNS="100",
        TEMPORAL_SQL_MAX_IDLE_CONNS="100",
        DSQL_CONNECTION_BURST_LIMIT="400",
    )
    (found,) = made.of("cold-start").findings
    assert (found.resource, found.attribute) == at("frontend", "DSQL_CONNECTION_BURST_LIMIT")
    assert "frontend 2 x 400" in found.evidence
    assert "bucket would have to hold 3,200" in found.evidence
    assert "start at most 2 tasks of frontend per 14 s" in found.fix


@pytest.mark.parametrize("variable", ["DSQL_CONNECTION_RATE_LIMIT", "DSQL_CONNECTION_BURST_LIMIT"])
def test_limits_that_one_role_does_not_state(variable: str) -> None:
    assert [
        (found.resource, found.attribute)
        for found in cluster().without(variable, "matching").only("stated")
    ] == [at("matching", variable)]
    # With the limiter they are not read, and without any the plugin's are the plan's.
    assert cluster(LIMITER).without(variable, "matching").of("stated").verdict is Verdict.OK
    assert cluster().without(variable).of("stated").verdict is Verdict.OK


@pytest.mark.parametrize(
    ("parts", "environment", "variable"),
    [
        ({}, {"TEMPORAL_SQL_MAX_CONN_LIFETIME": "3s"}, "TEMPORAL_SQL_MAX_CONN_LIFETIME"),
        ({}, {"SQL_MAX_CONN_LIFETIME": "3s"}, "SQL_MAX_CONN_LIFETIME"),
        (
            RESERVOIR,
            {"DSQL_RESERVOIR_BASE_LIFETIME": "46s", "DSQL_RESERVOIR_LIFETIME_JITTER": "0s"},
            "DSQL_RESERVOIR_BASE_LIFETIME",
        ),
    ],
)
def test_recycling(parts: dict[str, str], environment: dict[str, str], variable: str) -> None:
    made = cluster(parts).set("matching", **environment)
    assert ng(made.of("recycling")) == [at("matching", variable)]


def test_recycling_of_all_together() -> None:
    made = cluster(
        TEMPORAL_SQL_MAX_CONNS="10",
        TEMPORAL_SQL_MAX_CONN_LIFETIME="3s",
        DSQL_CONNECTION_RATE_LIMIT="4",
    )
    made.tasks["history"] = 40
    (found,) = made.of("recycling").findings
    assert "153 connections are replaced per second, DSQL takes 100" in found.evidence


def test_lifetimes_that_hold_and_one_that_another_rule_names() -> None:
    assert cluster(TEMPORAL_SQL_MAX_CONN_LIFETIME="55m").of("recycling").verdict is Verdict.OK
    made = cluster(RESERVOIR, DSQL_RESERVOIR_BASE_LIFETIME="30s")
    assert made.of("recycling").verdict is Verdict.SKIP


def test_more_ready_than_a_role_can_use() -> None:
    (found,) = (
        cluster(RESERVOIR).set("worker", DSQL_RESERVOIR_TARGET_READY="21").only("reservoir-size")
    )
    assert (found.resource, found.attribute) == at("worker", "DSQL_RESERVOIR_TARGET_READY")
    assert "a process holds up to 104" in found.evidence


def test_watermarks_that_are_not_reached_in_time() -> None:
    """3 x 10 + 5 connects before a start is over, of which the burst lets 20 through."""
    timeout = "DSQL_RESERVOIR_INITIAL_FILL_TIMEOUT"
    made = cluster(RESERVOIR, DSQL_CONNECTION_RATE_LIMIT="1", DSQL_CONNECTION_BURST_LIMIT="20")
    assert made.of("fill-time").seen == ("20 s until low watermarks are reached",)
    (found,) = made.set("worker", **{timeout: "19s"}).only("fill-time")
    assert (found.resource, found.attribute) == at("worker", timeout)
    assert "take 20 s, 19 s are given" in found.evidence
    # A burst that lets all through needs no time.
    made.set("worker", DSQL_CONNECTION_BURST_LIMIT="35")
    assert made.of("fill-time").verdict is Verdict.OK
    # The limiter's 70 are shared by 8 processes: 8.75 each.
    counted = cluster(LIMITER, RESERVOIR).set("worker", **{timeout: "2s"})
    assert "20" not in counted.of("fill-time").seen[0]
    assert ng(counted.of("fill-time")) == [at("worker", timeout)]


def test_an_outage_leaves_reservoirs_behind() -> None:
    """8 processes of 20 + 6 x 10: more than the limit of leases, at rest."""
    outcome = cluster(LEASE, DSQL_DISTRIBUTED_CONN_LIMIT="639").of("reservoir-refill")
    (found,) = outcome.findings
    assert (found.resource, found.attribute) == at("frontend", "DSQL_RESERVOIR_TARGET_READY")
    assert "= 640, 639 are allowed" in found.evidence
    assert cluster(LEASE).of("reservoir-refill").verdict is Verdict.OK


EVERY = [rule.id.removeprefix("budget-") for rule in FAMILY.rules]


@pytest.mark.parametrize("rule", EVERY)
def test_a_plan_without_anything_to_judge_is_skipped(rule: str) -> None:
    outcome = Draft().judged(FAMILY).of(f"budget-{rule}")
    assert outcome.verdict is Verdict.SKIP
    assert outcome.unjudged[0].reason == "the plan has no role of Temporal that stores in DSQL"


@pytest.mark.parametrize("rule", EVERY)
def test_what_is_not_known_is_never_taken_for_good(rule: str) -> None:
    """A role whose tasks nobody can count, in a cluster that has everything."""
    made = cluster(LIMITER, LEASE)
    made.tasks["matching"] = 0
    outcome = made.of(rule)
    assert outcome.verdict is Verdict.SKIP
    assert outcome.unjudged[0].resource == f"{TASK}.matching"
    assert outcome.unjudged[0].reason == "nothing says how many tasks of matching there are"
    unknown = cluster(LIMITER, LEASE)
    unknown.services["worker"]["deployment_maximum_percent"] = UNKNOWN
    assert unknown.of(rule).verdict is Verdict.SKIP
    draft = cluster(LIMITER, LEASE).draft()
    draft[f"{TASK}.history"]["container_definitions"] = UNKNOWN
    assert draft.judged(FAMILY).of(f"budget-{rule}").verdict is Verdict.SKIP
    draft = cluster(LIMITER, LEASE).draft().without(f"{TASK}.worker", f"{SERVICE}.worker")
    outcome = draft.judged(FAMILY).of(f"budget-{rule}")
    assert [each.reason for each in outcome.unjudged] == [
        "the plan has no worker: what they add is in no sum"
    ]


def test_a_sum_that_is_too_high_already_is_a_finding_whatever_is_not_known() -> None:
    made = cluster(DSQL_CONNECTION_RATE_LIMIT="20")
    made.tasks["matching"] = 0
    assert made.of("connection-rate").verdict is Verdict.NG


def test_sizes_that_nothing_says() -> None:
    made = cluster(LIMITER, LEASE).without("TEMPORAL_SQL_MAX_CONNS", "history")
    sized = {
        "connections",
        "cold-start",
        "lease",
        "lease-leak",
        "reservoir-refill",
        "fill-time",
        "reservoir-size",
    }
    for rule in sized:
        outcome = made.of(rule)
        assert outcome.verdict is Verdict.SKIP
        assert "nothing in the environment of history says how many" in outcome.unjudged[0].reason
    for rule in ("connection-rate", "burst", "limiter"):
        assert made.of(rule).verdict is Verdict.OK


def test_other_peoples_names() -> None:
    made = cluster()
    for role in ROLES:
        made.set(role, SQL_MAX_CONNS="400", SQL_MAX_IDLE_CONNS="400")
    made.without("TEMPORAL_SQL_MAX_CONNS").without("TEMPORAL_SQL_MAX_IDLE_CONNS")
    (found,) = made.only("connections")
    assert "history 4 x 800" in found.evidence


def test_a_secret_and_another_store() -> None:
    draft = cluster().draft()
    secret = {"name": "DSQL_CONNECTION_RATE_LIMIT", "valueFrom": "arn:secret"}
    draft.containers["worker"][0]["secrets"] = [secret]
    outcome = draft.judged(FAMILY).of("budget-connection-rate")
    assert outcome.verdict is Verdict.SKIP
    assert "is a secret" in outcome.unjudged[0].reason
    other = cluster(TEMPORAL_SQL_PLUGIN_NAME="postgres12").of("connection-rate")
    assert other.verdict is Verdict.SKIP
    assert "nothing says that frontend stores in DSQL" in other.unjudged[0].reason


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(ROLES),
    st.sampled_from(
        ["DSQL_CONNECTION_RATE_LIMIT", "DSQL_CONNECTION_BURST_LIMIT", "TEMPORAL_SQL_MAX_CONNS"]
    ),
    st.integers(1, 2000),
    st.integers(1, 2000),
)
def test_more_is_never_better(role: str, variable: str, less: int, more: int) -> None:
    """A sum that is refused with a number is refused with every larger one."""
    less, more = sorted((less, more))
    rules = ("connections", "connection-rate", "burst", "cold-start")
    smaller = cluster().set(role, **{variable: str(less)}).draft().judged(FAMILY)
    larger = cluster().set(role, **{variable: str(more)}).draft().judged(FAMILY)
    for rule in rules:
        if smaller.of(f"budget-{rule}").verdict is Verdict.NG:
            assert larger.of(f"budget-{rule}").verdict is Verdict.NG
