"""The verbs of a running cluster on ECS by the real command line, in an account that is emulated.

moto starts no container, so services say that none of their tasks runs.
"""

import json
import time
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
ROLES = ("history", "matching", "frontend", "worker")


def _definition(aws: EmulatedAws, name: str) -> str:
    options = {
        "awslogs-group": f"/ecs/temporal-ours/{name}",
        "awslogs-stream-prefix": name,
        "awslogs-region": "eu-west-1",
    }
    container = {
        "name": name,
        "image": "server:1",
        "memory": 512,
        "logConfiguration": {"logDriver": "awslogs", "options": options},
        "healthCheck": {"command": ["CMD", "true"]},
    }
    made = client(aws, "ecs").register_task_definition(
        family=f"temporal-ours-{name}", networkMode="awsvpc", containerDefinitions=[container]
    )
    return str(made["taskDefinition"]["taskDefinitionArn"])


@pytest.fixture(scope="module")
def outputs(aws: EmulatedAws) -> dict[str, Any]:
    """Of a cluster with a service for each role, and the task of operators' verbs."""
    ecs = client(aws, "ecs")
    cluster = ecs.create_cluster(clusterName="temporal-ours")["cluster"]["clusterArn"]
    services = {}
    for role in ROLES:
        name = f"temporal-{role}"
        arn = _definition(aws, name)
        ecs.create_service(cluster=cluster, serviceName=name, taskDefinition=arn, desiredCount=0)
        services[role] = {
            "service_name": name,
            "task_definition_arn": arn,
            "container_name": name,
            "replicas": 1,
        }
    admin = {
        "task_definition_arn": _definition(aws, "admin-task"),
        "security_group_id": "sg-0123456789abcdef0",
        "subnet_ids": [client(aws, "ec2").describe_subnets()["Subnets"][0]["SubnetId"]],
        "log_group_name": "/ecs/temporal-ours/admin-task",
        "container_name": "admin-task",
    }
    return {
        "ecs_cluster_arn": cluster,
        "ecs_cluster_name": "temporal-ours",
        "services": services,
        "start_order": list(ROLES),
        "admin_task": admin,
        "dsql_cluster_endpoint": "abc.dsql.eu-west-1.on.aws",
    }


@pytest.fixture
def file(aws: EmulatedAws, deploy: Deploy, outputs: dict[str, Any], tmp_path: Path) -> str:
    """The environment's, given as an option."""
    for name in list(deploy.environment):
        if name.startswith(("AWS_", "PG")):
            del deploy.environment[name]
    deploy.environment |= aws.environment()
    return f"--file={stands(tmp_path, outputs)}"


def test_status_of_a_cluster_of_which_no_task_is_wanted(deploy: Deploy, file: str) -> None:
    done = deploy.run("status", "ours", file, "--json", check=False)
    assert done.returncode == 1
    told = json.loads(done.stdout)
    schema = reference.REFERENCE / "schemas" / "status.schema.json"
    jsonschema.validate(told, json.loads(schema.read_text()))
    assert [one["name"] for one in told["components"]] == list(ROLES)
    assert {one["note"] for one in told["components"]} == {"no task of it is wanted"}
    assert not told["running"]
    shown = deploy.run("status", "ours", file, check=False)
    assert "ours (ecs): stopped" in shown.stdout


def test_what_needs_a_running_cluster_says_that_there_is_none(deploy: Deploy, file: str) -> None:
    for words in (["scale", "ours", "history=2"], ["restart", "ours"]):
        refused = deploy.run(*words, file, check=False)
        assert refused.returncode == 1, refused.stderr
        assert "is not running" in refused.stderr
        assert f"up ours --file {file.partition('=')[2]}" in refused.stderr


def test_down_of_what_is_down_does_nothing_and_of_others_waits(
    aws: EmulatedAws, deploy: Deploy, file: str
) -> None:
    assert "nothing to do" in deploy.run("down", "ours", file).stdout
    ecs = client(aws, "ecs")
    ecs.update_service(cluster="temporal-ours", service="temporal-worker", desiredCount=2)
    dry = deploy.run("down", "ours", file, "--dry-run")
    assert "would be stopped" in dry.stdout
    assert "stop worker" in deploy.run("down", "ours", file).stderr
    said = ecs.describe_services(cluster="temporal-ours", services=["temporal-worker"])
    assert said["services"][0]["desiredCount"] == 0


def test_what_has_to_dial_goes_by_a_task_and_is_refused_where_it_cannot(
    deploy: Deploy, file: str
) -> None:
    """The emulated task ends with exit code 0 and no log, which is no result."""
    for words in (["probe", "ours"], ["membership", "show", "ours"], ["recover", "ours"]):
        ended = deploy.run(*words, file, check=False)
        assert ended.returncode == 1, ended.stderr
        assert "has printed no result" in ended.stderr
        assert ": STOPPED" in ended.stderr
    watching = deploy.run("probe", "ours", file, "--watch=5", check=False)
    assert watching.returncode == 2
    assert "--direct" in watching.stderr
    direct = deploy.run("probe", "ours", file, "--direct", check=False)
    assert direct.returncode == 1
    assert "no frontend that runs" in direct.stderr


def test_the_log_of_a_role_is_read_from_cloudwatch(
    aws: EmulatedAws, deploy: Deploy, file: str
) -> None:
    assert deploy.run("logs", "ours", file).stdout == ""
    logs = client(aws, "logs")
    group, stream = "/ecs/temporal-ours/temporal-history", "temporal-history/temporal-history/abc"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    now = round(time.time() * 1000)
    messages = ['{"level":"info","msg":"quiet"}', '{"level":"warn","msg":"slow"}']
    events = [{"timestamp": now, "message": one} for one in messages]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
    found = deploy.run("logs", "ours", file, "--level=warn", "--json").stdout.splitlines()
    assert [json.loads(one)["message"] for one in found] == ["slow"]
    assert "no component" in deploy.run("logs", "ours", file, "-c=ui", check=False).stderr


def test_verbs_that_are_not_for_ecs_say_which_are(deploy: Deploy, file: str) -> None:
    refused = deploy.run("open", "ours", file, check=False)
    assert refused.returncode == 2
    assert "status, logs, scale" in refused.stderr


def test_a_task_that_was_told_asks_neither_terraform_nor_for_the_account(
    deploy: Deploy, file: str, outputs: dict[str, Any]
) -> None:
    """What runs inside has no file of the environment and no Terraform."""
    told = {
        "account": "123456789012",
        "region": "eu-west-1",
        "project": "temporal-ours",
        "outputs": outputs,
    }
    assert file
    asked = deploy.run(
        "status",
        "elsewhere",
        "--json",
        check=False,
        DSQL_DEPLOY_OUTPUTS=json.dumps(told),
        DSQL_DEPLOY_TERRAFORM="/nowhere",
        PGHOSTADDR="127.0.0.9",
    )
    assert len(asked.stdout.splitlines()) == 1, asked.stderr
    assert json.loads(asked.stdout)["environment"] == "elsewhere"
