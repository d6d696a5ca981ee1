"""The benchmark on a real server: what it was told, what it says, what it leaves behind."""

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from temporalio.client import Client

from temporal_dsql_deploy.bench.options import WORKLOADS
from tests.cluster.test_json import check
from tests.support.deploy import Deploy

SHORT = (
    "--rate",
    "10",
    "--duration",
    "4s",
    "--ramp-up",
    "0",
    "--max-p99",
    "5m",
    "--max-lag",
    "30s",
)
"""What any machine manages; what is asserted is not how fast it was."""
EASY = ("--min-throughput", "0", "--start-timeout", "1m", "--completion-timeout", "2m")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deploy]:
    command = Deploy(tmp_path_factory.mktemp("bench"))
    command.run("up")
    yield command
    command.clean_up()


@pytest.fixture
def running(cluster: Deploy) -> Iterator[Deploy]:
    """The cluster that runs; what a test has started there ends with it."""
    yield cluster
    cluster.end_started()


def bench(deploy: Deploy, *options: str, code: int = 0) -> Any:
    """The result of a run, which is as its schema says."""
    done = deploy.run("bench", "run", "local", *SHORT, *EASY, *options, "--json", check=False)
    assert done.returncode == code, f"{done.stdout}{done.stderr}"
    result = json.loads(done.stdout)
    check("bench-run", result)
    return result


def count(deploy: Deploy, namespace: str, query: str = "ExecutionStatus = 'Running'") -> int:
    """How many workflows visibility has."""

    async def ask() -> int:
        client = await Client.connect(deploy.address, namespace=namespace)
        return (await client.count_workflows(query)).count

    return asyncio.run(ask())


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


def test_ctrl_c_while_cleaning_up_loses_neither_result_nor_cleaning(running: Deploy) -> None:
    namespace = f"benchmark-cleaning-{time.time_ns()}"
    run = running.start(
        "bench", "run", "local", *SHORT, "--completion-timeout", "1s", "--namespace", namespace,
        "--workload", "timer", "--timer-duration", "5m", "--json",
    )  # fmt: skip
    _until(run, "cleaning up")
    run.send_signal(signal.SIGINT)
    out, said = run.communicate(timeout=120)
    assert run.returncode == 1, said
    assert "still cleaning up" in said
    check("bench-run", json.loads(out))
    assert json.loads(out)["warnings"] == []
    assert count(running, namespace) == 0


def test_iterations_that_ended_are_kept_when_a_later_one_is_interrupted(running: Deploy) -> None:
    run = running.start(
        "bench", "run", "local", *SHORT, *EASY, "--iterations", "2", "--duration", "3s", "--json"
    )
    _until(run, "iteration 2 of 2")
    run.send_signal(signal.SIGINT)
    out, said = run.communicate(timeout=120)
    assert run.returncode == 130, said
    result = json.loads(out)
    check("bench-run", result)
    assert len(result["iterations"]) == 1
    assert result["failureReasons"] == ["only 1 of 2 iterations were run"]
    assert running.json("bench", "results", result["id"]) == result


def test_ctrl_c_leaves_nothing_open_and_no_process(running: Deploy) -> None:
    namespace = f"benchmark-interrupted-{time.time_ns()}"
    run = running.start(
        "bench", "run", "local", "--rate", "10", "--duration", "5m", "--namespace", namespace,
        "--workload", "timer", "--timer-duration", "5m",
    )  # fmt: skip
    _until(run, "iteration 1 of 1")
    own = psutil.Process(run.pid)
    while len(own.children()) < 2:
        time.sleep(0.05)
    children = own.children()
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=120)
    assert run.returncode == 130
    assert "Traceback" not in said
    assert "cleaning up" in said
    assert not [one for one in children if one.is_running()]
    assert count(running, namespace) == 0


def test_what_a_killed_run_left_is_refused_with_the_way_out(deploy: Deploy) -> None:
    deploy.run("up")
    namespace = f"benchmark-killed-{time.time_ns()}"
    run = deploy.start(
        "bench", "run", "local", "--rate", "10", "--duration", "5m", "--namespace", namespace,
        "--workload", "timer", "--timer-duration", "5m",
    )  # fmt: skip
    _until(run, "iteration 1 of 1")
    children: list[psutil.Process] = []
    while len(children) < 2 or not count(deploy, namespace):
        children = psutil.Process(run.pid).children()
        time.sleep(0.1)
    run.kill()
    run.communicate()
    # They have lost who they belong to.
    assert psutil.wait_procs(children, timeout=60)[1] == []
    refused = deploy.run("bench", "run", "local", *SHORT, check=False)
    assert refused.returncode == 4
    assert "[residue-found]" in refused.stderr
    assert f"--address {deploy.address} --namespace {namespace} " in refused.stderr


