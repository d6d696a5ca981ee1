"""Which paths between roles are closed, told from which checks failed: arithmetic over sets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """A connection of the traffic matrix in topology.json, between two roles."""

    from_: str
    to: str
    port_name: str = "grpc"
    """A key of the ports of `to`: grpc, http."""

    def __str__(self) -> str:
        return f"{self.from_} -> {self.to} ({self.port_name})"


Uses = Mapping[str, frozenset[Pair]]
"""By the name of a check the paths that it takes, each of them, every time."""
NO_USES: Uses = {}
Explanation = frozenset[Pair]
"""Pairs which, closed together, would explain every silent check."""


def explanations(
    uses: Uses, passed: Iterable[str], silent: Sequence[str], may: Uses = NO_USES
) -> list[Explanation]:
    """The smallest sets of closed paths that explain the silent checks; several where it is open.

    `passed` and `silent` are names of `uses`; silent is a check to which no answer came in time.
    A silent check all of whose paths others have shown to be open is explained by no path, and
    left out; so nothing is silent, or nothing explainable: no explanation.
    `may` are paths that a check takes at times: what it takes every time explains it better.
    """
    clear = shown_open(uses, passed)
    sure = [uses[name] - clear for name in silent]
    perhaps = [may.get(name, frozenset()) - clear for name in silent]
    wanted = [one | other for one, other in zip(sure, perhaps, strict=True) if one | other]
    if not wanted:
        return []
    candidates = sorted(set().union(*wanted))
    for size in range(1, len(candidates) + 1):
        found = [
            frozenset(chosen)
            for chosen in combinations(candidates, size)
            if all(not suspects.isdisjoint(chosen) for suspects in wanted)
        ]
        if found:
            agree = {one: sum(not one.isdisjoint(suspects) for suspects in sure) for one in found}
            return [one for one in found if agree[one] == max(agree.values())]
    raise AssertionError("all candidates together explain everything")


def shown_open(uses: Uses, passed: Iterable[str]) -> set[Pair]:
    """The paths that the checks that passed cannot have done without."""
    return {pair for name in passed for pair in uses[name]}


def supported(found: list[Explanation], seen: Iterable[Pair]) -> list[Explanation]:
    """Those explanations of which the servers' logs have seen most; all of them if none."""
    if not found:
        return []
    known = set(seen)
    most = max(len(known & one) for one in found)
    return [one for one in found if len(known & one) == most]
