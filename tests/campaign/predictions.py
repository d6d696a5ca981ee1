"""Mutants of a plan on a cluster that stands: what `check` predicts, and what is then seen."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.support.measured import predict
from tests.support.measured.base import Base
from tests.support.measured.measure import Seen
from tests.support.measured.predict import Prediction
from tests.support.mutants import mutants

COUNT = 40
MOST_WRONG = 2
_HERE = Path(__file__).parent
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

{date}. A mutant is one difference in the plan of dev (`tests/support/mutants`). All rules judge the mutant's
plan, which is the Terraform state of a rehearsal that stands, and what they predict is written down. Then the same
difference is made by calls of the emulated AWS, whoever is concerned gets a new deployment, and its deployment and
`dsql-deploy probe` are watched for {window:g} s each at most; then it is undone, and all has to be well again.
What to expect of which rule is `tests/support/measured/shows.json`, written before anything was measured.

**{right} of {count} agree{beside}.** {broken} were predicted to break something, {harmless} to break nothing within that time: no rule
says anything of them, or its symptom says that nothing fails.

- A security group holds new connections: who dials gets a new deployment when a rule changes, as after the next deployment on AWS.
- A role that exits, or is not healthy, is seen in its deployment, which ECS takes back; the old tasks serve meanwhile, so the probe is not asked.
- Health checks have {start_period:g} s for the start, in place of the minutes that DSQL's limits take.

| Mutant | Rules | Predicted | Seen | s | Agrees |
|---|---|---|---|---|---|"""


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
        return any(self.seen.how in _FITS[how] for how in self.prediction.expected)


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
            say(f"{row.prediction.id}: {row.seen.how or 'nothing'} in {row.seen.seconds} s{verdict}")
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
        yield Row(one, base.measured(there[one.id]))
        base.mend()


def resumed(progress: Path) -> list[Row]:
    """What an earlier, interrupted run has seen."""
    if not progress.exists():
        return []
    lines = [json.loads(line) for line in progress.read_text().splitlines()]
    return [Row(Prediction(**one["prediction"]), Seen(**one["seen"])) for one in lines]


def right(rows: Sequence[Row]) -> bool:
    """Whether at most as many disagree as may."""
    return sum(not one.agrees for one in rows) <= MOST_WRONG
