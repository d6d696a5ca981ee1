"""Mutants of a plan on a cluster that stands: what `check` predicts, and what is then seen."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.support.measured import predict
from tests.support.measured.base import START_PERIOD, Base
from tests.support.measured.measure import WINDOW, Seen
from tests.support.measured.predict import SHOWN, Prediction
from tests.support.mutants import mutants

COUNT = 40
MOST_WRONG = 2
_DISAGREE = Path(predict.__file__).parent / "disagree.json"
_SAID = 260
"""Letters of what was seen that the page has."""
_FITS = {
    "start": ("start", "place", "refused"),
    "place": ("place", "start"),
    "refused": ("refused",),
    "path": ("path", "start"),
    "stuck": ("stuck", "start"),
    "count": ("path",),
}
"""What was expected, and how it may be seen: a role that needs a closed path may not start."""

HEAD = """\
# Predictions of `check` against measurements, seed {seed}

{date}. A mutant is one difference in the plan of dev (`tests/support/mutants`). The plan is that
of a rehearsal that stands, with every value known. All rules judge the mutant's plan, and what they
predict is written down. Then the same difference is made by calls of the emulated AWS, whoever is
concerned gets a new deployment, which is watched for {window:g} s at most, then `dsql-deploy probe`
runs. It is undone, and all has to be well again before the next.

**{right} of {count} agree.** {broken} were predicted to break something, {harmless} to break
nothing now: no rule says anything of them, or what it says is that nothing fails.

- What of which rule can be seen here is in `tests/support/measured/shows.json`, written from what
  rules and stand-ins say; two of its lines came after a first pass (`fit-rolling-deployment`, and
  `The task does not start`). What cannot be seen is not drawn; it is below.
- `start`: a task of the role does not become ready, and ECS takes the deployment back; `place`: no
  instance has room; `refused`: AWS does not take it; `stuck`: the deployment does not end; `path`:
  the probe fails; `count`: the probe misses the role. Behind a closed path a role may not start.
- Security groups hold new connections alone, here and on AWS. So who dials gets a new deployment
  when a rule changes: the effect is that of the next deployment.
- Where a deployment fails, the old tasks go on, and the probe is not asked.
- A health check has {start:g} s for the start, in place of the minutes that DSQL's limits can take.
- Where rule, stand-in or this translation was found to be wrong it was mended, and its mutants were
  measured again on a base that was made anew; what still disagrees is explained below.

