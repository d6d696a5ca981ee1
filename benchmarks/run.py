"""How fast the commands are, each against doing the same by hand, as ratios of one run.

    python benchmarks/run.py [--rounds N] [--write]

Machines are noisy, so the two sides take turns and the medians of the ratios are what counts.
"""

import argparse
import itertools
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import bench, checks, recovery, rehearsal  # noqa: E402
from benchmarks.said import COMPLETED, seconds_until  # noqa: E402
from scripts import temporal_server  # noqa: E402
from tests.support import postgresql  # noqa: E402
from tests.support.cluster import standing_cluster  # noqa: E402
from tests.support.deploy import COMMAND, Deploy, free_ports  # noqa: E402

BY_HAND = Path(__file__).with_name("by_hand.py")
ROLES_BY_HAND = Path(__file__).with_name("roles_by_hand.py")
NETWORK = 180
"""Of the loopback addresses of clusters that are measured."""


def up_to_first_workflow(folder: Path) -> float:
    """Seconds from `dsql-deploy up` to its first completed workflow; its own line says when."""
    deploy = Deploy(folder)
    deploy.write_environment().unlink()
    ports = [f"--port={deploy.ports['frontend']}", f"--ui-port={deploy.ports['ui']}"]
    seconds = seconds_until(deploy, "up", "local", *ports, said=lambda line: COMPLETED in line)
    deploy.run("destroy", "--yes")
    return seconds


def by_hand_to_first_workflow(folder: Path) -> float:
    """Seconds from a bare `temporal server start-dev` to the first workflow of a small program."""
    port, ui = free_ports(2)
    command = [sys.executable, str(BY_HAND), str(folder / "by-hand.db"), str(port), str(ui)]
    return seconds_to_first_line(command)


