"""Load on a rehearsal while a role is restarted, or an instance is lost: failed requests, p99."""

import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.rehearsal.faults import Faults
from tests.campaign.cluster_faults import complaint
from tests.support import rehearsal
from tests.support.bench_runs import until
from tests.support.cluster_faults import Measured
from tests.support.deploy import Deploy
from tests.support.plans import TERRAFORM
from tests.support.rehearsal import StandingRehearsal

ENVIRONMENT, VPC = "load", "10.67.0.0/16"
"""Beside any other rehearsal of this machine."""
ROLES = tuple(topology.load().roles)
INSTANCE = "instance lost"
EVENTS = (*ROLES, INSTANCE)
RATE, SECONDS, LEAD = 5, 150, 20
"""Workflows a second, for how long, and how much of that before anything happens."""
_IMAGE = (
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/temporal-benchmark:sha-1a2b3c4-20261121120000"
)
_PATIENCE = 300.0
_LONG = 900
_OPTIONS = (
    *("--rate", str(RATE), "--duration", f"{SECONDS}s", "--ramp-up", "0", "--workers", "1"),
    *("--max-p99", "5m", "--max-lag", "30s", "--min-throughput", "0"),
    *("--start-timeout", "3m", "--completion-timeout", "3m"),
)

HEAD = """\
# A rehearsal under load, {date}

`dsql-deploy rehearse` of dev with the benchmark: its Terraform applied to the emulated AWS, the
servers as containers, PostgreSQL in the place of DSQL; `dsql-deploy scale` gives each role one task
or two. `dsql-deploy bench run` starts {rate} workflows a second for {seconds} s, as a task beside
its worker, through Service Connect's names. After {lead} s of load `dsql-deploy restart ENV ROLE`
gives a role a new deployment, or an instance that carries a history is gone at once with all that
ran on it. A failed request is a start request that got an error: the SDK repeats none, the
generator does until the workflow has started.

Steady: the restart has ended, its probe included; after a lost instance, every service has all of
its tasks again. Latency is from when a workflow was due to its end. For before, during and after,
p50 is the median of the seconds' medians and p99 that of the slowest second; p99 of all is exact.
Before has the first seconds too, in which the worker is cold.

| Tasks of each role | What happened | Failed requests / all | Steady after \
| p50 before, during, after | p99 before, during, after | p99 of all | Slowest \
| Seconds in a row without a completion | Lost |
|---|---|---|---|---|---|---|---|---|---|"""


@dataclass(frozen=True, slots=True)
class Part:
    """Seconds of a run; latencies in milliseconds, of what completed in them."""

    p50: float | None
    p99: float | None
    """Of the slowest second."""


@dataclass(frozen=True, slots=True)
class Row:
    """One event under load."""

    replicas: int
    event: str
    """A role that is restarted, or `INSTANCE`."""
    steady: float
    """Seconds."""
    failed: dict[str, int]
    """Requests by cause."""
    requests: int
    due: int
    completed: int
    lost: int
    """Workflows that were acknowledged, and have not completed."""
    p99: float
    worst: float
    gap: int
    parts: list[Part]
    """Before, during and after."""
    wrong: str = ""
    """What the verb that restarted has said, where it failed."""


def cases() -> list[tuple[int, str]]:
    """Tasks of each role, and what happens."""
    return [(replicas, event) for replicas in (2, 1) for event in EVENTS]


def run(progress: Path, say: Callable[[str], None]) -> list[Row]:
    """All rows: those that an earlier run has written down, and those that are left."""
    progress.parent.mkdir(parents=True, exist_ok=True)
    rows = resumed(progress)
    left = cases()[len(rows) :]
    if not left:
        return rows
    with _standing() as standing:
        for row in over(standing, left):
            with progress.open("a") as file:
                file.write(json.dumps(asdict(row)) + "\n")
            rows.append(row)
            say(f"rehearsal under load: {row}")
    return rows


def resumed(progress: Path) -> list[Row]:
    """The rows that were written down."""
    lines = progress.read_text().splitlines() if progress.exists() else []
    return [_row(json.loads(line)) for line in lines]


def _row(said: dict[str, Any]) -> Row:
    return Row(**{**said, "parts": [Part(**one) for one in said["parts"]]})


@contextmanager
def _standing() -> Iterator[StandingRehearsal]:
    with rehearsal.from_nothing() as deploy:
        environment(deploy, deploy.config / "load.tfvars")
        try:
            yield rehearsal.stand(deploy, ENVIRONMENT)
        finally:
            deploy.end_started()
            rehearsal.end(deploy, ENVIRONMENT)
            deploy.clean_up()


def environment(deploy: Deploy, values: Path) -> None:
    """Write its file: dev with the benchmark."""
    values.write_text(
        f'vpc_cidr = "{VPC}"\n'
        "benchmark = { enabled = true }\n"
        f'images = {{ benchmark = "{_IMAGE}" }}\n'
    )
    folder = TERRAFORM / "envs" / "dev"
    path = deploy.config / "dsql-deploy" / "environments" / f"{ENVIRONMENT}.toml"
    path.write_text(f'platform = "ecs"\nterraform = "{folder}"\nvar_files = ["{values}"]\n')


def over(standing: StandingRehearsal, left: Sequence[tuple[int, str]]) -> Iterator[Row]:
    """These cases, one after another."""
    scaled = 0
    for replicas, event in left:
        if replicas != scaled:
            wanted = [f"{role}={replicas}" for role in ROLES]
            standing.deploy.run("scale", _name(standing), *wanted, timeout=_LONG)
            scaled = replicas
        yield measured(standing, replicas, event)


