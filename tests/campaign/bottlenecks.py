"""One party of a benchmark starved, which one is drawn: does the benchmark name it?

The label is not known to the benchmark. What is starved is starved from outside: processes are
paused, the database file is locked, the server or the workers are given too little.
"""

import json
import random
import shlex
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
from pydantic import TypeAdapter

from temporal_dsql_deploy.bench import options, run
from temporal_dsql_deploy.bench.option import Duration
from temporal_dsql_deploy.bench.options import Settings
from temporal_dsql_deploy.bench.raw import Live
from temporal_dsql_deploy.bench.results import Iteration
from temporal_dsql_deploy.platforms.local.binary import find_binary
from tests.campaign import starve
from tests.support.deploy import Deploy
from tests.support.precedence import of_session, precedence

PARTIES = ("none", "workers", "server", "generator", "database")
GOAL = 28 / 30
"""Share of the runs whose party must be named."""
SECONDS = 10.0
_RPS = "frontend.namespaceRPS"
_UNLIMITED = 2400
_MEMORY = Path("/dev/shm")
"""Where the database is quick whatever else the machine's disk has to do."""
_PATIENT = """\
#!/bin/sh
case "$1 $2" in
"server start-dev") exec {binary} "$@" --sqlite-pragma busy_timeout=30000 ;;
esac
exec {binary} "$@"
"""
"""The server with a database that waits for a lock, as those of a real cluster do."""
_WORKLOADS = ("simple", "timer", "multi-activity", "simple=3,multi-activity=1", "simple,timer")


@dataclass(frozen=True, slots=True)
class Case:
    """What is run, and what is starved how."""

    seed: int
    label: str
    how: str
    """In words, with its severity."""
    given: dict[str, Any]
    """Options of the benchmark."""
    limit: int = _UNLIMITED
    """Calls a second that the server takes for the namespace."""
    paused: str = ""
    """`worker`, `generator` or `server`."""
    times: tuple[float, float] = (0.0, 0.0)
    """Seconds without and with."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A case, and what the benchmark said."""

    seed: int
    label: str
    how: str
    party: str
    sentence: str
    evidence: list[str]
    due: int
    completed: int
    latency: float
    """Median, milliseconds."""


def drawn(seed: int, label: str) -> Case:
    """The case of a seed: a load that the cluster bears, and a party that is starved."""
    chance = random.Random(f"{seed} {label}")  # noqa: S311 - a seed makes a case repeatable
    given: dict[str, Any] = {
        "workload": chance.choice(_WORKLOADS),
        "rate": float(chance.randint(10, 16)),
        "arrivals": chance.choice(("constant", "poisson")),
        "duration": Duration(SECONDS),
        "ramp_up": Duration(1),
        "completion_timeout": Duration(12),
        "activity_count": chance.randint(1, 2),
        "timer_duration": Duration(chance.choice((0.2, 0.5, 1.0))),
        "workers": chance.choice((1, 1, 2)),
        "workflow_slots": chance.choice((50, 100, 200)),
        "activity_slots": chance.choice((50, 100, 200)),
        "workflow_pollers": chance.choice((5, 10)),
        "max_in_flight": chance.choice((200, 2000)),
        "seed": seed,
    }
    return _STARVED[label](seed, chance, given)


def _none(seed: int, _: random.Random, given: dict[str, Any]) -> Case:
    return Case(seed, "none", "nothing is starved", given)


def _workers(seed: int, chance: random.Random, given: dict[str, Any]) -> Case:
    if chance.random() < 0.5:
        paused, running = chance.uniform(0.3, 0.5), chance.uniform(0.003, 0.005)
        how = f"their processes run {1000 * running:.1f} of {1000 * (paused + running):.0f} ms"
        return Case(seed, "workers", how, given, paused="worker", times=(paused, running))
    slots, count, share = chance.randint(1, 4), given["activity_count"], chance.uniform(0.2, 0.5)
    seconds = slots * given["workers"] / (share * given["rate"] * count)
    given |= {
        "workload": "multi-activity",
        "activity_slots": slots,
        "activity_duration": Duration(round(seconds, 3)),
    }
    return Case(
        seed, "workers", f"{slots} activity slots, enough for {share:.0%} of the load", given
    )


