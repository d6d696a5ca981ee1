"""What goes wrong on a machine: each a clear error with a remedy, and nothing left behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import jsonschema
import pexpect
import pytest

from scripts.reference import REFERENCE
from temporal_dsql_deploy.platforms.processes import record
from tests.support.deploy import COMMAND, Deploy
from tests.support.machine import MOUNT_NAMESPACE

ERROR = json.loads((REFERENCE / "schemas" / "error.schema.json").read_text())
IN_MOUNT_NAMESPACE = [*MOUNT_NAMESPACE, "sh", "-ec"]


def test_a_taken_port_names_the_process_and_the_option(deploy: Deploy) -> None:
    for name, option in (("frontend", "--port"), ("ui", "--ui-port"), ("http", "--http-port")):
        with socket.create_server(("127.0.0.1", deploy.ports[name])):
            done = deploy.run("up", check=False)
            assert done.returncode == 3
            assert f"port {deploy.ports[name]}" in done.stderr
            assert f"process {os.getpid()} (" in done.stderr
            assert f"with {option}" in done.stderr
            assert not deploy.record_path.exists()
    deploy.run("up")


def test_a_running_cluster_is_not_touched_when_its_new_port_is_taken(deploy: Deploy) -> None:
    deploy.run("up")
    run = deploy.record()
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        done = deploy.run("up", "--ui-port", str(taken), check=False)
    assert done.returncode == 3
    assert deploy.record() == run
    assert run.alive()


def test_a_missing_binary(deploy: Deploy) -> None:
    done = deploy.run("up", "--temporal-binary", "/nowhere/temporal", check=False)
    assert done.returncode == 3
    assert "/nowhere/temporal does not exist" in done.stderr
    text = deploy.folder / "text"
    text.write_text("no program")
    text.chmod(0o755)
    done = deploy.run("up", "--temporal-binary", str(text), check=False)
    assert done.returncode == 3
    assert "not a Temporal CLI that runs here" in done.stderr
    assert not deploy.record_path.exists()


def test_a_state_directory_that_cannot_be_made(deploy: Deploy) -> None:
    (deploy.folder / "file").write_text("")
    done = deploy.run("up", XDG_STATE_HOME=str(deploy.folder / "file"), check=False)
    assert done.returncode == 3
    assert "cannot be used to keep data" in done.stderr
    assert "--data-dir" in done.stderr


def test_a_directory_of_somebody_else_is_refused_and_stays_as_it_is(deploy: Deploy) -> None:
    theirs = deploy.folder / "theirs"
    theirs.mkdir()
    (theirs / "thesis.txt").write_text("dear")
    for verb in ("up", "down", "destroy"):
        done = deploy.run(verb, "--data-dir", str(theirs), check=False)
        assert (verb, done.returncode) in {("up", 4), ("down", 0), ("destroy", 0)}
    assert [path.name for path in theirs.iterdir()] == ["thesis.txt"]
    mine = deploy.folder / "mine"
    deploy.run("up", "--data-dir", str(mine))
    deploy.write_environment(name="other")
    done = deploy.run("up", "other", "--data-dir", str(mine), check=False)
    assert done.returncode == 4
    assert "belongs to environment 'local'" in done.stderr


@pytest.mark.needs("mount namespaces")
def test_a_full_disk(deploy: Deploy) -> None:
    deploy.state.mkdir()
    script = f"mount -t tmpfs -o size=1m tmpfs {deploy.state}; exec {COMMAND} up"
    done = subprocess.run(
        [*IN_MOUNT_NAMESPACE, script],
        capture_output=True,
        text=True,
        env=deploy.environment,
        check=False,
    )
    assert done.returncode == 3
    assert "is full" in done.stderr
    assert "--data-dir" in done.stderr


@pytest.mark.needs("mount namespaces")
def test_a_disk_without_a_single_free_byte(deploy: Deploy) -> None:
    deploy.state.mkdir()
    script = (
        f"mount -t tmpfs -o size=16k,nr_inodes=4 tmpfs {deploy.state};"
        f"head -c 1m /dev/zero > {deploy.state}/zeros || true; exec {COMMAND} up"
    )
    done = subprocess.run(
        [*IN_MOUNT_NAMESPACE, script],
        capture_output=True,
        text=True,
        env=deploy.environment,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "No space left on device" in done.stderr or "is full" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.needs("mount namespaces")
def test_a_read_only_home(deploy: Deploy) -> None:
    home = deploy.folder / "home"
    home.mkdir()
    environment = {**deploy.environment, "HOME": str(home)}
    del environment["XDG_STATE_HOME"]
    data = deploy.folder / "elsewhere"
    read_only = f"mount --bind {home} {home}; mount -o remount,ro,bind {home};"

    def run(arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*IN_MOUNT_NAMESPACE, f"{read_only} exec {COMMAND} {arguments}"],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )

    refused = run("up")
    assert refused.returncode == 3
    assert "Read-only file system" in refused.stderr
    assert "XDG_STATE_HOME" in refused.stderr
    for verb in ("up", "status", "probe", "logs", "down"):
        done = run(f"{verb} --data-dir {data}")
        assert done.returncode == 0, done.stderr
    assert list(home.iterdir()) == []


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


def test_two_ups_at_once_make_one_cluster(deploy: Deploy) -> None:
    both = [deploy.start("up", "--json"), deploy.start("up", "--json")]
    outputs = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum('"start"' in out for out, _ in outputs) == 1
    assert deploy.record().alive()


def test_a_second_up_says_for_whom_it_waits(deploy: Deploy) -> None:
    first = deploy.start("up")
    assert first.stderr is not None
    assert "start server" in first.stderr.readline()
    first.send_signal(signal.SIGSTOP)
    second = deploy.start("up")
    assert second.stderr is not None
    assert f"waiting for `up` of process {first.pid}" in second.stderr.readline()
    first.send_signal(signal.SIGCONT)
    said, _ = second.communicate(timeout=120)
    first.communicate(timeout=120)
    assert (first.returncode, second.returncode) == (0, 0)
    assert "already running" in said


def test_down_during_up_waits_for_it(deploy: Deploy) -> None:
    up = deploy.start("up")
    assert up.stderr is not None
    up.stderr.readline()
    deploy.run("down")
    up.communicate(timeout=120)
    assert not deploy.record().alive()
    assert not deploy.servers()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_up_leaves_nothing_half_started(
    deploy: Deploy, number: signal.Signals
) -> None:
    up = deploy.start("up")
    assert up.stderr is not None
    assert "start server" in up.stderr.readline()
    up.send_signal(number)
    _, said = up.communicate(timeout=60)
    assert up.returncode == 130
    assert "stopped what was started" in said
    assert "Traceback" not in said
    assert not deploy.record_path.exists()
    assert not deploy.servers()
    deploy.run("up")


@pytest.mark.parametrize("milliseconds", range(0, 500, 50))
def test_an_up_interrupted_at_any_moment_leaves_nothing_or_a_cluster(
    deploy: Deploy, milliseconds: int
) -> None:
    up = deploy.start("up")
    timer = threading.Timer(milliseconds / 1000, up.send_signal, [signal.SIGINT])
    timer.start()
    _, said = up.communicate(timeout=60)
    timer.join()
    # Before Python has set up its handlers, the signal itself ends it.
    assert up.returncode in {0, 130, -signal.SIGINT}, said
    if not deploy.record_path.exists():
        assert not deploy.servers()
    else:
        assert deploy.record().alive()
        assert "answers" in said
    deploy.run("down")


def test_a_killed_up_is_gone_on_with(deploy: Deploy) -> None:
    up = deploy.start("up")
    assert up.stderr is not None
    assert "start server" in up.stderr.readline()
    up.kill()
    up.communicate()
    run = deploy.record()
    again = deploy.json("up")
    assert again["changes"] == []
    assert deploy.record() == run


def test_a_server_that_ends_at_once_is_explained(deploy: Deploy) -> None:
    own = deploy.folder / "temporal"
    own.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && { echo temporal version 1.9.1; exit; }\n'
        "echo the flux capacitor is empty >&2; exit 3\n"
    )
    own.chmod(0o755)
    done = deploy.run("up", "--temporal-binary", str(own), check=False)
    assert done.returncode == 1
    assert "the server exited with code 3 before it was ready" in done.stderr
    assert "the flux capacitor is empty" in done.stderr
    assert not deploy.record_path.exists()


def test_an_unknown_environment_lists_the_known_ones(deploy: Deploy) -> None:
    deploy.write_environment(name="mine")
    for verb in ("up", "status", "down", "destroy", "logs", "probe", "doctor", "open"):
        done = deploy.run(verb, "lokal", check=False)
        assert done.returncode == 3
        assert "known environments: local, mine" in done.stderr
        assert "did you mean local?" in done.stderr


def test_an_error_is_a_document_with_json(deploy: Deploy) -> None:
    for arguments, code in ((["probe"], "not-running"), (["probe", "--bogus"], "usage")):
        done = deploy.run(*arguments, "--json", check=False)
        document = json.loads(done.stderr)
        jsonschema.validate(document, ERROR)
        assert document["error"]["code"] == code
        assert document["error"]["exit_code"] == done.returncode
        assert done.stdout == ""


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


def test_without_a_terminal_output_is_plain_and_whole(deploy: Deploy) -> None:
    done = deploy.run("up", COLUMNS="20", TERM="xterm-256color")
    assert "\x1b" not in done.stdout + done.stderr
    assert f"http://127.0.0.1:{deploy.ports['metrics']}/metrics" in done.stdout
    status = deploy.run("status", COLUMNS="20").stdout
    assert re.search(rf"^frontend +SERVING +{deploy.address} +\d+ +\d", status, re.MULTILINE)


def test_a_reader_that_goes_away_is_no_error(deploy: Deploy) -> None:
    deploy.run("up")
    done = subprocess.run(
        ["bash", "-c", f"{COMMAND} logs --tail 10000 | head -1; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        env=deploy.environment,
        check=True,
    )
    assert done.stdout.splitlines()[1] == "0"
    assert done.stderr == ""


@pytest.mark.needs("terminals")
def test_destroy_asks_and_takes_no_for_an_answer(deploy: Deploy) -> None:
    deploy.run("up")
    unasked = deploy.run("destroy", check=False)
    assert unasked.returncode == 4
    assert "--yes" in unasked.stderr
    for answer, code in (("n", 4), ("y", 0)):
        asked = pexpect.spawn(str(COMMAND), ["destroy"], env=deploy.environment, timeout=60)
        asked.expect("Delete them")
        asked.sendline(answer)
        asked.expect(pexpect.EOF)
        asked.close()
        assert asked.exitstatus == code
        assert deploy.data.exists() is (answer == "n")


@pytest.mark.needs("terminals")
def test_ctrl_c_at_the_question_is_an_interruption(deploy: Deploy) -> None:
    deploy.run("up")
    asked = pexpect.spawn(str(COMMAND), ["destroy"], env=deploy.environment, timeout=60)
    asked.expect("Delete them")
    asked.sendintr()
    asked.expect(pexpect.EOF)
    asked.close()
    assert asked.exitstatus == 130
    assert deploy.record().alive()


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


@pytest.mark.needs("terminals")
def test_a_closed_terminal_stops_what_up_has_started(deploy: Deploy) -> None:
    up = pexpect.spawn(str(COMMAND), ["up"], env=deploy.environment, timeout=60)
    up.expect("start server")
    up.close(force=False)
    deadline = time.monotonic() + 60
    while up.isalive() or deploy.servers():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not deploy.record_path.exists()


def test_a_reader_of_progress_that_goes_away_does_not_stop_up(deploy: Deploy) -> None:
    """`up 2>&1 | head -1`: the cluster is started, probed and left running."""
    subprocess.run(
        ["bash", "-c", f"{COMMAND} up 2>&1 | head -1"], env=deploy.environment, check=True
    )
    deadline = time.monotonic() + 60
    while deploy.json("status", check=False)["running"] is False:
        assert time.monotonic() < deadline
    assert deploy.json("probe")["ok"]


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


def test_sigterm_ends_what_a_script_has_put_into_the_background(deploy: Deploy) -> None:
    """A shell without job control starts it with SIGINT ignored."""
    deploy.run("up")
    script = f"{COMMAND} status --watch --interval 0.1 & sleep 2; kill $!; wait $!; echo code $?"
    done = subprocess.run(
        ["sh", "-c", script],
        env=deploy.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.rstrip().endswith("code 130")


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


def test_output_that_cannot_be_written_is_an_error(deploy: Deploy) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{COMMAND} status > /dev/full"],
        env=deploy.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "the output cannot be used" in done.stderr
    assert "No space left on device" in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.needs("procfs")
def test_destroy_at_once_by_two_is_done_by_one(deploy: Deploy) -> None:
    for _ in range(3):
        deploy.run("up")
        both = [deploy.start("destroy", "--yes") for _ in range(2)]
        outputs = [process.communicate(timeout=60) for process in both]
        assert [process.returncode for process in both] == [0, 0], outputs
        assert not deploy.data.exists()
