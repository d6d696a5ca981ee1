"""A one-off task on ECS, in the answers that AWS documents: each end that it can come to."""

from contextlib import ExitStack
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import ANY, Stubber

from temporal_dsql_deploy.errors import (
    CredentialsExpired,
    MissingError,
    PermissionMissing,
    TaskFailed,
)
from temporal_dsql_deploy.platforms.clock import Clock
from temporal_dsql_deploy.platforms.ecs import one_off
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.one_off import Ended, OneOff

_HERE = "arn:aws:ecs:eu-west-1:123456789012"
TASK = f"{_HERE}:task/temporal-dev/0123456789abcdef0123456789abcdef"
DEFINITION = f"{_HERE}:task-definition/temporal-dev-opensearch-setup:3"
GROUP = "/ecs/temporal-dev/opensearch-setup"
STREAM = "opensearch-setup/opensearch-setup/0123456789abcdef0123456789abcdef"
ONE = OneOff("temporal-dev", DEFINITION, ["subnet-1", "subnet-2"], ["sg-1"], GROUP)
REQUEST = {
    "cluster": "temporal-dev",
    "taskDefinition": DEFINITION,
    "launchType": "FARGATE",
    "count": 1,
    "networkConfiguration": {
        "awsvpcConfiguration": {
            "subnets": ["subnet-1", "subnet-2"],
            "securityGroups": ["sg-1"],
            "assignPublicIp": "DISABLED",
        }
    },
    "startedBy": ANY,
}
DESCRIBED = {"cluster": "temporal-dev", "tasks": [TASK]}
STOPPED = {"cluster": "temporal-dev", "task": TASK, "reason": ANY}


class World:
    """ECS and CloudWatch Logs that answer what they are told to; its seconds pass at once."""

    def __init__(self) -> None:
        self.ecs, self.logs = (_client(name) for name in ("ecs", "logs"))
        self.said: list[str] = []
        self.seconds = 0.0
        self.interrupted_at: float | None = None
        options = {"awslogs-group": GROUP, "awslogs-stream-prefix": "opensearch-setup"}
        container = {
            "name": "opensearch-setup",
            "logConfiguration": {"logDriver": "awslogs", "options": options},
        }
        self.ecs_stub, self.logs_stub = Stubber(self.ecs), Stubber(self.logs)
        self.ecs_stub.add_response(
            "describe_task_definition",
            {"taskDefinition": {"containerDefinitions": [container]}},
            {"taskDefinition": DEFINITION},
        )

    def placed(self) -> None:
        answer = {"tasks": [{"taskArn": TASK}], "failures": []}
        self.ecs_stub.add_response("run_task", answer, REQUEST)

    def task(self, status: str, **more: Any) -> None:
        answer = {"tasks": [{"taskArn": TASK, "lastStatus": status, **more}]}
        self.ecs_stub.add_response("describe_tasks", answer, DESCRIBED)

    def ended(self, code: int | None, **more: Any) -> None:
        container: dict[str, Any] = {"name": "opensearch-setup"}
        if code is not None:
            container["exitCode"] = code
        self.task("STOPPED", containers=[{**container, **more.pop("container", {})}], **more)

    def stopped(self) -> None:
        self.ecs_stub.add_response("stop_task", {"task": {"taskArn": TASK}}, STOPPED)

    def unknown(self, times: int = 1) -> None:
        answer = {"tasks": [], "failures": [{"arn": TASK, "reason": "MISSING"}]}
        for _ in range(times):
            self.ecs_stub.add_response("describe_tasks", answer, DESCRIBED)

    def page(self, token: str, *lines: str, since: str = "") -> None:
        asked = {"logGroupName": GROUP, "logStreamName": STREAM, "startFromHead": True}
        if since:
            asked["nextToken"] = since
        events = [{"timestamp": 1, "message": line, "ingestionTime": 1} for line in lines]
        answer = {"events": events, "nextForwardToken": token, "nextBackwardToken": "b"}
        self.logs_stub.add_response("get_log_events", answer, asked)

    def no_stream(self, times: int = 1, code: str = "ResourceNotFoundException") -> None:
        for _ in range(times):
            self.logs_stub.add_client_error("get_log_events", code, "it is not there")

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds
        if self.interrupted_at is not None and self.seconds >= self.interrupted_at:
            raise KeyboardInterrupt

    def run(self, limit: float = 60) -> Ended:
        clock = Clock(lambda: self.seconds, self._sleep)
        clients = Clients("eu-west-1", {"ecs": self.ecs, "logs": self.logs})
        with ExitStack() as stack:
            for stub in (self.ecs_stub, self.logs_stub):
                stack.enter_context(stub)
            try:
                return one_off.run(ONE, clients, self.said.append, limit=limit, clock=clock)
            finally:
                self.ecs_stub.assert_no_pending_responses()


