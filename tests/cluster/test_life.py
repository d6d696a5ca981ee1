"""The life of a local environment, on the real server, by all its verbs."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from temporal_dsql_deploy.platforms.processes.identity import identify
from tests.support.deploy import Deploy


def test_a_whole_life(deploy: Deploy) -> None:
    up = deploy.json("up")
    assert [change["action"] for change in up["changes"]] == ["start"]
    assert up["probe"]["ok"]
    assert {part["state"] for part in up["status"]["components"]} <= {"SERVING", "STARTING"}
    first = deploy.record()

    again = deploy.run("up", "local")
    assert "already running, nothing to change" in again.stdout
    assert deploy.record() == first

    status = deploy.json("status", "local")
    assert status["healthy"]
    assert [part["name"] for part in status["components"]] == [
        *["history", "matching", "frontend", "worker", "ui", "metrics"]
    ]
    assert all(part["pid"] == first.process.pid for part in status["components"])

    probe = deploy.json("probe")
    assert [check["name"] for check in probe["checks"]][:7] == [
        *["workflow", "timer", "signal", "query", "child-workflow", "schedule", "visibility"]
    ]
    assert deploy.run("probe").stdout.count(" OK ") == len(probe["checks"])

    down = deploy.run("down")
    assert "stopped, its data is kept" in down.stdout
    assert not first.process.alive()
    assert not first.keeper.alive()
    assert "is not running, nothing to do" in deploy.run("down").stdout
    assert deploy.run("status", check=False).returncode == 1

    deploy.run("up")
    listed = deploy.json("status")
    assert listed["running"]
    assert deploy.record().process != first.process

    assert deploy.run("destroy", "--dry-run").stdout.count("would remove") == 3
    assert deploy.json("status")["running"]
    removed = deploy.json("destroy", "--yes")
    assert removed["stopped"] == {"was_running": True, "killed": False}
    assert not deploy.data.exists()
    assert "nothing to remove" in deploy.run("destroy").stdout


def test_what_a_cluster_knew_it_knows_after_down_and_up(deploy: Deploy) -> None:
    deploy.run("up", "--namespace", "orders")
    probe = deploy.json("probe", "--namespace", "orders")
    deploy.run("down")
    deploy.run("up")
    assert deploy.json("status")["namespaces"] == ["default", "orders"]
    url = f"http://127.0.0.1:{deploy.ports['http']}/api/v1/namespaces/orders/workflows"
    with urllib.request.urlopen(url, timeout=10) as answer:
        found = {run["execution"]["workflowId"] for run in json.load(answer)["executions"]}
    assert f"{probe['task_queue']}-workflow" in found


def test_the_log_is_shown_by_role_and_level_and_followed(deploy: Deploy) -> None:
    # A value of the wrong type is what makes this server say something at level WARN.
    deploy.run("up", "--dynamic-config-value", 'limit.maxIDLength="text"')
    lines = deploy.run("logs", "--component", "history", "--tail", "5", "--json").stdout
    parsed = [json.loads(line) for line in lines.splitlines()]
    assert len(parsed) == 5
    assert {line["component"] for line in parsed} == {"history"}
    assert all(line["time"] and line["level"] for line in parsed)
    warnings = deploy.run("logs", "--level", "warn", "--tail", "100000", "--json").stdout
    levels = {json.loads(line)["level"] for line in warnings.splitlines()}
    assert "WARN" in levels
    assert levels <= {"WARN", "ERROR", ""}

    following = deploy.start("logs", "--follow", "--tail", "0")
    assert following.stdout is not None
    deploy.run("probe")
    assert following.stdout.readline().strip()
    following.send_signal(signal.SIGINT)
    assert following.wait(20) == 130
    following.communicate()

    deploy.run("down")
    assert deploy.run("logs", "--tail", "1").stdout.strip()
    wrong = deploy.run("logs", "--component", "histroy", check=False)
    assert wrong.returncode == 2
    assert "history" in wrong.stderr


def test_a_page_is_opened_in_the_browser_and_printed(deploy: Deploy, tmp_path: Path) -> None:
    refused = deploy.run("open", "local", "ui", check=False)
    assert refused.returncode == 1
    assert "dsql_deploy up local" in refused.stderr or "dsql-deploy up local" in refused.stderr
    deploy.run("up")
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}\n')
    browser.chmod(0o755)
    url = f"http://127.0.0.1:{deploy.ports['ui']}"
    assert deploy.run("open", "local", "ui", BROWSER=f"{browser} %s").stdout.strip() == url
    assert seen.read_text() == url
    seen.unlink()
    metrics = deploy.run("open", "local", "metrics", "--no-browser").stdout.strip()
    assert not seen.exists()
    with urllib.request.urlopen(metrics, timeout=10) as answer:
        assert b'service_name="history"' in answer.read()
    wrong = deploy.run("open", "local", "grafana", check=False)
    assert wrong.returncode == 2
    assert "ui, metrics" in wrong.stderr


def test_status_is_watched(deploy: Deploy) -> None:
    deploy.run("up")
    watching = deploy.start("status", "--watch", "--interval", "0.1", "--json")
    assert watching.stdout is not None
    two = [json.loads(watching.stdout.readline()) for _ in range(2)]
    assert all(status["running"] for status in two)
    watching.send_signal(signal.SIGTERM)
    assert watching.wait(20) == 130
    watching.communicate()


def test_what_killed_a_server_is_told(deploy: Deploy) -> None:
    deploy.run("up")
    os.kill(deploy.record().process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while deploy.record().exit is None:
        assert time.monotonic() < deadline
    status = deploy.json("status", check=False)
    assert not status["running"]
    assert "was killed by signal 9 at" in status["facts"]["why"]
    for verb in ("probe", "open"):
        done = deploy.run(verb, check=False)
        assert done.returncode == 1
        assert "was killed by signal 9" in done.stderr
    assert "start server" in deploy.run("up").stdout


def test_history_says_serving_by_itself(deploy: Deploy) -> None:
    deploy.run("up")
    deadline = time.monotonic() + 60
    while True:
        parts = deploy.json("status")["components"]
        if {part["state"] for part in parts} == {"SERVING"}:
            break
        assert time.monotonic() < deadline, parts
    addresses = [part["address"] for part in parts]
    assert len(set(addresses)) == len(addresses)
    assert parts[2]["address"] == deploy.address


def test_nothing_of_the_command_stays_but_the_server_and_its_keeper(deploy: Deploy) -> None:
    deploy.run("up")
    run = deploy.record()
    assert [process.pid for process in deploy.servers()] == [run.process.pid]
    assert psutil.Process(run.process.pid).ppid() == run.keeper.pid
    assert identify(run.keeper.pid) == run.keeper
    with pytest.raises(ChildProcessError):
        os.waitpid(run.keeper.pid, os.WNOHANG)


def test_what_is_proposed_next_can_be_pasted(deploy: Deploy, tmp_path: Path) -> None:
    done = deploy.run("up", "--data-dir", str(tmp_path / "else where"))
    steps = [line.strip() for line in done.stdout.partition("Next:")[2].strip().splitlines()]
    assert len(steps) == 4
    for step in steps:
        command = step.replace("--follow", "--tail 1")
        pasted = subprocess.run(
            ["bash", "-c", command],
            cwd=deploy.cwd,
            env=deploy.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert pasted.returncode == 0, (step, pasted.stderr)
    assert "stopped" in pasted.stdout
