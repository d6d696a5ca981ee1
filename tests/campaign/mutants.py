"""Every mutant of the environments' plans, judged by all rules: which rule sees which."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from temporal_dsql_deploy.plan import Plan
from tests.support.mutants import judging, mutants
from tests.support.mutants.judging import Equivalent, Verdict

WHOLE = ("dev", "bench", "prod")
"""Plans of which every mutant is judged."""
BESIDE = ("isolated", "adot", "operators")
"""Plans of which those are judged that no plan before has."""
GOAL = 0.95
"""Share of the mutants that are not equivalent which a rule meant for them has to see."""
AT_ONCE = 50
HEAD = """\
# Mutants of the environments' plans, seed {seed}

{date}. A mutant is the plan of an environment with one thing in it deleted or altered, and there is
one for every thing: `tests/support/mutants/places.json` says where, the type of what stands there
says how. It is killed when a rule has a finding that it does not have in the plan itself; a rule
that only says that it cannot judge does not kill. Which rules are meant for a kind is
`tests/support/mutants/kinds.json`, which mutants are equivalent, and why, `equivalent.json` beside
it. Whole plans: {whole}; of {beside} what they have beside those. The seed is the order.

**{meant} of {counted} mutants that are not equivalent are killed by a rule meant for them:
{percent:.1f} %** (goal: {goal:.0f} %). Killed by any rule: {killed}. Equivalent: {equivalent}.

| Kind | Mutants | Killed | By a rule meant for it | Equivalent | Survived |
|---|---|---|---|---|---|"""


@dataclass(frozen=True, slots=True)
class Score:
    """How the mutants of a kind fared, or of all."""

    mutants: int
    killed: int
    meant: int
    equivalent: int

    @property
    def counted(self) -> int:
        """Mutants that are not equivalent."""
        return self.mutants - self.equivalent

    @property
    def share(self) -> float:
        """Share of those that a rule meant for them sees."""
        return self.meant / self.counted if self.counted else 1.0


def run(
    planned: Mapping[str, Plan],
    progress: Path,
    say: Callable[[str], None],
    *,
    seed: int = 1,
    workers: int = 2,
) -> list[Verdict]:
    """The verdict on every mutant, those that were judged before and those that are now."""
    progress.parent.mkdir(parents=True, exist_ok=True)
    done = resumed(progress)
    judged = {one.key for one in done}
    left = {
        name: [one for one in every if f"{name}: {one}" not in judged]
        for name, every in ids(planned).items()
    }
    for name, every in left.items():
        say(f"{name}: {len(every)} mutants to judge")
        Random(seed).shuffle(every)  # noqa: S311 - a seed is what makes an order repeatable
        with progress.open("a") as file:
            for part in _in_parts(name, planned[name], every, workers):
                file.writelines(json.dumps(asdict(one)) + "\n" for one in part)
                file.flush()
                done += part
    return done


def ids(planned: Mapping[str, Plan]) -> dict[str, list[str]]:
    """The mutants to judge, by the plan that they are of."""
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    for name in (*WHOLE, *BESIDE):
        if name not in planned:
            continue
        every = [one.id for one in mutants(planned[name])]
        found[name] = [one for one in every if name in WHOLE or one not in seen]
        seen.update(every)
    return found


def resumed(progress: Path) -> list[Verdict]:
    """The verdicts of an earlier, interrupted run."""
    lines = progress.read_text().splitlines() if progress.exists() else []
    return [Verdict(**{**row, "rules": tuple(row["rules"])}) for row in map(json.loads, lines)]


def judged(name: str, plan: Plan, wanted: Iterable[str]) -> list[Verdict]:
    """The verdicts on the mutants of a plan that have these ids."""
    chosen = set(wanted)
    return list(judging.verdicts(name, plan, (one for one in mutants(plan) if one.id in chosen)))


def _in_parts(
    name: str, plan: Plan, wanted: Sequence[str], workers: int
) -> Iterator[list[Verdict]]:
    parts = [wanted[first : first + AT_ONCE] for first in range(0, len(wanted), AT_ONCE)]
    count = len(parts)
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(judged, [name] * count, [plan] * count, parts)


def score(verdicts: Sequence[Verdict], entries: Sequence[Equivalent]) -> Score:
    """The score of some mutants."""
    return Score(
        mutants=len(verdicts),
        killed=sum(bool(one.rules) for one in verdicts),
        meant=sum(one.meant for one in verdicts),
        equivalent=sum(bool(judging.equivalent(one, entries)) for one in verdicts),
    )


def report(
    verdicts: Sequence[Verdict], entries: Sequence[Equivalent], *, date: str, seed: int
) -> str:
    """The run as a page."""
    total = score(verdicts, entries)
    lines = [
        HEAD.format(
            seed=seed,
            date=date,
            whole=", ".join(WHOLE),
            beside=", ".join(BESIDE),
            goal=100 * GOAL,
            percent=100 * total.share,
            counted=total.counted,
            meant=total.meant,
            killed=total.killed,
            equivalent=total.equivalent,
        )
    ]
    for kind in sorted({one.kind for one in verdicts}):
        of = score([one for one in verdicts if one.kind == kind], entries)
        lines.append(
            f"| {kind} | {of.mutants} | {of.killed} | {of.meant} | {of.equivalent} "
            f"| {of.counted - of.killed} |"
        )
    lines += ["", *_equivalents(verdicts, entries), *_missed(verdicts, entries)]
    lines += [f"- {one}" for one in judging.mistakes(verdicts, entries)]
    return "\n".join([*lines, f"\nAgain: `make campaign SEED={seed}`."]) + "\n"


def _equivalents(verdicts: Sequence[Verdict], entries: Sequence[Equivalent]) -> Iterator[str]:
    yield "## Equivalent\n"
    yield "Nothing that a rule could speak of changes.\n"
    yield "| Mutants | Such as | Why |"
    yield "|---|---|---|"
    for entry in entries:
        about = [one for one in verdicts if judging.equivalent(one, entries) == entry]
        if about:
            yield f"| {len(about)} | {_cell(about[0])} | {entry.reason} |"


def _missed(verdicts: Sequence[Verdict], entries: Sequence[Equivalent]) -> Iterator[str]:
    left = [one for one in verdicts if not one.meant and not judging.equivalent(one, entries)]
    if not left:
        return
    yield "\n## Not seen by the rule meant for it\n"
    yield "| Mutant | Seen by |"
    yield "|---|---|"
    yield from (f"| {_cell(one)} | {', '.join(one.rules) or 'none'} |" for one in left)


def _cell(verdict: Verdict) -> str:
    text = f"{verdict.key} ({verdict.detail})" if verdict.detail != "deleted" else verdict.key
    return "`" + text.replace("|", "\\|").replace("`", "'") + "`"