def _server(seed: int, chance: random.Random, given: dict[str, Any]) -> Case:
    if chance.random() < 0.5:
        limit = chance.randint(10, 20)
        return Case(seed, "server", f"{_RPS} {limit}", given, limit=limit)
    paused, running = chance.uniform(0.04, 0.06), chance.uniform(0.002, 0.005)
    how = f"its process runs {1000 * running:.1f} of {1000 * (paused + running):.0f} ms"
    return Case(seed, "server", how, given, paused="server", times=(paused, running))


def _generator(seed: int, chance: random.Random, given: dict[str, Any]) -> Case:
    if chance.random() < 0.5:
        rate = float(chance.randint(24, 32))
        given |= {"max_in_flight": 1, "arrivals": "poisson", "rate": rate, "workload": "simple"}
        return Case(seed, "generator", "one start in flight", given)
    paused, running = chance.uniform(0.3, 0.5), chance.uniform(0.002, 0.004)
    how = f"its process runs {1000 * running:.1f} of {1000 * (paused + running):.0f} ms"
    return Case(seed, "generator", how, given, paused="generator", times=(paused, running))


def _database(seed: int, chance: random.Random, given: dict[str, Any]) -> Case:
    locked, free = chance.uniform(0.03, 0.08), chance.uniform(0.003, 0.008)
    how = f"its file is free {1000 * free:.1f} of {1000 * (locked + free):.0f} ms"
    return Case(seed, "database", how, given, times=(locked, free))


_STARVED: dict[str, Callable[[int, random.Random, dict[str, Any]], Case]] = {
    "none": _none,
    "workers": _workers,
    "server": _server,
    "generator": _generator,
    "database": _database,
}


@contextmanager
def cluster() -> Iterator[Deploy]:
    """Where an embedded server is run, with its database in memory if there is such a disk."""
    folder = Path(tempfile.mkdtemp(prefix="campaign-", dir=_MEMORY if _MEMORY.is_dir() else None))
    deploy = Deploy(folder)
    patient = folder / "temporal"
    patient.write_text(_PATIENT.format(binary=shlex.quote(str(find_binary(None).path))))
    patient.chmod(0o755)
    try:
        with precedence():
            yield deploy
    finally:
        deploy.clean_up()
        shutil.rmtree(folder)


@dataclass(slots=True)
class Starver:
    """Starves while the load lasts, and keeps what was measured."""

    deploy: Deploy
    case: Case
    done: list[Iteration] = field(default_factory=list)
    _starving: starve.Starving | None = None

    def progress(self, line: str) -> None:
        """A line of what goes on: not of interest."""

    def live(self, live: Live) -> None:
        """Begin with the first second; the last one of the load is enough."""
        if live.second == 0:
            self._go_first()
        if live.second == 0 and (arguments := self._arguments()):
            self._starving = starve.Starving(arguments)
        if live.second >= SECONDS - 1:
            self.end()

    def pages(self, pages: dict[str, str]) -> None:
        """Pages of the workers: not of interest."""

    def iteration(self, iteration: Iteration) -> None:
        """Keep it."""
        self.done.append(iteration)

    def end(self) -> None:
        """Give everything back."""
        if self._starving:
            self._starving.end()
        self._starving = None

    def _go_first(self) -> None:
        for pid in (
            self.deploy.record().process.pid,
            *_children("worker"),
            *_children("generator"),
        ):
            of_session(pid)

    def _arguments(self) -> list[str]:
        if self.case.label == "database":
            return starve.lock(self.deploy.data / "temporal.db", *self.case.times)
        if self.case.paused == "server":
            return starve.pause(*self.case.times, [self.deploy.record().process.pid])
        if self.case.paused:
            return starve.pause(*self.case.times, _children(self.case.paused))
        return []


def _children(role: str) -> list[int]:
    return [
        child.pid
        for child in psutil.Process().children()
        if any(word.endswith(f".bench.{role}") for word in child.cmdline())
    ]