def _client(name: str) -> Any:
    session = boto3.session.Session(aws_access_key_id="x", aws_secret_access_key="x")  # noqa: S106
    return session.client(name, region_name="eu-west-1")


@pytest.fixture
def world() -> World:
    return World()


def test_it_is_waited_for_and_its_log_is_passed_on(world: World) -> None:
    world.placed()
    world.task("PROVISIONING")
    world.no_stream()
    world.task("RUNNING")
    world.page("1", "ping")
    world.page("1", since="1")
    world.ended(0)
    world.page("1", since="1")
    # What was written last comes when the task has ended.
    world.page("2", "ready", since="1")
    world.page("2", since="2")
    for _ in range(3):
        world.page("2", since="2")
    done = world.run()
    assert done == Ended(TASK, 0, ["ping", "ready"])
    assert [line for line in world.said if not line.startswith("task ")] == ["ping", "ready"]
    states = [line.split()[-1] for line in world.said if ": " in line]
    assert states == ["PROVISIONING", "RUNNING", "STOPPED"]


def test_the_exit_code_decides(world: World) -> None:
    world.placed()
    world.ended(1, stoppedReason="Essential container in task exited")
    world.page("1", "a", "b", "c", "it is refused: 403")
    for _ in range(4):
        world.page("1", since="1")
    failed = pytest.raises(TaskFailed, match="ended with exit code 1")
    with failed as told:
        world.run()
    assert "b / c / it is refused: 403" in told.value.cause
    assert "a /" not in told.value.cause


def test_one_that_did_not_start_says_why(world: World) -> None:
    world.placed()
    reason = "CannotPullContainerError: pull image manifest has been retried 5 time(s)"
    world.ended(None, stoppedReason="Task failed to start", container={"reason": reason})
    world.no_stream(times=20)
    with pytest.raises(TaskFailed, match="did not start") as told:
        world.run()
    assert "Task failed to start" in told.value.cause
    assert reason in told.value.cause
    assert f"it has written nothing to its log group {GROUP}" in told.value.cause


def test_a_task_that_is_not_placed_says_why(world: World) -> None:
    failure = {"reason": "RESOURCE:ENI", "detail": "no address is left in subnet-1"}
    world.ecs_stub.add_response("run_task", {"tasks": [], "failures": [failure]}, REQUEST)
    with pytest.raises(TaskFailed, match="has not placed") as told:
        world.run()
    assert told.value.cause == "RESOURCE:ENI no address is left in subnet-1"


def test_one_that_takes_too_long_is_stopped(world: World) -> None:
    world.placed()
    for _ in range(5):
        world.task("PENDING")
    world.no_stream(times=5)
    world.stopped()
    with pytest.raises(TaskFailed, match="has not ended within 12 s") as told:
        world.run(limit=12)
    assert "it is PENDING" in told.value.cause
    assert world.said[-1].endswith("is stopped")


