"""The walls of a rehearsal: what security groups let through, and what nft is told of it."""

import ipaddress
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.errors import BinaryMissing, StartFailed
from temporal_dsql_deploy.plan import firewall as planned
from temporal_dsql_deploy.rehearsal.network import bridge, rules, table, walls
from temporal_dsql_deploy.rehearsal.network.addresses import Addresses
from temporal_dsql_deploy.rehearsal.network.bridge import Network
from temporal_dsql_deploy.rehearsal.network.rules import Rule, SecurityGroups

GROUPS = ("sg-0a", "sg-0b", "sg-0c")
ADDRESSES = ("10.0.0.4", "10.0.0.5", "10.0.128.4", "10.0.128.200", "198.51.100.7")
OUTSIDE = ADDRESSES[-1]
GATEWAY = "10.0.0.1"
LISTS = {"pl-0a": ("10.0.128.0/24", "198.51.100.0/24"), "pl-0b": ("fd00::/8",)}
CIDRS = ("0.0.0.0/0", "10.0.0.0/16", "10.0.128.0/20", "10.0.0.5/32", "192.0.2.0/24")
PORTS = (22, 80, 443, 7233, 7234, 65535)

peers = st.one_of(
    st.sampled_from(GROUPS).map(lambda one: {"ReferencedGroupInfo": {"GroupId": one}}),
    st.sampled_from(CIDRS).map(lambda one: {"CidrIpv4": one}),
    st.just({"CidrIpv6": "::/0"}),
    st.sampled_from([*LISTS, "pl-gone"]).map(lambda one: {"PrefixListId": one}),
)
spans = st.tuples(st.sampled_from(PORTS), st.sampled_from(PORTS)).map(sorted)
protocols = st.sampled_from(["tcp", "6", "-1", "udp", "icmp"])


@st.composite
def described(draw: st.DrawFn) -> dict[str, Any]:
    """A rule as ec2:DescribeSecurityGroupRules has it."""
    protocol = draw(protocols)
    first, last = (-1, -1) if protocol in {"-1", "icmp"} else draw(spans)
    return {
        "GroupId": draw(st.sampled_from(GROUPS)),
        "IsEgress": draw(st.booleans()),
        "IpProtocol": protocol,
        "FromPort": first,
        "ToPort": last,
        **draw(peers),
    }


all_rules = st.lists(described(), max_size=12)
worn = st.dictionaries(
    st.sampled_from(ADDRESSES[:-1]), st.frozensets(st.sampled_from(GROUPS)), max_size=4
)


def groups_of(said: list[dict[str, Any]], worn: dict[str, frozenset[str]]) -> SecurityGroups:
    return SecurityGroups(rules.read(said, LISTS), worn, frozenset({GATEWAY}))


def is_let_by_a_plan(
    said: list[dict[str, Any]], worn: dict[str, frozenset[str]], source: str, target: str, port: int
) -> bool:
    """What the rules that judge a plan say of the same ones."""

    def passes(direction: planned.Direction, own: str, other: str) -> bool:
        if own not in worn:
            return True
        return any(
            rule.opens(port) and _names(rule, worn, other)
            for one in said
            for rule in _planned(one)
            if rule.direction == direction and rule.group in worn[own]
        )

    return passes("egress", source, target) and passes("ingress", target, source)


def _planned(said: dict[str, Any]) -> Iterator[planned.Rule]:
    place = ("a.b", "", "egress" if said["IsEgress"] else "ingress", said["GroupId"])
    ports = planned.ALL_PORTS if said["IpProtocol"] == "-1" else (said["FromPort"], said["ToPort"])
    rest = (said["IpProtocol"], ports)
    if group := said.get("ReferencedGroupInfo"):
        yield planned.Rule(*place, "group", group["GroupId"], *rest)  # type: ignore[arg-type]
    for cidr in [said.get("CidrIpv4"), *LISTS.get(said.get("PrefixListId", ""), ())]:
        if cidr:
            yield planned.Rule(*place, "cidr", cidr, *rest)  # type: ignore[arg-type]


def _names(rule: planned.Rule, worn: dict[str, frozenset[str]], other: str) -> bool:
    if rule.kind == "group":
        return rule.peer in worn.get(other, frozenset())
    return planned.contains(rule.peer, f"{other}/32")


@given(all_rules, worn, st.sampled_from(ADDRESSES), st.sampled_from(ADDRESSES))
def test_it_lets_through_what_the_rules_over_a_plan_let_through(
    said: list[dict[str, Any]], worn: dict[str, frozenset[str]], source: str, target: str
) -> None:
    groups = groups_of(said, worn)
    for port in PORTS:
        allowed = is_let_by_a_plan(said, worn, source, target, port)
        assert groups.lets(source, target, port) == allowed


