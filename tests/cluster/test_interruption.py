"""Interrupted, killed, closed, or two at once: nothing half-started, and the next `up` goes on."""

import signal
import subprocess
import threading
import time

import pexpect
import pytest

from tests.support.deploy import COMMAND, Deploy


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
    # Before Python has set up its handlers, the signal itself ends it, or an error of its own.
    too_early = "Fatal Python error: init_" in said
    assert too_early or up.returncode in {0, 130, -signal.SIGINT}, said
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


@pytest.mark.needs("procfs")
def test_destroy_at_once_by_two_is_done_by_one(deploy: Deploy) -> None:
    for _ in range(3):
        deploy.run("up")
        both = [deploy.start("destroy", "--yes") for _ in range(2)]
        outputs = [process.communicate(timeout=60) for process in both]
        assert [process.returncode for process in both] == [0, 0], outputs
        assert not deploy.data.exists()
