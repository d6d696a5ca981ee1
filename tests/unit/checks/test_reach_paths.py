"""Properties of reach: monotone in rules, the same as by a naive oracle, and need beside leak."""

from dataclasses import dataclass
from ipaddress import ip_network
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy.checks.reach import FAMILY
from temporal_dsql_deploy.checks.reach.paths import passage, without
from temporal_dsql_deploy.checks.reach.survey import survey
from temporal_dsql_deploy.plan.firewall import ALL_PORTS, Direction, Firewall, Rule, contains
from temporal_dsql_deploy.plan.model import Resource
from tests.support.draft import Draft
from tests.support.walled import EGRESS, GROUP, INGRESS, flows, walled

GROUPS = ("sg-a", "sg-b", "sg-c", "sg-d")
CIDRS = ("0.0.0.0/0", "10.0.0.0/16", "10.0.0.0/20", "10.0.16.0/20", "192.168.0.0/16", "::/0")
SUBNETS = ("10.0.0.0/24", "10.0.1.0/24", "10.0.16.0/24")
PORTS = (22, 443, 6933, 7233, 7234, 9090)


@dataclass(frozen=True)
class End:
    groups: tuple[str, ...]
    addresses: tuple[str, ...] | None


ENDS = st.builds(
    End,
    groups=st.lists(st.sampled_from(GROUPS), min_size=1, max_size=3, unique=True).map(tuple),
    addresses=st.lists(st.sampled_from(SUBNETS), min_size=1, max_size=2, unique=True).map(tuple),
)
Kind = Literal["group", "cidr", "prefix_list"]


def _kind(kind: Kind) -> st.SearchStrategy[Kind]:
    return st.just(kind)


PEERS: st.SearchStrategy[tuple[Kind, str]] = st.one_of(
    st.tuples(_kind("group"), st.sampled_from(GROUPS)),
    st.tuples(_kind("cidr"), st.sampled_from(CIDRS)),
)
WAYS: tuple[Direction, ...] = ("ingress", "egress")
RANGES = st.one_of(
    st.sampled_from(PORTS).map(lambda port: ("tcp", (port, port))),
    st.sampled_from(PORTS).map(lambda port: ("udp", (port, port))),
    st.tuples(st.just("tcp"), st.just((1024, 8000))),
    st.just(("-1", ALL_PORTS)),
)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    kind, peer = draw(PEERS)
    protocol, ports = draw(RANGES)
    direction = draw(st.sampled_from(WAYS))
    group = draw(st.sampled_from(GROUPS))
    return Rule("aws_rule.x", "", direction, group, kind, peer, protocol, ports)


def walls(found: list[Rule]) -> Firewall:
    known = {
        group: Resource(f"aws_security_group.{group}", "", "managed", "aws_security_group", group)
        for group in GROUPS
    }
    return Firewall(tuple(found), known, ())


def naive(found: list[Rule], source: End, target: End, port: int) -> bool:
    """Straight from AWS's words: any rule out and any rule in, whatever group has it."""

    def passes(direction: str, own: End, other: End) -> bool:
        for rule in found:
            if rule.direction != direction or rule.group not in own.groups:
                continue
            if rule.protocol != "-1" and (
                rule.protocol != "tcp" or port not in range(rule.ports[0], rule.ports[1] + 1)
            ):
                continue
            if rule.kind == "group" and rule.peer in other.groups:
                return True
            if rule.kind == "cidr" and rule.peer != "::/0":
                outer = ip_network(rule.peer)
                if all(ip_network(one).subnet_of(outer) for one in other.addresses or ()):  # type: ignore[arg-type]
                    return True
        return False

    return passes("egress", source, target) and passes("ingress", target, source)


CASES = (st.lists(rules(), max_size=12), ENDS, ENDS, st.sampled_from(PORTS))


@settings(max_examples=300)
@given(*CASES)
def test_reach_is_what_a_naive_reading_of_the_rules_says(
    found: list[Rule], source: End, target: End, port: int
) -> None:
    assert passage(walls(found), source, target, port).open == naive(found, source, target, port)


