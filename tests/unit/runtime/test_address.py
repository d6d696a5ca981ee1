"""The broadcast address: found, and never one that others cannot reach."""

import ipaddress
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy.runtime import address
from temporal_dsql_deploy.runtime.address import METADATA, Broadcast, World, find
from temporal_dsql_deploy.runtime.rules import validate
from temporal_dsql_deploy.runtime.values import parse_address
from temporal_dsql_deploy.runtime.variables import Fault
from tests.unit.runtime.good import ADDRESS, DSQL, world

URI = "http://169.254.170.2/v4/0123"


def documents(*answers: object) -> World:
    """A metadata endpoint that gives these answers in turn; an exception fails the request."""
    left = list(answers)

    def fetch(uri: str) -> bytes:
        assert uri == URI
        answer = left.pop(0) if left else OSError("no more")
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, bytes) else json.dumps(answer).encode()

    return World(fetch, list, lambda: None)


def found(environ: dict[str, str], machine: World) -> Broadcast | Fault:
    environ = {**DSQL, **environ}
    return find(validate(environ)[0], environ, machine)


def task(*networks: dict[str, object]) -> dict[str, object]:
    return {"DockerId": "0123", "Networks": list(networks)}


def test_the_variable_wins() -> None:
    given = {"TEMPORAL_BROADCAST_ADDRESS": "10.1.1.1", METADATA: URI}
    assert found(given, world()) == Broadcast("10.1.1.1", "TEMPORAL_BROADCAST_ADDRESS")


def test_one_address_to_listen_on_is_the_one_to_tell() -> None:
    assert found({"BIND_ON_IP": "10.1.1.2"}, world()) == Broadcast("10.1.1.2", "BIND_ON_IP")
    assert found({"BIND_ON_IP": "127.0.0.12"}, world()) == Broadcast("127.0.0.12", "BIND_ON_IP")


def test_the_task_metadata_tells_the_first_address_of_this_container() -> None:
    networks: tuple[dict[str, object], ...] = (
        {"NetworkMode": "awsvpc", "IPv4Addresses": ["10.0.2.106"], "IPv6Addresses": ["fd00::6"]},
        {"NetworkMode": "bridge", "IPv4Addresses": ["172.17.0.2"]},
    )
    assert found({METADATA: URI}, documents(task(*networks))) == Broadcast(
        "10.0.2.106", address.TASK
    )
    only = task({"NetworkMode": "awsvpc", "IPv4Addresses": None, "IPv6Addresses": ["fd00::6"]})
    assert found({METADATA: URI}, documents(only)) == Broadcast("fd00::6", address.TASK)


def test_the_metadata_is_asked_again() -> None:
    answers = (OSError("busy"), b"<html>", task({"IPv4Addresses": ["10.0.2.106"]}))
    assert found({METADATA: URI}, documents(*answers)) == Broadcast("10.0.2.106", address.TASK)


@pytest.mark.parametrize("answer", [task(), {}, [], None, task({"IPv4Addresses": ["169.254.1.1"]})])
def test_metadata_that_does_not_tell_is_passed_over(answer: object) -> None:
    machine = World(documents(answer).fetch, lambda: ["127.0.1.1", ADDRESS], lambda: None)
    assert found({METADATA: URI}, machine) == Broadcast(ADDRESS, "host name")


def test_the_first_global_address_comes_last() -> None:
    machine = world(host=["127.0.1.1", "::1", "fe80::1"], routed="192.168.1.7")
    assert found({}, machine) == Broadcast("192.168.1.7", "first global address")


def test_loopback_is_refused_where_nothing_else_is_found() -> None:
    refused = found({}, world(host=["127.0.0.1"], routed="127.0.0.1"))
    assert isinstance(refused, Fault)
    assert refused.variable == "TEMPORAL_BROADCAST_ADDRESS"


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"TEMPORAL_BROADCAST_ADDRESS": "127.0.0.1"}, "TEMPORAL_BROADCAST_ADDRESS"),
        ({"TEMPORAL_BROADCAST_ADDRESS": "::1"}, "TEMPORAL_BROADCAST_ADDRESS"),
        ({"TEMPORAL_BROADCAST_ADDRESS": "::ffff:127.0.0.1"}, "TEMPORAL_BROADCAST_ADDRESS"),
        ({"TEMPORAL_BROADCAST_ADDRESS": "0.0.0.0"}, "TEMPORAL_BROADCAST_ADDRESS"),  # noqa: S104
        ({"TEMPORAL_BROADCAST_ADDRESS": "224.0.0.1"}, "TEMPORAL_BROADCAST_ADDRESS"),
        ({"TEMPORAL_BROADCAST_ADDRESS": "169.254.170.2"}, "TEMPORAL_BROADCAST_ADDRESS"),
        (
            {"TEMPORAL_BROADCAST_ADDRESS": "10.0.0.7", "BIND_ON_IP": "127.0.0.1"},
            "TEMPORAL_BROADCAST_ADDRESS",
        ),
        ({"BIND_ON_IP": "127.0.0.1", METADATA: URI}, "BIND_ON_IP"),
        (
            {"TEMPORAL_BROADCAST_ADDRESS": "10.0.0.7", "BIND_ON_IP": "127.0.0.1", METADATA: URI},
            "BIND_ON_IP",
        ),
    ],
)
def test_an_address_that_others_cannot_reach_is_refused(
    environ: dict[str, str], named: str
) -> None:
    refused = found(environ, world())
    assert isinstance(refused, Fault)
    assert refused.variable == named


_ADDRESSES = st.ip_addresses().map(str) | st.sampled_from(
    ["127.0.0.1", "127.1.2.3", "::1", "0.0.0.0", "::", "10.0.0.7", "::ffff:127.0.0.1"]  # noqa: S104
)


@settings(max_examples=300)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "TEMPORAL_BROADCAST_ADDRESS": _ADDRESSES,
            "BIND_ON_IP": _ADDRESSES,
            METADATA: st.just(URI),
        },
    ),
    st.lists(_ADDRESSES),
    st.none() | _ADDRESSES,
)
def test_loopback_is_told_by_a_cluster_on_loopback_alone(
    environ: dict[str, str], host: list[str], routed: str | None
) -> None:
    result = found(environ, world(host, routed))
    if isinstance(result, Fault):
        return
    told = parse_address(result.address)
    assert not told.is_unspecified
    if told.is_loopback:
        assert parse_address(environ["BIND_ON_IP"]).is_loopback
        assert METADATA not in environ


def test_this_machine_can_be_asked() -> None:
    machine = address.this_machine()
    assert all(ipaddress.ip_address(one) for one in machine.host_addresses())
    routed = machine.routed_address()
    assert routed is None or ipaddress.ip_address(routed)
