"""Seeded faults on the environment `cluster` with two of each role, then `up`, then the oracle."""

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.support import cluster_faults, silent_host
from tests.support.cluster_faults import DATABASE, INSTANCES, RECOVERY, ROLES, Standing

_SILENT = 10
"""Each of so many rounds is one with a silent host."""

HEAD = """\
# Faults on the four roles, seed {seed}

{date}, {rounds} rounds on temporal-server with two instances of each role, each role a process of
its own, and PostgreSQL in the place of DSQL. Clients come through a TCP balancer before both
frontends. Some workflows a second: two activities with a timer of 2 to 4 s between them. In the
middle of the load a fault, then `dsql-deploy up`.

A start counts when it was acknowledged and its (workflow id, run id) was on disk. It is lost unless
that very run is Completed exactly once, with the expected result, within {recovery:g} s; it is a
duplicate if it ran again.

**{acknowledged} acknowledged, {lost} lost or duplicate; {problems} rounds could not be mended by
`up`.** In {repeated} rounds the probe of the first `up` failed, and the second did not.

A silent host is one whose packets are all dropped, in both directions, by rules of the network
between namespaces; there `up` does not reach: the host comes back, or its process is started anew.
The other rounds share one cluster.

| Fault | Rounds | Acknowledged | Lost | Until all were completed, median / worst |
|---|---|---|---|---|"""


@dataclass(frozen=True, slots=True)
class Round:
    """What happened in one round."""

    seed: int
    fault: str
    hit: str
    """Which processes."""
    acknowledged: int
    recovered: float
    """Seconds from the fault until every acknowledged workflow was Completed."""
    losses: list[str]
    first: str = ""
    """What the first `up` has found wrong, if it had to be repeated."""
    problems: list[str] = field(default_factory=list)
    """What a command of an operator has said that did not succeed."""

    @property
    def right(self) -> bool:
        """Whether nothing was lost and it could be mended."""
        return not self.losses and not self.problems


def kill_one(standing: Standing, chance: random.Random) -> str:
    return _killed(standing, chance.choice(INSTANCES))


def kill_two(standing: Standing, chance: random.Random) -> str:
    return _killed(standing, *chance.sample(INSTANCES, 2))


def kill_both_of_a_role(standing: Standing, chance: random.Random) -> str:
    role = chance.choice(ROLES)
    return _killed(standing, f"{role}-1", f"{role}-2")


def kill_everything(standing: Standing, _: random.Random) -> str:
    return _killed(standing, DATABASE, *INSTANCES) and "everything"


def kill_keeper(standing: Standing, chance: random.Random) -> str:
    """With which its process goes."""
    name = chance.choice(INSTANCES)
    run = standing.cluster.run(name)
    os.kill(run.keeper.pid, signal.SIGKILL)
    while run.process.alive():
        time.sleep(0.01)
    return name


def freeze(standing: Standing, chance: random.Random) -> str:
    """An instance stands still for some seconds: the others take it for dead, and it comes back."""
    name = chance.choice(INSTANCES)
    _frozen(standing, name, chance.uniform(1, 12))
    return name


def freeze_then_kill(standing: Standing, chance: random.Random) -> str:
    name = chance.choice(INSTANCES)
    standing.signal(signal.SIGSTOP, name)
    time.sleep(chance.uniform(1, 6))
    return _killed(standing, name)


def freeze_the_database(standing: Standing, chance: random.Random) -> str:
    _frozen(standing, DATABASE, chance.uniform(1, 10))
    return DATABASE


def kill_the_database(standing: Standing, chance: random.Random) -> str:
    standing.kill(DATABASE)
    time.sleep(chance.uniform(0, 10))
    return DATABASE


def database_and_a_role(standing: Standing, chance: random.Random) -> str:
    """The role is started while the database is away, and so ends."""
    name = chance.choice(INSTANCES)
    standing.kill(DATABASE, name)
    ended = standing.start_alone(name)
    return f"{name}, which ended with {ended.returncode} without the database"


def down(standing: Standing, _: random.Random) -> str:
    standing.run("down")
    return "everything"


def down_without_grace(standing: Standing, _: random.Random) -> str:
    standing.run("down", "--grace", "0")
    return "everything"


def restart_by_setting(standing: Standing, chance: random.Random) -> str:
    """All roles at once."""
    value = f"limit.maxIDLength={chance.randrange(200, 1000)}"
    standing.run("up", "--dynamic-config-value", value)
    return "all roles"


