"""What topology.json must hold, whatever the numbers are."""

import json
import re
from dataclasses import FrozenInstanceError
from itertools import product
from pathlib import Path

import pytest

from temporal_dsql_deploy.topology import Variable, load, parse_duration, reader, servers

TOPOLOGY = load()
ROLES = tuple(TOPOLOGY.roles)
PARTIES = {**TOPOLOGY.roles, **TOPOLOGY.components, **TOPOLOGY.externals}
DATA = Path(reader.__file__).parent
KEYS = [key for drain in TOPOLOGY.drain.roles.values() for key in drain.keys]

each_variable = pytest.mark.parametrize(
    "variable", TOPOLOGY.environment.values(), ids=lambda v: v.name
)


def _number(value: int | str) -> float:
    return parse_duration(value) if isinstance(value, str) else value


def test_the_four_roles_are_there() -> None:
    assert sorted(ROLES) == ["frontend", "history", "matching", "worker"]
    assert {"grpc", "membership"} == set.intersection(
        *(set(role.ports) for role in TOPOLOGY.roles.values())
    )
    assert len({role.health_service for role in TOPOLOGY.roles.values()}) == len(ROLES)


def test_ports_are_those_that_clients_know() -> None:
    assert TOPOLOGY.roles["frontend"].ports["grpc"] == 7233
    assert TOPOLOGY.ui_port == 8080
    assert TOPOLOGY.metrics_port == 9090
    assert TOPOLOGY.roles["frontend"].ports["grpc"] + TOPOLOGY.embedded_ui_port_offset == 8233


def test_ports_are_unique() -> None:
    ports = [port for party in PARTIES.values() for port in party.ports.values()]
    ports.append(TOPOLOGY.metrics_port)
    assert len(ports) == len(set(ports))
    assert all(0 < port < 65536 for port in ports)


def test_a_port_is_written_once() -> None:
    text = "".join((DATA / name).read_text() for name in ("topology.json", "servers.json"))
    for party in PARTIES.values():
        for port in party.ports.values():
            assert len(re.findall(rf"\b{port}\b", text)) == 1, port
    assert len(re.findall(rf"\b{TOPOLOGY.metrics_port}\b", text)) == 1


def test_traffic_goes_between_known_parties_to_a_port_that_is_there() -> None:
    for pair in TOPOLOGY.traffic:
        assert pair.from_ in PARTIES, pair
        assert pair.port_name in PARTIES[pair.to].ports, pair
        assert pair.provoked_by, pair
        assert pair.source, pair


def test_no_pair_is_written_twice() -> None:
    pairs = [(pair.from_, pair.to, pair.port_name) for pair in TOPOLOGY.traffic]
    assert len(pairs) == len(set(pairs))


def test_grpc_between_every_pair_of_roles_is_decided() -> None:
    grpc = {(pair.from_, pair.to) for pair in TOPOLOGY.traffic if pair.port_name == "grpc"}
    assert set(product(ROLES, ROLES)) <= grpc


def test_membership_is_needed_between_all_roles() -> None:
    ring = [pair for pair in TOPOLOGY.traffic if pair.port_name == "membership"]
    assert {(pair.from_, pair.to) for pair in ring} == set(product(ROLES, ROLES))
    assert all(pair.needed and pair.seen for pair in ring)


def test_matching_never_calls_the_frontend() -> None:
    [pair] = [
        p
        for p in TOPOLOGY.traffic
        if (p.from_, p.to) == ("matching", "frontend") and p.port_name == "grpc"
    ]
    assert not pair.seen
    assert not pair.needed


def test_nothing_needs_grpc_of_the_worker() -> None:
    pairs = [pair for pair in TOPOLOGY.traffic if (pair.to, pair.port_name) == ("worker", "grpc")]
    assert pairs
    assert not any(pair.needed or pair.seen for pair in pairs)


def test_nexus_needs_http_of_the_frontend() -> None:
    [pair] = [
        pair for pair in TOPOLOGY.traffic if pair.port_name == "http" and pair.to == "frontend"
    ]
    assert (pair.from_, pair.needed, pair.seen) == ("history", True, True)


@pytest.mark.parametrize("store", ["database", "visibility"])
def test_every_role_needs_both_stores(store: str) -> None:
    assert {pair.from_ for pair in TOPOLOGY.traffic if pair.to == store and pair.needed} == set(
        ROLES
    )


def test_what_was_seen_is_needed() -> None:
    assert [pair for pair in TOPOLOGY.traffic if pair.seen and not pair.needed] == []


@pytest.mark.parametrize("order", ["start_order", "stop_order"])
def test_an_order_has_every_component_once(order: str) -> None:
    steps = getattr(TOPOLOGY, order)
    assert sorted(step.component for step in steps) == sorted([*ROLES, *TOPOLOGY.components])
    assert all(step.why and step.source for step in steps)


