"""A task on ECS that no service starts: run once, waited for, its log shown, its exit code told."""

import json
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from temporal_dsql_deploy import aws, interrupts
from temporal_dsql_deploy.errors import DeployError, MissingError, TaskFailed
from temporal_dsql_deploy.platforms.clock import REAL, Clock
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
from temporal_dsql_deploy.platforms.ecs.task_log import Log, readable
from temporal_dsql_deploy.platforms.protocol import Report

LIMIT = 900.0
"""Seconds: Fargate takes a minute or two to start a task, and a set-up waits five itself."""
_POLL = 3.0
_LOG_SECONDS = 15.0
"""That a log may come after its task has ended."""
_SETTLING = 30.0
"""Seconds for which ECS may not yet know a task that it has started: its answers are consistent
eventually (ECS API reference, RunTask)."""
_LAST = 3
"""Lines of the log that an error repeats."""


@dataclass(frozen=True, slots=True)
class OneOff:
    """What is run, and where."""

    cluster: str
    """ARN or name of the ECS cluster."""
    task_definition: str
    """ARN of the task definition."""
    subnets: Sequence[str]
    security_groups: Sequence[str]
    log_group: str
    command: Sequence[str] = ()
    """Of the container, in place of that of the definition; empty for that."""
    container: str = ""
    """Whose command it is, and whose environment."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of the container besides those of the definition. All overrides together may have
    8192 characters (ECS API reference, TaskOverride)."""
    capacity_provider: str = ""
    """Of instances; empty for Fargate."""

    @classmethod
    def of(cls, deployed: Deployed, output: str) -> Self:
        """That which an output of Terraform tells of. Raises NotApplied."""
        told = deployed.output(output)
        return cls(
            cluster=deployed.output("ecs_cluster_arn"),
            task_definition=told["task_definition_arn"],
            subnets=told["subnet_ids"],
            security_groups=[told["security_group_id"]],
            log_group=told["log_group_name"],
            container=told.get("container_name", ""),
        )

    def request(self, started_by: str) -> dict[str, Any]:
        """The parameters of ecs:RunTask. `started_by` is what it is found again by."""
        network: dict[str, Any] = {
            "subnets": list(self.subnets),
            "securityGroups": list(self.security_groups),
        }
        if not self.capacity_provider:
            # It is for Fargate alone (ECS API reference, AwsVpcConfiguration).
            network["assignPublicIp"] = "DISABLED"
        request = {
            "cluster": self.cluster,
            "taskDefinition": self.task_definition,
            **self._where(),
            "count": 1,
            "networkConfiguration": {"awsvpcConfiguration": network},
            "startedBy": started_by,
        }
        if override := self._override():
            request["overrides"] = {"containerOverrides": [{"name": self.container, **override}]}
        return request

    def _where(self) -> dict[str, Any]:
        if not self.capacity_provider:
            return {"launchType": "FARGATE"}
        return {"capacityProviderStrategy": [{"capacityProvider": self.capacity_provider}]}

    def _override(self) -> dict[str, Any]:
        override: dict[str, Any] = {}
        if self.command:
            override["command"] = list(self.command)
        if self.environment:
            pairs = self.environment.items()
            override["environment"] = [{"name": name, "value": value} for name, value in pairs]
        return override


@dataclass(frozen=True, slots=True)
class Ended:
    """A task that has done its work."""

    task: str
    """ARN."""
    exit_code: int
    log: list[str]
    trouble: str = ""
    """Why its log could not be read to its end; empty where it could."""


def shown(one_off: OneOff) -> str:
    """The call that starts it, in one line."""
    return f"ecs:RunTask {json.dumps(one_off.request('dsql-deploy'))}"


def run(  # noqa: PLR0913 - how long, by which clock, and what is an end
    one_off: OneOff,
    clients: Clients,
    report: Report,
    *,
    limit: float = LIMIT,
    clock: Clock = REAL,
    codes: Collection[int] = (0,),
) -> Ended:
    """Run it and wait until it has ended; `report` is given what it logs, `limit` is in seconds.

    It is stopped when its time is over, when this is interrupted, or fails itself. Raises
    TaskFailed where it is not placed, does not start, does not end in time or ends with another
    exit code than `codes`, and what AWS refuses with.
    """
    container, log = _container(one_off, clients)
    started_by = f"dsql-deploy-{secrets.token_hex(6)}"
    stop = _Stop(one_off, clients, report)
    with stop.if_unanswered(started_by):
        task = _start(one_off, clients, one_off.request(started_by))
    with stop.if_left(task):
        report(f"task {_id(task)} is started")
        log = log.of_task(_id(task))
        wait = _Wait(one_off, clients, task, report, limit, clock)
        ended = _until_stopped(wait, log)
    return _told(wait, container, ended, _rest_of(log, clock, report), codes)


def _container(one_off: OneOff, clients: Clients) -> tuple[str, Log]:
    """The essential container, and the log that it writes."""
    with aws.calling("read the task definition (ecs:DescribeTaskDefinition)"):
        found = clients.ecs.describe_task_definition(taskDefinition=one_off.task_definition)
    containers = found["taskDefinition"]["containerDefinitions"]
    one = next((each for each in containers if each.get("essential", True)), containers[0])
    options = one.get("logConfiguration", {}).get("options", {})
    prefix = options.get("awslogs-stream-prefix", "")
    group = options.get("awslogs-group", one_off.log_group)
    return one["name"], Log(clients.logs, group, f"{prefix}/{one['name']}")


