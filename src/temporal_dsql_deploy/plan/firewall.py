"""The security groups of a plan: their rules, whatever resource holds them, and who wears them."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from temporal_dsql_deploy.plan.model import Plan, Resource, State
from temporal_dsql_deploy.plan.values import UNKNOWN, listed

ALL_PORTS = (0, 65535)
Direction = Literal["ingress", "egress"]
_WAYS: tuple[Direction, ...] = ("ingress", "egress")
_STANDALONE: Mapping[str, Direction] = {
    "aws_vpc_security_group_ingress_rule": "ingress",
    "aws_vpc_security_group_egress_rule": "egress",
}
_SEPARATE = (*_STANDALONE, "aws_security_group_rule")
_GROUPS = ("aws_security_group", "aws_default_security_group")


@dataclass(frozen=True, slots=True)
class Rule:
    """One way in or out of a security group."""

    address: str
    """Resource that holds it."""
    attribute: str
    """Dotted path in that resource; empty where the resource is the rule."""
    direction: Direction
    group: str
    """Id of the group that the rule belongs to."""
    kind: Literal["group", "cidr", "prefix_list"]
    peer: str
    """Id of a group or prefix list, or a CIDR."""
    protocol: str
    """tcp, udp, icmp, or -1 for all."""
    ports: tuple[int, int]
    """First and last; ALL_PORTS for all protocols."""

    def opens(self, port: int) -> bool:
        """Whether TCP on this port passes."""
        return self.protocol in {"tcp", "6", "-1"} and self.ports[0] <= port <= self.ports[1]

    def anywhere(self) -> bool:
        """Whether the peer is every address there is."""
        return self.kind == "cidr" and self.peer in {"0.0.0.0/0", "::/0"}


@dataclass(frozen=True)
class Firewall:
    """All rules, and what could not be told."""

    rules: tuple[Rule, ...]
    groups: Mapping[str, Resource]
    """`aws_security_group` and `aws_default_security_group` by id, where it is known."""
    unknown: tuple[str, ...]
    """Addresses of rules and groups of which too much is not known."""

    @cached_property
    def _by_group(self) -> Mapping[tuple[str, str], tuple[Rule, ...]]:
        found: dict[tuple[str, str], list[Rule]] = {}
        for rule in self.rules:
            found.setdefault((rule.direction, rule.group), []).append(rule)
        return {key: tuple(rules) for key, rules in found.items()}

    def of(self, groups: Iterable[str], direction: Direction) -> tuple[Rule, ...]:
        """The rules of a direction that whoever wears these groups has."""
        found = self._by_group
        return tuple(rule for group in groups for rule in found.get((direction, group), ()))


def firewall(plan: Plan | State) -> Firewall:
    """The firewall of a plan or state."""
    groups = {
        group["id"]: group for group in plan.of_type(*_GROUPS) if isinstance(group["id"], str)
    }
    rules: list[Rule] = []
    unknown: list[str] = []
    mirrors = _with_standalone_rules(plan)
    for resource in plan.of_type(*_SEPARATE, *_GROUPS):
        # Such a group only repeats, once it is read from AWS, what stands in the other resources:
        # those that are to be deleted too.
        if resource.type in _GROUPS and str(resource["id"]) in mirrors:
            continue
        found = list(_rules(resource))
        rules += [rule for rule in found if rule is not None]
        if None in found:
            unknown.append(resource.address)
    return Firewall(tuple(rules), groups, tuple(unknown))


def _with_standalone_rules(plan: Plan | State) -> set[str]:
    """Ids of groups whose rules are resources of their own, now or until the apply."""
    found = [rule["security_group_id"] for rule in plan.of_type(*_SEPARATE)]
    if isinstance(plan, Plan):
        before = (change.before for change in plan.changes if change.type in _SEPARATE)
        found += [values.get("security_group_id") for values in before if values]
    return {group for group in found if isinstance(group, str)}


def contains(cidr: str, other: str) -> bool:
    """Whether all addresses of `other` are in `cidr`. False where one is no CIDR."""
    try:
        inner, outer = ipaddress.ip_network(other), ipaddress.ip_network(cidr)
    except ValueError:
        return False
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class _Holder:
    """Where a rule stands and whom it belongs to; the group may be UNKNOWN."""

    resource: Resource
    attribute: str
    direction: Direction
    group: Any

    def rules(
        self, peers: Iterable[tuple[Any, Any]], ports: tuple[str, tuple[int, int]] | None
    ) -> Iterator[Rule | None]:
        for kind, peer in peers:
            if peer is None:
                continue
            if ports is None or not isinstance(self.group, str) or not isinstance(peer, str):
                yield None
                continue
            place = (self.resource.address, self.attribute, self.direction, self.group)
            yield Rule(*place, kind, peer, *ports)


def _rules(resource: Resource) -> Iterator[Rule | None]:
    """The rules that a resource holds; None for one of which too much is not known."""
    if resource.type in _STANDALONE:
        yield from _standalone(resource, _STANDALONE[resource.type])
    elif resource.type == "aws_security_group_rule":
        if (direction := resource["type"]) in _WAYS:
            holder = _Holder(resource, "", direction, resource["security_group_id"])
            yield from _block(holder, resource.values)
    else:
        for way in _WAYS:
            for index, block in enumerate(listed(resource[way])):
                yield from _block(_Holder(resource, f"{way}.{index}", way, resource["id"]), block)


def _standalone(resource: Resource, direction: Direction) -> Iterator[Rule | None]:
    peers = (
        ("group", resource["referenced_security_group_id"]),
        ("prefix_list", resource["prefix_list_id"]),
        ("cidr", resource["cidr_ipv4"]),
        ("cidr", resource["cidr_ipv6"]),
    )
    ports = _ports(resource["ip_protocol"], resource["from_port"], resource["to_port"])
    yield from _Holder(resource, "", direction, resource["security_group_id"]).rules(peers, ports)


def _block(holder: _Holder, block: Any) -> Iterator[Rule | None]:
    """The rules of an inline block, or of an `aws_security_group_rule`, which has its shape."""
    if not isinstance(block, Mapping):
        yield None
        return
    peers = [
        ("group", block.get("source_security_group_id")),
        *(("group", one) for one in _all(block.get("security_groups"))),
        *(("prefix_list", one) for one in _all(block.get("prefix_list_ids"))),
        *(("cidr", one) for one in _all(block.get("cidr_blocks"))),
        *(("cidr", one) for one in _all(block.get("ipv6_cidr_blocks"))),
    ]
    if block.get("self") is True:
        peers.append(("group", holder.group))
    ports = _ports(block.get("protocol"), block.get("from_port"), block.get("to_port"))
    yield from holder.rules(peers, ports)


def _ports(protocol: Any, first: Any, last: Any) -> tuple[str, tuple[int, int]] | None:
    if not isinstance(protocol, str):
        return None
    if protocol in {"-1", "all"}:
        return "-1", ALL_PORTS
    if not isinstance(first, int) or not isinstance(last, int):
        return None
    return protocol.lower(), (first, last)


def _all(value: Any) -> Iterable[Any]:
    """The items of a list that may not be known as a whole."""
    return (value,) if value is UNKNOWN else listed(value)
