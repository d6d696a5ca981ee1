"""Plan the cases of a table: as calls of its directory in one root module, in one process.

What a variable refuses by itself is refused by a copy that has nothing but the variables: that is
planned in no time. All else is planned whole.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from temporal_dsql_deploy.terraform import known
from temporal_dsql_deploy.terraform.hcl import escaped
from temporal_dsql_deploy.terraform.messages import Diagnostic
from tests.terraform.inputs import messages
from tests.terraform.inputs.table import Case, Table
from tests.terraform.readme import PROVIDER, ROOT, arguments_of, example_of

# Values come by a variable: what stands in the text is refused before anything is planned, and
# then no precondition is reached.
_VARIABLE = """
variable "changed" {
  type = any
}
"""
_Answers = tuple[list[list[str]], list[str]]
"""What is said to each case, and what is said without a word on which one it is about."""


def wrong(table: Table) -> dict[str, str]:
    """Cases that did not come out as the table says, with what came out."""
    found: dict[str, str] = {}
    by_variables, others, taken = _sorted(table)
    with tempfile.TemporaryDirectory() as folder:
        if by_variables:
            alone = _variables_alone(table, Path(folder))
            found |= _wrong(by_variables, _calls(table, by_variables, "./alone", alone))
    source = f"../../terraform/{table.directory}"
    for cases in filter(None, (others, taken)):
        whole = (
            _by_itself(table, cases)
            if table.by_itself
            else _calls(table, cases, source, ROOT / "tests" / "inputs")
        )
        found |= _wrong(cases, whole)
    return found


def _sorted(table: Table) -> tuple[list[Case], list[Case], list[Case]]:
    """Refused by a variable, refused otherwise, taken."""
    directory = messages.TERRAFORM / table.directory
    needs_more = "local." in (directory / "variables.tf").read_text()
    own = [] if needs_more else messages.of(directory, "variables.tf")
    taken = [case for case in table.cases if case.because is None]
    refused = [(case, case.because) for case in table.cases if case.because is not None]
    by_variables = [
        case for case, because in refused if any(messages.says(one.text, because) for one in own)
    ]
    return by_variables, [case for case, _ in refused if case not in by_variables], taken


def _variables_alone(table: Table, folder: Path) -> Path:
    root = folder / "root"
    (root / "alone").mkdir(parents=True)
    shutil.copy(messages.TERRAFORM / table.directory / "variables.tf", root / "alone")
    return root


def _wrong(cases: Sequence[Case], answers: _Answers) -> dict[str, str]:
    said, elsewhere = answers
    found = {}
    for case, own in zip(cases, said, strict=True):
        if case.because is None:
            if own:
                found[case.name] = f"refused: {own}"
        elif not any(messages.says(text, case.because) for text in own):
            # Each error of a precondition, or of a module below, answers for one case.
            others = [text for text in elsewhere if messages.says(text, case.because)]
            if others:
                elsewhere.remove(others[0])
            else:
                found[case.name] = f"not refused with {case.because!r} but: {own}"
    if elsewhere:
        found["errors of no case"] = str(elsewhere)
    return found


def _text(problem: Diagnostic) -> str:
    return " ".join(f"{problem.summary}: {problem.detail}".split())


def _errors(outcome: known.Outcome) -> Iterator[Diagnostic]:
    return (problem for problem in outcome.problems if problem.severity == "error")


def _base(table: Table) -> dict[str, str]:
    """Arguments of every call, as expressions."""
    if table.base is not None:
        return {name: json.dumps(escaped(value)) for name, value in table.base.items()}
    readme = (messages.TERRAFORM / table.directory / "README.md").read_text()
    return arguments_of(example_of(readme))


def _by_itself(table: Table, cases: Sequence[Case]) -> _Answers:
    """Each case planned as a root module, with the base as its terraform.tfvars."""
    values = "".join(f"{name} = {value}\n" for name, value in _base(table).items())
    outcomes = known.plans(
        messages.TERRAFORM / table.directory,
        [known.Case(case.name, case.changed) for case in cases],
        known.Settings(known=False, files={"terraform.tfvars": values}),
    )
    return [[_text(problem) for problem in _errors(outcome)] for outcome in outcomes], []


def _calls(table: Table, cases: Sequence[Case], source: str, directory: Path) -> _Answers:
    """All cases in one plan, each as a call in a file of its own."""
    base = _base(table)
    files = {"main.tf": f"{PROVIDER}{_VARIABLE}"}
    for index, case in enumerate(cases):
        changed = {name: f"var.changed.case_{index}.{name}" for name in case.changed}
        lines = [f"  {name} = {value}\n" for name, value in {**base, **changed}.items()]
        files[f"case_{index}.tf"] = (
            f'module "case_{index}" {{\n  source = "{source}"\n{"".join(lines)}}}\n'
        )
    variables = {"changed": {f"case_{index}": case.changed for index, case in enumerate(cases)}}
    (outcome,) = known.plans(
        directory,
        [known.Case(table.directory, variables)],
        known.Settings(files=files, known=False),
    )
    said: list[list[str]] = [[] for _ in cases]
    elsewhere: list[str] = []
    for problem in _errors(outcome):
        call = re.fullmatch(r"case_(\d+)\.tf", problem.filename)
        (said[int(call[1])] if call else elsewhere).append(_text(problem))
    assert outcome.plan or any(said) or elsewhere, outcome.error
    return said, elsewhere
