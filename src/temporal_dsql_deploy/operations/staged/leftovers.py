"""What a Terraform that was stopped has left: half made in the state, or on AWS and in no state.

Interrupted, the AWS provider drops the calls that it waits for. What such a call has made may then
be marked as tainted, which the next plan replaces; or it is not known at all. What has a name of
its own is refused the second time; the rest, which Amazon EC2 has, would be made twice unseen.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.operations.plan.summary import HOLDS_DATA
from temporal_dsql_deploy.plan import managed

_REMOVE = {
    "vpc": "ec2 delete-vpc --vpc-id",
    "subnet": "ec2 delete-subnet --subnet-id",
    "internet-gateway": "ec2 delete-internet-gateway --internet-gateway-id",
    "elastic-ip": "ec2 release-address --allocation-id",
    "natgateway": "ec2 delete-nat-gateway --nat-gateway-id",
    "route-table": "ec2 delete-route-table --route-table-id",
    "security-group": "ec2 delete-security-group --group-id",
    "vpc-endpoint": "ec2 delete-vpc-endpoints --vpc-endpoint-ids",
    "dsql-cluster": "dsql delete-cluster --identifier",
}
"""Of the AWS command line, by type as ec2:DescribeTags has it. What has another type is of Auto
Scaling groups or of tasks, is refused the second time, or goes with one of these."""
_DSQL = "dsql-cluster"
_UNPROTECT = "aws dsql update-cluster --no-deletion-protection-enabled --identifier"
_GOING = ("DELETING", "DELETED")
_SPELLED = {"vpc-elastic-ip": "elastic-ip", "nat-gateway": "natgateway"}
"""Types as the emulated AWS has them."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """On AWS, with the tags of the environment, and in no state."""

    type: str
    id: str

    @property
    def remove(self) -> str:
        """The command."""
        remove = f"aws {_REMOVE[self.type]} {self.id}"
        return f"{_UNPROTECT} {self.id} && {remove}" if self.type == _DSQL else remove


def half_made(state: Mapping[str, Any]) -> list[str]:
    """Addresses of what holds data and is marked as tainted, by `terraform show -json`."""
    return [
        one["address"] for one in managed(state) if one.get("tainted") and one["type"] in HOLDS_DATA
    ]


def tags(state: Mapping[str, Any]) -> dict[str, str]:
    """The tags that all of a state have: the provider's default_tags."""
    found = [set(said.items()) for one in managed(state) if (said := one["values"].get("tags_all"))]
    return dict(sorted(set.intersection(*found))) if found else {}


def unknown(state: Mapping[str, Any], found: Iterable[tuple[str, str]]) -> list[Orphan]:
    """Of resources with the tags of a state, by type and id, those that are not in it."""
    # A route table or security group that AWS makes is known by another attribute than its id.
    known = json.dumps([one["values"] for one in managed(state)])
    spelled = {(_SPELLED.get(kind, kind), name) for kind, name in found}
    return [
        Orphan(kind, name)
        for kind, name in sorted(spelled)
        if kind in _REMOVE and f'"{name}"' not in known
    ]


def orphans(state: Mapping[str, Any], region: str | None) -> list[Orphan]:
    """Those of Amazon EC2, and DSQL clusters. Raises what `aws.calling` raises."""
    wanted = tags(state)
    if not wanted:
        return []
    client = aws.client("ec2", region)
    with aws.calling("look for what an interrupted apply has left (ec2:DescribeTags)"):
        found = set.intersection(*(_tagged(client, *one) for one in wanted.items()))
    return unknown(state, [*found, *_clusters(wanted, region)])


def _clusters(wanted: Mapping[str, str], region: str | None) -> Iterator[tuple[str, str]]:
    """DSQL clusters with these tags; they have no names, so AWS refuses no second one."""
    client = aws.client("dsql", region)
    with aws.calling("look for DSQL clusters (dsql:ListClusters, dsql:ListTagsForResource)"):
        pages = client.get_paginator("list_clusters").paginate()
        for one in (each for page in pages for each in page["clusters"]):
            said = client.list_tags_for_resource(resourceArn=one["arn"]).get("tags", {})
            if wanted.items() <= said.items() and _stays(client, one["identifier"]):
                yield _DSQL, one["identifier"]


def _stays(client: Any, identifier: str) -> bool:
    return client.get_cluster(identifier=identifier)["status"] not in _GOING


def _tagged(client: Any, key: str, value: str) -> set[tuple[str, str]]:
    """Types and ids."""
    filters = [{"Name": "key", "Values": [key]}, {"Name": "value", "Values": [value]}]
    pages = client.get_paginator("describe_tags").paginate(Filters=filters)
    return {(one["ResourceType"], one["ResourceId"]) for page in pages for one in page["Tags"]}
