"""The canary's metrics, as a Prometheus would read them."""

import urllib.request
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from temporal_dsql_deploy.errors import NotRunning, PortTaken
from temporal_dsql_deploy.operations.probe import watch
from temporal_dsql_deploy.operations.probe.result import CheckResult, ClosedPath, ProbeResult
from temporal_dsql_deploy.operations.probe.watch import Metrics

AT = datetime(2026, 11, 22, tzinfo=UTC)
PATH = ClosedPath("worker", "history", "grpc", 7234, certain=True)


def result(*, ok: bool, paths: list[ClosedPath]) -> ProbeResult:
    checks = [CheckResult("workflow", True, 0.05), CheckResult("schedule", ok, 15.0)]
    checks.append(CheckResult("batch", ok=True, seconds=0, left_out="not now"))
    return ProbeResult("127.0.0.1:7233", "default", "x", ok, AT, 15.1, checks, paths)


def read(port: int) -> dict[tuple[str, tuple[str, ...]], float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as page:
        families = text_string_to_metric_families(page.read().decode())
        return {
            (sample.name.removeprefix("dsql_deploy_probe_"), tuple(sample.labels.values())): (
                sample.value
            )
            for family in families
            for sample in family.samples
        }


def test_the_page_shows_the_last_round_and_counts_all() -> None:
    metrics = Metrics("cluster")
    with metrics.served(0) as port:
        metrics.take(result(ok=False, paths=[PATH]))
        shown = read(port)
        assert shown["ok", ()] == 0
        assert shown["check_ok", ("schedule",)] == 0
        assert shown["check_seconds", ("workflow",)] == 0.05
        assert shown["closed_path", ("history", "worker", "true", "grpc")] == 1
        assert shown["info", ("cluster",)] == 1
        metrics.take(result(ok=True, paths=[]))
        shown = read(port)
        assert shown["ok", ()] == 1
        assert not [name for name, _ in shown if name == "closed_path"]
        assert ("check_ok", ("batch",)) not in shown, "it was not tried"
        assert shown["rounds_total", ("ok",)] == shown["rounds_total", ("failed",)] == 1
        with pytest.raises(PortTaken, match=str(port)), Metrics("other").served(port):
            pass


def test_a_cluster_that_does_not_run_is_a_failed_round() -> None:
    class Stopped:
        name = "local"

        def frontend(self) -> str:
            raise NotRunning("local does not run", fix="start it")

    stopped: Any = Stopped()
    found = next(watch.rounds(stopped, "default", deadline=1, interval=1))
    assert not found.ok
    assert [(check.error, check.meaning) for check in found.checks] == [
        ("local does not run", "start it")
    ]
