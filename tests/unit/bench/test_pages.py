"""Prometheus pages of servers and of the SDK, as they really look."""

import asyncio
import math
from types import SimpleNamespace

import psutil
import pytest

from temporal_dsql_deploy.bench import prometheus_page, sdk_page, servers
from temporal_dsql_deploy.bench.sdk_page import Waits
from temporal_dsql_deploy.bench.servers import Metrics

SDK = """\
# HELP temporal_num_pollers Current number of active pollers per queue type
# TYPE temporal_num_pollers gauge
temporal_num_pollers{namespace="b",poller_type="activity_task",task_queue="q"} 5
temporal_num_pollers{namespace="b",poller_type="sticky_workflow_task",task_queue="q"} 6
temporal_num_pollers{namespace="b",poller_type="workflow_task",task_queue="q"} 4
temporal_num_pollers{namespace="b",poller_type="workflow_task",task_queue="other"} 100
temporal_worker_task_slots_available{task_queue="q",worker_type="ActivityWorker"} 17
temporal_worker_task_slots_available{task_queue="q",worker_type="LocalActivityWorker"} 3
temporal_worker_task_slots_available{task_queue="q",worker_type="WorkflowWorker"} 198
temporal_workflow_task_schedule_to_start_latency_seconds_bucket{task_queue="q",le="0.01"} 1
temporal_workflow_task_schedule_to_start_latency_seconds_bucket{task_queue="q",le="0.1"} 3
temporal_workflow_task_schedule_to_start_latency_seconds_bucket{task_queue="q",le="+Inf"} 3
temporal_workflow_task_schedule_to_start_latency_seconds_sum{task_queue="q"} 0.15
temporal_workflow_task_schedule_to_start_latency_seconds_count{task_queue="q"} 3
temporal_workflow_task_schedule_to_start_latency_seconds_count{task_queue="other"} 50
"""
SERVER = """\
persistence_latency_sum{operation="UpdateWorkflowExecution",service_name="history"} 2.5
persistence_latency_count{operation="UpdateWorkflowExecution",service_name="history"} 500
persistence_latency_sum{operation="GetTransferTasks",service_name="history"} 0.5
persistence_latency_count{operation="GetTransferTasks",service_name="history"} 500
service_errors_resource_exhausted{operation="Start",resource_exhausted_cause="RpsLimit"} 3
service_errors_resource_exhausted{operation="Poll",resource_exhausted_cause="RpsLimit"} 4
persistence_sql_open_conn{db_kind="main"} 10
persistence_sql_open_conn{db_kind="visibility"} 99
persistence_errors{operation="ListNexusEndpoints"} 1000
persistence_errors{operation="UpdateWorkflowExecution"} 2
not a sample
persistence_errors{operation="Broken"} x
"""


def test_the_page_of_a_worker() -> None:
    seen = sdk_page.read(SDK, "q")
    assert (seen.workflow_pollers, seen.sticky_pollers, seen.activity_pollers) == (4, 6, 5)
    assert (seen.workflow_slots, seen.activity_slots) == (198, 17)
    assert (seen.workflow_tasks.sum, seen.workflow_tasks.count) == (0.15, 3)
    assert seen.workflow_tasks.buckets == {0.01: 1, 0.1: 3, math.inf: 3}
    assert seen.activities.count == 0


def test_a_page_that_is_not_there_is_nothing() -> None:
    assert sdk_page.look("http://127.0.0.1:9/metrics", "q") == sdk_page.Look()


def test_waits_since_an_earlier_look() -> None:
    before = Waits(0.05, 1, {0.01: 1, 0.1: 1, math.inf: 1})
    now = sdk_page.read(SDK, "q").workflow_tasks
    assert now.mean_since(before) == pytest.approx(0.05)
    assert now.mean_since(now) is None
    since = now.minus(before).histogram()
    assert since.count == 2
    assert math.isclose(since.max, 0.1, rel_tol=1e-3)
    assert Waits.from_json(now.to_json()) == now


def test_the_page_of_a_server() -> None:
    seen = servers.read(SERVER)
    assert seen.mean() == 0.003
    assert seen.by_operation() == {"UpdateWorkflowExecution": 5.0, "GetTransferTasks": 1.0}
    assert seen.by_operation(most=1) == {"UpdateWorkflowExecution": 5.0}
    assert seen.exhausted == {"RpsLimit": 7}
    assert seen.database == {"persistence_sql_open_conn": 10, "persistence_errors": 2}


