"""Which party has limited a run, and what was measured that says so."""

from dataclasses import replace

from temporal_dsql_deploy.bench.options import Settings
from temporal_dsql_deploy.bench.results import Iteration, Verdict

UNKNOWN = Verdict("none", "not judged yet", [])


def judged(iteration: Iteration, settings: Settings) -> Iteration:
    """The iteration with its verdict."""
    return replace(iteration, bottleneck=UNKNOWN)
