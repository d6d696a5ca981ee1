"""The benchmark on a real server: what it was told, what it says, what it leaves behind."""

import asyncio
import json
from pathlib import Path

import pytest
from temporalio.client import Client

from temporal_dsql_deploy.bench.options import WORKLOADS
from tests.cluster.test_json import check
from tests.support.bench_runs import SHORT, bench, count
from tests.support.deploy import Deploy


def test_a_run_does_what_it_was_told_and_adds_up(running: Deploy) -> None:
    """Feature: benchmark, Property 1 (parameter respect), 3 (rate), 4 (duration within 5 %) and
    8 (throughput arithmetic), on a real server.
    """
    result = bench(running, "--iterations", "2", "--seed", "3")
    assert result["config"]["options"]["seed"] == 3
    assert len(result["iterations"]) == 2
    for one in result["iterations"]:
        counts, series = one["counts"], one["series"]
        assert counts["due"] == 40
        assert counts["due"] == counts["dropped"] + counts["sent"]
        assert counts["sent"] == counts["accepted"] + counts["rejected"]
        assert counts["completed"] == counts["accepted"] == one["latency"]["count"]
        for name in ("due", "dropped", "sent", "accepted", "rejected", "completed", "failed"):
            assert sum(second[name] for second in series) == counts[name], name
        assert series[-1]["open"] == 0
        last_due = max(second["second"] for second in series if second["due"])
        assert last_due == 3
        within = sum(second["completed"] for second in series[:4]) / 4
        assert one["throughput"] == pytest.approx(within, abs=0.26)
        assert one["stateTransitions"] >= 3 * counts["completed"]
        assert one["workers"][0]["workflowTasks"] >= counts["completed"]
        assert one["clientLatency"]["count"] >= 1
        assert one["closeToListed"]["count"] >= 1
    whole = result["results"]
    assert whole["workflowsCompleted"] == whole["workflowsStarted"] == 80
    assert whole["actualRate"] == pytest.approx(
        sum(one["throughput"] for one in result["iterations"]) / 2, abs=0.01
    )
    assert result["system"]["services"] == dict.fromkeys(
        ("history", "matching", "frontend", "worker"), 1
    )
    assert result["system"]["historyShards"] == 1


@pytest.mark.parametrize("kind", WORKLOADS)
def test_a_kind_of_workflow_is_all_that_is_run(running: Deploy, kind: str) -> None:
    """Feature: benchmark, Property 2: type isolation."""
    result = bench(
        running, "--workload", kind, "--duration", "2s", "--timer-duration", "200ms", "--rate", "5"
    )
    assert result["results"]["workflowsCompleted"] == 10
    namespace = result["config"]["namespace"]
    assert count(running, namespace, f"WorkflowType = '{kind}'") == 10
    others = [one for one in WORKLOADS if one != kind]
    listed = ", ".join(f"'{one}'" for one in others)
    assert count(running, namespace, f"WorkflowType IN ({listed})") == 0


def test_workers_share_the_work(running: Deploy) -> None:
    """Feature: benchmark, Property 6: fairness over workers. None goes without."""
    result = bench(running, "--workers", "2", "--generators", "2", "--rate", "20")
    tasks = [one["workflowTasks"] for one in result["iterations"][0]["workers"]]
    assert len(tasks) == 2
    assert sum(tasks) >= 80
    assert min(tasks) >= 0.15 * sum(tasks)


def test_a_missed_threshold_is_exit_code_1_and_said(running: Deploy) -> None:
    done = running.run(
        "bench", "run", "local", *SHORT, "--max-p99", "1ms", *("--min-throughput", "0"), check=False
    )
    assert done.returncode == 1
    assert "threshold missed: p99 latency" in done.stdout
    assert "above 1 ms" in done.stdout


