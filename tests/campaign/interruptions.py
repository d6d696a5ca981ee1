"""`up` on ECS, stopped after each write to AWS in turn, and what the next one makes of it."""

import json
import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from tests.support.interrupted import Point, Stopped, run_round, undisturbed

SIGNALS = ("SIGINT", "SIGKILL")
HEAD = """\
# Interruptions of `up` on ECS, seed {seed}

{date}. `dsql-deploy up` applies a small environment (one of each kind that AWS knows by a name, and
those that it would make twice) to an empty emulated account, by the real command line, Terraform
and provider. At a write to AWS the command gets a signal; the next `up` is not prepared by anybody.
A round is right when that one ends with 0, a third has nothing to change, and nothing stands twice:
the inventory of the account is that of an undisturbed `up`, once what that `up` has named as in no
state was removed by the commands that it gave (decision 0014).

An undisturbed `up` has {writes} writes, so there are {points} points: each with SIGINT and SIGKILL,
before and after its answer. **{run} of them were run, {right} were right.** Points are in an order
drawn by the seed.

| Signal | Rounds | Right | Rounds that left something | Named and removed | Done all the same |
|---|---|---|---|---|---|"""


def points(writes: int, seed: int) -> list[Point]:
    """Every one, in the order of a seed."""
    found = [
        Point(write, signal, answered)
        for write in range(1, writes + 1)
        for signal in SIGNALS
        for answered in (True, False)
    ]
    random.Random(seed).shuffle(found)  # noqa: S311 - it is to be drawn again
    return found


def run(
    progress: Path, say: Callable[[str], None], *, seed: int, count: int
) -> tuple[int, list[Stopped]]:
    """The writes of an undisturbed `up`, and `count` rounds, those of before among them."""
    progress.parent.mkdir(parents=True, exist_ok=True)
    lines = progress.read_text().splitlines() if progress.exists() else []
    folder = Path(tempfile.mkdtemp(prefix="campaign-"))
    try:
        if not lines:
            written, stands = undisturbed(folder / "undisturbed")
            lines = [json.dumps({"writes": len(written), "stands": stands})]
            progress.write_text(lines[0] + "\n")
        known = json.loads(lines[0])
        done = [_read(line) for line in lines[1:]]
        before = {one.point for one in done}
        wanted = [one for one in points(known["writes"], seed)[:count] if one not in before]

        def one_of(point: Point) -> Stopped:
            here = folder / f"{point.write}-{point.signal}-{point.answered}"
            return run_round(point, here, known["stands"])

        # Each has an account of its own, and most of its time is Terraform's.
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            for one in threads.map(one_of, wanted):
                with progress.open("a") as file:
                    file.write(json.dumps(asdict(one)) + "\n")
                done.append(one)
                say(f"{one.point}: {one.wrong or 'right'}")
        return known["writes"], done
    finally:
        shutil.rmtree(folder)


def _read(line: str) -> Stopped:
    said = json.loads(line)
    return Stopped(**{**said, "point": Point(**said["point"])})


def report(writes: int, done: Sequence[Stopped], *, date: str, seed: int) -> str:
    """The rounds as a page."""
    lines = [
        HEAD.format(
            seed=seed,
            date=date,
            writes=writes,
            points=len(points(writes, seed)),
            run=len(done),
            right=sum(not one.wrong for one in done),
        )
    ]
    rounds = Counter(one.point.signal for one in done)
    for signal in SIGNALS:
        some = [one for one in done if one.point.signal == signal]
        right, unmet = sum(not one.wrong for one in some), sum(one.code == 0 for one in some)
        left, named = sum(bool(one.named) for one in some), sum(one.named for one in some)
        lines.append(f"| {signal} | {rounds[signal]} | {right} | {left} | {named} | {unmet} |")
    lines.append("")
    lines += [
        f"- write {one.point.write}, {one.point.signal}, "
        f"{'after' if one.point.answered else 'before'} its answer: {' '.join(one.wrong.split())}"
        for one in sorted(done, key=lambda one: (one.point.write, one.point.signal))
        if one.wrong
    ]
    again = f"`python -m tests.campaign --interruptions-alone --seed {seed}`"
    return "\n".join([*lines, f"\nAgain, and on: {again}."]) + "\n"
