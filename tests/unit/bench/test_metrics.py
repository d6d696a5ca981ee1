import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from socket import AF_INET, SOCK_STREAM, socket
from statistics import fmean
from urllib.request import urlopen

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from temporal_dsql_deploy.bench import metrics, recorder
from temporal_dsql_deploy.bench.metrics import Page
from temporal_dsql_deploy.bench.raw import Live
from temporal_dsql_deploy.errors import PortTaken
from tests.support import bench_results
from tests.support.bench_results import Load
from tests.support.deploy import free_ports

TROUBLED = Load(dropped=0.02, rejected=0.02, failed=0.01, unfinished=0.01)
LIVE = Live(
    number=1,
    second=9,
    target=100.0,
    due=1000,
    dropped=5,
    accepted=980,
    rejected=10,
    completed=950,
    start_p99=12.5,
    lag_p99=2.0,
)

FINISHED = bench_results.iteration(Load(seconds=3, rate=2), 1)


def value(page: Mapping[str, Metric], name: str, **labels: str) -> float:
    """The one sample of that name and those labels."""
    found = [
        sample.value
        for family in page.values()
        for sample in family.samples
        if sample.name == name and sample.labels == labels
    ]
    assert len(found) == 1, (name, labels, found)
    return found[0]


def scraped(port: int) -> dict[str, Metric]:
    """The page as Prometheus reads it; no metric stands there twice."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    families = list(text_string_to_metric_families(text))
    helps = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(set(helps)) == len(helps) == len(families)
    return {family.name: family for family in families}


def seen(page: Page) -> dict[str, Metric]:
    return {family.name: family for family in page.collect()}


@contextmanager
def worker_page(tasks: int) -> Iterator[str]:
    """A page as the SDK of a worker process has one."""
    registry = CollectorRegistry()
    Counter("temporal_request", "Requests.", ["operation"], registry=registry).labels(
        'quoted " \\ name'
    ).inc(tasks)
    latency = Histogram("temporal_latency_seconds", "Latency.", registry=registry, buckets=[0.1, 1])
    for _ in range(tasks):
        latency.observe(0.5)
    (port,) = free_ports(1)
    server, thread = start_http_server(port, addr="127.0.0.1", registry=registry)
    try:
        yield f"http://127.0.0.1:{port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_running_iteration_is_shown() -> None:
    (port,) = free_ports(1)
    with Page(port) as page:
        page.update(replace(LIVE, second=4, due=500, completed=450))
        page.update(LIVE)
        got = scraped(port)
    assert value(got, "benchmark_workflows_total", result="success") == 950
    assert value(got, "benchmark_workflows_total", result="failure") == 15
    assert value(got, "benchmark_throughput_per_second") == 95
    for name, wanted in (("due", 1000), ("dropped", 5), ("sent", 995), ("accepted", 980)):
        assert value(got, f"benchmark_{name}_total") == wanted
    assert value(got, "benchmark_rejected_total") == 10
    assert value(got, "benchmark_backlog") == 30
    assert value(got, "benchmark_lag_p99_seconds") == 0.002
    assert value(got, "benchmark_start_p99_seconds") == 0.0125
    assert value(got, "benchmark_target_per_second") == 100
    assert value(got, "benchmark_workflow_latency_seconds_count") == 0


def test_the_throughput_is_that_of_the_last_seconds() -> None:
    page = Page(0)
    for second in range(60):
        page.update(replace(LIVE, second=second, completed=5 * (second + 1)))
    for second in range(60, 70):
        page.update(replace(LIVE, second=second, completed=300 + 20 * (second - 59)))
    assert value(seen(page), "benchmark_throughput_per_second") == 20


def test_iterations_add_up() -> None:
    page = Page(0)
    first, second = (bench_results.iteration(TROUBLED, number) for number in (1, 2))
    for one in (first, second):
        page.update(replace(LIVE, number=one.number, due=7, dropped=1, completed=2, rejected=1))
        page.finished(one)
    got = seen(page)
    counts = [one.counts for one in (first, second)]
    for name in ("due", "dropped", "sent", "rejected"):
        assert value(got, f"benchmark_{name}_total") == sum(getattr(one, name) for one in counts)
    completed = sum(one.completed for one in counts)
    due = sum(one.due for one in counts)
    assert value(got, "benchmark_workflows_total", result="success") == completed
    assert value(got, "benchmark_workflows_total", result="failure") == due - completed
    assert value(got, "benchmark_workflow_latency_seconds_count") == sum(
        one.latency.count for one in (first, second)
    )
    assert value(got, "benchmark_iteration") == 2


@given(
    st.lists(
        st.tuples(*(st.integers(0, 500) for _ in range(5))),
        max_size=4,
    )
)
@settings(max_examples=100)
def test_counters_never_fall(steps: list[tuple[int, int, int, int, int]]) -> None:
    page = Page(0)
    before: dict[tuple[str, str], float] = {}
    total = [0] * 5
    for step in [*steps, None, *steps]:
        if step is None:
            page.finished(FINISHED)
            total = [0] * 5
        else:
            total = [old + more for old, more in zip(total, step, strict=True)]
            dropped, rejected, accepted, completed, _ = total
            due = sum(total)
            page.update(
                replace(
                    LIVE,
                    due=due,
                    dropped=dropped,
                    rejected=rejected,
                    accepted=accepted,
                    completed=completed,
                )
            )
        now = {
            (sample.name, str(sample.labels)): sample.value
            for family in page.collect()
            if family.type == "counter"
            for sample in family.samples
        }
        assert all(now[key] >= count for key, count in before.items())
        before = now


@given(st.lists(st.floats(1e-5, 1000), min_size=1, max_size=50))
@settings(max_examples=100)
def test_each_latency_is_in_its_bucket(latencies: list[float]) -> None:
    recorded = recorder.Histogram()
    for latency in latencies:
        recorded.record(latency)
    whole = replace(
        FINISHED.latency,
        count=len(latencies),
        mean=fmean(latencies) * 1000,
        histogram=recorded.encode(),
    )
    page = Page(0)
    page.finished(replace(FINISHED, latency=whole))
    got = seen(page)
    name = "benchmark_workflow_latency_seconds"
    buckets = {
        float(sample.labels["le"]): sample.value
        for sample in got[name].samples
        if sample.name == f"{name}_bucket"
    }
    assert sorted(buckets) == [*metrics.BOUNDS, math.inf]
    for bound, count in buckets.items():
        # The recorder knows three digits of a latency.
        least = sum(latency <= bound * 0.998 for latency in latencies)
        most = sum(latency <= bound * 1.002 for latency in latencies)
        assert least <= count <= most
    assert buckets[math.inf] == len(latencies)
    assert value(got, f"{name}_sum") == pytest.approx(sum(latencies), rel=0.002, abs=0.001)


def test_the_pages_of_the_workers_are_one() -> None:
    (port,) = free_ports(1)
    with worker_page(3) as one, worker_page(4) as other, Page(port) as page:
        page.sdk_pages({"worker-1": one, "worker-2": other})
        got = scraped(port)
    operation = 'quoted " \\ name'
    for process, count in (("worker-1", 3), ("worker-2", 4)):
        labels = {"process": process, "operation": operation}
        assert value(got, "temporal_request_total", **labels) == count
        labels = {"process": process, "le": "1.0"}
        assert value(got, "temporal_latency_seconds_bucket", **labels) == count
        assert value(got, "temporal_latency_seconds_sum", process=process) == count / 2
    assert got["temporal_latency_seconds"].type == "histogram"


def test_a_worker_that_is_gone_is_left_out() -> None:
    (port, nobody) = free_ports(2)
    with worker_page(3) as one, Page(port) as page:
        page.sdk_pages({"worker-1": one, "gone": f"http://127.0.0.1:{nobody}/metrics"})
        got = scraped(port)
    processes = {
        sample.labels["process"]
        for family in got.values()
        for sample in family.samples
        if "process" in sample.labels
    }
    assert processes == {"worker-1"}


def test_a_taken_port_is_said() -> None:
    with socket(AF_INET, SOCK_STREAM) as other:
        other.bind(("0.0.0.0", 0))  # noqa: S104
        other.listen()
        with pytest.raises(PortTaken) as refused, Page(other.getsockname()[1]):
            pass
    assert "--metrics-port" in refused.value.fix
    assert "Address already in use" in refused.value.cause


def test_the_port_is_free_again_afterwards() -> None:
    (port,) = free_ports(1)
    for _ in range(2):
        with Page(port):
            scraped(port)


def test_without_a_port_there_is_no_page() -> None:
    with Page(0) as page:
        page.update(LIVE)
        page.sdk_pages({})
