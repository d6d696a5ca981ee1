"""The probe on four real roles between which paths are closed, and who dials whom at all.

Every ordered pair is closed by `make campaign` (tests/campaign/closed_paths.py); here are four.
"""

import pytest

from temporal_dsql_deploy import topology
from tests.campaign.closed_paths import GOAL_SECONDS
from tests.support import closed_paths
from tests.support.closed_paths import Case, Outcome

pytestmark = [
    pytest.mark.needs("network namespaces"),
    pytest.mark.needs("postgresql"),
    pytest.mark.needs("temporal-server"),
    pytest.mark.timeout(900),
]

CLOSED = [
    ["matching", "history", "grpc"],
    ["history", "frontend", "http"],
    ["worker", "history", "grpc"],
    ["worker", "matching", "grpc"],
]
OPEN, TWO = Case([]), Case([], instances=2, rounds=2)
CANARY = Case([["history", "frontend", "grpc"]], canary=True, rounds=2)
"""The first of all: who has dialled whom is told of all cases up to one."""


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    """By name of the case; all on one database, one after the other."""
    cases = [CANARY, OPEN, *(Case([path]) for path in CLOSED), TWO]
    return {outcome.name: outcome for outcome in closed_paths.run(cases)}


@pytest.mark.parametrize("path", CLOSED, ids=" ".join)
def test_a_closed_path_is_named_and_no_other(path: list[str], outcomes: dict[str, Outcome]) -> None:
    found = outcomes[Case([path]).name]
    assert found.named == [path], found
    assert found.seconds < GOAL_SECONDS, found
    assert found.not_serving == [], "no health check has noticed"


@pytest.mark.parametrize("case", [OPEN, TWO], ids=["one of each", "two of each"])
def test_nothing_is_named_when_nothing_is_closed(case: Case, outcomes: dict[str, Outcome]) -> None:
    found = outcomes[case.name]
    assert (found.failed, found.named, found.errors) == ([], [], {}), found


def test_a_canary_does_not_try_what_ends_history(outcomes: dict[str, Outcome]) -> None:
    found = outcomes[CANARY.name]
    assert found.failed == []
    assert list(found.errors) == ["parent-close"], "and that it was left out is said"
    port = topology.load().roles["frontend"].ports["grpc"]
    assert ["history", "frontend", port] not in found.dialled


def test_the_roles_dial_whom_the_topology_says_and_nobody_else(
    outcomes: dict[str, Outcome],
) -> None:
    known = topology.load()
    callees = {**known.roles, "database": known.externals["database"]}
    declared = {
        (row.from_, row.to, row.port_name)
        for row in known.traffic
        if row.needed and row.from_ in known.roles and row.to in callees
    }
    names = {
        (role.name, port): name
        for role in known.roles.values()
        for name, port in role.ports.items()
    }
    seen = {
        (
            caller,
            callee,
            names.get((callee, port), "postgresql" if callee == "database" else str(port)),
        )
        for caller, callee, port in outcomes[TWO.name].dialled
    }
    assert seen == declared
