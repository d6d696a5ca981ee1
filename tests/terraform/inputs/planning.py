"""Plan the cases of a table: those of a module as calls in one root module, in one process."""

import re
from collections.abc import Iterator, Mapping, Sequence

from temporal_dsql_deploy.terraform import known
from temporal_dsql_deploy.terraform.messages import Diagnostic
from tests.terraform.inputs.table import Case, Table
from tests.terraform.readme import PROVIDER, ROOT, arguments_of, example_of

TERRAFORM = ROOT / "terraform"
# Values come by a variable: what stands in the text is refused before anything is planned, and
# then no precondition is reached.
_VARIABLE = """
variable "changed" {
  type = any
}
"""


def wrong(table: Table) -> dict[str, str]:
    """Cases that did not come out as the table says, with what came out."""
    taken = [case for case in table.cases if case.because is None]
    refused = [case for case in table.cases if case.because is not None]
    said = _said_to_root if table.base is not None else _said_to_calls
    found = {}
    for cases in filter(None, (taken, refused)):
        problems, elsewhere = said(table, cases)
        for case, own in zip(cases, problems, strict=True):
            if case.because is None:
                if own:
                    found[case.name] = f"refused: {own}"
            elif not any(says(text, case.because) for text in own):
                # Each error of a precondition, or of a module below, answers for one case.
                answers = [text for text in elsewhere if says(text, case.because)]
                if answers:
                    elsewhere.remove(answers[0])
                else:
                    found[case.name] = f"not refused with {case.because!r} but: {own}"
        if elsewhere:
            found["errors of no case"] = str(elsewhere)
    return found


def says(text: str, because: str) -> bool:
    """Whether a text has this in it, from the beginning of a word on."""
    return re.search(rf"(?<![\w.]){re.escape(because)}", text) is not None


def _text(problem: Diagnostic) -> str:
    return " ".join(f"{problem.summary}: {problem.detail}".split())


def _errors(outcome: known.Outcome) -> Iterator[Diagnostic]:
    return (problem for problem in outcome.problems if problem.severity == "error")


def _said_to_root(table: Table, cases: Sequence[Case]) -> tuple[list[list[str]], list[str]]:
    base = table.base or {}
    plans = [known.Case(case.name, {**base, **case.changed}) for case in cases]
    outcomes = known.plans(TERRAFORM / table.directory, plans, known.Settings(known=False))
    return [[_text(problem) for problem in _errors(outcome)] for outcome in outcomes], []


def _said_to_calls(table: Table, cases: Sequence[Case]) -> tuple[list[list[str]], list[str]]:
    """What is said to each call, and what is said without a word on which one it is about."""
    readme = (TERRAFORM / table.directory / "README.md").read_text()
    base = arguments_of(example_of(readme))
    files = {"main.tf": f"{PROVIDER}{_VARIABLE}"}
    for index, case in enumerate(cases):
        files[f"case_{index}.tf"] = _call(table, base, index, case)
    changed = {f"case_{index}": case.changed for index, case in enumerate(cases)}
    (outcome,) = known.plans(
        ROOT / "tests" / "inputs",
        [known.Case(table.directory, {"changed": changed})],
        known.Settings(files=files, known=False),
    )
    said: list[list[str]] = [[] for _ in cases]
    elsewhere: list[str] = []
    for problem in _errors(outcome):
        call = re.fullmatch(r"case_(\d+)\.tf", problem.filename)
        (said[int(call[1])] if call else elsewhere).append(_text(problem))
    assert outcome.plan or any(said) or elsewhere, outcome.error
    return said, elsewhere


def _call(table: Table, base: Mapping[str, str], index: int, case: Case) -> str:
    changed = {name: f"var.changed.case_{index}.{name}" for name in case.changed}
    lines = [f"  {name} = {value}\n" for name, value in {**base, **changed}.items()]
    return (
        f'module "case_{index}" {{\n'
        f'  source = "../../terraform/{table.directory}"\n'
        f"{''.join(lines)}}}\n"
    )
