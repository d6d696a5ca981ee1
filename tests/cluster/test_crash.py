"""A server that was killed, is frozen, is somebody else's by now, or cannot be restarted."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from temporal_dsql_deploy.platforms.processes import record
from tests.support.deploy import Deploy


def test_a_stale_pid_file_never_kills_another_process(deploy: Deploy) -> None:
    deploy.run("up")
    stale = deploy.record()
    deploy.run("down")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as innocent:
        recycled = replace(stale.process, pid=innocent.pid)
        record.write(deploy.record_path, replace(stale, process=recycled, keeper=recycled))
        assert deploy.run("status", check=False).returncode == 1
        assert "nothing to do" in deploy.run("down").stdout
        record.write(deploy.record_path, replace(stale, process=recycled, keeper=recycled))
        deploy.run("up")
        deploy.run("destroy", "--yes")
        assert innocent.poll() is None
        innocent.kill()


def test_a_torn_record_is_no_record(deploy: Deploy) -> None:
    deploy.run("up")
    deploy.run("down")
    deploy.record_path.write_text('{"component": "ser')
    deploy.run("up")


def test_a_killed_keeper_takes_its_server_along_and_up_goes_on(deploy: Deploy) -> None:
    deploy.run("up")
    run = deploy.record()
    os.kill(run.keeper.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while run.process.alive():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "its server was killed" in deploy.run("probe", check=False).stderr
    deploy.run("up")


def test_a_probe_of_a_frozen_server_ends_by_its_deadline(deploy: Deploy) -> None:
    deploy.run("up")
    run = deploy.record()
    os.kill(run.process.pid, signal.SIGSTOP)
    try:
        done = deploy.run("probe", "--deadline", "0.5", check=False, timeout=60)
    finally:
        os.kill(run.process.pid, signal.SIGCONT)
    assert done.returncode == 1
    assert "FAILED" in done.stdout
    assert "look whether its frontend runs" in done.stdout


def test_what_does_not_stop_is_killed(deploy: Deploy) -> None:
    deploy.run("up")
    run = deploy.record()
    os.kill(run.process.pid, signal.SIGSTOP)
    done = deploy.run("down", "--grace", "0.5")
    assert "was killed" in done.stderr
    assert not run.process.alive()
    assert not Path(f"/proc/{run.process.pid}").exists()


def test_a_binary_that_starts_another_process_is_stopped_with_it(deploy: Deploy) -> None:
    packaged = Path(sys.executable).parent / "temporal"
    wrapper = deploy.folder / "wrapper"
    wrapper.write_text(f'#!/bin/sh\n{packaged} "$@"\n')
    wrapper.chmod(0o755)
    deploy.run("up", "--temporal-binary", str(wrapper))
    assert len(deploy.servers()) == 2
    deploy.run("down")
    assert deploy.servers() == []


def test_a_setting_that_is_refused_leaves_the_running_cluster_as_it_was(deploy: Deploy) -> None:
    option = ("--dynamic-config-value", "limit.maxIDLength=300")
    deploy.run("up", "--search-attribute", "A=Keyword", *option)
    run = deploy.record()
    more = ("--dynamic-config-value", "limit.maxIDLength=255")
    refused = deploy.run("up", "--search-attribute", "A=Int", *more, check=False)
    assert refused.returncode == 1
    assert "is Keyword, not Int" in refused.stderr
    assert deploy.record() == run


def test_a_restart_that_fails_goes_back_to_what_ran_before(deploy: Deploy) -> None:
    deploy.run("up", "--dynamic-config-value", "limit.maxIDLength=300")
    before = deploy.record()
    broken = deploy.folder / "temporal"
    broken.write_text('#!/bin/sh\n[ "$1" = --version ] && echo temporal version 1.9.1\nexit 7\n')
    broken.chmod(0o755)
    failed = deploy.run("up", "--temporal-binary", str(broken), check=False)
    assert failed.returncode == 1
    assert "went back to the settings that it ran with before" in failed.stderr
    assert deploy.record().settings == before.settings
    deploy.run("up")
    assert deploy.record().settings == before.settings


def test_a_frozen_server_is_told_and_not_waited_for(deploy: Deploy) -> None:
    deploy.run("up")
    run = deploy.record()
    os.kill(run.process.pid, signal.SIGSTOP)
    try:
        status = deploy.json("status", check=False)
        assert {part["state"] for part in status["components"]} <= {"UNREACHABLE", "STARTING"}
        planned = deploy.run("up", "--namespace", "more", "--dry-run", check=False)
    finally:
        os.kill(run.process.pid, signal.SIGCONT)
    assert planned.returncode == 1
    assert "no answer within" in planned.stderr