def judge(deploy: Deploy, case: Case, raw: Path | None = None) -> Judged:
    """Run the case, and have it judged; `raw` is where the whole result is kept."""
    patient = str(deploy.folder / "temporal")
    limit = f"{_RPS}={case.limit}"
    deploy.run("up", "--temporal-binary", patient, "--dynamic-config-value", limit)
    now = f"{time.strftime('%Y%m%d-%H%M%S')}-{case.seed}"
    settings = options.settings(case.given, now=now)
    starver = Starver(deploy, case)
    target = run.Target(
        deploy.address,
        pids=lambda: [deploy.record().process.pid],
        pages=[f"http://127.0.0.1:{deploy.ports['metrics']}/metrics"],
    )
    try:
        run.run(target, settings, prove=lambda: None, tell=starver)
    finally:
        starver.end()
    if case.limit < _UNLIMITED:
        # With so few calls a second a benchmark may not manage to clean up.
        deploy.run("destroy", "local", "--yes")
    (iteration,) = starver.done
    if raw:
        raw.mkdir(parents=True, exist_ok=True)
        keep(raw / f"{case.label}-{case.seed}.json", case, settings, iteration)
    verdict = iteration.bottleneck
    return Judged(
        seed=case.seed,
        label=case.label,
        how=case.how,
        party=verdict.party,
        sentence=verdict.sentence,
        evidence=list(verdict.evidence),
        due=iteration.counts.due,
        completed=iteration.counts.completed,
        latency=iteration.latency.p50,
    )


def keep(path: Path, case: Case, settings: Settings, iteration: Iteration) -> None:
    """Write down what was measured, to be judged again."""
    path.write_text(
        json.dumps(
            {
                "how": case.how,
                "settings": settings.to_json(),
                "iteration": TypeAdapter(Iteration).dump_python(
                    iteration, mode="json", by_alias=True
                ),
            }
        )
    )


def cases(seed: int, count: int) -> list[Case]:
    """As many of each party, in random order."""
    labels = [PARTIES[number % len(PARTIES)] for number in range(count)]
    random.Random(seed).shuffle(labels)  # noqa: S311 - the same
    return [drawn(seed * 1000 + number, label) for number, label in enumerate(labels)]


def campaign(progress: Path, say: Callable[[str], None], *, seed: int, count: int) -> list[Judged]:
    """All cases of a seed, those judged before and those judged now on a cluster of their own."""
    lines = progress.read_text().splitlines() if progress.exists() else []
    done = [Judged(**json.loads(line)) for line in lines]
    judged = {one.seed for one in done}
    left = [case for case in cases(seed, count) if case.seed not in judged]
    if not left:
        return done
    with cluster() as deploy:
        for case in left:
            one = judge(deploy, case, progress.with_suffix(""))
            done.append(one)
            with progress.open("a") as file:
                file.write(json.dumps(asdict(one)) + "\n")
            wrong = "" if one.party == one.label else "NOT NAMED: "
            say(f"{one.label} ({one.how}): {wrong}{one.sentence}")
    return done


def right(done: Sequence[Judged]) -> bool:
    """Whether enough were named, and none accused that had nothing to do with it."""
    named = sum(one.party == one.label for one in done)
    accused = [one for one in done if one.label == "none" and one.party != "none"]
    return named >= GOAL * len(done) and not accused


def matrix(done: Sequence[Judged]) -> list[str]:
    """The confusion matrix as a table."""
    counts = Counter((one.label, one.party) for one in done)
    lines = [
        f"| Starved | {' | '.join(PARTIES)} |",
        f"|---|{'---|' * len(PARTIES)}",
    ]
    for label in PARTIES:
        row = " | ".join(str(counts[label, party] or "") for party in PARTIES)
        lines.append(f"| {label} | {row} |")
    return lines


def report(done: Sequence[Judged], *, date: str, seed: int) -> str:
    """The judgements as a page."""
    named = sum(one.party == one.label for one in done)
    lines = [
        f"# Bottlenecks named, seed {seed}\n",
        f"{date}, {len(done)} runs of `bench` of {SECONDS:g} s on the embedded server. In each a",
        "party was starved from outside, or none; which one the benchmark was not told.\n",
        f"**{named} of {len(done)} named.** What was starved, and what was named:\n",
        *matrix(done),
        "\n| Starved | How | Due | Completed | Median, ms | Named |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.label} | {one.how} | {one.due} | {one.completed} | {one.latency:.0f} "
        f"| {one.party if one.party == one.label else f'**{one.party}**'} |"
        for one in sorted(done, key=lambda one: (PARTIES.index(one.label), one.seed))
    ]
    lines.append("\nWhat it said of one of each:")
    for label in PARTIES:
        for one in [one for one in done if one.label == label][:1]:
            lines += [f"\n> {one.sentence}\n", *(f"- {line}" for line in one.evidence)]
    return "\n".join([*lines, f"\nAgain: `make campaign SEED={seed}`."]) + "\n"
