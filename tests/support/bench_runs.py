"""Benchmarks that any machine manages, run as its users do."""

import asyncio
import json
import subprocess
from typing import Any

from temporalio.client import Client

from tests.cluster.test_json import check
from tests.support.deploy import Deploy

SHORT = (
    "--rate",
    "10",
    "--duration",
    "4s",
    "--ramp-up",
    "0",
    "--max-p99",
    "5m",
    "--max-lag",
    "30s",
)
"""What any machine manages; what is asserted is not how fast it was."""
EASY = ("--min-throughput", "0", "--start-timeout", "1m", "--completion-timeout", "2m")


def bench(deploy: Deploy, *options: str, code: int = 0) -> Any:
    """The result of a run, which is as its schema says."""
    done = deploy.run("bench", "run", "local", *SHORT, *EASY, *options, "--json", check=False)
    assert done.returncode == code, f"{done.stdout}{done.stderr}"
    result = json.loads(done.stdout)
    check("bench-run", result)
    return result


def count(deploy: Deploy, namespace: str, query: str = "ExecutionStatus = 'Running'") -> int:
    """How many workflows visibility has."""

    async def ask() -> int:
        client = await Client.connect(deploy.address, namespace=namespace)
        return (await client.count_workflows(query)).count

    return asyncio.run(ask())


def until(run: subprocess.Popen[str], line: str) -> None:
    """Wait until it says this."""
    assert run.stderr is not None
    seen = []
    for said in run.stderr:
        seen.append(said)
        if line in said:
            return
    raise AssertionError(f"it ended without saying {line!r}: {seen}")
