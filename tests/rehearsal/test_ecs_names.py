"""Who reaches whom in the emulated ECS: Service Connect, private DNS, security groups."""

from typing import Any

import pytest

from tests.support.aws import client
from tests.support.ecs_cluster import (
    CLUSTER,
    SERVE,
    Tiny,
    address,
    inside,
    logged,
    run_once,
    says,
)

pytestmark = [
    pytest.mark.needs("container engine"),
    pytest.mark.needs("nftables"),
]


NEVER = {"command": ["CMD", "true"], "interval": 5, "timeout": 5, "retries": 3}


NO_CHECK: dict[str, Any] = {"healthCheck": {"command": ["NONE"]}}


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


@pytest.mark.parametrize("by_terraform", [True, False])
def test_private_dns_names_lead_to_the_tasks_that_are_well(
    tiny: Tiny, *, by_terraform: bool
) -> None:
    discovery = client(tiny.aws, "servicediscovery")
    zone = f"tiny{by_terraform:d}.internal"
    discovery.create_private_dns_namespace(Name=zone, Vpc=f"vpc-{by_terraform:d}")
    (namespace,) = [one for one in discovery.list_namespaces()["Namespaces"] if one["Name"] == zone]
    said = {"NamespaceId": namespace["Id"]}
    registry = discovery.create_service(
        Name="loki",
        DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 10}], **(said if by_terraform else {})},
        **({} if by_terraform else said),
    )["Service"]["Arn"]
    tiny.serve("loki", tiny.define("loki"), 1, serviceRegistries=[{"registryArn": registry}])
    (task,) = tiny.until_well("loki", 1)
    ask = f"import socket; print(socket.gethostbyname('loki.{zone}'))"
    own = task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    assert inside(tiny, task, "python3", "-c", ask) == f"{own}\n"
    ask = f"import socket; print(socket.gethostbyname('nobody.{zone}'))"
    assert "gaierror" in inside(tiny, task, "python3", "-c", ask)


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