def test_roles_come_in_the_order_in_which_they_start() -> None:
    started = [step.component for step in TOPOLOGY.start_order if step.component in ROLES]
    assert list(TOPOLOGY.roles) == started == ["history", "matching", "frontend", "worker"]


def test_the_worker_stops_before_the_roles_that_it_calls() -> None:
    stopped = [step.component for step in TOPOLOGY.stop_order]
    called = {
        p.to for p in TOPOLOGY.traffic if p.from_ == "worker" and p.port_name == "grpc" and p.needed
    }
    assert all(stopped.index("worker") < stopped.index(role) for role in called)


def test_durations_of_membership_parse() -> None:
    ring = TOPOLOGY.membership
    assert 0 < parse_duration(ring.max_join_duration) < parse_duration(ring.start_limit)
    assert parse_duration(ring.heartbeat_window) == 20


def test_drain_keys_are_unique_and_their_durations_parse() -> None:
    assert len({key.key for key in KEYS}) == len(KEYS) > 0
    for role, drain in TOPOLOGY.drain.roles.items():
        for key in drain.keys:
            assert key.key.startswith(f"{role}."), key
            assert parse_duration(key.default) >= 0
            assert parse_duration(key.recommended) >= 0


def test_the_stop_timeout_fits_the_drain_of_every_role() -> None:
    assert set(TOPOLOGY.drain.roles) == set(ROLES)
    for role, drain in TOPOLOGY.drain.roles.items():
        waits = sum(parse_duration(key.recommended) for key in drain.keys if "shutdown" in key.key)
        assert waits < TOPOLOGY.drain.stop_timeout_seconds, role


@each_variable
def test_a_default_has_its_type_and_lies_in_its_range(variable: Variable) -> None:
    kinds = {"int": int, "bool": bool, "duration": str, "string": str, "host": str}
    kind = kinds[variable.type]
    for value in (variable.default, variable.minimum, variable.maximum):
        assert value is None or type(value) is kind
    if variable.type in {"int", "duration"} and variable.default is not None:
        default = _number(variable.default)
        assert variable.minimum is None or _number(variable.minimum) <= default
        assert variable.maximum is None or default <= _number(variable.maximum)


@each_variable
def test_a_variable_is_told_whole(variable: Variable) -> None:
    assert variable.mode in {"both", "legacy", "reservoir"}
    assert variable.meaning.endswith(".")
    assert (variable.unit is not None) == (variable.type in {"int", "duration"})
    assert variable.default is None or variable.computed_default is None
    assert not variable.required or variable.default is None
    assert set(variable.requires) <= set(TOPOLOGY.environment) - {variable.name}


def test_reservoir_variables_need_reservoir_mode() -> None:
    switch, lease = "DSQL_RESERVOIR_ENABLED", "DSQL_DISTRIBUTED_CONN_LEASE_ENABLED"
    assert switch in TOPOLOGY.environment[lease].requires
    for variable in TOPOLOGY.environment.values():
        if variable.mode == "reservoir":
            assert {switch, lease} & set(variable.requires), variable.name


def test_rules_are_told_whole_and_name_known_variables() -> None:
    assert len({rule.id for rule in TOPOLOGY.rules}) == len(TOPOLOGY.rules)
    for rule in TOPOLOGY.rules:
        assert rule.sentence.endswith("."), rule
        assert rule.otherwise.endswith("."), rule
        named = re.findall(r"\b[A-Z]+_[A-Z_]+\b", rule.sentence)
        assert set(named) <= set(TOPOLOGY.environment), rule


def test_the_defaults_obey_the_rules_about_lifetimes() -> None:
    def default(name: str) -> float:
        value = TOPOLOGY.environment[f"DSQL_RESERVOIR_{name}"].default
        return parse_duration(str(value))

    assert default("BASE_LIFETIME") > default("GUARD_WINDOW")
    assert default("BASE_LIFETIME") + default("LIFETIME_JITTER") < parse_duration("60m")


def test_every_group_of_facts_has_a_source() -> None:
    data = json.loads((DATA / "topology.json").read_text())
    for group in ("metrics", "embedded", "membership", "drain", "environment"):
        assert data[group]["source"], group
    assert data["one_role_first_on_empty_database"]["source"]
    assert all(party.source for party in PARTIES.values())
    assert all(variable.source for variable in TOPOLOGY.environment.values())


def test_it_is_read_once_and_cannot_be_changed() -> None:
    assert load() is TOPOLOGY
    assert servers() is servers()
    with pytest.raises(FrozenInstanceError):
        TOPOLOGY.metrics_port = 1  # type: ignore[misc]
