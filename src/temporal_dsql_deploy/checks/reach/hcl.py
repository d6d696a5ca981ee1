"""What is missing, as Terraform to paste."""

import re
from dataclasses import dataclass

from temporal_dsql_deploy.checks.reach.parties import Party
from temporal_dsql_deploy.checks.reach.paths import Passage
from temporal_dsql_deploy.plan.firewall import Firewall


def group_of(walls: Firewall, party: Party) -> str:
    """Address of the group that a party's rules belong to: its own, not one that others wear."""
    return _resource(walls, party.groups[0])


def id_of(walls: Firewall, group: str) -> str:
    """The expression for a group's id: a reference where the plan has the group."""
    address = _resource(walls, group)
    return f"{address}.id" if address else f'"{group}"'


def missing_rules(walls: Firewall, source: Party, target: Party, port: int, found: Passage) -> str:
    """The rules that would let a connection pass, of the end or ends that lack one."""
    name = _name(f"{source.label}_to_{target.label}_{port}")
    out, into = (id_of(walls, party.groups[0]) for party in (source, target))
    rules = []
    if not found.out:
        rules.append(_rule("egress", name, out, f"referenced_security_group_id = {into}", port))
    if not found.into:
        rules.append(_rule("ingress", name, into, f"referenced_security_group_id = {out}", port))
    return "\n\n".join(rules)


def egress_to(walls: Firewall, party: Party, name: str, peer: str, port: int) -> str:
    """A rule that lets a party out to what `peer`, such as `cidr_ipv4 = "0.0.0.0/0"`, says."""
    group = id_of(walls, party.groups[0])
    return _rule("egress", _name(f"{party.label}_to_{name}"), group, peer, port)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an endpoint is to stand, as expressions of Terraform."""

    vpc: str
    subnets: tuple[str, ...]


def interface_endpoint(
    walls: Firewall, service: str, name: str, place: Place, caller: Party
) -> str:
    """An interface endpoint with a group of its own that lets a party in.

    `service`: its service name, or a reference to it.
    """
    label = _name(name)
    own = f"aws_security_group.{label}_endpoint.id"
    port = 5432 if ".dsql-" in service or "vpc_endpoint_service_name" in service else 443
    group = id_of(walls, caller.groups[0])
    quoted = service if "vpc_endpoint_service_name" in service else f'"{service}"'
    return "\n\n".join(
        [
            _block(
                "aws_security_group",
                f"{label}_endpoint",
                {"name": f'"{label}-endpoint"', "vpc_id": place.vpc},
            ),
            _block(
                "aws_vpc_endpoint",
                label,
                {
                    "vpc_id": place.vpc,
                    "service_name": quoted,
                    "vpc_endpoint_type": '"Interface"',
                    "private_dns_enabled": "true",
                    "subnet_ids": f"[{', '.join(place.subnets)}]",
                    "security_group_ids": f"[{own}]",
                },
            ),
            _rule(
                "ingress",
                _name(f"{caller.label}_to_{label}"),
                own,
                f"referenced_security_group_id = {group}",
                port,
            ),
            _rule(
                "egress",
                _name(f"{caller.label}_to_{label}"),
                group,
                f"referenced_security_group_id = {own}",
                port,
            ),
        ]
    )


def gateway_endpoint(service: str, name: str, vpc: str, table: str) -> str:
    """A gateway endpoint in a route table."""
    return _block(
        "aws_vpc_endpoint",
        _name(name),
        {
            "vpc_id": vpc,
            "service_name": f'"{service}"',
            "vpc_endpoint_type": '"Gateway"',
            "route_table_ids": f"[{table}]",
        },
    )


def _resource(walls: Firewall, group: str) -> str:
    return walls.groups[group].address if group in walls.groups else ""


def _rule(direction: str, name: str, group: str, peer: str, port: int) -> str:
    key, _, value = peer.partition(" = ")
    return _block(
        f"aws_vpc_security_group_{direction}_rule",
        name,
        {
            "security_group_id": group,
            key: value,
            "ip_protocol": '"tcp"',
            "from_port": str(port),
            "to_port": str(port),
        },
    )


def _block(kind: str, name: str, arguments: dict[str, str]) -> str:
    width = max(map(len, arguments))
    lines = [f"  {key.ljust(width)} = {value}" for key, value in arguments.items()]
    return "\n".join([f'resource "{kind}" "{name}" {{', *lines, "}"])


def _name(text: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "_", text.lower())
