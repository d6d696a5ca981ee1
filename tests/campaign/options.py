"""Every pair of what a user may choose, planned by the real Terraform and judged by all rules."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from temporal_dsql_deploy.checks import Subject, judge
from temporal_dsql_deploy.plan import Plan
from temporal_dsql_deploy.terraform import known
from tests.support import options, plans
from tests.support.options import Chosen


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one case."""

    chosen: dict[str, str]
    refused: str
    """Why Terraform refused it; empty where it did not."""
    findings: tuple[str, ...]
    skipped: tuple[str, ...]
    """Ids of rules that could not judge all that they are about."""

    @property
    def name(self) -> str:
        """The environment, and what is not as it comes."""
        others = [f"{option}: {value}" for option, value in self._others()]
        return f"{self.chosen['environment']} with {', '.join(others) or 'nothing changed'}"

    def _others(self) -> Iterator[tuple[str, str]]:
        for option, value in self.chosen.items():
            if options.OPTIONS[option][value]:
                yield option, value


def run(progress: Path, say: Callable[[str], None], *, seed: int) -> list[Result]:
    """The result of each case, those that were planned before and those that are now."""
    progress.parent.mkdir(parents=True, exist_ok=True)
    lines = progress.read_text().splitlines() if progress.exists() else []
    done = [_read(each) for each in lines]
    known_cases = [one.chosen for one in done]
    left = [case for case in options.covering(seed).cases if dict(case) not in known_cases]
    say(f"{len(left)} combinations of options to plan")
    for environment in plans.ENVIRONMENTS:
        cases = [case for case in left if case["environment"] == environment]
        for one in judged(cases):
            done.append(one)
            with progress.open("a") as file:
                file.write(line(one))
    return done


def planned(cases: Sequence[Chosen]) -> list[known.Outcome]:
    """What Terraform says to cases of one environment."""
    if not cases:
        return []
    (environment,) = {case["environment"] for case in cases}
    directory = plans.TERRAFORM / "envs" / environment
    how = known.Settings(var_files=[directory / "terraform.tfvars.example"], revealed=True)
    wanted = [known.Case(str(number), options.variables(case)) for number, case in enumerate(cases)]
    return known.plans(directory, wanted, how)


def judged(cases: Sequence[Chosen]) -> list[Result]:
    """Cases of one environment, planned and judged."""
    outcomes = zip(cases, planned(cases), strict=True)
    return [result(case, outcome.plan, outcome.error) for case, outcome in outcomes]


def result(case: Chosen, plan: Plan | None, error: Exception | None) -> Result:
    """What the rules say of a case."""
    if plan is None:
        return Result(dict(case), f"{error}: {getattr(error, 'cause', '')}", (), ())
    judgement = judge(Subject(plan))
    found = tuple(
        f"{rule.id}: {one.resource} {one.attribute}: {one.evidence}"
        for rule, one in judgement.findings
    )
    skipped = tuple(one.rule.id for one in judgement.outcomes if one.unjudged)
    return Result(dict(case), "", found, skipped)


def report(results: Sequence[Result], *, date: str, seed: int) -> str:
    """The run as a page."""
    array = options.covering(seed)
    held = {pair for one in results if not one.refused for pair in options.pairs(one.chosen)}
    found = [one for one in results if one.findings]
    refused = [one for one in results if one.refused]
    values = sum(len(every) for every in options.OPTIONS.values())
    lines = [
        f"# All pairs of options, seed {seed}\n",
        f"{date}. {len(options.OPTIONS)} options with {values} values: `tests/support/options.py`.",
        f"Each of the {len(held)} pairs that go together is in one of {len(results)} variable sets",
        "at least, planned by the real Terraform with known values and judged by all rules.",
        f"Pairs that are refused, or found on purpose: {len(array.impossible)}.\n",
        f"**{len(found)} sets with a finding, {len(refused)} refused.**\n",
        "| Excluded pair | Why |",
        "|---|---|",
    ]
    for pair in sorted(array.impossible, key=sorted):
        both = ", ".join(f"{option}: {value}" for option, value in sorted(pair))
        lines.append(f"| {both} | {options.EXCLUDED.get(pair, 'follows from the others')} |")
    for one in [*found, *refused]:
        lines += ["", f"- {one.name}", *(f"  - {said}" for said in (*one.findings, one.refused))]
    return "\n".join([*lines, f"\nAgain: `make campaign SEED={seed}`."]) + "\n"


def line(result: Result) -> str:
    """A result as it is written down."""
    return json.dumps(asdict(result)) + "\n"


def _read(text: str) -> Result:
    row = json.loads(text)
    return Result(row["chosen"], row["refused"], tuple(row["findings"]), tuple(row["skipped"]))
