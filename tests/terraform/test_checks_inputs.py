"""A hundred variable sets that Hypothesis draws, planned by the real Terraform and judged.

Whatever is drawn, only two things may be wrong with a plan that Terraform makes: too little room
for its tasks, and too much asked of DSQL. What the checks say of these two has to agree with
oracles that are simple and know nothing of them: one says when there is trouble for sure, the
other when there is none for sure.
"""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy.checks import Judgement, Subject, judge
from temporal_dsql_deploy.plan import Plan
from temporal_dsql_deploy.terraform import known
from tests.support import plans

SETS = 104
ENOUGH = 100
"""That Terraform takes: it may refuse the others for the connections they would hold."""
CONNECTIONS = 10_000
PER_SECOND = 100
AT_ONCE = 1_000
"""What DSQL takes: Aurora DSQL user guide, quotas."""
_LEAST_START_PERIOD = 60
"""Seconds: of what every server is given to start, what is left after the staggered wait."""
_ROLES = ("history", "matching", "frontend", "worker")
_ROOM = {
    # vCPU x 1024, the least that is left of the memory, interfaces for tasks without trunking.
    "m7g.large": (2048, 7373, 2),
    "m7g.xlarge": (4096, 14745, 3),
    "c7g.xlarge": (4096, 7373, 3),
    "r7g.large": (2048, 14745, 2),
    "m7g.2xlarge": (8192, 29491, 3),
}
"""AWS's own table of instance types; of the memory a tenth is taken to be the system's."""
Variables = dict[str, Any]


@st.composite
def roles(draw: st.DrawFn) -> Variables:
    """Sizes and replicas of the four roles."""
    made = {}
    for role in _ROLES:
        cpu = draw(st.sampled_from([512, 1024, 2048]))
        made[role] = {
            "cpu": cpu,
            "memory": cpu * draw(st.sampled_from([2, 4])),
            "replicas": draw(st.integers(1, 6)),
        }
    return made


@st.composite
def capacity(draw: st.DrawFn) -> Variables:
    """Instances, few and many."""
    least = draw(st.integers(1, 6))
    count = least + draw(st.integers(0, 6))
    return {
        "instance_type": draw(st.sampled_from(sorted(_ROOM))),
        "min_size": least,
        "instance_count": count,
        "max_size": count + draw(st.integers(0, 24)),
    }


@st.composite
def connections(draw: st.DrawFn) -> Variables:
    """How DSQL is shared out, by every way there is of counting."""
    reservoir = draw(st.booleans())
    limiter = draw(st.booleans())
    # More than these, by the few connects of a process alone, would take longer than ECS waits.
    sizes = [5, 20, 50, 100] if reservoir or limiter else [5, 20, 50]
    most = draw(st.sampled_from(sizes))
    # More ready than a pool may hold are a mistake, which a rule names.
    ready = draw(st.integers(1, min(30, most)))
    base = draw(st.integers(300, 2000))
    return {
        "max_conns": most,
        "rate_share": draw(st.sampled_from([0.3, 0.7, 1])),
        "staggered_startup_seconds": draw(st.integers(0, 30)),
        "rate_limiter_enabled": limiter,
        "reservoir_enabled": reservoir,
        "distributed_conn_lease_enabled": reservoir and draw(st.booleans()),
        "reservoir": {
            "target_ready": ready,
            "low_watermark": draw(st.integers(1, ready)),
            "base_lifetime_seconds": base,
            "lifetime_jitter_seconds": draw(st.integers(0, 600)),
            "guard_window_seconds": draw(st.integers(5, 120)),
        },
    }


TELEMETRY = [
    {},
    {"collector": "alloy"},
    {"loki_enabled": False},
    {"collector": "none", "loki_enabled": False},
    {"collector": "none", "loki_enabled": False, "adot_enabled": True},
    {"grafana_enabled": False, "flow_logs_enabled": False},
]


@st.composite
def variable_sets(draw: st.DrawFn) -> Variables:
    """Values of an environment's variables that Terraform need not refuse."""
    return {
        "roles": draw(roles()),
        "capacity": draw(capacity()),
        "connections": draw(connections()),
        "telemetry": draw(st.sampled_from(TELEMETRY)),
        "placement": draw(st.sampled_from(["spread", "spread", "workload"])),
        "nat": draw(st.sampled_from(["one", "per_az"])),
        "ui": draw(st.sampled_from([{}, {"replicas": 2}, {"enabled": False}])),
        # What fits all of them: one node is too few for roles of several tasks.
        "opensearch": {"instance_type": "m6g.large.search", "instance_count": 2},
        # 16 for each task is the least that Terraform takes.
        "history_shards": draw(st.sampled_from([256, 1024, 16384])),
    }


