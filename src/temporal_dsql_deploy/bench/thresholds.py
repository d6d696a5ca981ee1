"""Whether a run was good enough."""

from collections.abc import Sequence

from temporal_dsql_deploy.bench.results import Counts, Results, Thresholds


def missed(asked: Thresholds, results: Results, counts: Sequence[Counts]) -> list[str]:
    """Why the run has failed, a sentence each; nothing when it passed.

    A lost workflow always is a reason: a cluster that loses what it has confirmed is not slow.
    """
    reasons = []
    if not results.latency.count:
        reasons.append("no workflow completed")
    elif results.latency.p99 > asked.max_p99_latency_ms:
        reasons.append(
            f"p99 latency {results.latency.p99:g} ms is above {asked.max_p99_latency_ms:g} ms"
        )
    if results.actual_rate < asked.min_throughput:
        reasons.append(f"throughput {results.actual_rate:g}/s is below {asked.min_throughput:g}/s")
    if results.success_rate < asked.min_success_rate:
        reasons.append(
            f"{results.success_rate:.2%} of the workflows that were due completed, "
            f"not {asked.min_success_rate:.2%}"
        )
    if lost := sum(one.lost for one in counts):
        reasons.append(f"{lost} workflows were confirmed and are not to be found")
    return reasons