def test_a_server_that_is_killed_and_comes_back_loses_nothing(deploy: Deploy) -> None:
    deploy.run("up")
    run = deploy.start(
        "bench", "run", "local", "--rate", "10", "--duration", "25s", "--ramp-up", "0",
        "--start-timeout", "1m", "--completion-timeout", "3m", "--max-p99", "2m",
        "--min-throughput", "0", "--max-lag", "30s", "--json",
    )  # fmt: skip
    _until(run, "iteration 1 of 1")
    time.sleep(6)
    psutil.Process(deploy.record().process.pid).kill()
    time.sleep(4)
    deploy.run("up")
    out, said = run.communicate(timeout=280)
    assert run.returncode == 0, out[-3000:] + said
    result = json.loads(out)
    check("bench-run", result)
    one = result["iterations"][0]
    counts = one["counts"]
    assert counts["due"] == 250
    assert (counts["lost"], counts["unfinished"], counts["failed"]) == (0, 0, 0)
    assert counts["completed"] == counts["accepted"] + counts["unconfirmed"]
    assert counts["completed"] == 250 - counts["dropped"] - counts["rejected"]
    assert sum(one["rejections"].values()) > 0
    # The server was away for four seconds at least, and nothing can have completed meanwhile.
    gap = longest_gap([second["completed"] for second in one["series"]])
    assert gap >= 3
    assert one["latency"]["max"] >= 3000
    listed = count(deploy, result["config"]["namespace"], "WorkflowType = 'simple'")
    assert listed == counts["completed"]


def longest_gap(completed: list[int]) -> int:
    longest = now = 0
    for one in completed:
        now = 0 if one else now + 1
        longest = max(longest, now)
    return longest


def test_two_at_once_are_refused_even_with_nothing_open(running: Deploy) -> None:
    first = running.start("bench", "run", "local", *SHORT, *EASY, "--duration", "10s")
    _until(first, "iteration 1 of 1")
    second = running.run("bench", "run", "local", *SHORT, check=False)
    assert second.returncode == 4
    assert "workflows of another benchmark are open" in second.stderr
    out, said = first.communicate(timeout=120)
    assert first.returncode == 0, out + said


def test_a_worker_process_that_dies_is_said(running: Deploy) -> None:
    run = running.start(
        "bench", "run", "local", *SHORT, "--workers", "2", "--json", "--duration", "6s"
    )
    _until(run, "iteration 1 of 1")
    workers = [
        one for one in psutil.Process(run.pid).children() if "bench.worker" in one.cmdline()[-1]
    ]
    assert len(workers) == 2
    workers[0].kill()
    out, said = run.communicate(timeout=200)
    result = json.loads(out)
    assert any("a worker process ended in iteration 1" in one for one in result["warnings"]), said
    assert result["iterations"][0]["counts"]["lost"] == 0


def test_generator_and_workers_apart_find_each_other(running: Deploy) -> None:
    shared = ("--address", running.address, "--namespace", "benchmark-apart")
    workers = running.start("bench", "run", *shared, "--worker-only", "--workers", "2")
    result = json.loads(
        running.run(
            *("bench", "run", *shared, "--generator-only", "--workers", "2"),
            *SHORT,
            *EASY,
            "--json",
        ).stdout
    )
    check("bench-run", result)
    assert result["results"]["workflowsCompleted"] == 40
    assert len(result["iterations"][0]["workers"]) == 2
    _, said = workers.communicate(timeout=60)
    assert workers.returncode == 0, said
    assert "the generator is done" in said
    assert "Traceback" not in said


def test_a_worker_that_is_gone_is_not_waited_for(running: Deploy) -> None:
    shared = ("--address", running.address, "--namespace", "benchmark-gone")
    gone = running.start("bench", "run", *shared, "--worker-only")
    _until(gone, "polling in namespace")
    gone.send_signal(signal.SIGTERM)
    gone.communicate(timeout=60)
    assert gone.returncode == 130
    generator = running.start("bench", "run", *shared, "--generator-only", *SHORT, *EASY, "--json")
    # Matching remembers the poller for minutes, and nobody answers.
    _until(generator, "0 of 1 workers are there")
    worker = running.start("bench", "run", *shared, "--worker-only")
    out, said = generator.communicate(timeout=200)
    assert generator.returncode == 0, said
    assert json.loads(out)["results"]["workflowsCompleted"] == 40
    worker.communicate(timeout=60)
    assert worker.returncode == 0


def test_workers_do_not_wait_for_ever(running: Deploy) -> None:
    shared = ("--address", running.address, "--namespace", "benchmark-idle")
    done = running.run(
        "bench", "run", *shared, "--worker-only", "--idle-timeout", "2s", check=False
    )
    assert done.returncode == 1
    assert "no benchmark has come to namespace benchmark-idle" in done.stderr


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


def _until(run: subprocess.Popen[str], line: str) -> None:
    assert run.stderr is not None
    seen = []
    for said in run.stderr:
        seen.append(said)
        if line in said:
            return
    raise AssertionError(f"it ended without saying {line!r}: {seen}")
