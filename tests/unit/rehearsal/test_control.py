"""Faults of calls, and the record of those that change something."""

import json
from pathlib import Path

import pytest

from temporal_dsql_deploy.rehearsal import faults
from temporal_dsql_deploy.rehearsal.aws import control
from temporal_dsql_deploy.rehearsal.aws.control import Control

HERE, INSIDE = "127.0.0.1", "10.0.1.5"


def asked(of: Control, **fault: object) -> None:
    status, said = of.ask(json.dumps(fault).encode())
    assert status == 200, said


def kinds(of: Control, *calls: tuple[str, str]) -> list[str]:
    found = [of.trouble(service, action, HERE) for service, action in calls]
    return [one.kind if one else "" for one in found]


def test_so_many_calls_of_an_action_are_throttled() -> None:
    made = Control()
    asked(made, fault=control.THROTTLED, service="ecs", action="UpdateService", count=2)
    calls = [("ecs", "UpdateService")] * 3
    assert kinds(made, ("ecs", "DescribeServices"), *calls) == ["", *[control.THROTTLED] * 2, ""]


def test_credentials_expire_for_good_after_some_calls() -> None:
    made = Control()
    asked(made, fault=control.EXPIRED, after=1)
    assert kinds(made, ("ecs", "A"), ("ec2", "B"), ("s3", "C")) == ["", *[control.EXPIRED] * 2]
    asked(made, fault=control.CLEAR)
    assert kinds(made, ("ecs", "A")) == [""]


def test_programs_in_containers_are_left_alone() -> None:
    made = Control()
    asked(made, fault=control.THROTTLED, count=9)
    assert made.trouble("ecs", "A", INSIDE) is None
    assert made.done("dynamodb", "PutItem", INSIDE) is None


def test_calls_that_change_something_are_numbered(tmp_path: Path) -> None:
    made, path = Control(), tmp_path / "record"
    asked(made, fault=control.RECORD, path=str(path))
    for service, action in [
        ("ecs", "DescribeServices"),
        ("ecs", "UpdateService"),
        ("s3", "GET /bucket"),
        ("s3", "PUT /bucket/key"),
        ("logs", "FilterLogEvents"),
    ]:
        made.done(service, action, HERE)
    found = faults.writes(path.read_text().splitlines())
    assert [(one.number, one.action) for one in found] == [
        (1, "UpdateService"),
        (2, "PUT /bucket/key"),
    ]


@pytest.mark.parametrize("answered", [True, False])
def test_a_process_is_told_after_the_write_that_was_named(
    monkeypatch: pytest.MonkeyPatch,
    *,
    answered: bool,
) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr("os.kill", lambda pid, number: sent.append((pid, number)))
    made = Control()
    asked(made, fault=control.STOP_AFTER, write=2, pid=77, signal=9, answered=answered)
    assert made.done("ecs", "CreateService", HERE) is None
    after = made.done("ecs", "UpdateService", HERE)
    assert sent == ([] if answered else [(77, 9)])
    if after is not None:
        after()
    assert sent == [(77, 9)]
    assert made.done("ecs", "UpdateService", HERE) is None


def test_what_is_no_fault_is_refused() -> None:
    made = Control()
    assert made.ask(b"{")[0] == 400
    assert made.ask(b'{"fault": "rain"}')[0] == 400
    made.hand_to(lambda said: {"told": said["fault"]})
    assert made.ask(b'{"fault": "task killed"}') == (200, {"told": "task killed"})
