"""Run a campaign of faults, closed paths, bottlenecks and more: `make campaign SEED=7`.

Each round has its own seed, and is written down when it ends: a campaign that was interrupted goes
on where it was when it is started with the same seed. The report is in docs/results, by date and
seed.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tests.campaign import (
    bottlenecks,
    closed_paths,
    cluster_faults,
    environments,
    fresh,
    fuzz,
    interruptions,
    mutants,
    options,
    predictions,
    rehearsal_load,
    rehearsals,
    rolling,
)
from tests.campaign.faults import RECOVERY, Round, run_round
from tests.support import plans
from tests.support.deploy import Deploy
from tests.support.measured import standing
from tests.support.mutants import judging

ROOT = Path(__file__).parents[2]
PROGRESS = ROOT / "artifacts" / "campaign"
RESULTS = ROOT / "docs" / "results"


HEAD = """\
# Faults on the embedded cluster, seed {seed}

{date}, {rounds} rounds of {workflows} workflows: two activities with a timer of 2 to 4 s between
them. In the middle of the load a fault, then `dsql-deploy up`.

A start counts when it was acknowledged and its (workflow id, run id) was on disk. It is lost unless
that very run is Completed exactly once, with the expected result, within {recovery:g} s.

**{acknowledged} acknowledged, {lost} lost.**

| Fault | Rounds | Acknowledged | Lost | Until all were completed, median / worst |
|---|---|---|---|---|"""


def main() -> int:
    """Run what is left of the campaign and write its reports; 1 if anything was lost or failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--workflows", type=int, default=200)
    parser.add_argument("--bottlenecks", type=int, default=30)
    parser.add_argument("--cluster-faults", type=int, default=100)
    parser.add_argument("--predictions", type=int, default=predictions.COUNT)
    parser.add_argument("--interruptions", type=int, default=1000)
    for name in PARTS:
        parser.add_argument(f"--{name}-alone", dest="alone", action="store_const", const=name)
    given = parser.parse_args()
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    if given.alone:
        return int(not PARTS[given.alone](given, date))
    right = [part(given, date) for part in PARTS.values()]
    rounds = faults(given.seed, count=given.rounds, workflows=given.workflows)
    page = report(rounds, date=date, seed=given.seed, workflows=given.workflows)
    write(f"{date}-faults-{given.seed}.md", page)
    right.append(of_bottlenecks(given.seed, date, count=given.bottlenecks))
    lives = environments.run(PROGRESS / f"environments-{given.seed}.jsonl", say)
    write(f"{date}-environments.md", environments.report(lives, date=date))
    say("fuzz: every property of the unit tests, this takes some minutes")
    properties, said = fuzz.run(given.seed)
    say(said)
    write(
        f"{date}-fuzz-{given.seed}.md",
        fuzz.report(properties, said, seed=given.seed, date=date),
    )
    lost = any(done.losses for done in rounds) or any(life.problem for life in lives)
    return int(not all(right) or lost or "failed" in said or not properties)


def of_plans(seed: int, date: str) -> bool:
    """Mutants and pairs of options, judged by the checks; whether all is as it must be."""
    # Verdicts of other rules or another Terraform are none.
    name = f"{seed}-{fresh.digest()}.jsonl"
    planned = {each: plans.of(each) for each in (*mutants.WHOLE, *mutants.BESIDE)}
    verdicts = mutants.run(planned, PROGRESS / f"mutants-{name}", say, seed=seed)
    entries = judging.equivalents()
    write(f"{date}-mutants-{seed}.md", mutants.report(verdicts, entries, date=date, seed=seed))
    results = options.run(PROGRESS / f"options-{name}", say, seed=seed)
    write(f"{date}-options-{seed}.md", options.report(results, date=date, seed=seed))
    for mistake in judging.mistakes(verdicts, entries):
        say(mistake)
    return not (
        mutants.score(verdicts, entries).share < mutants.GOAL
        or bool(judging.mistakes(verdicts, entries))
        or any(one.findings or one.refused for one in results)
    )


def of_bottlenecks(seed: int, date: str, *, count: int) -> bool:
    """Benchmarks of which a party is starved; whether enough of these were named."""
    # What other rules have said is of no interest.
    progress = PROGRESS / f"bottlenecks-{seed}-{fresh.digest()}.jsonl"
    judged = bottlenecks.campaign(progress, say, seed=seed, count=count)
    write(f"{date}-bottlenecks-{seed}.md", bottlenecks.report(judged, date=date, seed=seed))
    for line in bottlenecks.matrix(judged):
        say(line)
    return bottlenecks.right(judged)


def of_closed_paths(date: str) -> bool:
    """Every path between two roles closed in turn; whether the probe was right each time."""
    outcomes = closed_paths.run(PROGRESS / f"closed-paths-{fresh.digest()}.jsonl", say)
    write(f"{date}-closed-paths.md", closed_paths.report(outcomes, date=date))
    return all(closed_paths.right(one) for one in outcomes)


def of_rolling_restarts(date: str) -> bool:
    """Each role restarted under load; whether no request failed with the recommended settings."""
    rows = rolling.run(PROGRESS / f"rolling-{fresh.digest()}.jsonl", say)
    write(f"{date}-rolling-restarts.md", rolling.report(rows, date=date))
    return not any(row.failed or row.lost for row in rows if row.settings == "drain")


def of_rehearsals(date: str) -> bool:
    """Every environment on ECS rehearsed; whether each was right."""
    done = rehearsals.run(PROGRESS / f"rehearsals-{fresh.digest()}.jsonl", say)
    write(f"{date}-rehearsals.md", rehearsals.report(done, date=date))
    return not any(one.failed for one in done)


