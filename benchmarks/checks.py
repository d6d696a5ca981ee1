"""How fast plans are judged, against what one would do without this project.

A plan that is there: against checkov on the same file. A hundred variable sets: against one
`terraform plan` and `terraform show` after the other, with the emulated AWS, as anybody would.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from temporal_dsql_deploy.checks import Subject, judge
from temporal_dsql_deploy.rehearsal.aws.server import EmulatedAws
from temporal_dsql_deploy.terraform import known
from temporal_dsql_deploy.terraform.run import ignore, ready
from tests.support.aws import grafana_secret
from tests.support.deploy import COMMAND
from tests.support.machine import CHECKOV
from tests.support.terraform_env import copy

ROOT = Path(__file__).parents[1]
DEV = ROOT / "terraform" / "envs" / "dev"
EXAMPLE = "terraform.tfvars.example"
SETS = 100
PLAIN = 10
"""Plain plans that are timed; a hundred would take 20 minutes."""
SEED = 5
_ROLES = ("history", "matching", "frontend", "worker")
_TELEMETRY: tuple[dict[str, Any], ...] = (
    {},
    {"collector": "alloy"},
    {"loki_enabled": False},
    {"collector": "none", "loki_enabled": False, "adot_enabled": True},
    {"grafana_enabled": False, "flow_logs_enabled": False},
)


def judged_seconds(plan: Path) -> float:
    """Wall time of `dsql-deploy check --plan` as a whole process."""
    return _seconds([str(COMMAND), "check", "--plan", str(plan)])


def checkov_seconds(plan: Path) -> float:
    """Wall time of checkov on the same file."""
    options = ["--framework", "terraform_plan", "-f", str(plan), "-o", "json", "--skip-download"]
    return _seconds([*CHECKOV, *options])


def save_plan(file: Path) -> None:
    """The plan of dev with known values, as `terraform show -json` would print it."""
    _seconds([str(COMMAND), "check", "dev", f"--save-plan={file}"])


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    seconds = time.perf_counter() - began
    # 1 is what both say to findings; one who cannot do his work prints no result.
    if done.returncode not in {0, 1} or not done.stdout.strip():
        raise RuntimeError(f"{command[0]} cannot judge: {done.stderr[-2000:]}")
    return seconds


def variable_sets(seed: int, count: int = SETS) -> list[dict[str, Any]]:
    """Values that Terraform takes, all different: sizes, counts, connections, telemetry, places."""
    random = Random(seed)  # noqa: S311 - seeded, so that every run measures the same
    return [_variables(random, number) for number in range(count)]


def _variables(random: Random, number: int) -> dict[str, Any]:
    least = random.randint(2, 4)
    ready = random.choice([10, 25, 50])
    reservoir = random.choice([True, False])
    return {
        "vpc_cidr": f"10.{number}.0.0/16",
        "roles": {
            role: {
                "cpu": (cpu := random.choice([512, 1024])),
                "memory": cpu * random.choice([2, 4]),
                "replicas": random.randint(2, 4),
            }
            for role in _ROLES
        },
        "capacity": {
            "instance_type": random.choice(["m7g.xlarge", "c7g.2xlarge", "r7g.2xlarge"]),
            "min_size": least,
            "instance_count": least + 4,
            "max_size": least + 12,
        },
        "connections": {
            "max_conns": random.choice([20, 50]),
            "reservoir_enabled": reservoir,
            "distributed_conn_lease_enabled": reservoir and random.choice([True, False]),
            "reservoir": {"target_ready": ready, "low_watermark": ready // 2},
        },
        "telemetry": random.choice(_TELEMETRY),
        "placement": random.choice(["spread", "workload"]),
        "history_shards": random.choice([512, 1024, 2048]),
    }


def sets_against_plain_plans(folder: Path) -> tuple[float, float]:
    """Seconds for all variable sets planned and judged, and for a plain plan of each.

    Plain plans are timed before and after, and scaled to all of the sets.
    """
    sets = variable_sets(SEED)
    half = PLAIN // 2
    with _plain(folder) as plan_one:
        plan_one(sets[0])  # Warm, as ours is by the plan that was saved before.
        theirs = [plan_one(one) for one in sets[:half]]
        ours = judge_all(sets)
        theirs += [plan_one(one) for one in sets[half:PLAIN]]
    return ours, sum(theirs) / len(theirs) * len(sets)


def judge_all(sets: list[dict[str, Any]]) -> float:
    """Seconds to plan dev with known values for each set and judge it by all rules."""
    began = time.perf_counter()
    cases = [known.Case(f"{number:03}", one) for number, one in enumerate(sets)]
    how = known.Settings(var_files=[DEV / EXAMPLE], revealed=True)
    for outcome in known.plans(DEV, cases, how):
        if outcome.plan is None:
            raise RuntimeError(f"{dict(outcome.case.variables)}: {outcome.error}")
        judge(Subject(outcome.plan))
    return time.perf_counter() - began


class _Plain:
    """Terraform as anybody runs it, in an initialised copy of dev."""

    def __init__(self, program: Path, directory: Path, environment: dict[str, str]) -> None:
        self.program = program
        self.directory = directory
        self.environment = environment

    def __call__(self, variables: dict[str, Any]) -> float:
        """Seconds of a plan and of its JSON."""
        (self.directory / "set.tfvars.json").write_text(json.dumps(variables))
        files = [f"-var-file={EXAMPLE}", "-var-file=set.tfvars.json"]
        began = time.perf_counter()
        self.run("plan", "-input=false", "-refresh=false", *files, "-out=planned")
        self.run("show", "-json", "planned")
        return time.perf_counter() - began

    def run(self, *arguments: str) -> None:
        """Run Terraform. Raises RuntimeError with what it says when it fails."""
        command = [str(self.program), *arguments]
        done = subprocess.run(
            command,
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"terraform {arguments[0]}: {done.stderr[-2000:]}")


@contextmanager
def _plain(folder: Path) -> Iterator[_Plain]:
    with (
        ready(None, None, ignore) as (binary, variables),
        EmulatedAws(folder / "aws.log") as aws,
    ):
        grafana_secret(aws, "temporal-dev")
        environment = {
            **os.environ,
            **variables,
            **aws.environment(),
            "CHECKPOINT_DISABLE": "1",
        }
        plain = _Plain(binary.path, copy(folder) / "envs" / "dev", environment)
        plain.run("init", "-input=false")
        yield plain