def seconds_to_first_line(command: list[str]) -> float:
    """Seconds until a program has printed a line; it then ends as it likes."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        seconds = time.perf_counter() - began
        process.communicate()
    return seconds


def up_to_four_serving(folder: Path) -> float:
    """Seconds from `dsql-deploy up cluster` on nothing until all four roles are SERVING."""
    deploy = Deploy(folder)
    file = deploy.write_environment(name="cluster")
    file.write_text(f"network = {NETWORK}\n")
    seconds = seconds_until(
        deploy, "up", "cluster", said=lambda line: line.rstrip().endswith(": SERVING")
    )
    deploy.run("destroy", "cluster", "--yes")
    return seconds


def by_hand_to_four_serving() -> float:
    """Seconds until the same processes serve that a small program has started."""
    programs = postgresql.binaries()
    assert programs is not None
    with tempfile.TemporaryDirectory(prefix="roles-") as elsewhere:
        # PostgreSQL runs as nobody there, if this is root.
        Path(elsewhere).chmod(0o777)
        command = [sys.executable, str(ROLES_BY_HAND), elsewhere, str(NETWORK + 1)]
        command += [str(temporal_server.folder()), str(programs)]
        return seconds_to_first_line(command)


def command_seconds(*command: str) -> float:
    """Wall time of a whole process."""
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=os.environ)
    return time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class Result:
    """Medians of one comparison, and the median of the ratios pair by pair."""

    name: str
    ours: float
    theirs: float | None
    """None where it is measured against a goal alone, as the ratio is."""
    ratio: float | None
    goal: str
    met: bool
    unit: str = "s"

    def row(self) -> str:
        """A row of the table."""
        theirs = "–" if self.theirs is None else f"{self.theirs:.3f} {self.unit}"
        ratio = "–" if self.ratio is None else f"{self.ratio:.2f}"
        return (
            f"| {self.name} | {self.ours:.3f} {self.unit} | {theirs} | {ratio} "
            f"| {self.goal} | {'yes' if self.met else 'no'} |"
        )


def compare(
    ours: Callable[[], float], theirs: Callable[[], float], rounds: int
) -> tuple[float, float, float]:
    """Take turns; the medians of both sides, and of the ratio."""
    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    a, b = (statistics.median(side) for side in zip(*pairs, strict=True))
    return a, b, statistics.median(a / b for a, b in pairs)


def run(rounds: int, folders: Iterator[Path]) -> Iterator[Result]:
    """All comparisons."""

    def fresh() -> Path:
        folder = next(folders)
        folder.mkdir()
        return folder

    a, b, ratio = compare(
        lambda: up_to_first_workflow(fresh()), lambda: by_hand_to_first_workflow(fresh()), rounds
    )
    name = "`up` to first completed workflow; bare `temporal server start-dev` and a small program"
    yield Result(name, a, b, ratio, "ratio <= 1.2", met=ratio <= 1.2)
    if temporal_server.is_built() and postgresql.binaries() is not None:
        a, b, ratio = compare(
            lambda: up_to_four_serving(fresh()),
            by_hand_to_four_serving,
            min(rounds, 5),
        )
        name = (
            "`up cluster` from nothing to all four roles SERVING; a small program that starts them"
        )
        yield Result(name, a, b, ratio, "ratio <= 1.2", met=ratio <= 1.2)
        yield run_recovery(min(rounds, 5), fresh())
    a, b, ratio = compare(
        lambda: command_seconds(str(COMMAND), "--help"),
        lambda: command_seconds(sys.executable, "-c", "pass"),
        rounds,
    )
    yield Result("`--help`; `python -c pass`", a, b, ratio, "<= 0.150 s", met=a <= 0.15)
    yield from run_bench(rounds, fresh())
    yield from run_checks(rounds, fresh())
    if rehearsal.lack() is None:
        yield run_rehearsal(min(rounds, 3), fresh())


def run_rehearsal(rounds: int, folder: Path) -> Result:
    """That of `dsql-deploy rehearse`."""
    found = rehearsal.turns(rounds, folder)
    ours, theirs = (statistics.median(side) for side in zip(*found, strict=True))
    ratio = statistics.median(one / other for one, other in found)
    name = "`rehearse dev` to the end of its apply; a bare apply in the same emulated AWS"
    return Result(name, ours, theirs, ratio, "ratio <= 1.3", met=ratio <= 1.3)


def run_recovery(rounds: int, folder: Path) -> Result:
    """That of `dsql-deploy recover`."""
    with standing_cluster(folder) as cluster:
        a, b, ratio = compare(
            lambda: recovery.recovered(cluster), lambda: recovery.untouched(cluster), rounds
        )
    name = "`recover` until all four serve on new addresses; nothing done"
    return Result(name, a, b, ratio, "<= 8 s", met=a <= 8)


def run_bench(rounds: int, folder: Path) -> Iterator[Result]:
    """Those of `dsql-deploy bench`."""
    with bench.cluster(folder) as cluster:
        turns = bench.turns(cluster, min(rounds, 5))
    yield from run_floors(turns)
    accuracy = 100 * statistics.median(turn.bench.accuracy for turn in turns)
    name = f"starts of `bench` confirmed at {bench.RATE:g} a second, of those asked for"
    met = abs(accuracy - 100) <= 0.5
    yield Result(name, accuracy, None, None, "99.5 to 100.5 %", met=met, unit="%")
    lag = statistics.median(turn.bench.lag_p99 for turn in turns)
    yield Result(
        "how late those were sent, p99", lag, None, None, "<= 5 ms", met=lag <= 5, unit="ms"
    )
    a, b, ratio = compare(bench.recorder_seconds, bench.list_seconds, rounds)
    # Two are recorded for each workflow, whose starting and running costs 2 ms at least.
    name = "a sample of the recorder; `list.append`"
    yield Result(name, a * 1e6, b * 1e6, ratio, "<= 10 µs", met=a <= 1e-5, unit="µs")


def run_floors(turns: list[bench.Turn]) -> Iterator[Result]:
    """CPU for each completed workflow."""
    name = "CPU of `bench` for each `simple` workflow; of a minimal loop on "
    ours = statistics.median(turn.bench.cpu for turn in turns)
    python = statistics.median(turn.python for turn in turns)
    ratio = statistics.median(turn.bench.cpu / turn.python for turn in turns)
    yield Result(
        f"{name}temporalio", ours, python, ratio, "ratio <= 1.15", met=ratio <= 1.15, unit="ms"
    )
    pairs = [(turn.bench.cpu, turn.go) for turn in turns if turn.go is not None]
    if not pairs:
        print("no Go 1.26 here: `bench` is not compared with a loop on Temporal's Go SDK")
        return
    ratio = statistics.median(a / b for a, b in pairs)
    go = statistics.median(b for _, b in pairs)
    yield Result(f"{name}the Go SDK", ours, go, ratio, "ratio <= 1.5", met=ratio <= 1.5, unit="ms")


def run_checks(rounds: int, folder: Path) -> Iterator[Result]:
    """Those of `dsql-deploy check`."""
    plan = folder / "dev.json"
    checks.save_plan(plan)
    # checkov takes its time, and so varies little.
    a, b, ratio = compare(
        lambda: checks.judged_seconds(plan), lambda: checks.checkov_seconds(plan), min(rounds, 5)
    )
    name = "`check --plan` of dev, all rules; checkov on the same file"
    yield Result(name, a, b, ratio, "ratio <= 0.1", met=ratio <= 0.1)
    a, b = checks.sets_against_plain_plans(folder)
    name = (
        f"{checks.SETS} variable sets of dev planned with known values and judged; "
        f"`terraform plan` and `show -json` of each ({checks.PLAIN} timed, scaled)"
    )
    yield Result(name, a, b, a / b, "ratio <= 0.2", met=a / b <= 0.2)


def main() -> int:
    """Run all benchmarks; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--write", action="store_true", help="also as a page of docs/results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folders = (Path(temporary) / str(number) for number in itertools.count())
        results = list(run(options.rounds, folders))
    table = "\n".join(
        [
            "| What; by hand | Ours | By hand | Ratio | Goal | Met |",
            "|---|---|---|---|---|---|",
            *(result.row() for result in results),
        ]
    )
    print(table)
    if options.write:
        date = f"{datetime.now(UTC):%Y-%m-%d}"
        head = (
            f"# Benchmarks, {date}\n\nMedians of {options.rounds} rounds, the sides taking turns, "
        )
        machine = f"on {os.cpu_count()} cores ({platform.machine()}).\n\n"
        again = (
            "\n\nAgain: `make bench`, which takes about 20 minutes, most of it for the variable "
            "sets.\nWhat is done by hand is in `benchmarks/by_hand.py` and "
            "`benchmarks/roles_by_hand.py`, the variable sets and what they "
            "are compared with in `benchmarks/checks.py`, the loops and what is counted of "
            "`bench` in `benchmarks/bench.py`, the recovery in `benchmarks/recovery.py`.\n"
        )
        page = ROOT / "docs" / "results" / f"{date}-benchmarks.md"
        page.write_text(head + machine + table + again)
    return 0 if all(result.met for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
