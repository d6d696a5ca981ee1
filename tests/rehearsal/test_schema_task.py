"""`schema … --as-task` by the real command line, in an account that is emulated.

moto starts no container: a task goes through its states, and ends with exit code 0.
"""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from scripts import reference
from temporal_dsql_deploy.rehearsal.aws.server import EmulatedAws
from tests.support import dsql
from tests.support.aws import client
from tests.support.deploy import Deploy
from tests.support.deployed import stands

pytestmark = pytest.mark.needs("terraform")
NAME = "schema-setup"
GROUP = f"/ecs/temporal-ours/{NAME}"


@pytest.fixture
def outputs(aws: EmulatedAws) -> dict[str, Any]:
    """Of a cluster, a network and the task."""
    ecs = client(aws, "ecs")
    cluster = ecs.create_cluster(clusterName="temporal-ours")["cluster"]["clusterArn"]
    options = {"awslogs-group": GROUP, "awslogs-stream-prefix": NAME}
    log = {"logDriver": "awslogs", "options": options}
    container = {"name": NAME, "image": "tools:1", "memory": 512, "logConfiguration": log}
    definition = ecs.register_task_definition(
        family=f"temporal-ours-{NAME}",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[container],
    )["taskDefinition"]["taskDefinitionArn"]
    setup = {
        "task_definition_arn": definition,
        "security_group_id": "sg-0123456789abcdef0",
        "subnet_ids": [client(aws, "ec2").describe_subnets()["Subnets"][0]["SubnetId"]],
        "log_group_name": GROUP,
        "container_name": NAME,
    }
    return {"ecs_cluster_arn": cluster, "schema_setup": setup}


@pytest.fixture(autouse=True)
def _account(aws: EmulatedAws, deploy: Deploy) -> None:
    for name in list(deploy.environment):
        if name.startswith(("AWS_", "PG")):
            del deploy.environment[name]
    deploy.environment |= aws.environment()


def words(verb: str, file: Path, *options: str) -> list[str]:
    return ["schema", verb, "ours", f"--file={file}", "--as-task", *options]


def asked(deploy: Deploy, *arguments: str) -> list[str]:
    """The command that the container would be given."""
    call = deploy.run(*arguments, "--dry-run").stdout.partition("ecs:RunTask ")[2]
    (override,) = json.loads(call)["overrides"]["containerOverrides"]
    assert override["name"] == NAME
    found: list[str] = override["command"]
    return found


def test_the_task_is_given_the_same_verb(
    deploy: Deploy, outputs: dict[str, Any], tmp_path: Path
) -> None:
    file = stands(tmp_path, outputs)
    again = ["schema", "setup", "ours", "--version", "1.1"]
    assert asked(deploy, *words("setup", file, "--version=1.1")) == again
    assert asked(deploy, *words("upgrade", file)) == ["schema", "upgrade", "ours"]
    overwriting = words("setup", file, "--overwrite", "--confirm=ours")
    assert asked(deploy, *overwriting)[3:] == ["--overwrite", "--confirm", "ours"]

    done = deploy.run(*words("status", file, "--json"))
    told = json.loads(done.stdout)
    schema = reference.REFERENCE / "schemas" / "schema-as-task.schema.json"
    jsonschema.validate(told, json.loads(schema.read_text()))
    assert (told["exit_code"], told["command"]) == (0, ["schema", "status", "ours"])
    assert ": STOPPED" in done.stderr


def test_what_is_refused_is_refused_before_it_is_started(
    deploy: Deploy, outputs: dict[str, Any], tmp_path: Path
) -> None:
    file = stands(tmp_path, {**outputs, "deletion_protection": True})
    cases = {
        ("--overwrite", "--confirm=ours"): (4, "deletion_protection is on"),
        ("--overwrite", "--force"): (4, "--confirm ours"),
        ("--overwrite", "--force", "--confirm=prod"): (4, "'prod' is not the name"),
        (f"--endpoint={dsql.HOST}",): (2, "does not go with --as-task"),
        ("--user=temporal",): (2, "--user does not go with --as-task"),
    }
    for options, (code, said) in cases.items():
        refused = deploy.run(*words("setup", file, *options), check=False)
        assert refused.returncode == code, refused.stderr
        assert said in refused.stderr


def test_where_nothing_answers_the_task_is_named(
    deploy: Deploy, outputs: dict[str, Any], tmp_path: Path
) -> None:
    file = stands(tmp_path, {**outputs, "dsql_cluster_endpoint": dsql.HOST})
    folder = tmp_path / "schema" / "versioned" / "v1.0"
    folder.mkdir(parents=True)
    manifest = {"CurrVersion": "1.0", "MinCompatibleVersion": "1.0"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    command = ["schema", "status", "ours", f"--file={file}", f"--schema={tmp_path / 'schema'}"]
    refused = deploy.run(*command, check=False, PGHOSTADDR="127.0.0.9")
    assert refused.returncode == 3
    assert f"schema status ours --file {file} --as-task" in refused.stderr
