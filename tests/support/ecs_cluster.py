"""An ECS cluster in an emulated AWS that starts containers: its network, instances, small tasks."""

import base64
import os
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from temporal_dsql_deploy.rehearsal import settings
from temporal_dsql_deploy.rehearsal.aws.server import EmulatedAws
from temporal_dsql_deploy.rehearsal.faults import Faults
from temporal_dsql_deploy.rehearsal.network.bridge import Network
from temporal_dsql_deploy.rehearsal.settings import RehearsalSettings
from tests.support.aws import client

BASE = "dsql-deploy-base:amd64"
CLUSTER, PROVIDER, GROUP = "tiny", "tiny-main", "/ecs/tiny"
ZONES = ("eu-west-1a", "eu-west-1b")
PATIENCE = 60.0
SERVE = """
import http.server, os, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = os.environ.get("SAYS", "").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
print("serving", flush=True)
http.server.ThreadingHTTPServer(("", 8000), Answer).serve_forever()
"""
ASK = "import urllib.request as u; u.urlopen('http://127.0.0.1:8000', timeout=2)"


@dataclass(frozen=True, slots=True)
class Tiny:
    """The cluster, and how it is asked."""

    aws: EmulatedAws
    network: Network
    settings: Path
    docker: Mapping[str, str]
    subnets: tuple[str, ...]
    group: str
    """The security group of its tasks."""

    @property
    def ecs(self) -> Any:
        return client(self.aws, "ecs")

    @property
    def faults(self) -> Faults:
        return Faults(self.aws.url)

    def awsvpc(self) -> dict[str, Any]:
        return {
            "awsvpcConfiguration": {"subnets": list(self.subnets), "securityGroups": [self.group]}
        }

    def define(self, family: str, *, cpu: int = 128, memory: int = 128, **said: Any) -> str:
        """Register a task of one container, and `others`; its ARN."""
        others = said.pop("others", [])
        mounts = [mount for one in (said, *others) for mount in one.get("mountPoints", [])]
        container = {
            "name": "main",
            "image": BASE,
            "memory": memory,
            "entryPoint": ["python3", "-c"],
            "command": [SERVE],
            "portMappings": [{"name": "http", "containerPort": 8000}],
            "healthCheck": {
                "command": ["CMD", "python3", "-c", ASK],
                "interval": 5,
                "timeout": 5,
                "retries": 3,
                "startPeriod": 30,
            },
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": GROUP,
                    "awslogs-region": "eu-west-1",
                    "awslogs-stream-prefix": family,
                },
            },
            "linuxParameters": {"initProcessEnabled": True},
            "stopTimeout": 5,
        }
        made = self.ecs.register_task_definition(
            family=family,
            networkMode="awsvpc",
            cpu=str(cpu),
            memory=str(memory),
            containerDefinitions=[{**container, **said}, *others],
            volumes=[{"name": name} for name in {mount["sourceVolume"] for mount in mounts}],
        )
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def serve(self, name: str, definition: str, count: int, **more: Any) -> dict[str, Any]:
        """Create a service on the instances."""
        asked = {
            "cluster": CLUSTER,
            "serviceName": name,
            "taskDefinition": definition,
            "desiredCount": count,
            "capacityProviderStrategy": [{"capacityProvider": PROVIDER, "weight": 1}],
            "networkConfiguration": self.awsvpc(),
            "deploymentConfiguration": {
                "deploymentCircuitBreaker": {"enable": True, "rollback": True},
                "minimumHealthyPercent": 50,
                "maximumPercent": 100,
            },
            "placementStrategy": [
                {"type": "spread", "field": "attribute:ecs.availability-zone"},
            ],
        }
        made: dict[str, Any] = self.ecs.create_service(**{**asked, **more})["service"]
        return made

    def described(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ecs.describe_services(cluster=CLUSTER, services=[name])[
            "services"
        ][0]
        return found

    def tasks(self, name: str, desired: str = "RUNNING") -> list[dict[str, Any]]:
        arns = self.ecs.list_tasks(cluster=CLUSTER, serviceName=name, desiredStatus=desired)
        return self.of(arns["taskArns"])

    def of(self, arns: list[str]) -> list[dict[str, Any]]:
        if not arns:
            return []
        found: list[dict[str, Any]] = self.ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"]
        return found

    def until(self, name: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The service once something holds of it."""
        deadline = time.monotonic() + PATIENCE
        while not holds(found := self.described(name)):
            assert time.monotonic() < deadline, self.told(found)
            time.sleep(0.2)
        return found

    def until_well(self, name: str, count: int) -> list[dict[str, Any]]:
        """The tasks of a service once so many are HEALTHY and its deployment is COMPLETED."""
        self.until(
            name,
            lambda said: (
                said["deployments"][0]["rolloutState"] == "COMPLETED"
                and len(said["deployments"]) == 1
                and self.well(name) == count
            ),
        )
        return self.tasks(name)

    def well(self, name: str) -> int:
        return sum(
            one["lastStatus"] == "RUNNING" and one["healthStatus"] == "HEALTHY"
            for one in self.tasks(name)
        )

    def told(self, said: dict[str, Any]) -> str:
        events = [one["message"] for one in said["events"]]
        stopped = [
            (one.get("stoppedReason"), one["containers"])
            for one in self.tasks(said["serviceName"], "STOPPED")
        ]
        return f"{said['deployments']}\n{events}\n{stopped}\n{self.aws.log.read_text()[-3000:]}"

    def end(self, name: str) -> None:
        """Delete a service and wait for the end of its tasks."""
        self.ecs.delete_service(cluster=CLUSTER, service=name, force=True)
        self.until(name, lambda said: said["status"] == "INACTIVE")

    def reset(self) -> None:
        """All is well again, and nothing runs."""
        self.faults.clear()
        for arn in self.ecs.list_services(cluster=CLUSTER)["serviceArns"]:
            self.end(arn.rpartition("/")[2])


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


def logged(prefix: str, task: dict[str, Any], tiny: Tiny) -> list[str]:
    stream = f"{prefix}/main/{task['taskArn'].rpartition('/')[2]}"
    events = client(tiny.aws, "logs").get_log_events(logGroupName=GROUP, logStreamName=stream)
    return [event["message"] for event in events["events"]]


def names(tiny: Tiny, service: str) -> set[str]:
    return {one["taskArn"] for one in tiny.tasks(service)}


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


def address(task: dict[str, Any]) -> str:
    return str(task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"])


def containers(tiny: Tiny) -> list[str]:
    """Those of the cluster, whether they run or not."""
    label = f"label=dsql-deploy.rehearsal={settings.read(tiny.settings).folder}"
    asked = ["docker", "ps", "--all", "--quiet", "--filter", label]
    env = {**os.environ, **tiny.docker}
    return subprocess.run(asked, env=env, capture_output=True, text=True, check=True).stdout.split()


@contextmanager
def tiny(docker: Mapping[str, str], folder: Path, *, beside: bool = False) -> Iterator[Tiny]:
    """A cluster of two m7g.large, one in each zone, in a group that may have three.

    Another one may stand `beside` it.
    """
    number = os.getpid() % 50 + (50 if beside else 0)
    network = Network(f"tiny{number}", f"10.{40 + number}.0.0/16")
    path = folder / "settings.json"
    settings.write(
        path,
        RehearsalSettings(
            folder=str(folder),
            network=network.name,
            bridge=network.device,
            gateway=network.gateway,
            seconds={"health_interval": 0.5, "instance_boot": 0.2, "drain": 0.2, "placement": 3},
        ),
    )
    with mock.patch.dict(os.environ, docker):
        network.make()
        try:
            with EmulatedAws(folder / "log", containers=path) as aws:
                yield _made(aws, network, path, docker)
        finally:
            network.remove()


def _made(aws: EmulatedAws, network: Network, path: Path, docker: Mapping[str, str]) -> Tiny:
    ec2, ecs = client(aws, "ec2"), client(aws, "ecs")
    vpc = ec2.create_vpc(CidrBlock=network.cidr)["Vpc"]["VpcId"]
    head = network.cidr.rsplit(".", 2)[0]
    subnets = tuple(
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"{head}.{at}.0/24", AvailabilityZone=zone)[
            "Subnet"
        ]["SubnetId"]
        for at, zone in enumerate(ZONES, 1)
    )
    group = ec2.create_security_group(GroupName="tiny", Description="tiny", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 8000, "ToPort": 8000}
            | {"IpRanges": [{"CidrIp": network.cidr}]}
        ],
    )
    client(aws, "logs").create_log_group(logGroupName=GROUP)
    ecs.create_cluster(clusterName=CLUSTER)
    _instances(aws, ",".join(subnets))
    return Tiny(aws, network, path, docker, subnets, group)


def _instances(aws: EmulatedAws, subnets: str) -> None:
    data = f"#!/bin/bash\ncat >>/etc/ecs/ecs.config <<'SETTINGS'\nECS_CLUSTER={CLUSTER}\nSETTINGS\n"
    client(aws, "ec2").create_launch_template(
        LaunchTemplateName="tiny",
        LaunchTemplateData={
            "ImageId": "ami-12c6146b",
            "InstanceType": "m7g.large",
            "UserData": base64.b64encode(data.encode()).decode(),
        },
    )
    scaling = client(aws, "autoscaling")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="tiny",
        LaunchTemplate={"LaunchTemplateName": "tiny", "Version": "$Latest"},
        MinSize=0,
        MaxSize=3,
        DesiredCapacity=2,
        VPCZoneIdentifier=subnets,
    )
    (found,) = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    ecs = client(aws, "ecs")
    ecs.create_capacity_provider(
        name=PROVIDER,
        autoScalingGroupProvider={
            "autoScalingGroupArn": found["AutoScalingGroupARN"],
            "managedScaling": {"status": "ENABLED", "targetCapacity": 100},
        },
    )
    ecs.put_cluster_capacity_providers(
        cluster=CLUSTER, capacityProviders=[PROVIDER], defaultCapacityProviderStrategy=[]
    )
