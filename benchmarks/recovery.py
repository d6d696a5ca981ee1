"""How soon all roles serve that were killed and started on new addresses: recovered, untouched.

The rows of the dead are fresh, so whoever starts dials them: a role waits up to a minute for that.
"""

import time
from pathlib import Path

from tests.support.cluster import (
    Cluster,
    by_name,
    free_network,
    standing_cluster,
    started_elsewhere,
)

_SECONDS = 120.0
_POLL = 0.2


def seconds(folder: Path, rounds: int) -> list[tuple[float, float]]:
    """From the moment in which all run until all are SERVING and in the ring: recovered, untouched.

    One cluster for all rounds; each kind finds it whole.
    """
    folder.mkdir()
    with standing_cluster(folder) as cluster:
        return [(_recovered(cluster), _untouched(cluster)) for _ in range(rounds)]


def _moved(cluster: Cluster) -> float:
    cluster.up()
    started_elsewhere(cluster, free_network())
    return time.perf_counter()


def _recovered(cluster: Cluster) -> float:
    began = _moved(cluster)
    with cluster.deploy.start("recover", "cluster") as process:
        assert process.stderr is not None
        for line in process.stderr:
            # Where it healed before anything was done the probe is the first that is told.
            if "everything is SERVING" in line or "probe: workflow" in line:
                break
        else:
            raise RuntimeError("`recover` ended without a cluster that serves")
        seconds = time.perf_counter() - began
        process.communicate()
    return seconds


def _untouched(cluster: Cluster) -> float:
    began = _moved(cluster)
    while not _serving(cluster):
        if time.perf_counter() - began > _SECONDS:
            raise RuntimeError(f"not all roles serve after {_SECONDS:g} s")
        time.sleep(_POLL)
    return time.perf_counter() - began


def _serving(cluster: Cluster) -> bool:
    parts = by_name(cluster.status(check=False)).values()
    return all(part["state"] == "SERVING" and part["in_ring"] is not False for part in parts)
