"""Who reaches whom: what the groups of both ends let pass on a TCP port."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from temporal_dsql_deploy.plan.firewall import Direction, Firewall, Rule, contains


class End(Protocol):
    """One end of a path."""

    @property
    def groups(self) -> tuple[str, ...]:
        """Ids of the security groups that it wears."""

    @property
    def addresses(self) -> tuple[str, ...] | None:
        """CIDRs that hold all its addresses; None where they are not known."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What lets a connection out at the one end and in at the other."""

    out: tuple[Rule, ...]
    """Egress rules of the source that let it out to the target."""
    into: tuple[Rule, ...]
    """Ingress rules of the target that let the source in."""
    doubt: bool = False
    """Whether what is not known could let it pass where no known rule does."""

    @property
    def open(self) -> bool:
        """Whether a connection comes about."""
        return bool(self.out and self.into)


def passage(walls: Firewall, source: End, target: End, port: int) -> Passage:
    """What lets a connection from source to target on a TCP port pass.

    A group without egress rules lets nothing out: Terraform's AWS provider removes the rule that
    AWS gives to each new group. Network ACLs are not looked at.
    """
    out, unsure_out = _half(walls, source, target, "egress", port)
    into, unsure_in = _half(walls, target, source, "ingress", port)
    doubt = (unsure_out and not out) or (unsure_in and not into)
    return Passage(out, into, doubt)


def foreign(walls: Firewall, end: End) -> tuple[str, ...]:
    """Groups that it wears and that the plan does not hold, so their rules are not all known."""
    return tuple(group for group in end.groups if group not in walls.groups)


def admits(rule: Rule, other: End) -> bool | None:
    """Whether a rule's peer is the other end; None where the plan does not tell."""
    if rule.kind == "group":
        return rule.peer in other.groups
    if rule.kind == "prefix_list":
        return None  # What a list holds is not in the plan.
    if rule.anywhere():
        return rule.peer == "0.0.0.0/0"
    if other.addresses is None:
        return None
    return all(contains(rule.peer, cidr) for cidr in other.addresses)


def without(walls: Firewall, group: str) -> Firewall:
    """The same firewall if a group had no rules, and no rule spoke of it."""
    kept = tuple(
        rule
        for rule in walls.rules
        if rule.group != group and (rule.kind, rule.peer) != ("group", group)
    )
    return Firewall(kept, walls.groups, walls.unknown)


def _half(
    walls: Firewall, own: End, other: End, direction: Direction, port: int
) -> tuple[tuple[Rule, ...], bool]:
    """Rules of one end that let the other pass, and whether there may be more of them."""
    unsure = bool(walls.unknown) or bool(foreign(walls, own))
    found: list[Rule] = []
    for rule in _opening(walls.of(own.groups, direction), port):
        said = admits(rule, other)
        if said:
            found.append(rule)
        unsure = unsure or said is None
    return tuple(found), unsure


def _opening(rules: Iterable[Rule], port: int) -> Iterator[Rule]:
    return (rule for rule in rules if rule.opens(port))
