"""Security groups in the kernel: real packets between addresses on a real bridge."""

import itertools
import random
import socket
from collections.abc import Iterator

import pytest

from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable
from temporal_dsql_deploy.rehearsal.network import walls
from temporal_dsql_deploy.rehearsal.network.rules import Direction, Rule, SecurityGroups
from temporal_dsql_deploy.rehearsal.network.table import Denied
from tests.support.bridge import ROUTER, Bridge, Place

pytestmark = pytest.mark.needs("nftables")
CALLER, CALLEE, THIRD = "10.197.0.10", "10.197.0.11", "10.197.128.12"
STORE, PUBLIC = "10.197.0.20", "198.51.100.20"
PORTS = (7233, 7234)
LET = (
    Rule("sg-caller", "egress", (7233, 7233), peer_group="sg-callee"),
    Rule("sg-callee", "ingress", (7233, 7233), peer_group="sg-caller"),
)


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    with Bridge() as made:
        yield made


@pytest.fixture(scope="module")
def places(bridge: Bridge) -> list[Place]:
    """Three that listen."""
    made = [bridge.place(address) for address in (CALLER, CALLEE, THIRD)]
    for place in made:
        place.serves(*PORTS)
    return made


def test_what_both_groups_let_through_is_answered_and_the_rest_is_silence(
    bridge: Bridge, places: list[Place]
) -> None:
    caller, callee, third = places
    bridge.walls.write(LET, {CALLER: ["sg-caller"], CALLEE: ["sg-callee"], THIRD: ["sg-other"]})
    assert caller.dials(CALLEE, 7233) == "open"
    assert caller.dials(CALLEE, 7234) == "silent"
    assert callee.dials(CALLER, 7233) == "silent"
    assert third.dials(CALLEE, 7233) == "silent"
    refused = {(one.source, one.target, one.port) for one in bridge.walls.denied()}
    assert refused == {(CALLER, CALLEE, 7234), (CALLEE, CALLER, 7233), (THIRD, CALLEE, 7233)}


@pytest.mark.parametrize("missing", [0, 1], ids=["egress", "ingress"])
def test_one_of_the_two_rules_is_not_enough(
    bridge: Bridge, places: list[Place], missing: int
) -> None:
    bridge.walls.write([LET[1 - missing]], {CALLER: ["sg-caller"], CALLEE: ["sg-callee"]})
    assert places[0].dials(CALLEE, 7233) == "silent"


def test_an_open_connection_stays_when_its_rule_goes(bridge: Bridge, places: list[Place]) -> None:
    bridge.walls.write(LET, {CALLER: ["sg-caller"], CALLEE: ["sg-callee"]})
    with places[0].connected(CALLEE, 7233) as talk:
        assert talk.says("before") == "before"
        bridge.walls.write([])
        assert places[0].dials(CALLEE, 7233) == "silent"
        assert talk.says("after") == "after"


def test_addresses_come_and_go_with_the_groups_that_they_wear(
    bridge: Bridge, places: list[Place]
) -> None:
    bridge.walls.write(LET, {CALLEE: ["sg-callee"]})
    bridge.walls.put(CALLER, ["sg-other"])
    assert places[0].dials(CALLEE, 7233) == "silent"
    bridge.walls.put(CALLER, ["sg-other", "sg-caller"])
    assert places[0].dials(CALLEE, 7233) == "open"
    bridge.walls.drop(CALLER)
    assert places[0].dials(CALLEE, 7233) == "silent"


def test_a_store_on_this_machine_stands_behind_its_group(
    bridge: Bridge, places: list[Place]
) -> None:
    bridge.own_address(STORE)
    with socket.create_server((STORE, 5432)):
        bridge.walls.write(
            [
                Rule("sg-caller", "egress", (5432, 5432), peer_group="sg-store"),
                Rule("sg-store", "ingress", (5432, 5432), peer_group="sg-caller"),
                Rule("sg-other", "egress", (5432, 5432), peer_group="sg-store"),
            ],
            {CALLER: ["sg-caller"], THIRD: ["sg-other"], STORE: ["sg-store"]},
        )
        assert places[0].dials(STORE, 5432) == "open"
        assert places[2].dials(STORE, 5432) == "silent"


