"""How a benchmark says that the cluster, and not its user, is what failed it."""

from temporal_dsql_deploy.errors import BenchmarkFailed


def cluster(message: str, cause: object) -> BenchmarkFailed:
    """To be raised."""
    return BenchmarkFailed(
        message, cause=str(cause), fix="look at the cluster: dsql-deploy probe ENV"
    )
