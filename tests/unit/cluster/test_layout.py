"""Where the processes of a cluster stand."""

import errno
import ipaddress
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.errors import InvalidSetting
from temporal_dsql_deploy.platforms.cluster import layout

TOPOLOGY = topology.load()
replica_counts = st.fixed_dictionaries({role: st.integers(1, 6) for role in TOPOLOGY.roles})
networks = st.just(layout.SHARED) | st.integers(2, 254)
ports = st.dictionaries(
    st.sampled_from(["frontend", "http", "ui", "metrics"]), st.integers(20_000, 30_000)
)
ONE_EACH = dict.fromkeys(TOPOLOGY.roles, 1)


def free(_port: int, _address: str) -> bool:
    return True


@given(
    replicas=replica_counts,
    network=networks,
    taken=st.sets(st.integers(6900, 9500)),
    opensearch=st.booleans(),
)
def test_everybody_has_a_place_and_nobody_shares_one(
    replicas: dict[str, int],
    network: int,
    taken: set[int],
    opensearch: bool,  # noqa: FBT001
) -> None:
    found = layout.places(
        replicas, network, {}, {}, lambda port, _: port not in taken, opensearch=opensearch
    )
    layout.taken_twice(found)
    stores = {"database": 1, "opensearch": 1} if opensearch else {"database": 1}
    assert Counter(place.component for place in found) == {**replicas, **stores, "ui": 1}
    assert len({place.name for place in found}) == len(found)
    highest = TOPOLOGY.runtime["TEMPORAL_MEMBERSHIP_PORT"].maximum
    assert isinstance(highest, int)
    for place in found:
        assert ipaddress.ip_address(place.address).is_loopback
        assert place.ports.get("membership", 0) <= highest
        if network == layout.SHARED:
            assert not taken & set(place.ports.values())


@given(replicas=replica_counts, network=st.integers(2, 254))
def test_on_addresses_of_their_own_all_have_the_standard_ports(
    replicas: dict[str, int], network: int
) -> None:
    for place in layout.places(replicas, network, {}, {}, free):
        if place.component in TOPOLOGY.roles:
            standard = TOPOLOGY.roles[place.component].ports
            assert place.ports == {**standard, "metrics": TOPOLOGY.metrics_port}


@given(replicas=replica_counts, asked=ports)
def test_ports_of_the_last_run_stay_on_a_shared_address(
    replicas: dict[str, int], asked: dict[str, int]
) -> None:
    first = layout.places(replicas, layout.SHARED, asked, {}, lambda port, _: port % 3 > 0)
    before = {place.name: place.ports for place in first}

    # They are in use, by this very cluster.
    again = layout.places(
        replicas,
        layout.SHARED,
        asked,
        before,
        lambda port, _: port not in {one for place in first for one in place.ports.values()},
    )
    assert again == first


def test_the_order_is_that_of_the_start() -> None:
    names = [place.name for place in layout.places(ONE_EACH, 11, {}, {}, free)]
    assert names == ["database", "history-1", "matching-1", "frontend-1", "worker-1", "ui"]


def test_asked_ports_are_taken_as_they_are() -> None:
    asked = {"frontend": 7300, "http": 7301, "ui": 7302, "metrics": 7303}
    found = {place.name: place.ports for place in layout.places(ONE_EACH, 11, asked, {}, free)}
    assert found["frontend-1"] == {"grpc": 7300, "membership": 6933, "http": 7301, "metrics": 7303}
    assert found["ui"] == {"http": 7302}
    assert found["history-1"]["metrics"] == 7303


def test_two_ports_that_are_the_same_are_refused() -> None:
    found = layout.places(ONE_EACH, 11, {"frontend": 7243}, {}, free)
    with pytest.raises(InvalidSetting, match="are both 7243"):
        layout.taken_twice(found)


def test_the_first_free_network_is_found() -> None:
    def is_free(port: int, address: str) -> bool:
        return not (address.startswith("127.11.") and port == 5432)

    assert layout.find_network(ONE_EACH, {}, free) == 11
    assert layout.find_network(ONE_EACH, {}, is_free) == 12
    with pytest.raises(InvalidSetting, match="no loopback network left"):
        layout.find_network(ONE_EACH, {}, lambda _port, _address: False)


def test_a_system_with_one_loopback_address_shares_it() -> None:
    def is_free(_port: int, _address: str) -> bool:
        raise OSError(errno.EADDRNOTAVAIL, "Can't assign requested address")

    assert layout.find_network(ONE_EACH, {}, is_free) == layout.SHARED


def test_no_port_left_is_told() -> None:
    with pytest.raises(InvalidSetting, match="no port left"):
        layout.places(ONE_EACH, layout.SHARED, {}, {}, lambda _port, _address: False)