def test_a_public_endpoint_is_reached_by_a_rule_for_all_addresses(
    bridge: Bridge, places: list[Place]
) -> None:
    bridge.own_address(PUBLIC)
    with socket.create_server((PUBLIC, 5432)):
        out = Rule("sg-caller", "egress", (5432, 5432), peer_cidrs=("0.0.0.0/0",))
        bridge.walls.write([out], {CALLER: ["sg-caller"], THIRD: ["sg-other"]})
        assert places[0].dials(PUBLIC, 5432) == "open"
        assert places[2].dials(PUBLIC, 5432) == "silent"


def test_no_group_stands_before_the_metadata_of_a_task(bridge: Bridge, places: list[Place]) -> None:
    with socket.create_server((ROUTER, 7233)):
        bridge.walls.write([], {CALLER: ["sg-caller"]})
        assert places[0].dials(ROUTER, 7233) == "open"


def test_this_machine_reaches_a_task_only_as_the_vpc_may(
    bridge: Bridge, places: list[Place]
) -> None:
    inside = Rule("sg-callee", "ingress", (7233, 7233), peer_cidrs=("10.197.0.0/16",))
    bridge.walls.write([inside], {CALLEE: ["sg-callee"]})
    socket.create_connection((CALLEE, 7233), timeout=5).close()
    with pytest.raises(TimeoutError):
        socket.create_connection((CALLEE, 7234), timeout=1)


@pytest.mark.parametrize("seed", range(3))
def test_random_groups_let_packets_through_as_they_are_said_to(
    bridge: Bridge, places: list[Place], seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311
    names = ("sg-a", "sg-b")
    rules = [_random_rule(chance, names) for _ in range(10)]
    worn = {place.address: chance.sample(names, chance.choice([1, 1, 2])) for place in places}
    bridge.walls.write(rules, worn)
    groups = SecurityGroups(
        tuple(rules), {address: frozenset(given) for address, given in worn.items()}
    )
    seen, said = {}, {}
    for source, target in itertools.permutations(places, 2):
        for port in PORTS:
            key = (source.address, target.address, port)
            seen[key] = source.dials(target.address, port, patience=0.7)
            said[key] = "open" if groups.lets(*key) else "silent"
    assert seen == said
    assert set(said.values()) == {"open", "silent"}


def _random_rule(chance: random.Random, names: tuple[str, ...]) -> Rule:
    direction: Direction = chance.choice(["egress", "ingress"])
    ports = chance.choice([(7233, 7233), (7234, 7234), (0, 65535)])
    if chance.random() < 0.7:
        return Rule(chance.choice(names), direction, ports, peer_group=chance.choice(names))
    cidrs = chance.choice([("10.197.0.0/24",), ("10.197.128.0/20", "192.0.2.0/24")])
    return Rule(chance.choice(names), direction, ports, peer_cidrs=cidrs)


def test_what_nft_refuses_is_told() -> None:
    with pytest.raises(BinaryUnusable, match="does not take") as told:
        walls.load("table bridge {")
    assert "syntax error" in told.value.cause


def test_a_machine_without_nft_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(BinaryMissing) as told:
        walls.load("")
    assert told.value.fix == "install nftables: apt-get install nftables"


def test_who_was_refused_is_known_until_the_table_goes(bridge: Bridge, places: list[Place]) -> None:
    bridge.walls.remove()
    fresh = walls.Walls("dsqltestbr", [ROUTER])
    fresh.write([], {CALLER: ["sg-caller"]})
    assert fresh.denied() == []
    assert places[0].dials(CALLEE, 7234) == "silent"
    fresh.write(LET, {CALLER: ["sg-caller"]})
    attempts = fresh.denied()[0].attempts
    assert fresh.denied() == [Denied(CALLER, CALLEE, 7234, attempts)]
    assert attempts >= 1
