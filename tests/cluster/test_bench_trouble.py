"""A benchmark that is interrupted, killed, or apart from its workers; and a server that is away."""

import json
import signal
import time

import psutil

from tests.cluster.test_json import check
from tests.support.bench_runs import EASY, SHORT, count, until
from tests.support.deploy import Deploy


def test_ctrl_c_while_cleaning_up_loses_neither_result_nor_cleaning(running: Deploy) -> None:
    namespace = f"benchmark-cleaning-{time.time_ns()}"
    run = running.start(
        "bench", "run", "local", *SHORT, "--completion-timeout", "1s", "--namespace", namespace,
        "--workload", "timer", "--timer-duration", "5m", "--json",
    )  # fmt: skip
    until(run, "cleaning up")
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
    until(run, "iteration 2 of 2")
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
    until(run, "iteration 1 of 1")
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
    until(run, "iteration 1 of 1")
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
    until(run, "iteration 1 of 1")
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
    until(first, "iteration 1 of 1")
    second = running.run("bench", "run", "local", *SHORT, check=False)
    assert second.returncode == 4
    assert "workflows of another benchmark are open" in second.stderr
    out, said = first.communicate(timeout=120)
    assert first.returncode == 0, out + said


def test_a_worker_process_that_dies_is_said(running: Deploy) -> None:
    run = running.start(
        "bench", "run", "local", *SHORT, "--workers", "2", "--json", "--duration", "6s"
    )
    until(run, "iteration 1 of 1")
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
    until(gone, "polling in namespace")
    gone.send_signal(signal.SIGTERM)
    gone.communicate(timeout=60)
    assert gone.returncode == 130
    generator = running.start("bench", "run", *shared, "--generator-only", *SHORT, *EASY, "--json")
    # Matching remembers the poller for minutes, and nobody answers.
    until(generator, "0 of 1 workers are there")
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