def of_interruptions(seed: int, date: str, *, count: int) -> bool:
    """`up` on ECS stopped at each write to AWS; whether the next one was right each time."""
    progress = PROGRESS / f"interruptions-{seed}-{fresh.digest()}.jsonl"
    written, done = interruptions.run(progress, say, seed=seed, count=count)
    page = interruptions.report(written, done, date=date, seed=seed)
    write(f"{date}-interruptions-{seed}.md", page)
    return not any(one.wrong for one in done)


def of_rehearsal_load(seed: int, date: str) -> bool:
    """A rehearsal under load while roles restart and an instance is lost; whether all went well."""
    rows = rehearsal_load.run(PROGRESS / f"rehearsal-load-{seed}-{fresh.digest()}.jsonl", say)
    write(f"{date}-rehearsal-load-{seed}.md", rehearsal_load.report(rows, date=date))
    return not any(row.lost or row.wrong for row in rows)


def of_cluster_faults(seed: int, date: str, *, count: int) -> bool:
    """Faults on the four roles; whether nothing was lost."""
    progress = PROGRESS / f"cluster-faults-{seed}.jsonl"
    rounds = cluster_faults.campaign(progress, say, seed=seed, count=count)
    write(f"{date}-cluster-faults-{seed}.md", cluster_faults.report(rounds, date=date, seed=seed))
    return all(done.right for done in rounds)


def of_predictions(seed: int, date: str, *, count: int) -> bool:
    """Mutants on a rehearsal that stands; whether `check` was right of all but a few."""
    progress = PROGRESS / f"predictions-{seed}-{fresh.digest()}.jsonl"
    rows, unseen = predictions.run(standing.made, progress, say, seed=seed, count=count)
    why = predictions.explained()
    page = predictions.report(rows, unseen, date=date, seed=seed, why=why)
    write(f"{date}-predictions-{seed}.md", page)
    return predictions.right(rows)


def faults(seed: int, *, count: int, workflows: int) -> list[Round]:
    """All rounds of the campaign, those run before and those run now."""
    PROGRESS.mkdir(parents=True, exist_ok=True)
    progress = PROGRESS / f"faults-{seed}-{workflows}.jsonl"
    rounds = resumed(progress)
    seeds = [seed * 1_000_000 + number for number in range(count)]
    left = [seed for seed in seeds if seed not in {done.seed for done in rounds}]
    if rounds:
        say(f"{len(rounds)} rounds were run before, {len(left)} are left")
    return rounds + run(left, progress, workflows=workflows)


def write(name: str, page: str) -> None:
    """Write a page of docs/results."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / name).write_text(page)
    say(f"report: docs/results/{name}")


def resumed(progress: Path) -> list[Round]:
    """The rounds that an earlier, interrupted run has finished."""
    if not progress.exists():
        return []
    return [Round(**json.loads(line)) for line in progress.read_text().splitlines()]


def run(seeds: Sequence[int], progress: Path, *, workflows: int) -> list[Round]:
    """Run the rounds of these seeds one after the other, on one cluster."""
    folder = Path(tempfile.mkdtemp(prefix="campaign-"))
    deploy = Deploy(folder)
    rounds = []
    try:
        if seeds:
            deploy.run("up")
        for seed in seeds:
            done = asyncio.run(run_round(deploy, seed, folder, workflows=workflows))
            with progress.open("a") as file:
                file.write(json.dumps(asdict(done)) + "\n")
            rounds.append(done)
            verdict = f"LOST {done.losses}" if done.losses else "no loss"
            say(
                f"seed {seed}: {done.fault} after {done.after} s, {done.acknowledged} "
                f"acknowledged, recovered in {done.recovered} s: {verdict}"
            )
    finally:
        deploy.clean_up()
        shutil.rmtree(folder)
    return rounds


def report(rounds: Sequence[Round], *, date: str, seed: int, workflows: int) -> str:
    """The campaign as a page."""
    lost = sum(len(done.losses) for done in rounds)
    acknowledged = sum(done.acknowledged for done in rounds)
    lines = [
        HEAD.format(
            seed=seed,
            date=date,
            rounds=len(rounds),
            workflows=workflows,
            recovery=RECOVERY,
            acknowledged=acknowledged,
            lost=lost,
        )
    ]
    for fault in sorted(Counter(done.fault for done in rounds)):
        some = [done for done in rounds if done.fault == fault]
        times = sorted(done.recovered for done in some)
        lines.append(
            f"| {fault} | {len(some)} | {sum(done.acknowledged for done in some)} "
            f"| {sum(len(done.losses) for done in some)} "
            f"| {times[len(times) // 2]} s / {times[-1]} s |"
        )
    lines += [f"- seed {done.seed}: {loss}" for done in rounds for loss in done.losses]
    lines += [f"\nAgain: `make campaign SEED={seed}`."]
    return "\n".join(lines) + "\n"


def say(line: str) -> None:
    """One line of progress."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


PARTS: dict[str, Callable[[argparse.Namespace, str], bool]] = {
    "plans": lambda given, date: of_plans(given.seed, date),
    "closed-paths": lambda _given, date: of_closed_paths(date),
    "cluster-faults": lambda given, date: of_cluster_faults(
        given.seed, date, count=given.cluster_faults
    ),
    "rolling-restarts": lambda _given, date: of_rolling_restarts(date),
    "rehearsals": lambda _given, date: of_rehearsals(date),
    "rehearsal-load": lambda given, date: of_rehearsal_load(given.seed, date),
    "predictions": lambda given, date: of_predictions(given.seed, date, count=given.predictions),
    "interruptions": lambda given, date: of_interruptions(
        given.seed, date, count=given.interruptions
    ),
}
"""What can be run alone, `--plans-alone`; whether it found all as it must be."""


if __name__ == "__main__":
    sys.exit(main())
