"""One-off tasks of the emulated ECS: what their definition says is what runs."""

import json
from dataclasses import replace
from typing import Any

import pytest

from temporal_dsql_deploy.rehearsal import settings
from tests.support.aws import client
from tests.support.ecs_cluster import BASE, Tiny, logged, run_once, says

pytestmark = [
    pytest.mark.needs("container engine"),
    pytest.mark.needs("nftables"),
]


SEEN = """
import json, os, sys, urllib.request
uri = os.environ["ECS_CONTAINER_METADATA_URI_V4"]
print(json.dumps({
    "container": json.load(urllib.request.urlopen(uri)),
    "task": json.load(urllib.request.urlopen(uri + "/task")),
    "environment": {name: os.environ.get(name) for name in ("SAYS", "FIELD", "PARAMETER", "LINES")},
    "limits": open("/proc/self/limits").read().split("Max open files")[1].split()[:2],
    "tmpfs": [line.split() for line in open("/proc/mounts") if " /scratch " in line],
    "first": open("/proc/1/comm").read().strip(),
    "argument": sys.argv[1:],
}))
sys.exit(int(os.environ["CODE"]))
"""


def test_a_one_off_task_runs_to_its_end_with_all_that_its_definition_says(tiny: Tiny) -> None:
    aws = tiny.aws
    secret = client(aws, "secretsmanager").create_secret(
        Name="tiny/secret", SecretString=json.dumps({"field": "hidden"})
    )["ARN"]
    client(aws, "ssm").put_parameter(Name="/tiny/text", Value="of ssm", Type="SecureString")
    definition = tiny.define(
        "once",
        entryPoint=["python3", "-c", SEEN],
        command=["by default"],
        environment=[
            *says("1"),
            {"name": "CODE", "value": "0"},
            {"name": "LINES", "value": "a\nb"},
        ],
        secrets=[
            {"name": "FIELD", "valueFrom": f"{secret}:field::"},
            {"name": "PARAMETER", "valueFrom": "/tiny/text"},
        ],
        ulimits=[{"name": "nofile", "softLimit": 1234, "hardLimit": 2345}],
        linuxParameters={
            "initProcessEnabled": True,
            "tmpfs": [{"containerPath": "/scratch", "size": 8, "mountOptions": ["uid=1000"]}],
        },
    )
    overrides = {
        "containerOverrides": [
            {
                "name": "main",
                "command": ["overridden"],
                "environment": [{"name": "CODE", "value": "7"}],
            }
        ]
    }
    task = run_once(tiny, definition, overrides=overrides)
    assert task["stopCode"] == "EssentialContainerExited"
    assert task["containers"][0]["exitCode"] == 7
    assert task["startedBy"] == "test"
    (line,) = logged("once", task, tiny)
    seen = json.loads(line)
    assert seen["environment"] == {
        "SAYS": "1",
        "FIELD": "hidden",
        "PARAMETER": "of ssm",
        "LINES": "a\nb",
    }
    assert seen["argument"] == ["overridden"]
    assert seen["limits"] == ["1234", "2345"]
    assert "uid=1000" in seen["tmpfs"][0][3]
    assert seen["first"] in {"docker-init", "tini"}
    own = task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    assert seen["container"]["Networks"][0]["IPv4Addresses"] == [own]
    assert seen["task"]["TaskARN"] == task["taskArn"]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"image": "nowhere/nothing:1"}, "CannotPullContainerError"),
        (
            {"secrets": [{"name": "A", "valueFrom": "/tiny/there-is-none"}]},
            "ResourceInitializationError",
        ),
        ({"entryPoint": ["/none"], "linuxParameters": {}}, "CannotStartContainerError"),
    ],
)
def test_what_cannot_start_says_why(tiny: Tiny, said: dict[str, Any], reason: str) -> None:
    task = run_once(tiny, tiny.define("broken", **said))
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith(reason)
    assert "exitCode" not in task["containers"][0]


def test_containers_wait_for_each_other_and_the_settings_are_read_anew(tiny: Tiny) -> None:
    before = settings.read(tiny.settings)
    changed = replace(
        before,
        placeholders={"grafana": BASE},
        hosts={"db.internal": "10.9.9.9"},
        environment={"chai*": {"SAYS": "replaced", "GONE": None}},
    )
    settings.write(tiny.settings, changed)
    volume = {"sourceVolume": "shared", "containerPath": "/shared"}
    python = {"image": BASE, "memory": 64, "essential": False, "entryPoint": ["python3", "-c"]}
    wait = "import socket, os; print(open('/shared/said').read(), os.environ, "
    wait += "socket.gethostbyname('db.internal'), socket.create_connection(('127.0.0.1', 3000)))"
    write = "import time; time.sleep(1); open('/shared/said', 'w').write('written first')"
    after = [
        {"containerName": "init", "condition": "SUCCESS"},
        {"containerName": "grafana", "condition": "HEALTHY"},
    ]
    check = {"command": ["CMD", "/there-is-none"], "retries": 9, "startPeriod": 60}
    others = [
        {"name": "init", "command": [write], "mountPoints": [volume], **python},
        {"name": "grafana", "image": "nowhere:1", "memory": 64, "healthCheck": check}
        | {"portMappings": [{"containerPort": 3000}]},
    ]
    definition = tiny.define(
        "chain",
        command=[wait],
        environment=[*says("1"), {"name": "GONE", "value": "1"}],
        mountPoints=[volume],
        dependsOn=after,
        others=others,
    )
    try:
        task = run_once(tiny, definition)
    finally:
        settings.write(tiny.settings, before)
    codes = {one["name"]: one.get("exitCode") for one in task["containers"]}
    assert (codes["main"], codes["init"]) == (0, 0), task
    (line,) = logged("chain", task, tiny)
    assert "written first" in line
    assert "10.9.9.9" in line
    assert "'SAYS': 'replaced'" in line
    assert "GONE" not in line


def test_images_and_secrets_go_missing_on_request(tiny: Tiny) -> None:
    client(tiny.aws, "ssm").put_parameter(Name="/tiny/there", Value="1", Type="String")
    secret = [{"name": "A", "valueFrom": "/tiny/there"}]
    definition = tiny.define("requested", command=["print(1)"], secrets=secret)
    assert run_once(tiny, definition)["containers"][0]["exitCode"] == 0
    tiny.faults.no_secret("/tiny/there")
    assert "invalid parameters: /tiny/there" in run_once(tiny, definition)["stoppedReason"]
    tiny.faults.no_image(BASE)
    assert "CannotPullContainerError" in run_once(tiny, definition)["stoppedReason"]
