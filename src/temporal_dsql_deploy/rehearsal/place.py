"""Where the data stores are in the VPC that was applied, and which security groups they wear."""

import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.errors import NotApplied

_NOBODYS = ipaddress.IPv4Network("198.18.0.0/15")
"""For tests of devices, routed nowhere (RFC 2544): outside of every VPC."""


@dataclass(frozen=True, slots=True)
class Place:
    """One data store."""

    host: str
    """The name that the outputs have for it."""
    address: str
    groups: tuple[str, ...]
    """Ids of the security groups before it; none for what is outside of the VPC."""


@dataclass(frozen=True, slots=True)
class Places:
    """Both."""

    database: Place
    visibility: Place

    @property
    def worn(self) -> dict[str, list[str]]:
        """Groups by address, of those inside the VPC."""
        both = (self.database, self.visibility)
        return {one.address: list(one.groups) for one in both if one.groups}


def find(environment: str, outputs: Mapping[str, Any], region: str) -> Places:
    """Where both are, by what the emulated AWS says. Raises NotApplied."""
    subnets = _subnets(region)
    inside = _database(outputs, region, subnets)
    outside = Place(str(outputs["dsql_cluster_endpoint"]), public(environment), ())
    return Places(inside or outside, _visibility(outputs, region, subnets))


def public(environment: str) -> str:
    """Address of DSQL's public endpoint: not that of another environment's rehearsal."""
    number = int.from_bytes(hashlib.sha256(environment.encode()).digest()[:2])
    return str(_NOBODYS[1 + number])


def _subnets(region: str) -> dict[str, str]:
    """CIDRs by id."""
    with aws.calling("look at the subnets (ec2:DescribeSubnets)"):
        said = aws.client("ec2", region).describe_subnets()["Subnets"]
    return {one["SubnetId"]: one["CidrBlock"] for one in said}


def _database(outputs: Mapping[str, Any], region: str, subnets: Mapping[str, str]) -> Place | None:
    """Its endpoint in the VPC; None where there is none."""
    host = str(outputs["dsql_cluster_endpoint"])
    with aws.calling("look at the endpoints of the VPC (ec2:DescribeVpcEndpoints)"):
        said = aws.client("ec2", region).describe_vpc_endpoints()["VpcEndpoints"]
    for one in said:
        if "dsql" in one["ServiceName"] and one.get("VpcEndpointType") == "Interface":
            groups = tuple(group["GroupId"] for group in one.get("Groups", ()))
            return Place(host, last(subnets[one["SubnetIds"][0]], 1), groups)
    return None


def _visibility(outputs: Mapping[str, Any], region: str, subnets: Mapping[str, str]) -> Place:
    host = str(outputs["opensearch_endpoint"])
    client = aws.client("opensearch", region)
    with aws.calling("look at the domains (es:DescribeDomains)"):
        names = [one["DomainName"] for one in client.list_domain_names()["DomainNames"]]
        said = [client.describe_domain(DomainName=name)["DomainStatus"] for name in names]
    for one in said:
        options = one.get("VPCOptions") or {}
        endpoints = {one.get("Endpoint"), *(one.get("Endpoints") or {}).values()}
        if host in endpoints and options.get("SubnetIds"):
            address = last(subnets[options["SubnetIds"][0]], 2)
            return Place(host, address, tuple(options.get("SecurityGroupIds", ())))
    raise NotApplied(
        f"no OpenSearch domain of the emulated AWS has the endpoint {host}",
        cause="the environment brings a domain that stands elsewhere, or it was not applied",
        fix="rehearse it with a domain of its own: opensearch.existing_domain = null",
    )


def last(cidr: str, number: int) -> str:
    """An address at the end of a subnet, where no task comes soon; AWS keeps the very last."""
    return str(ipaddress.IPv4Network(cidr)[-1 - number])
