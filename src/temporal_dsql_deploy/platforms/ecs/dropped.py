"""Connections that nobody answers: which security group lets them not through."""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.errors import DeployError
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.services import Service

_SAID = (
    re.compile(r"dial tcp ([0-9.]+):(\d+): i/o timeout"),
    re.compile(r"([0-9.]+):(\d+) \([^)]*\): dial error: (?:timeout|dial tcp [^\"]*i/o timeout)"),
    re.compile(r"([\w.-]+):(\d+) does not answer: packets are dropped"),
)
"""Of Go's net, of pgx, of the runtime in this project's images. A refused connection is none of
them: a security group drops, it does not refuse."""
_TCP = ("tcp", "6", "-1")


def targets(text: str) -> list[tuple[str, int]]:
    """Host and port that nobody has answered at, each once."""
    found = (match for said in _SAID for match in said.finditer(text))
    return list(dict.fromkeys((match[1], int(match[2])) for match in found))


def sentences(service: Service, text: str, clients: Clients) -> list[str]:
    """Which rule lacks for what a text says; never raises."""
    found = targets(text)
    if not found or not service.security_groups:
        return []
    try:
        return [line for host, port in found for line in _of(service, host, port, clients)]
    except DeployError as error:
        return [f"the security groups cannot be looked at: {error.cause}"]


def _of(service: Service, host: str, port: int, clients: Clients) -> Iterator[str]:
    worn = service.security_groups
    place = f"{host}:{port}"
    theirs = _groups_of(host, clients)
    if not lets(_rules(worn, clients), port, egress=True, host=host, peers=theirs):
        yield (
            f"{service.component} does not reach {place}: {', '.join(worn)} has no egress rule "
            f"for TCP port {port} that leads there: dsql-deploy check ENV"
        )
        return
    if theirs and not lets(_rules(theirs, clients), port, egress=False, peers=worn):
        yield (
            f"{service.component} does not reach {place}: {', '.join(theirs)} has no ingress rule "
            f"for TCP port {port} from {', '.join(worn)}: dsql-deploy check ENV"
        )
        return
    yield (
        f"{service.component} does not reach {place}, though {', '.join(worn)} lets port {port} "
        "out: see the ingress rules of what listens there, routes and endpoints: "
        "dsql-deploy check ENV"
    )


def lets(
    rules: Iterable[Mapping[str, Any]],
    port: int,
    *,
    egress: bool,
    host: str = "",
    peers: Sequence[str] = (),
) -> bool:
    """Whether a rule of ec2:DescribeSecurityGroupRules lets TCP through.

    Where the other end is not known, by address (`host`) or by its groups (`peers`), a rule is
    taken for one that leads there.
    """
    return any(
        rule["IsEgress"] == egress and _has_port(rule, port) and _leads_to(rule, host, peers)
        for rule in rules
    )


def _has_port(rule: Mapping[str, Any], port: int) -> bool:
    protocol = str(rule.get("IpProtocol", ""))
    if protocol not in _TCP:
        return False
    return protocol == "-1" or int(rule["FromPort"]) <= port <= int(rule["ToPort"])


def _leads_to(rule: Mapping[str, Any], host: str, peers: Sequence[str]) -> bool:
    group = rule.get("ReferencedGroupInfo", {}).get("GroupId")
    if group:
        return not peers or group in peers
    cidr = rule.get("CidrIpv4")
    address = _address(host)
    if cidr and address:
        return address in ipaddress.ip_network(cidr, strict=False)
    return True


def _address(host: str) -> ipaddress.IPv4Address | None:
    try:
        return ipaddress.IPv4Address(host)
    except ValueError:
        return None


def _groups_of(host: str, clients: Clients) -> list[str]:
    """Those of a network interface with this address; none where it is not known."""
    if _address(host) is None:
        return []
    with aws.calling("look for who has an address (ec2:DescribeNetworkInterfaces)"):
        said = clients.ec2.describe_network_interfaces(
            Filters=[{"Name": "addresses.private-ip-address", "Values": [host]}]
        )["NetworkInterfaces"]
    return [group["GroupId"] for one in said for group in one.get("Groups", ())]


def _rules(groups: Sequence[str], clients: Clients) -> list[Mapping[str, Any]]:
    with aws.calling("look at security groups (ec2:DescribeSecurityGroupRules)"):
        pages = clients.ec2.get_paginator("describe_security_group_rules").paginate(
            Filters=[{"Name": "group-id", "Values": list(groups)}]
        )
        return [rule for page in pages for rule in page["SecurityGroupRules"]]