def fewer_and_more(standing: Standing, chance: random.Random) -> str:
    """One instance of a role instead of two, and two again."""
    role = chance.choice(ROLES)
    standing.run("up", "--replicas", f"{role}=1")
    standing.run("up", "--replicas", f"{role}=2")
    return role


def kill_up(standing: Standing, chance: random.Random) -> str:
    """kill -9 of an instance, and of the `up` that starts it again, at a random moment."""
    hit = _killed(standing, chance.choice(INSTANCES))
    _cut_off(standing, "up", chance.uniform(0, 4))
    return hit


def rolling_restart(standing: Standing, chance: random.Random) -> str:
    role = chance.choice(ROLES)
    standing.run("restart", role)
    return role


def kill_restart(standing: Standing, chance: random.Random) -> str:
    """kill -9 of a `restart` at a random moment."""
    role = chance.choice(ROLES)
    _cut_off(standing, "restart", chance.uniform(0, 10), role)
    return role


def _cut_off(standing: Standing, verb: str, seconds: float, *words: str) -> None:
    process = standing.deploy.start(verb, "cluster", *words)
    time.sleep(seconds)
    process.kill()
    process.communicate()


def _killed(standing: Standing, *names: str) -> str:
    standing.kill(*names)
    return ", ".join(names)


def complaint(up: subprocess.CompletedProcess[str]) -> str:
    """The checks of its probe that failed, or why it has none."""
    lines = up.stdout.splitlines()
    failed = [" ".join(line.split()) for line in lines if " FAILED " in line]
    told = [line for line in up.stderr.splitlines() if line.startswith(("error:", "cause:"))]
    return "; ".join(failed or told)


def _frozen(standing: Standing, name: str, seconds: float) -> None:
    standing.signal(signal.SIGSTOP, name)
    try:
        time.sleep(seconds)
    finally:
        standing.signal(signal.SIGCONT, name)


Fault = Callable[[Standing, random.Random], str]
"""Does it, and says to whom."""
FAULTS: list[Fault] = [
    *[kill_one, kill_two, kill_both_of_a_role, kill_everything, kill_keeper],
    *[freeze, freeze_then_kill, freeze_the_database, kill_the_database, database_and_a_role],
    *[down, down_without_grace, restart_by_setting, fewer_and_more, kill_up],
    *[rolling_restart, kill_restart],
]


def seeds(seed: int, count: int) -> list[int]:
    """Of each round."""
    return [seed * 1_000_000 + number for number in range(count)]


def is_silent(seed: int) -> bool:
    """Whether the round of this seed is one with a silent host."""
    return seed % _SILENT == _SILENT - 1


