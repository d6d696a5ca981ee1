"""Why a service does not come up: what its tasks log has a meaning."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from temporal_dsql_deploy.platforms.ecs import dropped, evidence, meanings, rollout, services
from temporal_dsql_deploy.platforms.ecs.rollout import Verdict, Wanted
from tests.support.fake_ecs import START, FakeEcs, FakeLogs, clients, deployment, service, task

NOT_REACHED = (
    '{"level": "error", "msg": "the database cannot be used", "step": "tcp", '
    '"error": "db.internal:5432 does not answer: packets are dropped"}'
)
REFUSED = (
    '{"level":"error","msg":"sql handle: unable to refresh database connection pool","error":'
    '"dial tcp 10.0.0.9:5432: connect: connection refused"}'
)
STREAM = "temporal-history/temporal-history/history-1-1"


@dataclass
class FakeEc2:
    """Security groups, and one network interface."""

    rules: list[dict[str, Any]] = field(default_factory=list)
    interfaces: dict[str, str] = field(default_factory=dict)

    def describe_network_interfaces(self, **asked: Any) -> dict[str, Any]:
        """By address."""
        wanted = asked["Filters"][0]["Values"][0]
        group = self.interfaces.get(wanted)
        return {"NetworkInterfaces": [{"Groups": [{"GroupId": group}]}] if group else []}

    def get_paginator(self, _: str) -> "FakeEc2":
        """Of rules."""
        return self

    def paginate(self, **asked: Any) -> list[dict[str, Any]]:
        """One page."""
        wanted = asked["Filters"][0]["Values"]
        return [{"SecurityGroupRules": [one for one in self.rules if one["GroupId"] in wanted]}]


def _rule(group: str, port: int, *, egress: bool, **peer: Any) -> dict[str, Any]:
    return {
        "GroupId": group,
        "IsEgress": egress,
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        **peer,
    }


def _gathered(log: list[str], ec2: FakeEc2 | None = None, **more: Any) -> evidence.Evidence:
    """Of a task that runs and has logged this, or with `more` has stopped."""
    ecs = FakeEcs(tasks=[task(**more)])
    network = {"awsvpcConfiguration": {"securityGroups": ["sg-own"]}}
    shown = services.parse("history", service(networkConfiguration=network))
    return evidence.gather(shown, clients(ecs, FakeLogs({STREAM: log}), ec2=ec2 or FakeEc2()))


STOPPED: dict[str, Any] = {
    "desiredStatus": "STOPPED",
    "lastStatus": "STOPPED",
    "stoppedAt": START + timedelta(seconds=9),
    "stoppedReason": "Essential container in task exited",
    "containers": [{"name": "temporal-history", "lastStatus": "STOPPED", "exitCode": 1}],
}


@pytest.mark.parametrize(
    ("line", "means"),
    [
        (REFUSED + " no usable database connection found", "the database is not reached"),
        ('"msg": "the database cannot be used"', "the database is not reached"),
        ('"error": "os:443 has no index temporal_visibility"', "visibility setup ENV"),
        ("index_not_found_exception", "visibility setup ENV"),
        ('"msg": "a variable is refused", "variable": "TEMPORAL_X"', "configuration is wrong"),
        ('unknown plugin "aurora", supported plugins: [dsql]', "no such plugin"),
        ("FATAL: unable to accept connection, access denied", "the database refuses who asks"),
        ("Unable to accept connection, rate exceeded. (SQLSTATE 53400)", "opened a second"),
        ('database "temporal" does not exist (SQLSTATE 3D000)', "`postgres`"),
    ],
)
def test_a_line_of_a_log_has_a_meaning(line: str, means: str) -> None:
    said = evidence.sentences(_gathered([line], **STOPPED))
    assert any(means in one for one in said), said
    assert any(line in one for one in said)


def test_a_task_that_runs_tells_what_lacks_and_nothing_else() -> None:
    said = evidence.sentences(
        _gathered(["started", REFUSED, "no usable database connection found"])
    )
    assert not any("logged: started" in one for one in said)
    assert any("runs, and has logged" in one for one in said)


def test_a_task_that_runs_well_is_no_evidence() -> None:
    assert evidence.sentences(_gathered(["started", "bootstrap hosts fetched"])) == []


@pytest.mark.parametrize("state", [{}, STOPPED])
def test_the_security_group_without_a_rule_is_named(state: dict[str, Any]) -> None:
    ec2 = FakeEc2([_rule("sg-own", 443, egress=True, CidrIpv4="0.0.0.0/0")])
    said = evidence.sentences(_gathered([NOT_REACHED], ec2, **state))
    assert any("sg-own has no egress rule for TCP port 5432" in one for one in said), said


def test_the_group_of_the_other_end_is_named() -> None:
    rules = [_rule("sg-own", 5432, egress=True, ReferencedGroupInfo={"GroupId": "sg-db"})]
    ec2 = FakeEc2(rules, {"10.0.0.9": "sg-db"})
    line = "dial tcp 10.0.0.9:5432: i/o timeout"
    assert any("sg-db has no ingress rule" in one for one in _gathered([line], ec2).dropped)
    rules.append(_rule("sg-db", 5432, egress=False, ReferencedGroupInfo={"GroupId": "sg-own"}))
    assert any("lets port 5432 out" in one for one in _gathered([line], ec2).dropped)


def test_a_refused_connection_is_not_one_that_is_dropped() -> None:
    assert dropped.targets(REFUSED) == []
    assert dropped.targets("dial tcp 10.0.0.9:7235: i/o timeout") == [("10.0.0.9", 7235)]


def test_a_rule_of_another_network_does_not_lead_there() -> None:
    rules = [_rule("sg-own", 5432, egress=True, CidrIpv4="10.1.0.0/16")]
    assert not dropped.lets(rules, 5432, egress=True, host="10.0.0.9")
    assert dropped.lets(rules, 5432, egress=True, host="10.1.0.9")
    assert dropped.lets(rules, 5432, egress=True, host="db.internal")


def test_each_meaning_is_said_once() -> None:
    assert len(meanings.of("no such index, index_not_found_exception")) == 1


def test_a_failed_deployment_is_known_by_its_event() -> None:
    asked = service(deployments=[deployment(id="ecs-svc/7", rolloutState="IN_PROGRESS")])
    wanted = Wanted.of(services.parse("history", asked))
    event = {"createdAt": START, "message": "(service s) (deployment ecs-svc/7) deployment failed"}
    rolled_back = services.parse("history", service(events=[event]))
    assert rollout.judge(wanted, rolled_back, [], checked=True) is Verdict.ROLLED_BACK
    of_another = {**event, "message": "(service s) (deployment ecs-svc/70) deployment failed"}
    still = services.parse("history", {**asked, "events": [of_another]})
    assert rollout.judge(wanted, still, [], checked=True) is Verdict.NOT_YET


def test_why_is_what_its_tasks_say_before_what_ecs_says() -> None:
    line = '{"msg": "a variable is refused", "error": "TEMPORAL_X: \'many\' is no int"}'
    said = evidence.why(_gathered([line], **STOPPED))
    assert said.endswith("the line names the variable; TEMPORAL_X: 'many' is no int")
    assert evidence.why(_gathered([], **STOPPED)) == "temporal-history ended with exit code 1"
    assert not evidence.why(_gathered(["started"]))
