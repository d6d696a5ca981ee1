"""`up` on ECS that is stopped, or goes wrong half way, and the next one, which nobody prepares.

The campaign stops it after every write; here is a sample by a seed, and the first writes: locks.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from temporal_dsql_deploy.rehearsal.aws.server import EmulatedAws
from tests.campaign.interruptions import points
from tests.support.aws import client
from tests.support.interrupted import Account, Point, run_round, undisturbed

pytestmark = [pytest.mark.needs("terraform"), pytest.mark.timeout(1800)]
SEED = 1
PLAN = 2
"""The write by which Terraform locks the state for its plan."""
LOCKS = 4
"""Writes before the first resource: locks of this tool and of Terraform's plan and apply."""


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, int]]:
    """The writes of an `up` that nobody stops, and what stands after it."""
    written, stands = undisturbed(tmp_path_factory.mktemp("undisturbed") / "account")
    assert [one.service for one in written[:LOCKS]] == ["s3"] * LOCKS
    return len(written), stands


def test_after_a_kill_the_next_up_converges(
    known: tuple[int, dict[str, int]], tmp_path: Path
) -> None:
    writes, stands = known
    drawn = points(writes, SEED)
    point = next(one for one in drawn if one.signal == "SIGKILL" and LOCKS < one.write < writes - 1)
    done = run_round(point, tmp_path / "account", stands)
    assert (done.code, done.wrong) == (-9, "")


def test_after_an_interruption_of_its_plan_the_next_up_converges(
    known: tuple[int, dict[str, int]], tmp_path: Path
) -> None:
    """While it applies Terraform's provider drops calls, whichever these are: see the campaign."""
    done = run_round(Point(PLAN, "SIGINT", answered=False), tmp_path / "account", known[1])
    assert done.code in {5, 130}
    assert done.wrong == ""


def test_a_lock_that_is_left_is_taken_over(
    known: tuple[int, dict[str, int]], tmp_path: Path
) -> None:
    done = run_round(Point(1, "SIGKILL", answered=False), tmp_path / "account", known[1])
    assert (done.code, done.wrong) == (-9, "")


@pytest.fixture
def account(aws: EmulatedAws, tmp_path: Path) -> Iterator[Account]:
    made = Account(aws, tmp_path)
    yield made
    made.faults.clear()
    made.command.clean_up()


def test_what_is_refused_half_way_is_told_and_the_next_up_goes_on(account: Account) -> None:
    logs = client(account.aws, "logs")
    logs.create_log_group(logGroupName="/small/tasks")
    account.faults.throttle("ec2", count=10)
    stopped = account.up()
    assert stopped.returncode == 5, stopped.stderr
    said = json.loads(stopped.stderr.splitlines()[-1])["error"]
    assert "aws_cloudwatch_log_group.this" in said["message"]
    assert "terraform" in said["fix"]
    assert "import" in said["fix"]
    logs.delete_log_group(logGroupName="/small/tasks")
    assert account.up().returncode == 0
    assert json.loads(account.up().stdout)["changed"] is False