def test_what_is_still_open_is_ended_and_other_namespaces_are_not_touched(
    running: Deploy,
) -> None:
    """Feature: benchmark, Property 11: namespace isolation; Property 12: cleanup completeness."""

    async def other() -> None:
        client = await Client.connect(running.address)
        await client.start_workflow("nobody", id="bystander", task_queue="nobody-polls")

    asyncio.run(other())
    result = bench(
        running,
        *("--workload", "timer", "--timer-duration", "5m", "--completion-timeout", "1s"),
        code=1,
    )
    counts = result["iterations"][0]["counts"]
    assert counts["unfinished"] == counts["accepted"] == 40
    assert result["results"]["workflowsFailed"] == 40
    assert result["warnings"] == []
    namespace = result["config"]["namespace"]
    assert count(running, namespace) == 0
    assert count(running, namespace, "ExecutionStatus = 'Terminated'") >= 40
    assert count(running, "default", "WorkflowId = 'bystander' AND ExecutionStatus = 'Running'")


def test_workflows_of_others_in_the_same_namespace_are_not_touched(running: Deploy) -> None:
    """Feature: benchmark, Property 11: namespace isolation, where the namespace is shared."""
    shared = ("--namespace", "benchmark-shared", "--duration", "2s")
    bench(running, *shared)

    async def start() -> None:
        client = await Client.connect(running.address, namespace="benchmark-shared")
        await client.start_workflow("simple", id="payment", task_queue="nobody-polls")

    asyncio.run(start())
    bench(running, *shared, "--iterations", "2")
    query = "WorkflowId = 'payment' AND ExecutionStatus = 'Running'"
    assert count(running, "benchmark-shared", query) == 1
    kept = running.json("bench", "results")["results"]
    assert len({one["id"] for one in kept if one["id"].startswith("benchmark-shared")}) == 2


def test_results_are_kept_listed_and_compared(running: Deploy, tmp_path: Path) -> None:
    folder = ("--results-dir", str(tmp_path / "kept"))
    first = bench(running, *folder, "--iterations", "2", "--duration", "2s")
    out, report = tmp_path / "out.json", tmp_path / "report.html"
    second = bench(
        running, *folder, "--iterations", "2", "--duration", "2s", "--out", str(out),
        "--report", str(report),
    )  # fmt: skip
    assert json.loads(out.read_text()) == second
    assert report.read_text() == (tmp_path / "kept" / f"{second['id']}.html").read_text()
    listed = running.json("bench", "results", *folder)
    check("bench-results", listed)
    assert [one["id"] for one in listed["results"]] == [first["id"], second["id"]]
    assert running.json("bench", "results", "last", *folder) == second
    assert first["id"] in running.run("bench", "results", *folder).stdout
    found = running.json("bench", "compare", first["id"], str(out), *folder)
    check("bench-compare", found)
    assert (
        "no difference shown"
        in running.run("bench", "compare", first["id"], first["id"], *folder).stdout
    )


def test_a_cluster_that_is_not_there_is_said_at_once(deploy: Deploy) -> None:
    stopped = deploy.run("bench", "run", "local", *SHORT, check=False)
    assert stopped.returncode == 1
    assert "[not-running]" in stopped.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "--rate", "0"], 2, "--rate"),
        (["run", "--duration", "tomorrow"], 2, "is no duration"),
        (["run", "--workload", "sample"], 2, "known: simple"),
        (["run", "--rate", "nan"], 2, "--rate"),
        (["run", "--min-throughput", "nan"], 2, "it is not a number"),
        (["run", "--namespace", "bad name"], 2, "a namespace starts with"),
        (["run", "--generator-only", "--worker-only"], 2, "do not go together"),
        (["run", "local", "--address", "there:7233"], 2, "both name the cluster"),
        (["run", "--address", "there"], 2, "a host and a port"),
        (["run", "--out", "nowhere/out.json"], 3, "there is no folder"),
        (["results", "nothing"], 2, "there is no result"),
        (["compare", "a", "b"], 2, "there is no result"),
    ],
)
def test_wrong_use(deploy: Deploy, arguments: list[str], code: int, said: str) -> None:
    done = deploy.run("bench", *arguments, check=False)
    assert done.returncode == code, done.stderr
    assert said in done.stderr


def test_a_misspelt_variable_is_said(deploy: Deploy) -> None:
    done = deploy.run("bench", "run", "local", check=False, BENCHMARK_ARIVALS="poisson")
    assert "BENCHMARK_ARIVALS is no variable" in done.stderr
    assert "did you mean BENCHMARK_ARRIVALS?" in done.stderr
