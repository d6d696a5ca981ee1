"""`visibility setup --as-task` by the real command line, in an account that is emulated.

moto starts no container: a task goes through its states, and ends with exit code 0.
"""

import json
import signal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from scripts import reference
from temporal_dsql_deploy.rehearsal.aws.server import EmulatedAws
from tests.support.aws import client
from tests.support.deploy import Deploy
from tests.support.deployed import stands

pytestmark = pytest.mark.needs("terraform")

GROUP = "/ecs/temporal-ours/opensearch-setup"


@pytest.fixture
def file(aws: EmulatedAws, tmp_path: Path) -> Path:
    """An environment that has a cluster, a network and the task."""
    ecs = client(aws, "ecs")
    cluster = ecs.create_cluster(clusterName="temporal-ours")["cluster"]["clusterArn"]
    options = {"awslogs-group": GROUP, "awslogs-stream-prefix": "opensearch-setup"}
    container = {
        "name": "opensearch-setup",
        "image": "admin-tools:1",
        "essential": True,
        "memory": 512,
        "logConfiguration": {"logDriver": "awslogs", "options": options},
    }
    definition = ecs.register_task_definition(
        family="temporal-ours-opensearch-setup",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[container],
    )["taskDefinition"]["taskDefinitionArn"]
    ec2 = client(aws, "ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]
    setup = {
        "task_definition_arn": definition,
        "security_group_id": "sg-0123456789abcdef0",
        "subnet_ids": [subnet["SubnetId"]],
        "log_group_name": GROUP,
    }
    return stands(tmp_path, {"ecs_cluster_arn": cluster, "opensearch_setup": setup})


def words(file: Path, *options: str) -> list[str]:
    return ["visibility", "setup", "ours", "--file", str(file), "--as-task", *options]


def account(aws: EmulatedAws) -> dict[str, Any]:
    return dict(aws.environment())


def tasks(aws: EmulatedAws) -> list[Any]:
    ecs = client(aws, "ecs")
    found = ecs.list_tasks(cluster="temporal-ours")["taskArns"]
    return ecs.describe_tasks(cluster="temporal-ours", tasks=found)["tasks"] if found else []


def test_the_very_call_is_shown_and_not_made(deploy: Deploy, aws: EmulatedAws, file: Path) -> None:
    before = len(tasks(aws))
    shown = deploy.run(*words(file, "--dry-run"), **account(aws)).stdout
    call = shown.partition("ecs:RunTask ")[2]
    request = json.loads(call)
    assert request["launchType"] == "FARGATE"
    network = request["networkConfiguration"]["awsvpcConfiguration"]
    assert network["securityGroups"] == ["sg-0123456789abcdef0"]
    assert network["assignPublicIp"] == "DISABLED"
    assert len(tasks(aws)) == before


def test_it_is_run_and_how_it_ended_is_said(deploy: Deploy, aws: EmulatedAws, file: Path) -> None:
    done = deploy.run(*words(file, "--json"), **account(aws))
    told = json.loads(done.stdout)
    schema = reference.REFERENCE / "schemas" / "visibility-setup-as-task.schema.json"
    jsonschema.validate(told, json.loads(schema.read_text()))
    assert told["exit_code"] == 0
    assert told["task"] in [task["taskArn"] for task in tasks(aws)]
    assert ": STOPPED" in done.stderr


def test_ctrl_c_stops_it(deploy: Deploy, aws: EmulatedAws, file: Path) -> None:
    process = deploy.start(*words(file), **account(aws))
    assert process.stderr is not None
    while "is started" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "is stopped" in said
    assert "Traceback" not in said
    reasons = [task.get("stoppedReason", "") for task in tasks(aws)]
    assert any("dsql-deploy was interrupted" in reason for reason in reasons)


def test_a_definition_that_is_not_there_is_refused(
    deploy: Deploy, aws: EmulatedAws, tmp_path: Path
) -> None:
    gone = "arn:aws:ecs:eu-west-1:123456789012:task-definition/gone:1"
    setup = {
        "task_definition_arn": gone,
        "security_group_id": "sg-1",
        "subnet_ids": ["subnet-1"],
        "log_group_name": GROUP,
    }
    file = stands(tmp_path, {"ecs_cluster_arn": "temporal-ours", "opensearch_setup": setup})
    refused = deploy.run(*words(file), check=False, **account(aws))
    assert refused.returncode == 1
    assert "[aws-failed]" in refused.stderr
    both = deploy.run(*words(file, "--index", "x"), check=False, **account(aws))
    assert both.returncode == 2
    assert "--index does not go with --as-task" in both.stderr
