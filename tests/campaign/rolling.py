"""Rolling restarts of each role under load, with the recommended drain settings and without."""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from temporal_dsql_deploy import topology
from tests.campaign.cluster_faults import complaint
from tests.support import cluster_faults
from tests.support.cluster_faults import ROLES, Standing, benchmark

RATE = 15
SECONDS = 45
_ALIGN = "alignMembershipChange"
_ALIGNED = "10s"

HEAD = """\
# Rolling restarts under load, {date}

Four roles of temporal-server, two instances of each, PostgreSQL in the place of DSQL. Clients come
through a TCP balancer before both frontends, which dials the next when one refuses, as Service
Connect or a load balancer does on ECS. The benchmark starts {rate} workflows a second; meanwhile
`dsql-deploy restart cluster ROLE` restarts both instances of a role, one after the other. A failed
request is a start request that got an error, each tried once: the SDK does not repeat it.

`drain` are the settings that topology.json recommends and a cluster has without being told,
`default` the server's own, `align` those of `drain` with `alignMembershipChange` of {aligned}.

| Restarted | Settings | Seconds of the restart | Failed requests | p99 | Slowest workflow | \
Seconds in a row without a completion |
|---|---|---|---|---|---|---|"""


@dataclass(frozen=True, slots=True)
class Row:
    """One role with one kind of settings."""

    role: str
    """Empty: none, for comparison."""
    settings: str
    seconds: float
    failed: dict[str, int]
    """Requests by cause."""
    p99: float
    worst: float
    gap: int
    lost: int
    wrong: str = ""
    """What the probe at the end of the restart has found."""


def cases() -> list[tuple[str, str]]:
    """Role and kind of settings; aligned are those roles alone that can be."""
    drains = topology.load().drain.roles
    aligned = [role for role in ROLES if any(_ALIGN in each.key for each in drains[role].keys)]
    return [
        ("", "drain"),
        *((role, kind) for kind in ("drain", "default") for role in ROLES if drains[role].keys),
        ("worker", "drain"),
        *((role, "align") for role in aligned),
    ]


def values(kind: str) -> list[str]:
    """The options that give all roles such settings."""
    found = []
    for role in ROLES:
        for each in topology.load().drain.roles[role].keys:
            value = each.default if kind == "default" else each.recommended
            if kind == "align" and _ALIGN in each.key:
                value = _ALIGNED
            found += ["--dynamic-config-value", f'{each.key}="{value}"']
    return found


def measured(standing: Standing, role: str, kind: str) -> Row:
    """Restart it under load; the cluster runs with these settings already."""
    took, wrong = 0.0, ""
    options = ("--rate", str(RATE), "--duration", f"{SECONDS}s")
    with benchmark(standing, *options) as found:
        time.sleep(3)
        if role:
            began = time.monotonic()
            done = standing.run("restart", role, check=False)
            took = time.monotonic() - began
            assert done.returncode in {0, 1}, done.stderr
            wrong = complaint(done) if done.returncode else ""
    seen = found[0]
    lost = seen.counts["due"] - seen.counts["completed"]
    failed = seen.failed_requests
    return Row(role, kind, round(took, 1), failed, seen.p99, seen.worst, seen.gap, lost, wrong)


def run(progress: Path, say: Callable[[str], None]) -> list[Row]:
    """All rows: those that an earlier run has written down, and those that are left."""
    progress.parent.mkdir(parents=True, exist_ok=True)
    rows = resumed(progress)
    left = cases()[len(rows) :]
    for row in _run(left):
        with progress.open("a") as file:
            file.write(json.dumps(asdict(row)) + "\n")
        rows.append(row)
        say(f"rolling restart: {row}")
    return rows


def resumed(progress: Path) -> list[Row]:
    """The rows that were written down."""
    if not progress.exists():
        return []
    return [Row(**json.loads(line)) for line in progress.read_text().splitlines()]


def _run(left: Sequence[tuple[str, str]]) -> Iterator[Row]:
    if not left:
        return
    folder = Path(tempfile.mkdtemp(prefix="rolling-"))
    try:
        with cluster_faults.standing(folder) as standing:
            before = ""
            for role, kind in left:
                if kind != before:
                    standing.up(*values(kind))
                    before = kind
                yield measured(standing, role, kind)
    finally:
        shutil.rmtree(folder)


def report(rows: Sequence[Row], *, date: str) -> str:
    """The rows as a page."""
    lines = [HEAD.format(date=date, rate=RATE, aligned=_ALIGNED)]
    for row in rows:
        failed = ", ".join(f"{count} {cause}" for cause, count in row.failed.items()) or "0"
        lines.append(
            f"| {row.role or 'none'} | {row.settings} | {row.seconds:g} | {failed} "
            f"| {row.p99:.2f} s | {row.worst:.2f} s | {row.gap} |"
        )
    lines += ["", *(f"- {row.role}, {row.settings}: {row.wrong}" for row in rows if row.wrong)]
    lost = sum(row.lost for row in rows)
    lines += [
        f"\nWorkflows that were not completed in the end: {lost}.\n",
        "Latencies are those of a machine of two cores that others used too.",
        "Again: `python -m tests.campaign --rolling-restarts-alone`.",
    ]
    return "\n".join(lines) + "\n"