def drawn(seed: int) -> tuple[Fault, random.Random]:
    """The fault of a round, all of them in turn, and what decides the rest of it."""
    chance = random.Random(seed)  # noqa: S311 - a seed is what makes a round repeatable
    kinds = random.Random(seed // len(FAULTS)).sample(FAULTS, len(FAULTS))  # noqa: S311
    return kinds[seed % len(FAULTS)], chance


def run_round(standing: Standing, seed: int) -> Round:
    """The round of this seed; the cluster runs, and does so afterwards."""
    fault, chance = drawn(seed)
    lead = chance.uniform(0.5, 4)
    said: list[str] = []
    hit: list[str] = []
    tried: list[subprocess.CompletedProcess[str]] = []

    def work() -> None:
        try:
            hit.append(fault(standing, chance))
        except AssertionError as error:
            said.append(f"{fault.__name__}: {error}")
        tried.append(standing.run("up", check=False))
        if tried[0].returncode:
            tried.append(standing.run("up", check=False))
        if tried[-1].returncode:
            said.append(f"up failed twice: {tried[-1].stdout}{tried[-1].stderr}")

    file = standing.deploy.folder / f"acknowledged-{seed}"
    found = asyncio.run(cluster_faults.judged(standing.address, file, work, lead=lead))
    return Round(
        seed=seed,
        fault=fault.__name__.replace("_", " "),
        hit=", ".join(hit),
        acknowledged=found.acknowledged,
        recovered=found.seconds,
        losses=found.losses,
        first=complaint(tried[0]) if tried[0].returncode else "",
        problems=said,
    )


def campaign(progress: Path, say: Callable[[str], None], *, seed: int, count: int) -> list[Round]:
    """All rounds: those that an earlier, interrupted run has finished, and those that are left."""
    progress.parent.mkdir(parents=True, exist_ok=True)
    rounds = resumed(progress)
    known = {done.seed for done in rounds}
    left = [one for one in seeds(seed, count) if one not in known]
    if rounds:
        say(f"{len(rounds)} rounds were run before, {len(left)} are left")
    for done in _run(left):
        with progress.open("a") as file:
            file.write(json.dumps(asdict(done)) + "\n")
        rounds.append(done)
        verdict = f"LOST {done.losses}" if done.losses else "no loss"
        verdict += f", first up: {done.first}" * bool(done.first)
        verdict += f", PROBLEMS {done.problems}" * bool(done.problems)
        say(
            f"seed {done.seed}: {done.fault} ({done.hit}), {done.acknowledged} acknowledged, "
            f"recovered in {done.recovered} s: {verdict}"
        )
    return sorted(rounds, key=lambda done: done.seed)


def resumed(progress: Path) -> list[Round]:
    """The rounds that were written down."""
    if not progress.exists():
        return []
    return [Round(**json.loads(line)) for line in progress.read_text().splitlines()]


def _run(left: Sequence[int]) -> Iterator[Round]:
    if common := [seed for seed in left if not is_silent(seed)]:
        folder = Path(tempfile.mkdtemp(prefix="campaign-"))
        try:
            with cluster_faults.standing(folder) as standing:
                for seed in common:
                    yield run_round(standing, seed)
        finally:
            shutil.rmtree(folder)
    if silent := [seed for seed in left if is_silent(seed)]:
        yield from silent_rounds(silent)


def silent_rounds(some: Iterable[int]) -> Iterator[Round]:
    """Those with a silent host, on a cluster of their own in network namespaces."""
    cases = []
    for seed in some:
        chance = random.Random(seed)  # noqa: S311
        cases.append(silent_host.drawn(chance, seed))
    for outcome in silent_host.run(cases):
        case = outcome.case
        yield Round(
            seed=case.seed,
            fault="silent host",
            hit=f"{case.name}, for {case.seconds:.0f} s{', then killed' * case.replaced}, "
            f"{_noticed(outcome)}",
            acknowledged=outcome.acknowledged,
            recovered=outcome.recovered,
            losses=outcome.losses,
        )


def _noticed(outcome: silent_host.Outcome) -> str:
    if outcome.faulty_after is None:
        return "never out of the ring"
    return f"out of the ring after {outcome.faulty_after} s"


def _short(text: str) -> str:
    """Of what a command has said, its errors and the checks that failed."""
    first, *rest = (" ".join(line.split()) for line in text.splitlines())
    told = [line for line in rest if line.startswith(("error:", "cause:")) or " FAILED " in line]
    return " ".join([first, *told])


def report(rounds: Sequence[Round], *, date: str, seed: int) -> str:
    """The campaign as a page."""
    lines = [
        HEAD.format(
            seed=seed,
            date=date,
            rounds=len(rounds),
            recovery=RECOVERY,
            acknowledged=sum(done.acknowledged for done in rounds),
            lost=sum(len(done.losses) for done in rounds),
            problems=sum(bool(done.problems) for done in rounds),
            repeated=sum(bool(done.first) and not done.problems for done in rounds),
        )
    ]
    for fault in sorted({done.fault for done in rounds}):
        some = [done for done in rounds if done.fault == fault]
        times = sorted(done.recovered for done in some)
        lines.append(
            f"| {fault} | {len(some)} | {sum(done.acknowledged for done in some)} "
            f"| {sum(len(done.losses) for done in some)} "
            f"| {times[len(times) // 2]:g} s / {times[-1]:g} s |"
        )
    wrong = [
        f"- seed {done.seed}, {done.fault} ({done.hit or 'not done'}): {_short(one)}"
        for done in rounds
        for one in [*done.losses, *done.problems]
    ]
    if wrong:
        lines += ["\nWhat was wrong:\n", *wrong]
    if any(done.first for done in rounds):
        lines += ["\nWhat the first `up` found:\n"]
        lines += [f"- {done.fault} ({done.hit}): {done.first}" for done in rounds if done.first]
    lines += [
        "\nSeconds are those of a machine of two cores that others used too.\n",
        f"Again: `python -m tests.campaign --cluster-faults-alone --seed {seed}`.",
    ]
    return "\n".join(lines) + "\n"
