"""The machine that a process of a benchmark runs on."""

import os
from pathlib import Path

_LIMIT = Path("/sys/fs/cgroup/cpu.max")
"""Of a container: quota and period (kernel documentation, cgroup-v2, cpu.max)."""


def cores(limit: Path = _LIMIT) -> int:
    """Cores that this process may use, rounded up: of the machine, or of its container."""
    have = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = limit.read_text().split()
        share = -(-int(quota) // int(period))
    except (OSError, ValueError):
        return have
    return max(1, min(have, share))
