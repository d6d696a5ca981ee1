"""Times in which nothing completed although workflows were open: something was away."""

from collections.abc import Sequence
from dataclasses import dataclass

from temporal_dsql_deploy.bench.results import Second

_MISSING = 5.0
"""How many completions must be missing. At one a second a quiet second is chance, not a gap."""
_SHORTEST = 2
"""Seconds: within less a slow cluster may complete nothing, which its latency shows."""


@dataclass(frozen=True, slots=True)
class Gap:
    """From the beginning of a second to that of another."""

    begin: int
    end: int
    open: int
    """The most workflows that were open in it."""

    @property
    def seconds(self) -> int:
        """How long it is."""
        return self.end - self.begin

    def __str__(self) -> str:
        return (
            f"from second {self.begin} to {self.end} ({self.seconds} s) nothing completed, while "
            f"up to {self.open:,} workflows were open"
        )


def gaps(series: Sequence[Second]) -> list[Gap]:
    """Those after the first completion that are too long to be chance at the usual rate."""
    busy = [one.second for one in series if one.completed]
    if not busy:
        return []
    usual = sum(one.completed for one in series) / len(busy)
    found: list[Gap] = []
    run: list[Second] = []
    for one in [*series[busy[0] - series[0].second :], None]:
        if one and not one.completed and not one.failed and one.open:
            run.append(one)
            continue
        most = max((it.open for it in run), default=0)
        if len(run) >= _SHORTEST and min(most, len(run) * usual) >= _MISSING:
            found.append(Gap(run[0].second, run[-1].second + 1, most))
        run = []
    return found
