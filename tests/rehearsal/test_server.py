"""The emulated AWS as a process: ready when it says so, gone with whoever started it."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.awsrequest import AWSRequest

from temporal_dsql_deploy.errors import StartFailed
from temporal_dsql_deploy.rehearsal.aws import server
from temporal_dsql_deploy.rehearsal.aws.server import EmulatedAws
from tests.support.aws import client

HOLDER = """
import sys, time
from pathlib import Path
from temporal_dsql_deploy.rehearsal.aws.server import EmulatedAws
emulated = EmulatedAws(Path(sys.argv[1])).start()
print(emulated.pid, flush=True)
time.sleep(600)
"""


def test_it_answers_as_soon_as_it_has_started_and_is_gone_when_stopped(tmp_path: Path) -> None:
    emulated = EmulatedAws(tmp_path / "log")
    with emulated:
        assert client(emulated, "sts").get_caller_identity()["Account"] == server.ACCOUNT
        assert emulated.pid is not None
        process = psutil.Process(emulated.pid)
    assert not process.is_running()
    emulated.stop()


def test_two_do_not_share_anything(tmp_path: Path) -> None:
    with EmulatedAws(tmp_path / "one") as one, EmulatedAws(tmp_path / "two") as two:
        client(one, "ecs").create_cluster(clusterName="there")
        assert client(one, "ecs").list_clusters()["clusterArns"]
        assert client(two, "ecs").list_clusters()["clusterArns"] == []


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_does_not_outlive_the_one_who_started_it(tmp_path: Path, end: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        emulated = psutil.Process(int(holder.stdout.readline()))
        assert emulated.is_running()
        holder.send_signal(end)
        holder.wait()
        psutil.wait_procs([emulated], timeout=30)
    assert not emulated.is_running() or emulated.status() == psutil.STATUS_ZOMBIE


def test_what_keeps_it_from_starting_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "moto.py").write_text("raise ImportError('no moto here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(StartFailed) as failed:
        EmulatedAws(tmp_path / "log").start()
    assert "no moto here" in failed.value.cause
    assert "[rehearsal]" in failed.value.fix


def test_terraform_and_boto3_are_led_to_it_and_nowhere_else(
    aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    identity = boto3.session.Session().client("sts").get_caller_identity()
    assert identity["Account"] == server.ACCOUNT


def test_a_call_that_is_asked_again_is_answered_as_before(aws: EmulatedAws) -> None:
    ec2 = client(aws, "ec2")

    def same_call(request: AWSRequest, **_: Any) -> None:
        request.headers["amz-sdk-invocation-id"] = "the-same"

    before = len(ec2.describe_vpcs()["Vpcs"])
    ec2.meta.events.register("before-send.ec2.CreateVpc", same_call)
    first = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    assert ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"] == first
    ec2.meta.events.unregister("before-send.ec2.CreateVpc", same_call)
    assert ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"] != first
    assert len(ec2.describe_vpcs()["Vpcs"]) == before + 2
