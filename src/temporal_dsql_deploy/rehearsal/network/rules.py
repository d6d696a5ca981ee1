"""What security groups let through, and the groups that each address wears: plain data."""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Direction = Literal["ingress", "egress"]
ALL_PORTS = (0, 65535)
_TCP = {"tcp": False, "6": False, "-1": True}
"""Protocols that let TCP through, and whether their ports are all."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One way in or out of a security group, for TCP."""

    group: str
    """Id of the group that it belongs to."""
    direction: Direction
    ports: tuple[int, int]
    """First and last."""
    peer_group: str | None = None
    """Id of the group at the other end, or else `peer_cidrs`."""
    peer_cidrs: tuple[str, ...] = ()
    """IPv4 networks at the other end; those of a prefix list are several."""


@dataclass(frozen=True, slots=True)
class SecurityGroups:
    """All rules, and who wears which groups."""

    rules: tuple[Rule, ...] = ()
    worn: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Ids of groups by IPv4 address. An address without an entry is none of the VPC's: no rule of
    its own holds it, as with a public endpoint."""
    free: frozenset[str] = frozenset()
    """Addresses that security groups do not stand before: name server and task metadata."""

    def lets(self, source: str, target: str, port: int) -> bool:
        """Whether `source` may dial this TCP port of `target`."""
        if target in self.free:
            return True
        return self._one_way("egress", source, target, port) and self._one_way(
            "ingress", target, source, port
        )

    def _one_way(self, direction: Direction, own: str, other: str, port: int) -> bool:
        if own not in self.worn:
            return True
        return any(
            rule.ports[0] <= port <= rule.ports[1] and self._names(rule, other)
            for rule in self.rules
            if rule.direction == direction and rule.group in self.worn[own]
        )

    def _names(self, rule: Rule, other: str) -> bool:
        if rule.peer_group is not None:
            return rule.peer_group in self.worn.get(other, ())
        address = ipaddress.ip_address(other)
        return any(address in ipaddress.ip_network(cidr) for cidr in rule.peer_cidrs)


def read(
    described: Iterable[Mapping[str, Any]], prefix_lists: Mapping[str, Iterable[str]]
) -> tuple[Rule, ...]:
    """The rules of ec2:DescribeSecurityGroupRules that let TCP over IPv4 through.

    `prefix_lists` are CIDRs by the id of their list; one that is not there lets nobody through.
    """
    found = (_rule(one, prefix_lists) for one in described)
    return tuple(dict.fromkeys(rule for rule in found if rule is not None))


def _rule(said: Mapping[str, Any], prefix_lists: Mapping[str, Iterable[str]]) -> Rule | None:
    protocol = str(said.get("IpProtocol", ""))
    if protocol not in _TCP:
        return None
    ports = ALL_PORTS if _TCP[protocol] else (int(said["FromPort"]), int(said["ToPort"]))
    own = str(said["GroupId"])
    direction: Direction = "egress" if said["IsEgress"] else "ingress"
    group = said.get("ReferencedGroupInfo", {}).get("GroupId")
    if group:
        return Rule(own, direction, ports, peer_group=str(group))
    if listed := said.get("PrefixListId"):
        cidrs = tuple(_ipv4(prefix_lists.get(str(listed), ())))
    else:
        cidrs = tuple(_ipv4([said.get("CidrIpv4") or ""]))
    return Rule(own, direction, ports, peer_cidrs=cidrs) if cidrs else None


def _ipv4(cidrs: Iterable[str]) -> Iterable[str]:
    """The IPv4 networks among them, none inside of another."""
    found = (
        ipaddress.IPv4Network(cidr, strict=False) for cidr in cidrs if cidr and ":" not in cidr
    )
    return (str(network) for network in ipaddress.collapse_addresses(found))