@settings(max_examples=200)
@given(*CASES, rules())
def test_a_rule_more_never_closes_and_a_rule_less_never_opens(
    found: list[Rule], source: End, target: End, port: int, more: Rule
) -> None:
    before = passage(walls(found), source, target, port)
    after = passage(walls([*found, more]), source, target, port)
    assert after.open or not before.open
    assert set(before.out) <= set(after.out)
    assert set(before.into) <= set(after.into)


@settings(max_examples=100)
@given(*CASES)
def test_a_group_less_never_opens_and_takes_only_its_own_paths(
    found: list[Rule], source: End, target: End, port: int
) -> None:
    for group in GROUPS:
        kept = passage(without(walls(found), group), source, target, port)
        path = passage(walls(found), source, target, port)
        assert path.open or not kept.open
        if path.open and not kept.open:
            by_it = [r for r in (*path.out, *path.into) if group in {r.group, r.peer}]
            assert by_it


def test_unknown_addresses_leave_a_doubt_that_a_rule_to_everywhere_takes_away() -> None:
    source, target = End(("sg-a",), ("10.0.0.0/24",)), End(("sg-b",), None)
    into = Rule("x", "", "ingress", "sg-b", "group", "sg-a", "tcp", (443, 443))
    for peer, doubt in (("10.0.0.0/16", True), ("0.0.0.0/0", False)):
        out = Rule("y", "", "egress", "sg-a", "cidr", peer, "tcp", (443, 443))
        found = passage(walls([into, out]), source, target, 443)
        assert (found.open, found.doubt) == (not doubt, doubt)


def test_rules_that_are_not_known_leave_a_doubt() -> None:
    source, target = End(("sg-a",), SUBNETS), End(("sg-b",), SUBNETS)
    unsure = Firewall((), walls([]).groups, ("aws_security_group_rule.x",))
    assert passage(unsure, source, target, 443).doubt
    assert passage(walls([]), source, End(("sg-of-others",), None), 443).doubt
    assert not passage(walls([]), source, target, 443).doubt


@pytest.mark.parametrize(
    ("outer", "inner", "held"),
    [
        ("10.0.0.0/16", "10.0.16.0/20", True),
        ("10.0.16.0/20", "10.0.0.0/16", False),
        ("::/0", "10.0.0.0/16", False),
        ("nothing", "10.0.0.0/16", False),
    ],
)
def test_contains(outer: str, inner: str, held: bool) -> None:  # noqa: FBT001
    assert contains(outer, inner) is held


def _without(chosen: set[tuple[str, str, int]]) -> Draft:
    draft = walled()
    for source, target, port in chosen:
        name = f"{source}_to_{target}_{port}".replace("-", "_")
        draft.without(f"{INGRESS}.{name}", f"{EGRESS}.{name}")
    return draft


@settings(max_examples=100, deadline=None)
@given(st.sets(st.sampled_from(sorted(flows())), max_size=12))
def test_what_is_closed_is_found_and_nothing_else(closed: set[tuple[str, str, int]]) -> None:
    judged = _without(closed).judged(FAMILY)
    said = {
        found.evidence.partition(" (")[0]
        for rule in ("reach-needed", "reach-membership")
        for found in judged.of(rule).findings
    }
    assert said == {f"{source} -> {target}:{port}" for source, target, port in closed}
    assert not judged.of("reach-leak").findings


def test_every_open_path_is_needed_or_allowed_in_a_good_plan() -> None:
    found = survey(walled().subject())
    assert all(found.allowed(*pair) for pair in found.flows)
    needed = {(one, other, port) for one, other, port, _ in found.needed()}
    assert needed <= set(found.flows)


def test_a_group_that_repeats_the_rules_of_other_resources_is_not_counted_twice() -> None:
    """As a state has it, and a plan in which such a rule is deleted."""
    draft = walled()
    draft[f"{GROUP}.history"]["ingress"] = [
        {"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}
    ]
    assert not draft.judged(FAMILY).findings
