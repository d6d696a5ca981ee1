"""How soon all roles serve that were killed and started on new addresses: recovered, untouched.

The rows of the dead are fresh, so whoever starts dials them: a role waits up to a minute for that.
"""

import time

from benchmarks.said import COMPLETED, seconds_until
from tests.support.cluster import Cluster, by_name, free_network, started_elsewhere

_SECONDS = 120.0
_POLL = 0.2


def recovered(cluster: Cluster) -> float:
    """Seconds from the moment in which all run until `recover` has all SERVING and in the ring."""
    _move(cluster)

    def said(line: str) -> bool:
        # Where it healed before anything was done the probe is the first that is told.
        return "everything is SERVING" in line or COMPLETED in line

    return seconds_until(cluster.deploy, "recover", "cluster", said=said)


def untouched(cluster: Cluster) -> float:
    """Seconds until they are it by themselves."""
    _move(cluster)
    began = time.perf_counter()
    while not _serving(cluster):
        if time.perf_counter() - began > _SECONDS:
            raise RuntimeError(f"not all roles serve after {_SECONDS:g} s")
        time.sleep(_POLL)
    return time.perf_counter() - began


def _move(cluster: Cluster) -> None:
    cluster.up()
    started_elsewhere(cluster, free_network())


def _serving(cluster: Cluster) -> bool:
    parts = by_name(cluster.status(check=False)).values()
    return all(part["state"] == "SERVING" and part["in_ring"] is not False for part in parts)
