"""`dsql-deploy env`: of the outputs of the real Terraform and task definitions of emulated ECS."""

import json
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy import aws as aws_calls
from temporal_dsql_deploy.operations.env import HEADER, EnvResult, text, variables
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
from temporal_dsql_deploy.rehearsal.aws.server import EmulatedAws
from temporal_dsql_deploy.runtime import rules
from tests.support.aws import client
from tests.support.deploy import Deploy
from tests.support.deployed import stands
from tests.unit.runtime.good import DSQL

pytestmark = pytest.mark.needs("terraform")


@pytest.fixture
def file(aws: EmulatedAws, tmp_path: Path) -> Path:
    """The environment `ours`, whose history is told what a good role is told, and more."""
    told = {
        **DSQL,
        "TEMPORAL_SERVICES": "history",
        "TEMPORAL_LOG_FILE": "/var/log/temporal/server.log",
        "OTHER": "of a sidecar",
    }
    emulated = client(aws, "ecs")
    emulated.create_cluster(clusterName="ours")
    made = emulated.register_task_definition(
        family="ours-history",
        containerDefinitions=[
            {"name": "sidecar", "image": "other:1", "memory": 64, "environment": []},
            {
                "name": "temporal-history",
                "image": "runtime@sha256:1",
                "memory": 64,
                "environment": [{"name": name, "value": value} for name, value in told.items()],
            },
        ],
    )
    service = {
        "service_name": "ours-temporal-history",
        "task_definition_arn": made["taskDefinition"]["taskDefinitionArn"],
        "container_name": "temporal-history",
    }
    return stands(tmp_path, {"services": {"history": service}, "ecs_cluster_name": "ours"})


@pytest.fixture
def command(deploy: Deploy, aws: EmulatedAws) -> Deploy:
    deploy.environment.pop("AWS_PROFILE", None)
    deploy.environment.update(aws.environment())
    return deploy


def test_what_the_roles_are_told_is_printed_without_what_is_of_their_task(
    command: Deploy, file: Path
) -> None:
    done = command.run("env", "ours", "--file", str(file), "--json")
    said: dict[str, Any] = json.loads(done.stdout)
    told = said["variables"]
    assert told.pop("TEMPORAL_IMAGE") == "runtime@sha256:1"
    assert not {"TEMPORAL_SERVICES", "TEMPORAL_LOG_FILE", "OTHER"} & set(told)
    _, faults = rules.validate({**told, "TEMPORAL_SERVICES": "worker"})
    assert faults == []
    assert "TEMPORAL_IMAGE is the one on ECS" in said["notes"][0]


def test_the_file_is_its_owners_and_another_one_is_not_written_over(
    command: Deploy, file: Path, tmp_path: Path
) -> None:
    out = tmp_path / ".env"
    words = ("env", "ours", "--file", str(file), "--out", str(out), "--image", "mine:1")
    command.run(*words)
    assert out.stat().st_mode & 0o777 == 0o600
    first = out.read_text()
    assert first.startswith(HEADER)
    assert "TEMPORAL_IMAGE=mine:1\n" in first
    command.run(*words)
    assert out.read_text() == first
    out.write_text("MINE=1\n")
    refused = command.run(*words, check=False)
    assert refused.returncode == 4
    assert "is not written over" in refused.stderr
    assert out.read_text() == "MINE=1\n"


class _Ecs:
    """One of its services has a task: the emulated ECS starts none."""

    def describe_services(self, *, services: list[str], **_: str) -> dict[str, Any]:
        counts = {"ours-history": 1, "ours-worker": 0}
        return {"services": [{"serviceName": one, "runningCount": counts[one]} for one in services]}

    def describe_task_definition(self, **_: str) -> dict[str, Any]:
        containers = [{"name": "temporal-history", "image": "x", "environment": []}]
        return {"taskDefinition": {"containerDefinitions": containers}}


def test_roles_that_run_on_ecs_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_calls, "client", lambda *_: _Ecs())
    services = {
        role: {"service_name": f"ours-{role}", "task_definition_arn": "arn"}
        for role in ("history", "worker")
    }
    outputs = {"services": {**services, "loki": None}, "ecs_cluster_name": "ours"}
    found = variables(Deployed("ours", "1", "eu-west-1", "temporal-ours", outputs), "mine:1")
    assert [note.partition(":")[0] for note in found.notes] == ["history of ours run on ECS"]


def test_what_versions_of_compose_read_differently_is_left_out_and_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    odd = {"TEMPORAL_DYNAMIC_CONFIG": """{"a": "it's"}""", "TEMPORAL_LOG_LEVEL": "${X}"}

    class Told(_Ecs):
        def describe_task_definition(self, **_: str) -> dict[str, Any]:
            environment = [{"name": name, "value": value} for name, value in odd.items()]
            environment.append({"name": "AWS_REGION", "value": "eu-west-1"})
            containers = [{"name": "temporal-history", "image": "x", "environment": environment}]
            return {"taskDefinition": {"containerDefinitions": containers}}

    monkeypatch.setattr(aws_calls, "client", lambda *_: Told())
    service = {"service_name": "ours-history", "task_definition_arn": "arn"}
    outputs = {"services": {"history": service}, "ecs_cluster_name": "ours"}
    found = variables(Deployed("ours", "1", "eu-west-1", "temporal-ours", outputs), "mine:1")
    assert found.variables == {"TEMPORAL_IMAGE": "mine:1", "AWS_REGION": "eu-west-1"}
    assert [note.partition(" ")[0] for note in found.notes[1:]] == sorted(odd)


_PORTABLE = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="'\\")


@given(value=st.text(_PORTABLE, max_size=40).filter(lambda one: "${" not in one))
def test_what_is_written_is_what_a_reader_gets(value: str, tmp_path_factory: Any) -> None:
    """By python-dotenv, which Compose 1.29 reads it with."""
    file = tmp_path_factory.mktemp("env") / ".env"
    file.write_text(text(EnvResult("ours", {"A": value}, [])), encoding="utf-8")
    assert dotenv_values(file, encoding="utf-8")["A"] == value