@dataclass(frozen=True, slots=True)
class _Stop:
    """Stops a task that nobody waits for any more."""

    one_off: OneOff
    clients: Clients
    report: Report

    @contextmanager
    def if_unanswered(self, started_by: str) -> Iterator[None]:
        """Stop what RunTask may have started in the block, without its answer having come."""
        try:
            yield
        except (KeyboardInterrupt, MissingError) as error:
            # What AWS refuses it has not done; a call that was cut off it may have heard.
            if type(error) not in {KeyboardInterrupt, MissingError}:
                raise
            with interrupts.uninterrupted(), self._told():
                cluster = self.one_off.cluster
                found = self.clients.ecs.list_tasks(cluster=cluster, startedBy=started_by)
                for task in found["taskArns"]:
                    self._stop(task)
            raise

    @contextmanager
    def if_left(self, task: str) -> Iterator[None]:
        """Stop the task when the block is left by an exception, Ctrl-C among them."""
        try:
            yield
        except BaseException:
            with interrupts.uninterrupted(), self._told():
                self._stop(task)
            raise

    def _stop(self, task: str) -> None:
        reason = "dsql-deploy was interrupted, or has waited long enough"
        self.clients.ecs.stop_task(cluster=self.one_off.cluster, task=task, reason=reason)
        self.report(f"task {_id(task)} is stopped")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Only say what AWS refuses: what has ended the wait is what the user has to know first."""
        try:
            with aws.calling("stop the task (ecs:ListTasks, ecs:StopTask)"):
                yield
        except DeployError as error:
            self.report(f"the task could not be stopped: {error.message}: {error.cause}")


def _start(one_off: OneOff, clients: Clients, request: dict[str, Any]) -> str:
    with aws.calling("start the task (ecs:RunTask)"):
        answer = clients.ecs.run_task(**request)
    if answer["tasks"]:
        return str(answer["tasks"][0]["taskArn"])
    failures = [
        " ".join(filter(None, (one.get("reason"), one.get("detail"), one.get("arn"))))
        for one in answer.get("failures", [])
    ]
    raise TaskFailed(
        f"ECS has not placed a task of {_id(one_off.task_definition)}",
        cause="; ".join(failures) or "it says no reason",
        fix="see to what it says (capacity of Fargate, addresses in the subnets), then try again",
    )


@dataclass(frozen=True, slots=True)
class _Wait:
    one_off: OneOff
    clients: Clients
    task: str
    report: Report
    limit: float
    clock: Clock


def _until_stopped(wait: _Wait, log: Log) -> Mapping[str, Any]:
    """What ECS says of the task once it has stopped."""
    began = wait.clock.now()
    deadline = began + wait.limit
    status = ""
    while True:
        task = _describe(wait, is_new=not status and wait.clock.now() - began < _SETTLING)
        if task["lastStatus"] != status:
            status = task["lastStatus"]
            wait.report(f"task {_id(wait.task)}: {status}")
        for line in log.read():
            wait.report(readable(line))
        if status == "STOPPED":
            return task
        if wait.clock.now() >= deadline:
            raise TaskFailed(
                f"task {_id(wait.task)} has not ended within {wait.limit:g} s",
                cause=f"it is {status}; {log.last(_LAST)}",
                fix=f"it is stopped. See its log group {log.group}; to wait longer: --wait SECONDS",
            )
        wait.clock.sleep(_POLL)


def _describe(wait: _Wait, *, is_new: bool) -> Mapping[str, Any]:
    with aws.calling("look at the task (ecs:DescribeTasks)"):
        answer = wait.clients.ecs.describe_tasks(cluster=wait.one_off.cluster, tasks=[wait.task])
    if answer["tasks"]:
        found: Mapping[str, Any] = answer["tasks"][0]
        return found
    if is_new:
        return {"lastStatus": ""}
    reasons = ", ".join(str(one.get("reason")) for one in answer.get("failures", []))
    raise TaskFailed(
        f"ECS does not know task {_id(wait.task)} any more",
        cause=reasons or "it does not say why",
        fix=f"see its log group {wait.one_off.log_group}, then try again",
    )


def _rest_of(log: Log, clock: Clock, report: Report) -> Log:
    """What CloudWatch has of it once it has taken all: a line comes some seconds after its task."""
    deadline = clock.now() + _LOG_SECONDS
    quiet = 0
    while quiet < 2 and clock.now() < deadline:
        clock.sleep(_POLL)
        lines = log.read()
        for line in lines:
            report(readable(line))
        quiet = 0 if lines or log.trouble or not log.lines else quiet + 1
    return log


def _told(
    wait: _Wait, container: str, ended: Mapping[str, Any], log: Log, codes: Collection[int]
) -> Ended:
    task, one_off = wait.task, wait.one_off
    containers: list[dict[str, Any]] = ended.get("containers", [])
    one = next((each for each in containers if each["name"] == container), {})
    code = one.get("exitCode")
    if code is not None and code in codes:
        return Ended(task, code, log.lines, log.trouble)
    reasons = [
        f"stopped because: {ended.get('stoppedReason') or 'ECS does not say why'}",
        str(one.get("reason") or ""),
        log.last(_LAST),
    ]
    what = "did not start" if code is None else f"ended with exit code {code}"
    raise TaskFailed(
        f"task {_id(task)} of {_id(one_off.task_definition)} {what}",
        cause="; ".join(filter(None, reasons)),
        fix=f"correct what it says, then try again; its log group is {log.group}",
    )


def _id(arn: str) -> str:
    return arn.rpartition("/")[2]