class Table:
    """What a file of nft's would do: enough of its language for what `render` writes."""

    def __init__(self, text: str) -> None:
        self.sets: dict[str, set[str]] = {}
        self.chains: dict[str, list[str]] = {}
        for kind, name, body in re.findall(
            r"^  (set|chain) (\w+) \{\n(.*?)^  \}", text, re.M | re.S
        ):
            if kind == "chain":
                self.chains[name] = [line.strip() for line in body.splitlines()]
            elif found := re.search(r"elements = \{ (.*) \}", body):
                self.sets[name] = set(found[1].split(", "))

    def drops(self, source: str, target: str, port: int) -> bool:
        return any(
            self._run("dialled", {"ip saddr": source, "ip daddr": target}, port) == "drop"
            for hook in ("forward", "input", "output")
            if self.chains[hook][-1].endswith("jump dialled")
        )

    def _run(self, chain: str, packet: dict[str, str], port: int) -> str:
        for line in self.chains[chain]:
            if line.startswith(("tcp flags", "update @denied")):
                continue
            *_, verdict = line.split()
            if not self._matches(line, packet, port):
                continue
            if " jump " in line:
                if (said := self._run(verdict, packet, port)) in {"drop", "accept"}:
                    return said
            else:
                return verdict
        return "return"

    def _matches(self, line: str, packet: dict[str, str], port: int) -> bool:
        for field, said in re.findall(r"(ip [sd]addr) (@\w+|\{ [^}]* \})", line):
            if said.startswith("@"):
                if packet[field] not in self.sets.get(said[1:], set()):
                    return False
            elif not any(_inside(packet[field], one) for one in said.strip("{ }").split(", ")):
                return False
        found = re.search(r"tcp dport (\d+)(?:-(\d+))?", line)
        return found is None or int(found[1]) <= port <= int(found[2] or found[1])


def _inside(address: str, network: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network)


@given(all_rules, worn, st.sampled_from(ADDRESSES), st.sampled_from([*ADDRESSES, GATEWAY]))
def test_the_table_drops_what_they_do_not_let_through(
    said: list[dict[str, Any]], worn: dict[str, frozenset[str]], source: str, target: str
) -> None:
    groups = groups_of(said, worn)
    rendered = Table(table.render("walls", groups))
    for port in PORTS:
        assert rendered.drops(source, target, port) != groups.lets(source, target, port)


def test_only_what_opens_a_connection_is_judged_and_that_comes_first() -> None:
    text = table.render("walls", SecurityGroups())
    dialled = Table(text).chains["dialled"]
    assert dialled[0] == "tcp flags & (syn | ack) != syn accept"


def test_a_table_is_replaced_in_one_file_and_who_was_refused_stays_known() -> None:
    text = table.render("walls", groups_of([], {"10.0.0.4": frozenset({"sg-0a"})}))
    declared, _, filled = text.partition("flush table bridge walls\n")
    assert "set of_sg_0a" in declared
    assert "flush set bridge walls of_sg_0a" in filled
    assert "flush set bridge walls denied" not in text


def test_who_was_refused_is_read_with_the_attempts() -> None:
    element = {"val": {"concat": ["10.0.0.5", "10.0.0.4", 7234]}, "counter": {"packets": 3}}
    first = {"val": {"concat": ["10.0.0.4", "10.0.0.5", 443]}, "counter": {"packets": 1}}
    said = {"nftables": [{"metainfo": {}}, {"set": {"elem": [{"elem": element}, {"elem": first}]}}]}
    assert table.denied(json.dumps(said)) == [
        table.Denied("10.0.0.4", "10.0.0.5", 443, 1),
        table.Denied("10.0.0.5", "10.0.0.4", 7234, 3),
    ]
    assert table.denied('{"nftables": [{"set": {"name": "denied"}}]}') == []


def test_the_networks_of_a_prefix_list_are_said_without_overlap() -> None:
    said = {"GroupId": "sg-0a", "IsEgress": True, "IpProtocol": "-1", "PrefixListId": "pl"}
    found = rules.read([said], {"pl": ("10.0.0.0/8", "10.1.0.0/16", "fd00::/8")})
    assert found == (Rule("sg-0a", "egress", (0, 65535), peer_cidrs=("10.0.0.0/8",)),)


@given(st.lists(st.booleans(), max_size=60))
def test_an_address_is_had_by_one_at_a_time_and_never_one_that_aws_keeps(
    steps: list[bool],
) -> None:
    cidr = "10.0.0.0/28"
    there = Addresses()
    taken: list[str] = []
    for is_taken in steps:
        if is_taken and len(taken) < 11:
            address = there.take(cidr)
            assert address not in taken
            assert 4 <= int(address.rpartition(".")[2]) <= 14
            taken.append(address)
        elif taken:
            there.give_back(taken.pop(0))


def test_an_address_that_was_given_back_is_not_the_next() -> None:
    there = Addresses(kept=["10.0.0.5"])
    first = there.take("10.0.0.0/24")
    there.give_back(first)
    assert (first, there.take("10.0.0.0/24")) == ("10.0.0.4", "10.0.0.6")


def test_a_subnet_without_addresses_is_told() -> None:
    there = Addresses()
    for _ in range(11):
        there.take("10.0.0.0/28")
    with pytest.raises(StartFailed, match=r"10\.0\.0\.0/28 has no address left") as told:
        there.take("10.0.0.0/28")
    assert told.value.cause == "all of its 11 are taken"


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=60))
def test_a_device_has_a_name_that_linux_takes(environment: str) -> None:
    network = Network(environment, "10.0.0.0/16")
    assert len(network.device) <= 15
    assert network.gateway == "10.0.0.1"
    assert network.created()[-1] == network.name


def test_a_machine_without_an_engine_is_not_sent_to_processes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(walls, "run", lambda *_words: "")
    monkeypatch.setattr(bridge, "ip", lambda *_words: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BinaryMissing) as told:
        bridge.check()
    assert "start it" in told.value.fix
    assert "processes" not in told.value.fix
