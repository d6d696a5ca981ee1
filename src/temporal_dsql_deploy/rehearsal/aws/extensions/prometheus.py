"""Amazon Managed Service for Prometheus: the key of a workspace, which moto drops."""

import json
from typing import Any

from moto.amp.models import Workspace
from moto.amp.responses import PrometheusServiceResponse

from temporal_dsql_deploy.rehearsal.aws.extensions.patch import Method, wrap


@wrap(PrometheusServiceResponse)
def create_workspace(original: Method, self: PrometheusServiceResponse) -> str:
    """Keep the key, without which the next plan would replace the workspace."""
    answer = json.loads(original(self))
    workspace = self.amp_backend.describe_workspace(answer["workspaceId"])
    vars(workspace)["kms_key_arn"] = json.loads(self.body).get("kmsKeyArn")
    return json.dumps(workspace.to_dict())


@wrap(Workspace)
def to_dict(original: Method, self: Workspace) -> dict[str, Any]:
    """Show it again."""
    key = vars(self).get("kms_key_arn")
    described: dict[str, Any] = original(self)
    return {**described, **({"kmsKeyArn": key} if key else {})}
