"""Which paths are closed, from which checks failed; with a cluster that closes any set of them."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.operations.probe import checks, paths
from temporal_dsql_deploy.operations.probe.names import BASICS
from temporal_dsql_deploy.operations.probe.paths import Pair

ALL = checks.uses(checks.able([]))
PAIRS = sorted({pair for uses in ALL.values() for pair in uses})
SELVES = [pair for pair in PAIRS if pair.from_ == pair.to]
BETWEEN = [pair for pair in PAIRS if pair.from_ != pair.to]
closed_sets = st.sets(st.sampled_from(BETWEEN))


def tried(closed: Iterable[Pair]) -> tuple[list[str], list[str]]:
    """The checks that pass and those that hang with these paths closed, by the table alone."""
    shut = set(closed)
    silent = [name for name, uses in ALL.items() if uses & shut]
    return [name for name in ALL if name not in silent], silent


def test_the_checks_take_every_path_that_roles_need_and_no_other() -> None:
    known = topology.load()
    needed = {
        Pair(row.from_, row.to, row.port_name)
        for row in known.traffic
        if row.needed and {row.from_, row.to} <= set(known.roles) and row.port_name != "membership"
    }
    assert set(PAIRS) == needed


def test_the_basic_checks_are_those_that_nothing_can_be_without() -> None:
    assert set(BASICS) <= set(ALL)
    assert next(iter(ALL)) == BASICS[0] == checks.FIRST.name


@pytest.mark.parametrize("closed", BETWEEN, ids=str)
def test_one_closed_path_is_named_and_no_other(closed: Pair) -> None:
    passed, silent = tried([closed])
    one_of_each = checks.uses(ALL, single=topology.load().roles)
    assert paths.explanations(one_of_each, passed, silent) == [frozenset({closed})]


@pytest.mark.parametrize("closed", SELVES, ids=str)
def test_between_instances_of_a_role_it_is_named_if_there_are_several(closed: Pair) -> None:
    passed, silent = tried([closed])
    assert frozenset({closed}) in paths.explanations(ALL, passed, silent)
    one_of_each = checks.uses(checks.able([]), single=topology.load().roles)
    assert all(closed not in uses for uses in one_of_each.values())


def test_what_two_matchings_that_do_not_reach_each_other_have_shown() -> None:
    silent = ["child-workflow", "task-delivery", "parent-close", "nexus", "worker-deployment"]
    passed = [name for name in ALL if name not in silent]
    found = paths.explanations(ALL, passed, silent, checks.may(ALL))
    assert found == [frozenset({Pair("matching", "matching")})]


@pytest.mark.parametrize("closed", BETWEEN, ids=str)
def test_paths_that_are_taken_at_times_do_not_hide_those_that_are_taken_always(
    closed: Pair,
) -> None:
    passed, silent = tried([closed])
    found = paths.explanations(ALL, passed, silent, checks.may(ALL))
    assert frozenset({closed}) in found
    assert all(one <= {closed, *SELVES} for one in found)


@given(closed_sets)
def test_what_is_named_explains_everything_and_blames_nothing_that_is_open(
    closed: set[Pair],
) -> None:
    passed, silent = tried(closed)
    found = paths.explanations(ALL, passed, silent)
    assert bool(found) == bool(silent)
    for explanation in found:
        assert len(explanation) <= len(closed)
        assert all(explanation & ALL[name] for name in silent)
        assert not any(explanation & ALL[name] for name in passed)


@given(st.sets(st.sampled_from(sorted(ALL))), st.sets(st.sampled_from(sorted(ALL))))
def test_whatever_fails_what_has_passed_is_not_blamed(passed: set[str], silent: set[str]) -> None:
    silent -= passed
    for explanation in paths.explanations(ALL, sorted(passed), sorted(silent)):
        assert explanation.isdisjoint(paths.shown_open(ALL, passed))


@given(closed_sets, st.data())
def test_what_the_logs_have_seen_decides_between_explanations(
    closed: set[Pair], data: st.DataObject
) -> None:
    found = paths.explanations(ALL, *tried(closed))
    seen = data.draw(st.sets(st.sampled_from(sorted(closed)))) if closed else set()
    kept = paths.supported(found, seen)
    assert set(kept) <= set(found)
    assert bool(kept) == bool(found)
    assert len({len(seen & one) for one in kept}) <= 1
    assert paths.supported(found, []) == found


def test_nothing_silent_has_no_explanation() -> None:
    assert paths.explanations(ALL, list(ALL), []) == []
    assert paths.explanations({"x": frozenset()}, [], ["x"]) == []
