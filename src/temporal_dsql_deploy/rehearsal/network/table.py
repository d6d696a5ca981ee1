"""Security groups in the language of nft: one table of the family bridge, made anew as a whole.

Only the packet that opens a TCP connection is judged, as the last effect of AWS's connection
tracking: what is open stays open when a rule goes (VPC user guide, security group connection
tracking: untracked is only what all may), and answers need no rule. Who is refused hears nothing.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from temporal_dsql_deploy.rehearsal.network.rules import Rule, SecurityGroups

DENIED = "denied"
"""The set of who was refused: caller, callee and port, each with a counter."""
_DENIED_KEPT = 4096
_OTHER_END = {"egress": ("ip saddr", "ip daddr"), "ingress": ("ip daddr", "ip saddr")}


def render(name: str, groups: SecurityGroups) -> str:
    """A file for `nft --file -` which replaces what the table `name` said.

    It is loaded at one go: no packet meets half of it. The set DENIED is kept.
    """
    named = {group for worn in groups.worn.values() for group in worn}
    named |= {one for rule in groups.rules for one in (rule.group, rule.peer_group) if one}
    sets = {_set_of(group): _wearers(groups, group) for group in sorted(named)}
    sets |= {"worn": sorted(groups.worn), "free": sorted(groups.free)}
    lines = [
        f"table bridge {name} {{",
        f"  set {DENIED} {{",
        "    type ipv4_addr . ipv4_addr . inet_service",
        f"    size {_DENIED_KEPT}",
        "    flags dynamic",
        "    counter",
        "  }",
        *(line for set_name in sets for line in _declared(set_name)),
        "}",
        # Rules go, sets stay.
        f"flush table bridge {name}",
        *(f"flush set bridge {name} {set_name}" for set_name in sets),
        f"table bridge {name} {{",
        *(line for set_name, members in sets.items() for line in _filled(set_name, members)),
        *_chains(groups),
        "}",
        "",
    ]
    return "\n".join(lines)


def removed(name: str) -> str:
    """A file which takes the table away, also where there is none."""
    return f"table bridge {name}\ndelete table bridge {name}\n"


def _set_of(group: str) -> str:
    return "of_" + re.sub(r"\W", "_", group)


def _wearers(groups: SecurityGroups, group: str) -> list[str]:
    return sorted(address for address, worn in groups.worn.items() if group in worn)


def _declared(name: str) -> Iterator[str]:
    yield f"  set {name} {{"
    yield "    type ipv4_addr"
    yield "  }"


def _filled(name: str, members: Iterable[str]) -> Iterator[str]:
    if said := ", ".join(members):
        yield f"  set {name} {{"
        yield "    type ipv4_addr"
        yield f"    elements = {{ {said} }}"
        yield "  }"


def _chains(groups: SecurityGroups) -> Iterator[str]:
    for direction in ("egress", "ingress"):
        own = (rule for rule in groups.rules if rule.direction == direction)
        yield f"  chain {direction} {{"
        yield from sorted({_let_through(rule) for rule in own})
        yield f"    update @{DENIED} {{ ip saddr . ip daddr . tcp dport }}"
        # On its own: the set may be full.
        yield "    drop"
        yield "  }"
    yield "  chain dialled {"
    yield "    tcp flags & (syn | ack) != syn accept"
    yield "    ip daddr @free accept"
    yield "    ip saddr @worn jump egress"
    yield "    ip daddr @worn jump ingress"
    yield "  }"
    # Between two containers; to an address of this machine; from one of them. By addresses and not
    # by the bridge's name: not every kernel has the module that would tell it.
    for hook in ("forward", "input", "output"):
        yield f"  chain {hook} {{"
        yield f"    type filter hook {hook} priority 0; policy accept;"
        yield "    ether type ip meta l4proto tcp jump dialled"
        yield "  }"


def _let_through(rule: Rule) -> str:
    own, other = _OTHER_END[rule.direction]
    first, last = rule.ports
    ports = f"{first}" if first == last else f"{first}-{last}"
    if rule.peer_group is not None:
        peer = f"@{_set_of(rule.peer_group)}"
    else:
        peer = f"{{ {', '.join(rule.peer_cidrs)} }}"
    return f"    {own} @{_set_of(rule.group)} {other} {peer} tcp dport {ports} return"


@dataclass(frozen=True, slots=True)
class Denied:
    """A connection that was refused."""

    source: str
    target: str
    port: int
    attempts: int
    """Packets that would have opened it: a caller tries several times."""


def denied(said: str) -> list[Denied]:
    """What `nft --json list set` says of the set DENIED, in the order of addresses."""
    elements = [
        one["elem"]
        for part in json.loads(said)["nftables"]
        for one in part.get("set", {}).get("elem", [])
    ]
    found = [
        Denied(source, target, port, one["counter"]["packets"])
        for one in elements
        for source, target, port in [one["val"]["concat"]]
    ]
    return sorted(found, key=lambda one: (one.source, one.target, one.port))
