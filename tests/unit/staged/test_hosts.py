"""Hosts are waited for, and what keeps them away is told."""

from typing import TYPE_CHECKING, Any

import pytest

from temporal_dsql_deploy.errors import NotApplied, NotReady
from temporal_dsql_deploy.operations.staged import hosts
from temporal_dsql_deploy.operations.staged.steps import Doing
from temporal_dsql_deploy.platforms.clock import Clock
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from tests.support.fake_ecs import deployed

if TYPE_CHECKING:
    from collections.abc import Callable

ENVIRONMENT = deployed("history", asg_names={"main": "temporal-dev-main"})


def _nothing() -> None:
    pass


class Account:
    """An Auto Scaling group, the hosts of a cluster, and time that passes by waiting."""

    def __init__(self, *, desired: int, instances: int, registered: int) -> None:
        self.desired = desired
        self.instances = [f"i-{number}" for number in range(instances)]
        self.registered = self.instances[:registered]
        self.connected = True
        self.activities: list[dict[str, str]] = []
        self.passed = 0.0
        self.a_second: Callable[[], None] = _nothing

    @property
    def clients(self) -> Clients:
        return Clients("eu-west-1", {"ecs": self, "autoscaling": self})

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.passed, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.passed += seconds
        self.a_second()

    def describe_auto_scaling_groups(self, **_asked: Any) -> dict[str, Any]:
        instances = [{"InstanceId": one} for one in self.instances]
        one = {"AutoScalingGroupName": "temporal-dev-main", "Instances": instances}
        return {"AutoScalingGroups": [{**one, "DesiredCapacity": self.desired}]}

    def describe_scaling_activities(self, **_asked: Any) -> dict[str, Any]:
        return {"Activities": self.activities}

    def get_paginator(self, _name: str) -> "Account":
        return self

    def paginate(self, **_asked: Any) -> list[dict[str, Any]]:
        return [{"containerInstanceArns": [one]} for one in self.registered]

    def describe_container_instances(self, **asked: Any) -> dict[str, Any]:
        return {
            "containerInstances": [
                {"ec2InstanceId": one, "agentConnected": self.connected}
                for one in asked["containerInstances"]
            ]
        }


def _wait(account: Account, limit: float = 30) -> tuple[str, list[str]]:
    said: list[str] = []
    told = hosts.wait(
        ENVIRONMENT, account.clients, Doing(said.append), limit=limit, clock=account.clock
    )
    return told, said


def test_those_that_are_there_are_enough() -> None:
    (group,) = hosts.look(ENVIRONMENT, Account(desired=3, instances=3, registered=3).clients)
    assert group.complete
    assert group.told() == "temporal-dev-main: 3 of 3 registered"


def test_those_that_start_are_waited_for() -> None:
    account = Account(desired=2, instances=2, registered=0)

    def register() -> None:
        account.registered = account.instances[: len(account.registered) + 1]

    account.a_second = register
    told, said = _wait(account)
    assert told == "temporal-dev-main: 2 of 2 registered"
    assert [line.partition(": ")[2] for line in said] == [
        f"temporal-dev-main: {count} of 2 registered" for count in range(3)
    ]


def test_capacity_that_never_comes_is_told_with_what_ec2_says() -> None:
    account = Account(desired=3, instances=0, registered=0)
    account.activities = [
        {"StatusCode": "Failed", "StatusMessage": "VcpuLimitExceeded: you have requested more"},
        {"StatusCode": "Failed", "StatusMessage": "VcpuLimitExceeded: you have requested more"},
        {"StatusCode": "Successful", "StatusMessage": ""},
    ]
    with pytest.raises(NotReady, match="0 of 3 registered") as caught:
        _wait(account)
    assert caught.value.cause == "temporal-dev-main: VcpuLimitExceeded: you have requested more"
    assert account.passed >= 30


def test_instances_whose_agents_are_silent_are_named() -> None:
    account = Account(desired=2, instances=2, registered=2)
    account.connected = False
    with pytest.raises(NotReady) as caught:
        _wait(account)
    assert "i-0, i-1 are there, and their ECS agents have not registered" in caught.value.cause


def test_a_group_that_starts_nothing_is_told_too() -> None:
    with pytest.raises(NotReady) as caught:
        _wait(Account(desired=1, instances=0, registered=0))
    assert "has 0 instances, and starts no more" in caught.value.cause


def test_a_brought_cluster_has_no_groups_of_ours() -> None:
    account = Account(desired=1, instances=0, registered=0)
    assert hosts.look(deployed("history", asg_names={}), account.clients) == []


def test_a_group_that_somebody_has_deleted_is_no_brought_cluster() -> None:
    both = deployed("history", asg_names={"main": "temporal-dev-main", "loki": "temporal-dev-loki"})
    account = Account(desired=1, instances=1, registered=1)
    with pytest.raises(NotApplied, match="no Auto Scaling group temporal-dev-loki"):
        hosts.look(both, account.clients)
