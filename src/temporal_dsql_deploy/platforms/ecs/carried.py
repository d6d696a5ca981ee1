"""What a task inside the VPC is told of its environment: outputs of Terraform, in a variable."""

import json
import os
from typing import Any

from temporal_dsql_deploy.errors import InvalidSetting
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed

VARIABLE = "DSQL_DEPLOY_OUTPUTS"
ENDPOINT = "CLUSTER_ENDPOINT"
"""Host of DSQL as it is dialled from inside, which may be another than outside."""
_OUTPUTS = (
    "ecs_cluster_name",
    "ecs_cluster_arn",
    "start_order",
    "dsql_cluster_endpoint",
    "dsql_cluster_arn",
    "deletion_protection",
)
_OF_SERVICES = ("service_name", "task_definition_arn", "replicas")


def text(deployed: Deployed) -> str:
    """The variable's value: as short as it can be."""
    services = {
        name: {key: one[key] for key in _OF_SERVICES}
        for name, one in deployed.output("services").items()
    }
    told = {name: deployed.outputs.get(name) for name in _OUTPUTS}
    document = {
        "account": deployed.account,
        "region": deployed.region,
        "project": deployed.project,
        "outputs": {**told, "services": services},
    }
    return json.dumps(document, separators=(",", ":"))


def here(environment: str) -> Deployed | None:
    """What this task was told; None where this is none. Raises InvalidSetting."""
    said = os.environ.get(VARIABLE)
    if not said:
        return None
    try:
        document = json.loads(said)
        outputs: dict[str, Any] = dict(document["outputs"])
        if endpoint := os.environ.get(ENDPOINT):
            outputs["dsql_cluster_endpoint"] = endpoint
        account, region, project = (document[name] for name in ("account", "region", "project"))
        return Deployed(environment, account, region, project, outputs)
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidSetting(
            f"{VARIABLE} is not what dsql-deploy writes into it",
            cause=f"{type(error).__name__}: {error}",
            fix="unset it: it is for the tasks that dsql-deploy runs inside a VPC",
        ) from error
