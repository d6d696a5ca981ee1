"""A counter is watched, and corrected, in a world whose clock is the test's."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from temporal_dsql_deploy.errors import NotApplied, RefusedError
from temporal_dsql_deploy.operations.lease import run
from temporal_dsql_deploy.operations.lease.look import Sources, look
from temporal_dsql_deploy.operations.lease.proof import LATE_MINUTES, Verdict
from temporal_dsql_deploy.operations.lease.run import Watching
from temporal_dsql_deploy.persistence.lease import Counter, Leases
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed

START = datetime(2026, 11, 22, 12, 0, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROLES = ("frontend", "history", "matching", "worker")
DEPLOYED = Deployed(
    "prod",
    "123456789012",
    "eu-west-1",
    "temporal-prod",
    {
        "dynamodb_table_names": {"conn_lease": "leases", "rate_limiter": None},
        "ecs_cluster_name": "temporal-prod-cluster",
        "dsql_cluster_endpoint": "id.dsql.eu-west-1.on.aws",
        "dsql_cluster_arn": "arn:aws:dsql:eu-west-1:123456789012:cluster/id",
        "services": {
            **{role: {"service_name": f"x-{role}", "container_name": role} for role in ROLES},
            "ui": {"service_name": "x-ui", "container_name": "ui"},
        },
    },
)
LEASING = {
    "DSQL_DISTRIBUTED_CONN_LEASE_ENABLED": "true",
    "DSQL_DISTRIBUTED_CONN_LIMIT": "260",
    "DSQL_RESERVOIR_ENABLED": "true",
    "DSQL_RESERVOIR_TARGET_READY": "10",
    "DSQL_RESERVOIR_LOW_WATERMARK": "5",
    "TEMPORAL_SQL_MAX_CONNS": "10",
}


class World:
    """A cluster, its table, CloudWatch that is three minutes late, and ECS."""

    name, endpoint = "leases", "id.dsql.eu-west-1.on.aws"

    def __init__(self, active: int | None, opened: int) -> None:
        self.now = START
        self.active = active
        self.opened = opened
        self.alive = 0
        self.reset: datetime | None = None
        self.running = 1
        self.environment = dict(LEASING)
        self.moves = True
        self.late = 3
        self.before_write: list[Callable[[], None]] = []
        self.written: list[int] = []
        self.said: list[str] = []

    def sources(self) -> Sources:
        made: Any = self
        return Sources(DEPLOYED, made, made, made, lambda: self.now)

    def watching(self) -> Watching:
        return Watching(self.said.append, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    # The table.
    def counter(self) -> Counter | None:
        updated = self.now if self.moves else START - MINUTE * 60
        return None if self.active is None else Counter(self.active, updated, self.reset)

    def leases(self, _: datetime) -> Leases:
        return Leases(self.counter(), self.alive, 0, {})

    def replace(self, seen: Counter, active: int, now: datetime) -> bool:
        if self.before_write:
            self.before_write.pop(0)()
        if (seen.active, seen.reset) != (self.active, self.reset):
            return False
        self.active, self.reset = active, now
        self.written.append(active)
        return True

    # CloudWatch.
    def read(self, since: datetime, until: datetime) -> Mapping[datetime, int]:
        first = since.replace(second=0, microsecond=0)
        minutes = int((until - first) / MINUTE) - self.late
        return {first + MINUTE * number: self.opened for number in range(minutes)}

    # ECS.
    def describe_services(self, cluster: str, services: list[str]) -> Any:
        assert cluster == "temporal-prod-cluster"
        assert sorted(services) == [f"x-{role}" for role in ROLES]
        told = [{"serviceName": one, "runningCount": self.running} for one in services]
        return {"services": [{**one, "taskDefinition": one["serviceName"]} for one in told]}

    def describe_task_definition(self, taskDefinition: str) -> Any:  # noqa: N803 - boto3's name
        pairs = [{"name": name, "value": value} for name, value in self.environment.items()]
        role = taskDefinition.removeprefix("x-")
        containers = [{"name": "log-router"}, {"name": role, "environment": pairs}]
        return {"taskDefinition": {"containerDefinitions": containers}}


def test_a_counter_that_stands_still_is_judged_at_once() -> None:
    """All tasks were killed: 235 leases, no connection."""
    world = World(235, 0)
    world.moves = False
    status = run.show(world.sources())
    assert (status.verdict, status.leaked, status.limit) == (Verdict.WRONG, 235, 260)
    assert (status.tasks, status.tasks_hold, status.needed_minutes) == (4, 200, 14)
    seen = look(world.sources())
    assert run.plan(world.sources(), seen).after == 0
    assert world.written == []
    result = run.reset(world.sources(), seen, world.said.append)
    assert (result.before, result.after, result.tries) == (235, 0, 1)
    assert world.active == 0
    with pytest.raises(RefusedError, match="is not reset"):
        run.plan(world.sources(), look(world.sources()))


def test_a_counter_that_moves_is_refused_with_the_numbers() -> None:
    world = World(235, 109)
    with pytest.raises(RefusedError) as raised:
        run.plan(world.sources(), look(world.sources()))
    assert "it says 235, 109 were open at 11:56 UTC" in raised.value.cause
    assert "dsql-deploy lease reset ENV --watch" in raised.value.fix
    assert "14 to 29 minutes" in raised.value.fix


def test_watching_proves_it_when_cloudwatch_has_seen_the_same_minutes() -> None:
    world = World(235, 109)
    seen = run.watch(world.sources(), 10, world.watching())
    assert seen.proof.verdict is Verdict.WRONG
    # 14 whole minutes, the broken one before them, and what CloudWatch is late.
    assert START + MINUTE * 17 <= world.now <= START + MINUTE * 19
    assert world.said[0].startswith("counter 235, 109 open at 11:56 UTC; 0 of 14 minutes")
    assert world.said[-1].endswith("13 of 14 minutes are known")
    assert run.reset(world.sources(), seen, world.said.append).after == 109


def test_watching_ends_as_soon_as_the_counter_is_seen_to_be_right() -> None:
    world = World(235, 109)

    def sleep(seconds: float) -> None:
        world.sleep(seconds)
        if world.now > START + MINUTE * 5:
            world.opened = 230

    seen = run.watch(world.sources(), 10, Watching(world.said.append, sleep))
    assert seen.proof.verdict is Verdict.RIGHT
    assert world.now < START + MINUTE * 8
    with pytest.raises(RefusedError) as raised:
        run.plan(world.sources(), seen)
    assert "nothing has to be done" in raised.value.fix


def test_watching_ends_where_cloudwatch_never_says_anything() -> None:
    world = World(235, 109)
    world.late = 1000
    seen = run.watch(world.sources(), 10, world.watching())
    assert seen.proof.verdict is Verdict.UNKNOWN
    assert world.now <= START + MINUTE * (14 + LATE_MINUTES + 3)
    assert len(world.said) == 1
    with pytest.raises(RefusedError, match="is not reset") as raised:
        run.plan(world.sources(), seen)
    assert "CloudWatch has no count of this cluster's connections" in raised.value.cause


def test_without_tasks_the_silence_of_cloudwatch_is_no_proof() -> None:
    """`env` gives the variables of the lease to roles that run off ECS, where those of ECS stop."""
    world = World(80, 80)
    world.late, world.running = 1000, 0
    for world.moves in (True, False):
        seen = run.watch(world.sources(), 10, world.watching())
        assert (seen.proof.verdict, seen.proof.leaked) == (Verdict.UNKNOWN, 0)
        with pytest.raises(RefusedError, match="is not reset") as raised:
            run.reset(world.sources(), seen, world.said.append)
        assert "open one with psql and leave it open" in raised.value.fix
    assert world.written == []


def test_a_watch_outlasts_what_dead_connections_keep() -> None:
    """Their leases are given back at the age limit of the reservoir: they have not leaked."""
    world = World(235, 109)
    world.environment["DSQL_RESERVOIR_BASE_LIFETIME"] = "1800s"
    assert look(world.sources()).minutes == 33
    assert look(world.sources(), minutes=60).minutes == 60


def test_a_reset_of_another_ends_what_was_known() -> None:
    world = World(235, 109)
    sleeps: list[float] = []

    def sleep(seconds: float) -> None:
        world.sleep(seconds)
        sleeps.append(seconds)
        if len(sleeps) == 20:
            world.reset, world.active = world.now, 200

    seen = run.watch(world.sources(), 10, Watching(world.said.append, sleep))
    assert seen.proof.verdict is Verdict.WRONG
    assert world.reset is not None
    assert min(one.at for one in seen.samples) >= world.reset
    assert seen.proof.leaked == 91


def test_a_counter_that_moves_while_it_is_written_is_read_again() -> None:
    world = World(235, 109)
    seen = run.watch(world.sources(), 10, world.watching())

    def opens() -> None:
        assert world.active is not None
        world.active += 7

    world.before_write = [opens, opens]
    result = run.reset(world.sources(), seen, world.said.append)
    # What has leaked is taken, and what was opened meanwhile stays counted.
    assert (result.before, result.after, result.tries) == (249, 123, 3)
    assert "the counter went from 235 to 242 meanwhile" in world.said[-2]
    assert world.written == [123]


def test_of_two_resets_at_one_time_one_is_done() -> None:
    world = World(235, 109)
    seen = run.watch(world.sources(), 10, world.watching())
    other = look(world.sources(), seen)

    def meanwhile() -> None:
        run.reset(world.sources(), other, world.said.append)

    world.before_write = [meanwhile]
    with pytest.raises(RefusedError) as raised:
        run.reset(world.sources(), seen, world.said.append)
    assert "somebody else has reset it meanwhile" in raised.value.cause
    assert world.written == [109]


def test_a_counter_that_never_holds_still_is_left_alone() -> None:
    world = World(235, 109)
    seen = run.watch(world.sources(), 10, world.watching())

    def opens() -> None:
        assert world.active is not None
        world.active += 1

    world.before_write = [opens] * 20
    with pytest.raises(RefusedError, match="is not reset"):
        run.reset(world.sources(), seen, world.said.append)
    assert world.written == []


def test_a_counter_that_has_gone_down_meanwhile_is_not_taken_below_what_is_open() -> None:
    world = World(235, 109)
    seen = run.watch(world.sources(), 10, world.watching())

    def closes() -> None:
        world.active = 100

    world.before_write = [closes]
    with pytest.raises(RefusedError, match="is not reset"):
        run.reset(world.sources(), seen, world.said.append)
    assert world.active == 100


def test_leases_that_were_just_given_are_not_taken() -> None:
    world = World(235, 109)
    world.alive = 180
    seen = run.watch(world.sources(), 10, world.watching())
    assert run.reset(world.sources(), seen, world.said.append).after == 180


def test_a_table_without_a_counter_has_nothing_to_reset() -> None:
    world = World(None, 0)
    status = run.show(world.sources())
    assert (status.verdict, status.counter) == (Verdict.UNKNOWN, None)
    assert run.watch(world.sources(), 10, world.watching()).at == START
    with pytest.raises(RefusedError) as raised:
        run.plan(world.sources(), look(world.sources()))
    assert "no process has taken a lease yet" in raised.value.cause


def test_where_leases_are_off_it_is_said() -> None:
    for names in ({"conn_lease": None, "rate_limiter": "x"}, {}):
        outputs = {**DEPLOYED.outputs, "dynamodb_table_names": names}
        with pytest.raises(NotApplied, match="counts no connection leases"):
            Sources.of(replace(DEPLOYED, outputs=outputs))


def test_tasks_that_take_no_leases_hold_none() -> None:
    world = World(235, 109)
    world.environment["DSQL_DISTRIBUTED_CONN_LEASE_ENABLED"] = "false"
    status = run.show(world.sources())
    assert (status.tasks, status.tasks_hold, status.limit) == (0, 0, None)
