"""Security group rules are the same whatever resource holds them."""

from typing import Any

import pytest

from temporal_dsql_deploy.plan import UNKNOWN, Plan, Resource
from temporal_dsql_deploy.plan.firewall import ALL_PORTS, Firewall, contains, firewall


def made(kind: str, **values: Any) -> Resource:
    return Resource(f"{kind}.x", "", "managed", kind, "x", None, values)


def inline(**block: Any) -> Firewall:
    return firewall(Plan("", (made("aws_security_group", id="sg-a", ingress=[block]),)))


STANDALONE = {"ip_protocol": "tcp", "from_port": 7233, "to_port": 7234}
BLOCK = {"protocol": "tcp", "from_port": 7233, "to_port": 7234}
SAME: list[tuple[str, dict[str, Any]]] = [
    (
        "aws_vpc_security_group_ingress_rule",
        {**STANDALONE, "security_group_id": "sg-a", "referenced_security_group_id": "sg-b"},
    ),
    (
        "aws_security_group_rule",
        {
            **BLOCK,
            "type": "ingress",
            "security_group_id": "sg-a",
            "source_security_group_id": "sg-b",
        },
    ),
    ("aws_security_group", {"id": "sg-a", "ingress": [{**BLOCK, "security_groups": ["sg-b"]}]}),
]


@pytest.mark.parametrize(("kind", "values"), SAME, ids=lambda each: str(each)[:30])
def test_one_rule_in_three_forms(kind: str, values: dict[str, Any]) -> None:
    found = firewall(Plan("", (made(kind, **values),)))
    (rule,) = found.rules
    assert (rule.direction, rule.group, rule.kind, rule.peer) == (
        "ingress",
        "sg-a",
        "group",
        "sg-b",
    )
    assert (rule.protocol, rule.ports) == ("tcp", (7233, 7234))
    assert [rule.opens(port) for port in (7232, 7233, 7234, 7235)] == [False, True, True, False]
    assert found.of(["sg-a"], "ingress") == (rule,)
    assert not found.of(["sg-a"], "egress")
    assert not found.of(["sg-b"], "ingress")
    assert not found.unknown


def test_a_block_with_several_peers_is_several_rules() -> None:
    found = inline(
        **BLOCK, security_groups=["sg-b"], cidr_blocks=["10.0.0.0/8"], ipv6_cidr_blocks=["::/0"],
        prefix_list_ids=["pl-1"], self=True,
    )  # fmt: skip
    peers = {(rule.kind, rule.peer) for rule in found.rules}
    assert peers == {
        ("group", "sg-b"),
        ("group", "sg-a"),
        ("cidr", "10.0.0.0/8"),
        ("cidr", "::/0"),
        ("prefix_list", "pl-1"),
    }
    assert {rule.attribute for rule in found.rules} == {"ingress.0"}
    assert [rule.peer for rule in found.rules if rule.anywhere()] == ["::/0"]


@pytest.mark.parametrize("protocol", ["-1", "all"])
def test_all_protocols_are_all_ports(protocol: str) -> None:
    (rule,) = inline(protocol=protocol, from_port=0, to_port=0, self=True).rules
    assert rule.ports == ALL_PORTS
    assert rule.opens(1)


def test_udp_opens_no_tcp_port() -> None:
    (rule,) = inline(protocol="UDP", from_port=53, to_port=53, self=True).rules
    assert rule.protocol == "udp"
    assert not rule.opens(53)


@pytest.mark.parametrize(
    "values",
    [
        {**BLOCK, "security_groups": UNKNOWN},
        {**BLOCK, "security_groups": [UNKNOWN]},
        {"protocol": "tcp", "from_port": UNKNOWN, "to_port": 1, "self": True},
    ],
)
def test_what_is_not_known_is_said(values: dict[str, Any]) -> None:
    found = inline(**values)
    assert not found.rules
    assert found.unknown == ("aws_security_group.x",)


def test_a_group_of_which_nothing_is_known_has_no_rules_and_no_complaint() -> None:
    found = firewall(Plan("", (made("aws_security_group", id=UNKNOWN, ingress=UNKNOWN),)))
    assert (found.rules, found.groups, found.unknown) == ((), {}, ())


@pytest.mark.parametrize(
    ("outer", "inner", "inside"),
    [
        ("10.0.0.0/8", "10.1.0.0/16", "in"),
        ("10.1.0.0/16", "10.0.0.0/8", "out"),
        ("0.0.0.0/0", "10.0.0.0/8", "in"),
        ("::/0", "10.0.0.0/8", "out"),
        ("10.0.0.0/8", "no address", "out"),
        ("pl-1", "10.0.0.0/8", "out"),
    ],
)
def test_ranges(outer: str, inner: str, inside: str) -> None:
    assert contains(outer, inner) is (inside == "in")


@pytest.mark.parametrize("odd", [[], {}, None, 6, True])
def test_what_no_provider_writes_is_not_known(odd: Any) -> None:
    for kind, values in SAME[:2]:
        key = "ip_protocol" if "ip_protocol" in values else "protocol"
        found = firewall(Plan("", (made(kind, **{**values, key: odd}),)))
        assert found.unknown
        assert not found.rules
    assert not firewall(Plan("", (made("aws_security_group", id=odd),))).groups
