"""Health checks are counted as the agent counts them."""

from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.rehearsal.ecs import placeholder
from temporal_dsql_deploy.rehearsal.ecs.definition import Check
from temporal_dsql_deploy.rehearsal.ecs.health import (
    HEALTHY,
    UNHEALTHY,
    UNKNOWN,
    Health,
    together,
)
from temporal_dsql_deploy.rehearsal.ecs.model import EC2, RUNNING, Container, Task
from tests.unit.rehearsal.test_definition import part, read

CHECK = Check(("CMD", "a"), interval=5, timeout=5, retries=3, start_period=30)


def told(*said: tuple[float, bool]) -> list[str]:
    health = Health(CHECK, started=0)
    return [health.told(well=well, now=at) for at, well in said]


def test_failures_of_the_start_period_do_not_count() -> None:
    assert told((1, False), (10, False), (29, False), (30, False), (31, False)) == [UNKNOWN] * 5
    assert told((30, False), (31, False), (32, False))[-1] == UNHEALTHY


def test_one_that_was_well_counts_from_then_on() -> None:
    assert told((1, True)) == [HEALTHY]
    assert told((1, True), (2, False), (3, False), (4, False))[2:] == [HEALTHY, UNHEALTHY]


def test_it_may_get_well_again() -> None:
    assert told((40, False), (41, False), (42, False), (43, True))[2:] == [UNHEALTHY, HEALTHY]


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_it_is_unhealthy_after_so_many_failures_in_a_row(said: list[bool]) -> None:
    health = Health(CHECK, started=-100)
    for well in said:
        health.told(well=well, now=0)
    in_a_row = 0
    for well in reversed(said):
        if well:
            break
        in_a_row += 1
    assert (health.status == UNHEALTHY) == (in_a_row >= 3)


def test_a_task_is_as_well_as_the_worst_of_its_containers() -> None:
    assert together([HEALTHY, UNHEALTHY, UNKNOWN]) == UNHEALTHY
    assert together([HEALTHY, UNKNOWN]) == UNKNOWN
    assert together([HEALTHY]) == HEALTHY
    assert together([]) == UNKNOWN


def test_the_health_of_a_placeholder_or_of_an_overridden_container_counts() -> None:
    check = {"command": ["CMD", "/none"]}
    defined = read(part("server", healthCheck=check), part("beside", essential=False))
    parts = [placeholder.played(one, defined) for one in defined.parts]
    containers = [Container(one, "arn") for one in parts]
    task = Task("t", "arn", "cluster", defined, containers, EC2, "family:f", {}, status=RUNNING)
    assert not task.ready
    assert parts[0].check is not None
    containers[0].checked = Health(parts[0].check, 0, HEALTHY)
    assert task.health == HEALTHY
    assert task.ready