def sample() -> list[Variables]:
    """Sets that Hypothesis draws, the same in every run."""
    drawn: dict[str, Variables] = {}

    @settings(
        max_examples=2 * SETS,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(variable_sets())
    def draw(one: Variables) -> None:
        drawn[json.dumps(one, sort_keys=True)] = one

    draw()
    return list(drawn.values())[:SETS]


@cache
def outcomes() -> tuple[known.Outcome, ...]:
    """What Terraform says to each set."""
    directory = plans.TERRAFORM / "envs" / "dev"
    how = known.Settings(var_files=[directory / "terraform.tfvars.example"], revealed=True)
    cases = [known.Case(f"{number:03}", one) for number, one in enumerate(sample())]
    return tuple(known.plans(directory, cases, how))


@pytest.mark.needs("terraform")
@pytest.mark.timeout(1800)
def test_whatever_is_drawn_the_checks_agree_with_simple_oracles() -> None:
    planned = [(one.case.variables, one.plan) for one in outcomes() if one.plan]
    assert len({json.dumps(variables) for variables, _ in planned}) >= ENOUGH
    # What Terraform refuses is what would hold more connections than there are, and no more.
    refused = [one for one in outcomes() if one.plan is None]
    assert [one.error for one in refused if not one.refused_because("the servers may hold")] == []
    wrong = {}
    for variables, plan in planned:
        said = disagreements(plan, judge(Subject(plan)))
        if said:
            wrong[json.dumps(variables)] = said
    assert wrong == {}


def disagreements(plan: Plan, judgement: Judgement) -> list[str]:
    """Where the checks and the oracles say different things of a plan."""
    found = {rule.id: one.evidence for rule, one in judgement.findings}
    oracles = {**_of_room(plan), **_of_connections(plan), **_of_starts(plan)}
    return [
        *(
            f"{rule}: nothing is wrong for sure, but: {found[rule]}"
            for rule, oracle in oracles.items()
            if oracle.fine and rule in found
        ),
        *(
            f"{rule}: wrong for sure, and not found"
            for rule, oracle in oracles.items()
            if oracle.trouble and rule not in found
        ),
        *(f"{rule}: not known here: {said}" for rule, said in found.items() if rule not in oracles),
    ]


@dataclass(frozen=True, slots=True)
class Oracle:
    """What is sure of a rule; neither where a simple look does not tell."""

    trouble: bool
    fine: bool


@dataclass(frozen=True, slots=True)
class Running:
    """A service as its task definition and percentages say."""

    cpu: int
    memory: int
    count: int
    most: int
    """Tasks during a deployment."""
    provider: str
    environment: dict[str, str]


def _running(plan: Plan) -> list[Running]:
    found = []
    tasks = plans.tasks(plan)
    counts = plan.outputs["services"].value
    for name, service in plans.services(plan).items():
        task = tasks[name]
        count = counts[name.removeprefix("temporal-")]["replicas"]
        found.append(
            Running(
                cpu=int(task["cpu"]),
                memory=int(task["memory"]),
                count=count,
                most=max(1, count, count * service["deployment_maximum_percent"] // 100),
                provider=service["capacity_provider_strategy.0.capacity_provider"],
                environment=dict(plans.main_container(task).environment),
            )
        )
    return found


def _of_room(plan: Plan) -> dict[str, Oracle]:
    """Room by plain sums.

    For sure there is too little where all tasks together ask for more than all instances have. For
    sure there is enough where so few instances can be in the way of any task, whatever stands on
    them, that one is left, and one more where one is lost.
    """
    templates = {each["name"]: each for each in plan.of_type("aws_launch_template")}
    short, enough, enough_with_one_lost = False, True, True
    for group in plan.of_type("aws_autoscaling_group"):
        inside = [one for one in _running(plan) if one.provider == group["name"]]
        if not inside:
            continue
        cpu, memory, interfaces = _ROOM[templates[group["name"]]["instance_type"]]
        count = group["max_size"]
        sums = (
            sum(one.cpu * one.count for one in inside),
            sum(one.memory * one.count for one in inside),
            sum(one.count for one in inside),
        )
        # A tenth more than what is left for tasks: all of the memory there is.
        most = (count * cpu, count * memory * 1.12, count * interfaces)
        short = short or any(need > room for need, room in zip(sums, most, strict=True))
        for one in inside:
            left = count - sum(
                _in_the_way(need + more, room, own)
                for need, more, room, own in zip(
                    sums,
                    (one.cpu, one.memory, 1),
                    (cpu, memory, interfaces),
                    (one.cpu, one.memory, 1),
                    strict=True,
                )
            )
            enough = enough and left >= 1
            enough_with_one_lost = enough_with_one_lost and left >= 2
    return {
        # What fits on no instance at all is told by another rule alone.
        "fit-at-rest": Oracle(short and not _too_large(plan), enough),
        "fit-rolling-deployment": Oracle(trouble=False, fine=enough),
        "fit-instance-lost": Oracle(trouble=False, fine=enough_with_one_lost),
        "fit-zone-lost": Oracle(trouble=False, fine=False),
        "fit-task-size": Oracle(trouble=False, fine=not _too_large(plan)),
    }


def _in_the_way(need: int, room: int, own: int) -> int:
    """Most instances that others can fill so that a task does not fit on them."""
    free = room - own
    return need // (free + 1) if free >= 0 else need


def _too_large(plan: Plan) -> bool:
    types = [_ROOM[each["instance_type"]] for each in plan.of_type("aws_launch_template")]
    return any(
        one.cpu > cpu or one.memory > memory for one in _running(plan) for cpu, memory, _ in types
    )


def _of_connections(plan: Plan) -> dict[str, Oracle]:
    """Connections by plain sums, over the most tasks that run at one time."""
    servers = [one for one in _running(plan) if "TEMPORAL_SERVICES" in one.environment]
    limiter = any(
        one.environment.get("DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED") == "true" for one in servers
    )
    rate = sum(one.most * _number(one, "DSQL_CONNECTION_RATE_LIMIT") for one in servers)
    burst = sum(one.most * _number(one, "DSQL_CONNECTION_BURST_LIMIT") for one in servers)
    least = sum(one.most * _number(one, "TEMPORAL_SQL_MAX_CONNS") for one in servers)
    held = sum(one.most * _held(one) for one in servers)
    return {
        "budget-connection-rate": Oracle(
            rate > PER_SECOND and not limiter, fine=rate <= PER_SECOND or limiter
        ),
        "budget-burst": Oracle(burst > AT_ONCE and not limiter, fine=burst <= AT_ONCE),
        # Old tasks that stop hold theirs beside the new ones: twice as many at the most.
        "budget-connections": Oracle(least > CONNECTIONS, fine=2 * held <= CONNECTIONS),
        "budget-lease": Oracle(trouble=False, fine=2 * held <= CONNECTIONS),
        # Each forced reconnect adds what the reservoirs hold; see the law in `capacity`.
        "budget-reservoir-refill": Oracle(trouble=False, fine=10 * held <= CONNECTIONS),
        "budget-lease-leak": Oracle(trouble=False, fine=50 * held <= CONNECTIONS),
        "budget-cold-start": Oracle(trouble=False, fine=held <= AT_ONCE),
        "budget-fill-time": Oracle(trouble=False, fine=False),
        "budget-recycling": Oracle(trouble=False, fine=_replaced_slowly(servers)),
    }


def _of_starts(plan: Plan) -> dict[str, Oracle]:
    """A start is slow where its connects take long: see contract-start-period."""
    fine = all(
        4 * _held(one) <= _number(one, "DSQL_CONNECTION_RATE_LIMIT") * _LEAST_START_PERIOD
        for one in _running(plan)
        if "TEMPORAL_SERVICES" in one.environment
    )
    sure = Oracle(trouble=False, fine=fine)
    return {"contract-start-period": sure, "contract-grace-period": sure}


def _number(one: Running, variable: str) -> int:
    return int(one.environment[variable])


def _held(one: Running) -> int:
    """Of a process: four reservoirs beside its pool, measured with the plugin."""
    ready = one.environment.get("DSQL_RESERVOIR_TARGET_READY")
    return _number(one, "TEMPORAL_SQL_MAX_CONNS") + 4 * int(ready or 0)


def _replaced_slowly(servers: list[Running]) -> bool:
    """Whether even the shortest life of all that is held is within the limits of each process."""
    return all(
        _held(one) <= _number(one, "DSQL_CONNECTION_RATE_LIMIT") * _seconds(one) for one in servers
    )


def _seconds(one: Running) -> int:
    base = one.environment.get("DSQL_RESERVOIR_BASE_LIFETIME", "50s").removesuffix("s")
    guard = one.environment.get("DSQL_RESERVOIR_GUARD_WINDOW", "0s").removesuffix("s")
    return int(base) - int(guard)
