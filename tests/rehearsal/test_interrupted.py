"""`up` on ECS that is stopped, or goes wrong half way, and the next one, which nobody prepares.

The campaign stops it after every write; here is a sample by a seed, and the first writes: locks.
"""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from temporal_dsql_deploy.rehearsal.aws.server import EmulatedAws
from tests.campaign.interruptions import points
from tests.support.aws import client
from tests.support.interrupted import UP, Account, Point, run_round, undisturbed

pytestmark = [pytest.mark.needs("terraform"), pytest.mark.timeout(1800)]
SEED = 1
LOCKS = 4
"""Writes before the first resource: locks of this tool and of Terraform's plan and apply."""


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, int]]:
    """The writes of an `up` that nobody stops, and what stands after it."""
    written, stands = undisturbed(tmp_path_factory.mktemp("undisturbed") / "account")
    assert [one.service for one in written[:LOCKS]] == ["s3"] * LOCKS
    return len(written), stands


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    with EmulatedAws(tmp_path / "log") as aws:
        made = Account(aws, tmp_path)
        yield made
        made.command.clean_up()


def test_after_a_kill_the_next_up_converges(
    known: tuple[int, dict[str, int]], tmp_path: Path
) -> None:
    writes, stands = known
    drawn = points(writes, SEED)
    point = next(one for one in drawn if one.signal == "SIGKILL" and LOCKS < one.write < writes - 1)
    done = run_round(point, tmp_path / "account", stands)
    assert (done.code, done.wrong) == (-9, "")


def test_after_an_interruption_the_next_up_converges(
    known: tuple[int, dict[str, int]], tmp_path: Path
) -> None:
    done = run_round(Point(LOCKS + 3, "SIGINT", answered=False), tmp_path / "account", known[1])
    assert done.code == 5
    assert (done.wrong, done.named) == ("", 0)


def test_two_interruptions_stop_an_apply_half_way_and_the_next_up_says_what_is_left(
    account: Account,
) -> None:
    """Terraform's provider drops the calls under way, whichever these are."""
    process = account.command.start(*UP)
    account.faults.stop_after(LOCKS + 6, process.pid, signal.SIGINT, answered=False)
    assert process.stderr is not None
    for line in process.stderr:
        if "finishes this apply" in line:
            process.send_signal(signal.SIGINT)
            break
    _, said = process.communicate()
    assert process.returncode == 5, said
    assert "writes its state" in said
    again = account.up()
    if again.returncode == 0:
        account.remove_named(again.stderr)
        assert json.loads(account.up().stdout)["changed"] is False
    else:
        refused = json.loads(again.stderr.splitlines()[-1])["error"]
        assert "exists already, and is in no state" in refused["message"]
        assert " import " in refused["fix"]


def test_a_lock_that_is_left_is_taken_over(
    known: tuple[int, dict[str, int]], tmp_path: Path
) -> None:
    done = run_round(Point(1, "SIGKILL", answered=False), tmp_path / "account", known[1])
    assert (done.code, done.wrong) == (-9, "")


def test_credentials_that_expire_in_an_apply_lose_nothing(account: Account) -> None:
    """Terraform can then neither write its state nor give its lock back.

    Near the end, as the provider tries EC2's calls again for minutes.
    """
    process = account.command.start(*UP)
    assert process.stderr is not None
    for line in process.stderr:
        if "17 of 18 resources are changed" in line:
            account.faults.expire()
            break
    _, said = process.communicate()
    assert process.returncode == 5, said
    assert "could not write its state" in json.loads(said.splitlines()[-1])["error"]["message"]
    account.faults.clear()
    again = account.up()
    assert again.returncode == 0, again.stderr
    assert "has what an apply made and could not write" in again.stderr
    assert "exists already" not in again.stderr
    assert json.loads(account.up().stdout)["changed"] is False


def test_what_is_refused_half_way_is_told_and_the_next_up_goes_on(account: Account) -> None:
    logs = client(account.aws, "logs")
    logs.create_log_group(logGroupName="/small/tasks")
    account.faults.throttle("ec2", count=4)
    stopped = account.up()
    assert stopped.returncode == 5, stopped.stderr
    said = json.loads(stopped.stderr.splitlines()[-1])["error"]
    assert "aws_cloudwatch_log_group.this" in said["message"]
    assert "terraform" in said["fix"]
    assert "import" in said["fix"]
    logs.delete_log_group(logGroupName="/small/tasks")
    assert account.up().returncode == 0
    assert json.loads(account.up().stdout)["changed"] is False