def test_milliseconds_are_milliseconds() -> None:
    page = (
        'persistence_latency_milliseconds_sum{operation="A"} 3000\n'
        'persistence_latency_milliseconds_count{operation="A"} 1000\n'
    )
    assert servers.read(page).mean() == 0.003


def test_counters_grow_and_gauges_are() -> None:
    before, now = servers.read(SERVER), servers.read(SERVER)
    now.database["persistence_errors"] += 5
    now.database["persistence_sql_open_conn"] = 4
    now.seconds["GetTransferTasks"] += 1
    now.calls["GetTransferTasks"] += 10
    grown = now.minus(before)
    assert grown.database == {"persistence_sql_open_conn": 4, "persistence_errors": 5}
    assert grown.mean() == 0.1
    assert grown.exhausted == {"RpsLimit": 0}


def test_a_server_that_was_started_again_counts_from_nothing() -> None:
    before = servers.read(SERVER)
    again = Metrics()
    again.calls["UpdateWorkflowExecution"] = 5
    again.seconds["UpdateWorkflowExecution"] = 1
    grown = again.minus(before)
    assert grown.calls == {"UpdateWorkflowExecution": 5}
    assert grown.mean() == 0.2


def test_samples_of_other_names_are_passed_over() -> None:
    found = list(prometheus_page.samples('a{x="1\\"2"} 3\nab 4\na 5\na\n', ["a"]))
    assert [(one.labels, one.value) for one in found] == [({"x": '1\\"2'}, 3.0), ({}, 5.0)]


def test_a_page_that_is_missed_once_is_no_jump(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what the server has counted in all its life, nor a page of two, becomes growth."""
    second = SERVER.replace("} 500", "} 510").replace('RpsLimit"} 3', 'RpsLimit"} 5')
    pages = {"a": ["", SERVER, "", second, second], "b": [SERVER, SERVER, SERVER, SERVER, SERVER]}
    monkeypatch.setattr(prometheus_page, "fetch", lambda url: pages[url].pop(0))
    watch = servers.Watch(["a", "b"], list, 10.0)

    async def looks() -> list[float]:
        return [sum((await watch._look()).calls.values()) for _ in range(5)]

    assert asyncio.run(looks()) == [0, 0, 0, 20, 0]
    assert watch.grown().exhausted == {"RpsLimit": 2}
    assert watch.grown().database["persistence_sql_open_conn"] == 20


def test_a_server_that_comes_back_is_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several servers one is away for a while; nothing that it has used before is growth."""
    used = {1: 10.0, 2: 20.0}

    class Process:
        def __init__(self, pid: int) -> None:
            if pid not in used:
                raise psutil.NoSuchProcess(pid)
            self._used = used[pid]

        def cpu_times(self) -> SimpleNamespace:
            return SimpleNamespace(user=self._used, system=0.0)

    monkeypatch.setattr(psutil, "Process", Process)
    monkeypatch.setattr(servers, "_FIND_AGAIN", 0.0)
    watch = servers.Watch([], lambda: list(used), 10.0)
    assert watch._cpu() == 30
    del used[2]
    assert watch._cpu() is None
    assert watch._cpu() == 10
    used[3] = 7.0
    assert watch._cpu() is None
    assert watch._cpu() == 17


@pytest.mark.parametrize("took", [0.05, 0.1, 0.15])
@pytest.mark.parametrize("load", [10.0, 60.0, 3600.0])
def test_a_large_page_is_read_in_every_quarter_of_the_load(took: float, load: float) -> None:
    """Or of three seconds; a look begins with a second, so up to one passes after the rest."""
    assert took + servers.rest(took, load) + 1 <= max(3.0, load / 4)


def test_looking_costs_little_and_leaves_a_starved_server_alone() -> None:
    assert servers.rest(0.001, 10.0) == pytest.approx(0.1)
    assert servers.rest(0.05, 3600.0) == pytest.approx(5.0)
    assert servers.rest(2.0, 10.0) == pytest.approx(20.0)
