"""What is read in the logs: lines as temporal-server 1.32.2 wrote them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.operations.probe import dials
from temporal_dsql_deploy.operations.probe.paths import Pair
from temporal_dsql_deploy.platforms.protocol import LogLine

GRPC = {name: role.ports["grpc"] for name, role in topology.load().roles.items()}
HTTP = topology.load().roles["frontend"].ports["http"]
MEMBERS = {f"10.0.0.{number}:{GRPC[role]}": role for number, role in enumerate(GRPC, 1)}
MATCHING = f"10.0.0.{list(GRPC).index('matching') + 1}"


def line(component: str, message: str, error: str = "", **fields: Any) -> LogLine:
    return LogLine(component=component, message=message, fields={"error": error, **fields})


def timeout(address: str) -> str:
    return f"dial tcp {address}: i/o timeout"


def pairs(*lines: LogLine) -> list[Pair]:
    return [dial.pair for dial in dials.dials(lines, MEMBERS)]


def test_a_dial_in_vain_names_both_ends() -> None:
    said = line("history", "network dial error", timeout(f"{MATCHING}:{GRPC['matching']}"))
    found = dials.dials([said, said], MEMBERS)
    assert [(dial.pair, dial.alive) for dial in found] == [(Pair("history", "matching"), True)]
    assert "i/o timeout" in found[0].line


def test_one_of_several_instances_is_its_role() -> None:
    said = line("history-2", "network dial error", timeout(f"{MATCHING}:{GRPC['matching']}"))
    assert pairs(said) == [Pair("history", "matching")]


def test_an_address_that_is_gone_is_known_by_its_port() -> None:
    said = line("frontend", "network dial error", timeout(f"10.9.9.9:{GRPC['history']}"))
    found = dials.dials([said], MEMBERS)
    assert [(dial.pair, dial.alive) for dial in found] == [(Pair("frontend", "history"), False)]
    assert dials.dials([said], {})[0].alive


def test_a_port_of_an_instance_of_its_own_is_known_by_the_member() -> None:
    said = line("frontend", "network dial error", timeout("127.0.0.1:17777"))
    assert dials.dials([said], {}) == []
    found = dials.dials([said], {"127.0.0.1:17777": "history"})
    assert [dial.pair for dial in found] == [Pair("frontend", "history")]


def test_the_frontend_is_reached_with_the_sdk_too() -> None:
    sdk = line(
        "worker",
        "error creating sdk client",
        "failed reaching server: context deadline exceeded while waiting for connections",
    )
    assert pairs(sdk) == [Pair("worker", "frontend")]


def test_a_nexus_request_that_was_not_answered_may_have_been_heard() -> None:
    post = f'Post "http://10.0.0.3:{HTTP}/nexus/endpoints/x": context deadline exceeded'
    assert pairs(line("history", "Nexus StartOperation request failed", post)) == []


@pytest.mark.parametrize(
    "said",
    [
        line("history", "network dial error", f"dial tcp {MATCHING}:7235: connect: refused"),
        line("history", "Fail to process task", timeout(f"{MATCHING}:{GRPC['matching']}")),
        line("ui", "network dial error", timeout(f"{MATCHING}:{GRPC['matching']}")),
        line("history", "network dial error", timeout("10.0.0.9:5432")),
    ],
    ids=["refused", "what another role has said", "no role", "no role's port"],
)
def test_what_is_no_dial_of_a_role_in_vain_is_not_taken_for_one(said: LogLine) -> None:
    assert pairs(said) == []


@given(st.text(), st.text())
def test_any_text_is_read(message: str, error: str) -> None:
    known = line("history", "network dial error", f"{error} i/o timeout")
    assert isinstance(dials.dials([known, line("worker", message, error)], {}), list)
    assert dials.notes([line("worker", message, error)]) is not None


def test_other_causes_are_noted() -> None:
    apart = line("worker", "unable to bootstrap ringpop. retrying", "join duration of 45s exceeded")
    away = line("history", "sql handle: unable to refresh database connection pool", "refused")
    notes = dials.notes([apart, away, away])
    assert len(notes) == 2
    assert notes[0].startswith("worker: cannot join the ring")
    assert notes[1].startswith("history: cannot reach the database")
    assert dials.database_is_away([away])
    assert not dials.database_is_away([apart])