@pytest.mark.parametrize("after", [3.0, 9.0])
def test_one_that_is_interrupted_is_stopped(world: World, after: float) -> None:
    world.interrupted_at = after
    world.placed()
    for _ in range(int(after / 3)):
        world.task("RUNNING")
    world.no_stream(times=5)
    world.stopped()
    with pytest.raises(KeyboardInterrupt):
        world.run()


def test_an_interruption_before_the_answer_stops_what_was_started(world: World) -> None:
    def interrupt(**_: Any) -> None:
        raise KeyboardInterrupt

    world.ecs.meta.events.register("after-call.ecs.RunTask", interrupt)
    world.placed()
    asked = {"cluster": "temporal-dev", "startedBy": ANY}
    world.ecs_stub.add_response("list_tasks", {"taskArns": [TASK]}, asked)
    world.stopped()
    with pytest.raises(KeyboardInterrupt):
        world.run()
    assert world.said == [f"task {STREAM.rpartition('/')[2]} is stopped"]


def test_one_that_cannot_be_stopped_is_named_and_the_first_error_stays(world: World) -> None:
    world.placed()
    world.ecs_stub.add_client_error("describe_tasks", "ExpiredTokenException", "expired")
    world.ecs_stub.add_client_error("stop_task", "ExpiredTokenException", "expired")
    with pytest.raises(CredentialsExpired):
        world.run()
    assert "could not be stopped" in world.said[-1]


def test_a_log_that_may_not_be_read_does_not_end_the_task(world: World) -> None:
    world.placed()
    world.task("RUNNING")
    world.no_stream(code="AccessDeniedException")
    world.ended(2)
    with pytest.raises(TaskFailed, match="exit code 2") as told:
        world.run()
    assert "its log cannot be read: AWS does not let these credentials" in told.value.cause


def test_one_that_ecs_has_forgotten_is_said_to_be(world: World) -> None:
    world.placed()
    world.task("RUNNING")
    world.no_stream()
    world.unknown()
    world.stopped()
    with pytest.raises(TaskFailed, match="does not know task") as told:
        world.run()
    assert told.value.cause == "MISSING"


def test_one_that_ecs_does_not_know_yet_is_waited_for(world: World) -> None:
    world.placed()
    world.unknown(times=2)
    world.no_stream(times=3)
    world.ended(0)
    world.page("1", "ready")
    for _ in range(2):
        world.page("1", since="1")
    assert world.run().log == ["ready"]


def test_one_that_ecs_never_knows_is_given_up(world: World) -> None:
    world.placed()
    world.unknown(times=11)
    world.no_stream(times=10)
    world.stopped()
    with pytest.raises(TaskFailed, match="does not know task"):
        world.run()
    assert world.seconds == one_off._SETTLING


def test_a_start_whose_answer_is_lost_leaves_no_task(world: World) -> None:
    def cut_off(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://ecs")

    world.ecs.meta.events.register("after-call.ecs.RunTask", cut_off)
    world.placed()
    asked = {"cluster": "temporal-dev", "startedBy": ANY}
    world.ecs_stub.add_response("list_tasks", {"taskArns": [TASK]}, asked)
    world.stopped()
    with pytest.raises(MissingError, match="cannot be reached"):
        world.run()
    assert world.said == [f"task {STREAM.rpartition('/')[2]} is stopped"]


def test_a_log_that_is_throttled_is_read_on(world: World) -> None:
    world.placed()
    world.task("RUNNING")
    # A page that was read is not lost with the one after it.
    world.page("1", "first")
    world.no_stream(code="ThrottlingException")
    world.ended(0)
    world.page("2", "the result", since="1")
    for _ in range(4):
        world.page("2", since="2")
    done = world.run()
    assert (done.log, done.trouble) == (["first", "the result"], "")


def test_a_refusal_is_told_and_nothing_is_stopped(world: World) -> None:
    world.ecs_stub.add_client_error("run_task", "AccessDeniedException", "not ecs:RunTask")
    with pytest.raises(PermissionMissing, match="start the task"):
        world.run()
    assert world.said == []
