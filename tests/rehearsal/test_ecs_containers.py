"""The emulated ECS with real containers: services roll, fail, come back; tasks run once."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from temporal_dsql_deploy.rehearsal import settings
from temporal_dsql_deploy.rehearsal.aws.server import EmulatedAws
from tests.support import ecs_cluster
from tests.support.aws import client
from tests.support.ecs_cluster import BASE, CLUSTER, GROUP, PATIENCE, SERVE, Tiny

pytestmark = [
    pytest.mark.needs("container engine"),
    pytest.mark.needs("nftables"),
]


@pytest.fixture(scope="module")
def standing(docker: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    with ecs_cluster.tiny(docker, tmp_path_factory.mktemp("tiny")) as made:
        yield made


@pytest.fixture
def tiny(standing: Tiny) -> Tiny:
    """The cluster, in which nothing runs when a test begins."""
    standing.reset()
    return standing


def says(value: str) -> list[dict[str, str]]:
    return [{"name": "SAYS", "value": value}]


def heard(task: dict[str, Any]) -> str:
    """What the program of a task answers, at the address of the task."""
    (address,) = (
        detail["value"]
        for detail in task["attachments"][0]["details"]
        if detail["name"] == "privateIPv4Address"
    )
    with urllib.request.urlopen(f"http://{address}:8000", timeout=10) as answer:
        return str(answer.read().decode())


def inside(tiny: Tiny, task: dict[str, Any], *words: str) -> str:
    """What a program says in the container of a task."""
    done = subprocess.run(
        ["docker", "exec", task["containers"][0]["runtimeId"], *words],
        env=dict(tiny.docker),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def messages(said: dict[str, Any]) -> list[str]:
    return [event["message"] for event in said["events"]]


def test_a_service_becomes_what_it_is_to_be_and_rolls(tiny: Tiny) -> None:
    tiny.serve("web", tiny.define("web", environment=says("1")), 2)
    first = tiny.until_well("web", 2)
    assert {one["availabilityZone"] for one in first} == set(ecs_cluster.ZONES)
    assert [heard(one) for one in first] == ["1", "1"]
    assert "(service web) has reached a steady state." in messages(tiny.described("web"))

    second = tiny.define("web", environment=says("2"))
    tiny.ecs.update_service(cluster=CLUSTER, service="web", taskDefinition=second)
    assert [one["status"] for one in tiny.described("web")["deployments"]] == ["PRIMARY", "ACTIVE"]
    rolled = tiny.until_well("web", 2)
    assert [heard(one) for one in rolled] == ["2", "2"]
    assert not {one["taskArn"] for one in first} & {one["taskArn"] for one in rolled}
    (deployment,) = tiny.described("web")["deployments"]
    assert deployment["taskDefinition"] == second
    assert deployment["rolloutStateReason"] == f"ECS deployment {deployment['id']} completed."
    stopped = tiny.tasks("web", "STOPPED")
    assert {one["stopCode"] for one in stopped} == {"ServiceSchedulerInitiated"}
    assert all(one["stoppedReason"].startswith("Scaling activity") for one in stopped)


def test_a_revision_that_fails_is_rolled_back_by_the_breaker(tiny: Tiny) -> None:
    good = tiny.define("rolled", environment=says("good"))
    tiny.serve("rolled", good, 2)
    tiny.until_well("rolled", 2)
    bad = tiny.define("rolled", command=["import sys; sys.exit('no such config')"])
    tiny.ecs.update_service(cluster=CLUSTER, service="rolled", taskDefinition=bad)
    back = tiny.until(
        "rolled",
        lambda said: (
            said["deployments"][0]["taskDefinition"] == good
            and said["deployments"][0]["rolloutState"] == "COMPLETED"
        ),
    )
    said = messages(back)
    assert any("deployment failed: tasks failed to start." in one for one in said)
    (deployment,) = [one for one in back["deployments"] if one["status"] == "PRIMARY"]
    assert f"(service rolled) rolling back to deployment {deployment['id']}." in said
    assert [heard(one) for one in tiny.until_well("rolled", 2)] == ["good", "good"]
    failed = [one for one in tiny.tasks("rolled", "STOPPED") if one["taskDefinitionArn"] == bad]
    assert len(failed) >= 3
    assert failed[0]["stopCode"] == "EssentialContainerExited"
    assert failed[0]["containers"][0]["exitCode"] == 1
    assert any("no such config" in one for one in logged("rolled", failed[0], tiny))


def logged(prefix: str, task: dict[str, Any], tiny: Tiny) -> list[str]:
    stream = f"{prefix}/main/{task['taskArn'].rpartition('/')[2]}"
    events = client(tiny.aws, "logs").get_log_events(logGroupName=GROUP, logStreamName=stream)
    return [event["message"] for event in events["events"]]


def test_a_task_that_is_killed_comes_back_elsewhere(tiny: Tiny) -> None:
    tiny.serve("killed", tiny.define("killed"), 2)
    before = {one["taskArn"] for one in tiny.until_well("killed", 2)}
    (gone,) = tiny.faults.kill_tasks("killed")
    tiny.until("killed", lambda _: tiny.well("killed") == 2 and gone not in names(tiny, "killed"))
    after = names(tiny, "killed")
    assert before - after == {gone}
    (stopped,) = tiny.of([gone])
    assert stopped["stoppedReason"] == "Essential container in task exited"
    assert stopped["containers"][0]["exitCode"] == 137


def names(tiny: Tiny, service: str) -> set[str]:
    return {one["taskArn"] for one in tiny.tasks(service)}


def test_who_finds_no_room_says_so_and_managed_scaling_adds_an_instance(tiny: Tiny) -> None:
    # An m7g.large carries two interfaces for tasks without a trunk.
    tiny.serve("many", tiny.define("many", command=["import time; time.sleep(600)"]), 7)
    said = tiny.until("many", lambda said: "RESOURCE:ENI" in str(messages(said)))
    tiny.until("many", lambda said: said["runningCount"] == 6)
    instances = tiny.ecs.list_container_instances(cluster=CLUSTER)["containerInstanceArns"]
    assert len(instances) == 3, "the group may have three"
    (message,) = [one for one in messages(said) if "RESOURCE:ENI" in one]
    assert message.startswith("(service many) was unable to place a task because no container")
    tiny.until("many", lambda _: bool(tiny.tasks("many", "STOPPED")))
    assert tiny.tasks("many", "STOPPED")[0]["stoppedReason"] == "RESOURCE:ENI"
    large = tiny.define("large", memory=9000)
    refused = tiny.ecs.run_task(
        cluster=CLUSTER,
        taskDefinition=large,
        launchType="EC2",
        networkConfiguration=tiny.awsvpc(),
    )
    assert refused["tasks"] == []
    assert refused["failures"][0]["reason"] == "RESOURCE:MEMORY"
    described = tiny.ecs.describe_container_instances(
        cluster=CLUSTER, containerInstances=instances
    )["containerInstances"]
    assert all(one["agentConnected"] for one in described)
    assert {one["runningTasksCount"] for one in described} == {2}


def run_once(tiny: Tiny, definition: str, **more: Any) -> dict[str, Any]:
    """A task on Fargate, once it has stopped."""
    asked = tiny.ecs.run_task(
        cluster=CLUSTER,
        taskDefinition=definition,
        launchType="FARGATE",
        networkConfiguration=tiny.awsvpc(),
        startedBy="test",
        **more,
    )
    arn = asked["tasks"][0]["taskArn"]
    deadline = time.monotonic() + PATIENCE
    while (task := tiny.of([arn])[0])["lastStatus"] != "STOPPED":
        assert time.monotonic() < deadline, task
        time.sleep(0.2)
    return task


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


def test_service_connect_names_are_those_of_the_time_of_the_deployment(tiny: Tiny) -> None:
    client(tiny.aws, "servicediscovery").create_http_namespace(Name="tiny")
    connect: dict[str, Any] = {"enabled": True, "namespace": "tiny"}
    asks = tiny.define("asks", command=["import time; time.sleep(600)"], healthCheck=NEVER)
    one_by_one = {"minimumHealthyPercent": 0, "maximumPercent": 100}
    tiny.serve(
        "asks",
        asks,
        1,
        serviceConnectConfiguration=connect,
        deploymentConfiguration=one_by_one,
    )
    (early,) = tiny.until_well("asks", 1)
    named = {"portName": "http", "clientAliases": [{"dnsName": "server", "port": 80}]}
    tiny.serve(
        "server",
        tiny.define("server", environment=says("by name")),
        1,
        serviceConnectConfiguration={**connect, "services": [named]},
    )
    tiny.until_well("server", 1)
    ask = "import urllib.request as u; print(u.urlopen('http://server', timeout=5).read().decode())"
    assert "Name or service not known" in inside(tiny, early, "python3", "-c", ask)
    tiny.ecs.update_service(cluster=CLUSTER, service="asks", forceNewDeployment=True)
    (late,) = tiny.until_well("asks", 1)
    assert late["taskArn"] != early["taskArn"]
    assert inside(tiny, late, "python3", "-c", ask) == "by name\n"


NEVER = {"command": ["CMD", "true"], "interval": 5, "timeout": 5, "retries": 3}


def test_private_dns_names_lead_to_the_tasks_that_are_well(tiny: Tiny) -> None:
    discovery = client(tiny.aws, "servicediscovery")
    discovery.create_private_dns_namespace(Name="tiny.internal", Vpc="vpc-1")
    (namespace,) = [
        one for one in discovery.list_namespaces()["Namespaces"] if one["Name"] == "tiny.internal"
    ]
    registry = discovery.create_service(
        Name="loki",
        NamespaceId=namespace["Id"],
        DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 10}]},
    )["Service"]["Arn"]
    tiny.serve("loki", tiny.define("loki"), 1, serviceRegistries=[{"registryArn": registry}])
    (task,) = tiny.until_well("loki", 1)
    ask = "import socket; print(socket.gethostbyname('loki.tiny.internal'))"
    own = task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    assert inside(tiny, task, "python3", "-c", ask) == f"{own}\n"
    ask = "import socket; print(socket.gethostbyname('nobody.tiny.internal'))"
    assert "gaierror" in inside(tiny, task, "python3", "-c", ask)


def test_an_instance_that_is_lost_takes_its_tasks_and_is_replaced(tiny: Tiny) -> None:
    tiny.serve("lost", tiny.define("lost"), 2)
    before = tiny.until_well("lost", 2)
    (host,) = tiny.ecs.describe_container_instances(
        cluster=CLUSTER, containerInstances=[before[0]["containerInstanceArn"]]
    )["containerInstances"]
    assert tiny.faults.lose_instance(host["ec2InstanceId"]) == [host["ec2InstanceId"]]
    gone = before[0]["taskArn"]
    tiny.until("lost", lambda _: tiny.well("lost") == 2 and gone not in names(tiny, "lost"))
    (stopped,) = tiny.of([gone])
    assert stopped["stoppedReason"] == f"Host EC2 (instance {host['ec2InstanceId']}) terminated."


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


def test_a_task_wears_the_security_groups_of_its_service(tiny: Tiny) -> None:
    # The group lets port 8000 in, and nothing else.
    tiny.serve("worn", tiny.define("worn", command=[SERVE.replace("8000", "8001")], **NO_CHECK), 1)
    tiny.until("worn", lambda said: said["runningCount"] == 1)
    tiny.serve("open", tiny.define("open"), 1)
    tiny.until_well("open", 1)
    closed, opened = (address(tiny.tasks(name)[0]) for name in ("worn", "open"))
    dial = f"import socket; print([dial(a) for a in (('{closed}', 8001), ('{opened}', 8000))])"
    tried = "import socket\ndef dial(a):\n try: return bool(socket.create_connection(a, 2))\n"
    tried += f" except TimeoutError: return False\n{dial}"
    task = run_once(tiny, tiny.define("dials", command=[tried]))
    assert logged("dials", task, tiny) == ["[False, True]"]


NO_CHECK: dict[str, Any] = {"healthCheck": {"command": ["NONE"]}}


def address(task: dict[str, Any]) -> str:
    return str(task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"])


def test_images_and_secrets_go_missing_on_request(tiny: Tiny) -> None:
    client(tiny.aws, "ssm").put_parameter(Name="/tiny/there", Value="1", Type="String")
    secret = [{"name": "A", "valueFrom": "/tiny/there"}]
    definition = tiny.define("requested", command=["print(1)"], secrets=secret)
    assert run_once(tiny, definition)["containers"][0]["exitCode"] == 0
    tiny.faults.no_secret("/tiny/there")
    assert "invalid parameters: /tiny/there" in run_once(tiny, definition)["stoppedReason"]
    tiny.faults.no_image(BASE)
    assert "CannotPullContainerError" in run_once(tiny, definition)["stoppedReason"]


def test_a_zone_is_lost_and_nothing_comes_instead(tiny: Tiny) -> None:
    tiny.serve("zones", tiny.define("zones"), 2)
    tiny.until_well("zones", 2)
    tiny.faults.no_capacity()
    assert tiny.faults.lose_zone(ecs_cluster.ZONES[0])
    zones = tiny.until(
        "zones",
        lambda _: (
            tiny.well("zones") == 2
            and {one["availabilityZone"] for one in tiny.tasks("zones")} == {ecs_cluster.ZONES[1]}
        ),
    )
    assert zones["runningCount"] == 2


def test_what_a_killed_emulator_has_left_is_removed_by_the_next(tiny: Tiny, tmp_path: Path) -> None:
    tiny.serve("left", tiny.define("left"), 1)
    tiny.until_well("left", 1)
    assert tiny.aws.pid is not None
    os.kill(tiny.aws.pid, signal.SIGKILL)
    tiny.aws.stop()
    assert containers(tiny) != []
    with (
        mock.patch.dict(os.environ, tiny.docker),
        EmulatedAws(tmp_path / "log", containers=tiny.settings),
    ):
        assert containers(tiny) == []


def containers(tiny: Tiny) -> list[str]:
    asked = ["docker", "ps", "--all", "--quiet", "--filter", "label=dsql-deploy.rehearsal"]
    env = {**os.environ, **tiny.docker}
    return subprocess.run(asked, env=env, capture_output=True, text=True, check=True).stdout.split()
