"""A host falls silent: no packet reaches it and none comes from it; the load goes on."""

import pytest

from tests.support import silent_host
from tests.support.silent_host import Case, Outcome

pytestmark = [
    pytest.mark.needs("network namespaces"),
    pytest.mark.needs("postgresql"),
    pytest.mark.needs("temporal-server"),
    pytest.mark.timeout(900),
]

LONG = 15.0
"""Seconds; the others take a silent member for dead after 8 or 9."""
CASES = [Case(1, "history", 0, LONG, replaced=False), Case(2, "matching", 1, LONG, replaced=True)]


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    """By role; on one cluster, one after the other."""
    return {outcome.case.role: outcome for outcome in silent_host.run(CASES)}


@pytest.mark.parametrize("role", ["history", "matching"])
def test_a_silent_host_loses_nothing(role: str, outcomes: dict[str, Outcome]) -> None:
    found = outcomes[role]
    assert found.losses == []
    assert found.acknowledged > 0
    assert found.faulty_after is not None, "it was heard all the time"
