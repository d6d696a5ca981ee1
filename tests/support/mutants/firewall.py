"""Mutants of security group rules: each gone, and each end, port and protocol altered."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from temporal_dsql_deploy.plan import Plan, Resource
from tests.support.mutants.model import Mutant, with_values, without

TYPES = ("aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule")
_ANYWHERE = "0.0.0.0/0"
_ELSEWHERE = "198.51.100.0/24"
_PEERS = ("referenced_security_group_id", "prefix_list_id", "cidr_ipv4")


def mutants(plan: Plan, rule: Resource) -> Iterator[Mutant]:
    """The mutants of one rule."""
    gone = partial(without, plan, rule.address)
    yield Mutant("firewall rule deleted", rule.address, "", "deleted", "deleted", gone)
    for kind, what, detail, changed in _altered(plan, rule):
        made = partial(with_values, plan, rule, {**rule.values, **changed})
        yield Mutant(kind, rule.address, "", what, detail, made)


def _altered(plan: Plan, rule: Resource) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    first, last = rule["from_port"], rule["to_port"]
    if isinstance(first, int) and isinstance(last, int):
        ports = {"from_port": first + 1, "to_port": last + 1}
        yield "firewall rule altered", "another port", f"{first} -> {first + 1}", ports
    if rule["ip_protocol"] == "tcp":
        yield "firewall rule altered", "another protocol", "tcp -> udp", {"ip_protocol": "udp"}
    attribute = next(name for name in _PEERS if rule[name])
    peer = rule[attribute]
    other = _other(plan, rule, attribute)
    said = f"{peer} -> {other}"
    yield "firewall rule altered", "another peer", said, {attribute: other}
    if peer != _ANYWHERE:
        wide = {**dict.fromkeys(_PEERS), "cidr_ipv4": _ANYWHERE}
        yield "firewall rule widened", "widened", f"{peer} -> {_ANYWHERE}", wide


def _other(plan: Plan, rule: Resource, attribute: str) -> str:
    """Another peer of the same form: of groups, the next one of the plan."""
    if attribute == "cidr_ipv4":
        return _ELSEWHERE
    if attribute == "prefix_list_id":
        return "pl-0changed"
    ids = sorted(str(group["id"]) for group in plan.of_type("aws_security_group"))
    taken = {rule[attribute], rule["security_group_id"]}
    after = [one for one in ids if one > rule[attribute]]
    return next(one for one in [*after, *ids] if one not in taken)