def measured(standing: StandingRehearsal, replicas: int, event: str) -> Row:
    """Let it happen under load."""
    words = ("bench", "run", _name(standing), *_OPTIONS, "--json")
    with standing.deploy.start(*words) as process:
        until(process, "iteration 1 of 1")
        time.sleep(LEAD)
        began = datetime.now(UTC)
        wrong = _happens(standing, event)
        ended = datetime.now(UTC)
        out, err = process.communicate(timeout=_LONG)
    assert out, err
    seen = Measured(json.loads(out))
    assert "iterations" in seen.result, out
    counts, failed = seen.counts, seen.failed_requests
    return Row(
        replicas,
        event,
        round((ended - began).total_seconds(), 1),
        failed,
        counts["accepted"] + sum(failed.values()),
        counts["due"],
        counts["completed"],
        counts["accepted"] + counts["unconfirmed"] - counts["completed"],
        seen.p99,
        seen.worst,
        seen.gap,
        parts_of(seen, began, ended),
        wrong,
    )


def parts_of(seen: Measured, began: datetime, ended: datetime) -> list[Part]:
    """Before, during and after; the two times are those of the event."""
    first = datetime.fromisoformat(seen.iteration["began"])
    at = [(moment - first).total_seconds() for moment in (began, ended)]
    parts: list[list[Any]] = [[], [], []]
    for one in seen.iteration["series"]:
        if one["completed"]:
            parts[sum(one["second"] >= moment for moment in at)].append(one)
    return [
        Part(
            statistics.median(one["p50"] for one in some) if some else None,
            max((one["p99"] for one in some), default=None),
        )
        for some in parts
    ]


def _happens(standing: StandingRehearsal, event: str) -> str:
    """Wait until all is steady again; what was said where it is not."""
    if event == INSTANCE:
        lost = _lose_instance(standing)
        return "" if _steady(standing) else f"not steady {_PATIENCE:g} s after {lost} was lost"
    words = ("restart", _name(standing), event)
    done = standing.deploy.run(*words, check=False, timeout=_LONG)
    return complaint(done) if done.returncode else ""


def _name(standing: StandingRehearsal) -> str:
    return str(standing.result["environment"])


def _lose_instance(standing: StandingRehearsal) -> str:
    ecs = _client(standing)
    cluster = ecs.list_clusters()["clusterArns"][0]
    tasks = ecs.list_tasks(cluster=cluster, serviceName=_service(ecs, cluster, "history"))
    described = ecs.describe_tasks(cluster=cluster, tasks=tasks["taskArns"])["tasks"]
    container_instance = described[0]["containerInstanceArn"]
    found = ecs.describe_container_instances(
        cluster=cluster, containerInstances=[container_instance]
    )
    instance: str = found["containerInstances"][0]["ec2InstanceId"]
    Faults(standing.url).lose_instance(instance)
    return instance


def _steady(standing: StandingRehearsal) -> bool:
    """Whether every service has all of its tasks again, in time."""
    ecs = _client(standing)
    cluster = ecs.list_clusters()["clusterArns"][0]
    names = ecs.list_services(cluster=cluster, maxResults=100)["serviceArns"]
    until_then = time.monotonic() + _PATIENCE
    seen_short = False
    while time.monotonic() < until_then:
        parts = [names[first : first + 10] for first in range(0, len(names), 10)]
        services = [
            one
            for part in parts
            for one in ecs.describe_services(cluster=cluster, services=part)["services"]
        ]
        short = any(one["runningCount"] < one["desiredCount"] for one in services)
        if seen_short and not short:
            return True
        seen_short = seen_short or short
        time.sleep(0.5)
    return False


def _service(ecs: Any, cluster: str, role: str) -> str:
    names = ecs.list_services(cluster=cluster, maxResults=100)["serviceArns"]
    return next(str(name) for name in names if name.endswith(f"-{role}"))


def _client(standing: StandingRehearsal) -> Any:
    import boto3

    told = standing.result["standing"]
    return boto3.client(
        "ecs",
        endpoint_url=told["AWS_ENDPOINT_URL"],
        region_name=told.get("AWS_REGION", "eu-west-1"),
        aws_access_key_id=told["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=told["AWS_SECRET_ACCESS_KEY"],
    )


def report(rows: Sequence[Row], *, date: str) -> str:
    """The rows as a page."""
    lines = [HEAD.format(date=date, rate=RATE, seconds=SECONDS, lead=LEAD)]
    for row in rows:
        causes = ", ".join(f"{count} {cause}" for cause, count in row.failed.items())
        failed = f"{sum(row.failed.values())} / {row.requests}" + (f" ({causes})" if causes else "")
        what = row.event if row.event == INSTANCE else f"{row.event} restarted"
        lines.append(
            f"| {row.replicas} | {what} | {failed} | {row.steady:.0f} s "
            f"| {', '.join(_ms(part.p50) for part in row.parts)} "
            f"| {', '.join(_ms(part.p99) for part in row.parts)} "
            f"| {row.p99:.2f} s | {row.worst:.2f} s | {row.gap} | {row.lost} |"
        )
    lines += ["", *(f"- {row.replicas}, {row.event}: {row.wrong}" for row in rows if row.wrong)]
    lost, due = sum(row.lost for row in rows), sum(row.due for row in rows)
    lines += [
        f"\nWorkflows that were acknowledged and did not complete: {lost} of {due}.\n",
        "Latencies are those of a machine of two cores on which all of this ran, and others too.",
        "Again: `python -m tests.campaign --rehearsal-load-alone`.",
    ]
    return "\n".join(lines) + "\n"


def _ms(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds / 1000:.2f} s"
