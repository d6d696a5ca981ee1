"""`dsql-deploy lease` as its users run it, with moto as DynamoDB, CloudWatch and ECS."""

import json
import signal
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from scripts.reference import REFERENCE
from temporal_dsql_deploy.rehearsal.aws.server import ACCOUNT, REGION, EmulatedAws
from tests.support.aws import client
from tests.support.deploy import Deploy
from tests.support.deployed import stands

pytestmark = pytest.mark.needs("terraform")

Lease = Callable[..., subprocess.CompletedProcess[str]]
ENVIRONMENT = {
    "CLUSTER_ENDPOINT": "",
    "DSQL_DISTRIBUTED_CONN_LEASE_ENABLED": "true",
    "DSQL_DISTRIBUTED_CONN_LIMIT": "260",
    "DSQL_RESERVOIR_ENABLED": "true",
    "TEMPORAL_SQL_MAX_CONNS": "10",
}


class Cluster:
    """One environment: its table, its tasks, and its figures in CloudWatch."""

    def __init__(self, aws: EmulatedAws, folder: Path) -> None:
        self.aws = aws
        self.id = f"c{abs(hash(folder)) % 10**12}"
        self.endpoint = f"{self.id}.dsql.{REGION}.on.aws"
        self.name = f"x{self.id}"
        self.dynamodb = client(aws, "dynamodb")
        self.dynamodb.create_table(
            TableName=self.name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self._tasks()
        self.outputs = {
            "dynamodb_table_names": {"conn_lease": self.name, "rate_limiter": None},
            "dsql_cluster_endpoint": self.endpoint,
            "dsql_cluster_arn": f"arn:aws:dsql:{REGION}:{ACCOUNT}:cluster/{self.id}",
            "ecs_cluster_name": self.name,
            "services": {"history": {"service_name": "history", "container_name": "history"}},
        }

    def _tasks(self) -> None:
        ecs = client(self.aws, "ecs")
        ecs.create_cluster(clusterName=self.name)
        pairs = [{"name": name, "value": value} for name, value in ENVIRONMENT.items()]
        ecs.register_task_definition(
            family=self.name,
            containerDefinitions=[
                {"name": "history", "image": "x", "memory": 128, "environment": pairs}
            ],
        )
        ecs.create_service(
            cluster=self.name, serviceName="history", taskDefinition=self.name, desiredCount=0
        )

    def says(self, active: int, *, minutes_ago: float) -> None:
        changed = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        numbers = {"active": active, "updated_ms": int(changed.timestamp() * 1000)}
        key = {"pk": {"S": f"dsqllease_counter#{self.endpoint}"}}
        told = {name: {"N": str(number)} for name, number in numbers.items()}
        self.dynamodb.put_item(TableName=self.name, Item={**key, **told})

    def counter(self) -> int:
        key = {"pk": {"S": f"dsqllease_counter#{self.endpoint}"}}
        found = self.dynamodb.get_item(TableName=self.name, Key=key)
        return int(found["Item"]["active"]["N"])

    def opened(self, connections: int, *, late: int = 2) -> None:
        """In each of the last minutes; a figure of another cluster is beside it."""
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        data = [
            {
                "MetricName": "ResourceCount",
                "Dimensions": [
                    {"Name": "Service", "Value": "AuroraDSQL"},
                    {"Name": "Type", "Value": "Resource"},
                    {"Name": "Resource", "Value": "ClusterConnectionCount"},
                    {"Name": "ResourceId", "Value": f"cluster/{cluster}"},
                    {"Name": "Class", "Value": "None"},
                ],
                "Timestamp": now - timedelta(minutes=minute),
                "Value": number,
            }
            for cluster, number in ((self.id, connections), ("another", 9000))
            for minute in range(late, 30)
        ]
        cloudwatch = client(self.aws, "cloudwatch")
        for first in range(0, len(data), 20):
            cloudwatch.put_metric_data(Namespace="AWS/Usage", MetricData=data[first : first + 20])


@pytest.fixture
def cluster(aws: EmulatedAws, tmp_path: Path) -> Cluster:
    return Cluster(aws, tmp_path)


@pytest.fixture
def file(cluster: Cluster, tmp_path: Path) -> Path:
    return stands(tmp_path, cluster.outputs)


@pytest.fixture
def lease(deploy: Deploy, aws: EmulatedAws, file: Path) -> Lease:
    def lease(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        told: dict[str, Any] = {**aws.environment(), "DSQL_DEPLOY_FILE": str(file)}
        return deploy.run("lease", *words, check=check, **told)

    return lease


def document(done: subprocess.CompletedProcess[str], name: str) -> Any:
    made = json.loads(done.stdout)
    schema = json.loads((REFERENCE / "schemas" / f"lease-{name}.schema.json").read_text())
    jsonschema.validate(made, schema)
    return made


def test_a_counter_that_has_leaked_is_shown_and_reset(cluster: Cluster, lease: Lease) -> None:
    cluster.says(235, minutes_ago=60)
    cluster.opened(109)
    shown = lease("show", "ours", check=False)
    assert shown.returncode == 1
    assert "FAILED: 126 at least have leaked: for 14 minutes it has said more" in shown.stdout
    assert "lease reset ours" in shown.stdout
    found = document(lease("show", "ours", "--json", check=False), "show")
    assert (found["verdict"], found["counter"], found["open"]) == ("wrong", 235, 109)
    assert (found["limit"], found["tasks"], len(found["minutes"])) == (260, 0, 14)
    unconfirmed = lease("reset", "ours", check=False)
    assert (unconfirmed.returncode, unconfirmed.stdout) == (4, "")
    assert (
        "109 would be written for 235; 126 had leaked" in lease("reset", "ours", "--dry-run").stdout
    )
    assert cluster.counter() == 235
    done = document(lease("reset", "ours", "--yes", "--json"), "reset")
    assert (done["before"], done["after"], done["dry_run"]) == (235, 109, False)
    assert cluster.counter() == 109
    again = lease("reset", "ours", "--yes", check=False)
    assert again.returncode == 4
    assert "nothing has to be done" in again.stderr
    assert lease("show", "ours").stdout.splitlines()[-1].startswith("OK: ")


def test_a_counter_that_is_right_is_left_alone(cluster: Cluster, lease: Lease) -> None:
    cluster.says(120, minutes_ago=60)
    cluster.opened(109)
    assert "OK: it says no more than 1.2 times what is open" in lease("show", "ours").stdout
    refused = lease("reset", "ours", "--yes", "--watch", check=False)
    assert refused.returncode == 4
    assert "it says 120, 109 were open" in refused.stderr
    assert cluster.counter() == 120


def test_a_counter_that_moves_has_to_be_watched(
    cluster: Cluster, lease: Lease, deploy: Deploy, aws: EmulatedAws, file: Path
) -> None:
    cluster.says(235, minutes_ago=0)
    cluster.opened(109)
    assert "it may be wrong by 126" in lease("show", "ours").stdout
    refused = lease("reset", "ours", "--yes", check=False)
    assert refused.returncode == 4
    assert "lease reset ours --file" in refused.stderr or "ours --watch" in refused.stderr
    told: dict[str, Any] = {**aws.environment(), "DSQL_DEPLOY_FILE": str(file)}
    watching = deploy.start("lease", "reset", "ours", "--yes", "--watch", **told)
    assert watching.stderr is not None
    line = watching.stderr.readline()
    assert "counter 235, 109 open at" in line
    watching.send_signal(signal.SIGINT)
    _, said = watching.communicate(timeout=60)
    assert (watching.returncode, "Traceback" in said) == (130, False)
    assert cluster.counter() == 235


def test_a_table_without_a_counter_and_without_figures(cluster: Cluster, lease: Lease) -> None:
    shown = lease("show", "ours")
    assert "not known: the table has no counter of this cluster" in shown.stdout
    cluster.says(235, minutes_ago=60)
    assert "CloudWatch has no count of this cluster's connections" in lease("show", "ours").stdout


def test_where_leases_are_off_it_is_said(
    cluster: Cluster, deploy: Deploy, aws: EmulatedAws, tmp_path: Path
) -> None:
    outputs = {**cluster.outputs, "dynamodb_table_names": {"conn_lease": None}}
    file = stands(tmp_path, outputs, name="off")
    told: dict[str, Any] = {**aws.environment(), "DSQL_DEPLOY_FILE": str(file)}
    for verb in ("show", "reset"):
        words = ["lease", verb, "off", *(["--yes"] if verb == "reset" else [])]
        done = deploy.run(*words, check=False, **told)
        assert done.returncode == 3
        assert "environment off counts no connection leases" in done.stderr


def test_wrong_use_is_told(lease: Lease, cluster: Cluster) -> None:
    done = lease("reset", "ours", "--minutes", "5", check=False)
    assert (done.returncode, "--minutes" in done.stderr) == (2, True)
    client(cluster.aws, "dynamodb").delete_table(TableName=cluster.name)
    gone = lease("show", "ours", check=False)
    assert (gone.returncode, "Traceback" in gone.stderr) == (1, False)
    assert "AWS could not read the leases" in gone.stderr
