"""Which party has limited a run, and what was measured that says so.

A run is limited when not all was sent in time, or when the cluster fell behind with what was sent.
`seen` reduces an iteration to the numbers that tell, `parties` has what speaks against each party,
and this file asks them in the order in which one's trouble does not look like another's.
"""

from dataclasses import replace

from temporal_dsql_deploy.bench.bottleneck import parties
from temporal_dsql_deploy.bench.bottleneck.seen import Seen, see
from temporal_dsql_deploy.bench.options import Settings
from temporal_dsql_deploy.bench.results import Iteration, Verdict

UNKNOWN = Verdict("none", "not judged yet", [])


def judged(iteration: Iteration, settings: Settings) -> Iteration:
    """The iteration with its verdict."""
    return replace(iteration, bottleneck=verdict(see(iteration, settings)))


def verdict(seen: Seen) -> Verdict:
    """Which party has limited the run."""
    finding = _found(seen)
    evidence = [*finding.evidence, *_well(seen, finding.party)]
    return Verdict(finding.party, finding.sentence, evidence)


def _found(seen: Seen) -> parties.Finding:
    generator = parties.generator(seen)
    if generator and (2 * seen.late > seen.stuck or not seen.cluster_behind):
        return generator
    if not seen.cluster_behind and not seen.late_starts:
        return parties.none(seen)
    finding = _in_cluster(seen)
    return replace(finding, evidence=[parties.behind(seen), *finding.evidence])


def _in_cluster(seen: Seen) -> parties.Finding:
    for look in (
        parties.silence,
        parties.limits,
        parties.busy_workers,
        parties.late_workers,
        parties.database,
        parties.slow_server,
        parties.stalled_workers,
    ):
        if finding := look(seen):
            return finding
    return parties.unknown(seen)


def _well(seen: Seen, accused: str) -> list[str]:
    """What was looked at of the others, each in a sentence."""
    return [
        sentence
        for party, sentence in parties.seen_of_each(seen).items()
        if party != accused and sentence
    ]
