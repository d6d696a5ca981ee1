"""Calls that go wrong on request, as boto3 meets them; and the record of calls."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from temporal_dsql_deploy.errors import InvalidSetting
from temporal_dsql_deploy.rehearsal import faults
from temporal_dsql_deploy.rehearsal.aws.server import REGION, EmulatedAws
from temporal_dsql_deploy.rehearsal.faults import Faults
from tests.support.aws import client


@pytest.fixture
def wrong(aws: EmulatedAws) -> Faults:
    """Its faults; none from before."""
    made = Faults(aws.url)
    made.clear()
    return made


def once(aws: EmulatedAws, service: str, *, seconds: float = 60) -> Any:
    """A client that tries once, and waits so long."""
    return boto3.session.Session(
        aws_access_key_id="emulated",
        aws_secret_access_key="emulated",  # noqa: S106
        region_name=REGION,
    ).client(
        service,
        endpoint_url=aws.url,
        config=Config(read_timeout=seconds, retries={"total_max_attempts": 1}),
    )


def code(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


def test_the_sdk_tries_again_when_it_is_throttled(aws: EmulatedAws, wrong: Faults) -> None:
    wrong.throttle("logs", "CreateLogGroup")
    answer = client(aws, "logs").create_log_group(logGroupName="throttled")
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1


@pytest.mark.parametrize(
    ("service", "call", "codes"),
    [
        ("ecs", "list_clusters", ["ThrottlingException", "ExpiredTokenException"]),
        ("ec2", "describe_vpcs", ["RequestLimitExceeded", "RequestExpired"]),
        ("sts", "get_caller_identity", ["Throttling", "ExpiredToken"]),
        ("s3", "list_buckets", ["SlowDown", "ExpiredToken"]),
    ],
)
def test_each_service_words_it_in_its_own_way(
    aws: EmulatedAws, wrong: Faults, service: str, call: str, codes: list[str]
) -> None:
    throttled, expired = codes
    wrong.throttle(service)
    with pytest.raises(ClientError) as refused:
        getattr(once(aws, service), call)()
    assert code(refused) == throttled
    wrong.expire(after=1)
    getattr(once(aws, service), call)()
    with pytest.raises(ClientError) as refused:
        getattr(once(aws, service), call)()
    assert code(refused) == expired


@pytest.mark.parametrize("done", [True, False])
def test_an_answer_that_does_not_come_may_have_been_given(
    aws: EmulatedAws,
    wrong: Faults,
    *,
    done: bool,
) -> None:
    wrong.time_out("logs", "CreateLogGroup", seconds=3, done=done)
    name = f"late-{done}"
    client(aws, "logs").describe_log_groups()
    with pytest.raises(ReadTimeoutError):
        once(aws, "logs", seconds=1).create_log_group(logGroupName=name)
    found = client(aws, "logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert len(found) == done


CALLER = """
import sys, boto3
logs = boto3.client("logs")
sys.stdin.readline()
for number in range(3):
    logs.describe_log_groups()
    logs.create_log_group(logGroupName=f"recorded-{sys.argv[1]}-{number}")
"""


def test_a_process_is_stopped_after_the_write_that_was_named(
    aws: EmulatedAws, wrong: Faults, tmp_path: Path
) -> None:
    record = tmp_path / "record"
    wrong.record(record)
    first = caller(aws, "all")
    first.communicate("go\n")
    assert first.returncode == 0
    found = faults.writes(record.read_text().splitlines())
    assert [(one.number, one.service, one.action) for one in found] == [
        (number, "logs", "CreateLogGroup") for number in (1, 2, 3)
    ]
    second = caller(aws, "some")
    wrong.stop_after(2, second.pid, signal.SIGKILL)
    second.communicate("go\n")
    assert second.returncode == -signal.SIGKILL
    made = client(aws, "logs").describe_log_groups(logGroupNamePrefix="recorded-some")
    assert len(made["logGroups"]) == 2


def caller(aws: EmulatedAws, name: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", CALLER, name],
        env=aws.environment(),
        stdin=subprocess.PIPE,
        text=True,
    )


def test_faults_of_containers_take_containers(wrong: Faults) -> None:
    with pytest.raises(InvalidSetting) as refused:
        wrong.kill_tasks("none")
    assert "without containers" in str(refused.value.cause)
