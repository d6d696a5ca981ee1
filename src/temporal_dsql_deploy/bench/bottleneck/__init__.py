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
    if generator and (2 * seen.late > seen.stuck or not seen.behind_or_undone):
        return generator
    finding = parties.silence(seen)
    if not finding and (seen.behind_or_undone or seen.left_out or seen.slow):
        finding = _in_cluster(seen)
    if not finding:
        return parties.none(seen)
    return replace(finding, evidence=[parties.behind(seen), *finding.evidence])


def _in_cluster(seen: Seen) -> parties.Finding | None:
    for look in (
        parties.limits,
        parties.busy_workers,
        parties.late_workers,
        parties.database,
        parties.slow_server,
    ):
        if finding := look(seen):
            return finding
    if seen.behind_or_undone or seen.left_out:
        return parties.stalled_workers(seen) or parties.unknown(seen)
    # Slower than was asked for, and nobody is to blame: that is what its steps take.
    return None


def _well(seen: Seen, accused: str) -> list[str]:
    """What was looked at of the others, each in a sentence."""
    return [
        sentence
        for party, sentence in parties.seen_of_each(seen).items()
        if party != accused and sentence
    ]
