"""What processes and ECS ask of a task's size at least: read from `needs.json`."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


def memory_mib(part: str) -> tuple[int, str]:
    """MiB that a part must have at least, and why: server, history, loki, grafana, collector.

    0 and nothing for a part of which nothing is known.
    """
    said = _needs()["memory_mib"].get(part)
    return (said["least"], said["source"]) if said else (0, "")


def task_cpu() -> int:
    """CPU units that ECS takes for a task on EC2 at least."""
    least: int = _needs()["task_cpu"]["least"]
    return least


def fargate_memory(cpu: int) -> tuple[int, ...]:
    """MiB that Fargate has with so many CPU units; empty where it has no such size."""
    ranges = _needs()["fargate"]["cpu"].get(str(cpu), [])
    return tuple(mib for first, last, step in ranges for mib in range(first, last + 1, step))


@cache
def _needs() -> Mapping[str, Any]:
    text = Path(__file__).with_name("needs.json").read_text(encoding="utf-8")
    data: Mapping[str, Any] = json.loads(text)
    return data
