"""Names in a rehearsal: Service Connect's, and those of DNS."""

import ipaddress
import struct

from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.rehearsal.ecs import connect, dns
from temporal_dsql_deploy.rehearsal.ecs.connect import Namespaces
from temporal_dsql_deploy.rehearsal.ecs.model import Alias
from tests.unit.rehearsal.test_definition import part, read

SERVER = read(part("server", portMappings=[{"name": "grpc", "containerPort": 7233}]))


def test_a_service_gives_the_names_that_it_configures() -> None:
    alias = {"dnsName": "temporal-frontend", "port": 80}
    said = {"services": [{"portName": "grpc", "clientAliases": [alias]}]}
    assert connect.aliases("arn", said, SERVER, "space") == [
        Alias("temporal-frontend", 80, "arn", 7233)
    ]


def test_without_an_alias_the_name_is_that_of_the_namespace() -> None:
    said = {"services": [{"portName": "grpc", "discoveryName": "front"}]}
    (found,) = connect.aliases("arn", said, SERVER, "space")
    assert (found.host, found.port) == ("front.space", 7233)


def test_a_port_that_is_not_there_gives_no_name() -> None:
    assert connect.aliases("arn", {"services": [{"portName": "http"}]}, SERVER, "space") == []


def test_a_client_alone_gives_none() -> None:
    assert connect.aliases("arn", {"enabled": True}, SERVER, "space") == []


def test_names_that_come_later_are_not_known() -> None:
    spaces = Namespaces()
    before = spaces.now("space")
    spaces.give("space", [Alias("a", 1, "one", 1)])
    assert before == {}
    assert [*spaces.now("space")] == ["a:1"]
    assert spaces.now("other") == {}


def test_a_service_that_changes_its_names_or_goes_leaves_none() -> None:
    spaces = Namespaces()
    spaces.give("space", [Alias("a", 1, "one", 1), Alias("b", 1, "one", 1)])
    spaces.give("space", [Alias("c", 1, "two", 1)])
    spaces.give("space", [Alias("a", 2, "one", 1)])
    assert sorted(spaces.now("space")) == ["a:2", "c:1"]
    spaces.take_back("one")
    assert [*spaces.now("space")] == ["c:1"]


def test_each_host_has_an_address_of_loopback() -> None:
    names = {
        "b:1": Alias("b", 1, "s", 1),
        "a:1": Alias("a", 1, "s", 1),
        "a:2": Alias("a", 2, "s", 1),
    }
    assert connect.addresses(names) == {"a": "127.255.0.1", "b": "127.255.0.2"}


def query(name: str, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(one)]) + one.encode() for one in name.split("."))
    return struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, kind, 1)


def look(name: str) -> list[str] | None:
    return {"loki.internal": ["10.0.1.5", "10.0.2.5"]}.get(name)


def code(said: bytes | None) -> tuple[int, int]:
    """The code of an answer, and how many records it has."""
    assert said is not None
    number, flags, _, answers, *_ = struct.unpack_from("!HHHHHH", said)
    assert number == 7
    return flags & 0xF, answers


def test_a_name_leads_to_its_addresses() -> None:
    said = dns.answer(query("LOKI.internal"), look)
    assert code(said) == (0, 2)
    assert said is not None
    assert said.endswith(ipaddress.IPv4Address("10.0.2.5").packed)


def test_of_another_kind_there_is_nothing_and_another_name_is_not_there() -> None:
    assert code(dns.answer(query("loki.internal", 28), look)) == (0, 0)
    assert code(dns.answer(query("nobody.internal"), look)) == (3, 0)


@given(st.binary(max_size=64))
def test_what_is_no_query_is_not_answered_or_does_no_harm(raw: bytes) -> None:
    said = dns.answer(raw, look)
    assert said is None or said[:2] == raw[:2]