| Mutant | Rules | Predicted | Seen | s | Agrees |
|---|---|---|---|---|---|"""


def first(prediction: Prediction) -> str:
    """What is met first of all that is expected."""
    return next(how for how in SHOWN if how in prediction.expected)


@dataclass(frozen=True, slots=True)
class Row:
    """One mutant."""

    prediction: Prediction
    seen: Seen

    @property
    def agrees(self) -> bool:
        """Whether what was seen is what was expected."""
        if not self.prediction.expected:
            return not self.seen.how
        return self.seen.how in _FITS[first(self.prediction)]


Drawn = tuple[list[Prediction], dict[str, dict[str, int]]]
"""Mutants to measure; and how many of each kind are not measured, by the reason."""


def run(
    base: Callable[[], AbstractContextManager[Base]],
    progress: Path,
    say: Callable[[str], None],
    *,
    seed: int,
    count: int = COUNT,
) -> tuple[list[Row], dict[str, dict[str, int]]]:
    """Every drawn mutant, measured before or now; `base` is made where one is left."""
    said = progress.with_suffix(".drawn.json")
    rows = resumed(progress)
    if said.exists() and len(rows) >= len(read(said)[0]):
        return rows, read(said)[1]
    with base() as stands:
        if not said.exists():
            progress.parent.mkdir(parents=True, exist_ok=True)
            write(said, stands, seed, count)
        predictions, unseen = read(said)
        for row in measured(stands, predictions[len(rows) :]):
            with progress.open("a") as file:
                file.write(json.dumps(asdict(row)) + "\n")
            rows.append(row)
            verdict = "" if row.agrees else ", DISAGREES"
            say(
                f"{row.prediction.id}: {row.seen.how or 'nothing'} in {row.seen.seconds} s{verdict}"
            )
    return rows, unseen


def write(path: Path, base: Base, seed: int, count: int) -> None:
    """Draw mutants, and write down what is predicted of them."""
    predictions, unseen = predict.drawn(base.plan, seed, count)
    reasons: dict[str, dict[str, int]] = {}
    for (kind, why), number in Counter((one.kind, one.why) for one in unseen).items():
        reasons.setdefault(why, {})[kind] = number
    drawn = {"predictions": [asdict(one) for one in predictions], "unseen": reasons}
    path.write_text(json.dumps(drawn, indent=1))


def read(path: Path) -> Drawn:
    """What `write` has written."""
    said = json.loads(path.read_text())
    return [Prediction(**one) for one in said["predictions"]], said["unseen"]


def measured(base: Base, predictions: Sequence[Prediction]) -> Iterator[Row]:
    """What is seen of each; one after the other. Raises NotGreen."""
    there = {one.id: one for one in mutants(base.plan)}
    for one in predictions:
        seen = base.measured(there[one.id])
        yield Row(one, seen)
        base.mend(seen)


def resumed(progress: Path) -> list[Row]:
    """What an earlier, interrupted run has seen."""
    if not progress.exists():
        return []
    lines = [json.loads(line) for line in progress.read_text().splitlines()]
    return [Row(Prediction(**one["prediction"]), Seen(**one["seen"])) for one in lines]


def right(rows: Sequence[Row]) -> bool:
    """Whether at most as many disagree as may."""
    return sum(not one.agrees for one in rows) <= MOST_WRONG


def explained() -> dict[str, str]:
    """Why predictions are not what is seen, by the ids of mutants: `disagree.json`."""
    found: dict[str, str] = json.loads(_DISAGREE.read_text())
    return found


def report(
    rows: Sequence[Row],
    unseen: Mapping[str, Mapping[str, int]],
    *,
    date: str,
    seed: int,
    why: Mapping[str, str] | None = None,
) -> str:
    """The campaign as a page; `why` explains those that disagree, by the ids of mutants."""
    broken = sum(bool(one.prediction.expected) for one in rows)
    lines = [
        HEAD.format(
            date=date,
            seed=seed,
            count=len(rows),
            right=sum(one.agrees for one in rows),
            broken=broken,
            harmless=len(rows) - broken,
            window=WINDOW,
            start=START_PERIOD,
        )
    ]
    lines += [_line(one) for one in rows]
    wrong = [one.prediction.id for one in rows if not one.agrees]
    if wrong:
        lines += ["", "## Those that disagree", ""]
        lines += [f"- `{_short(one)}`: {(why or {}).get(one, 'not explained')}" for one in wrong]
    lines += ["", "## Not drawn", "", "What a rehearsal cannot show, and why.", ""]
    lines += ["| Why | Mutants that were looked at |", "|---|---|"]
    for reason, kinds in sorted(unseen.items()):
        counted = ", ".join(f"{kind} {number}" for kind, number in sorted(kinds.items()))
        lines.append(f"| {reason} | {counted} |")
    return "\n".join([*lines, f"\nAgain: `make campaign SEED={seed}`."]) + "\n"


def _line(row: Row) -> str:
    one, seen = row.prediction, row.seen
    predicted = f"{first(one)}: {one.symptom}" if one.expected else "nothing"
    if not one.expected and one.symptom:
        predicted += f": {one.symptom}"
    found = f"{seen.how}: {', '.join(seen.parts)}: {seen.said}" if seen.how else "nothing"
    cells = [
        f"`{_short(one.id)}` ({one.detail})" if one.detail != "deleted" else f"`{_short(one.id)}`",
        ", ".join(one.rules) or "none",
        _cut(predicted),
        _cut(found),
        f"{seen.seconds:g}",
        "yes" if row.agrees else "**no**",
    ]
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _short(text: str) -> str:
    """An id without the modules that all have in common, and what AWS made up."""
    return text.replace("module.temporal.", "").replace("module.", "")


def _cut(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _SAID else f"{words[:_SAID]} ..."
