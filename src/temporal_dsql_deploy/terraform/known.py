"""A plan with known values and without AWS: what would be created in an empty account.

`terraform test` plans with a mocked provider, twice. The first plan knows what any first plan
knows, and so fails where a real one would (a `for_each` over what is not known yet, a refused
variable). The second gets, for each resource of the first by its address, what AWS would give it:
ids, ARNs and endpoints that are told apart by the address and are the same in every run
(`known_values.json`). Nothing else is made up: what is not in that table stays unknown.
"""

import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.errors import DeployError, TerraformFailed
from temporal_dsql_deploy.plan import Plan, plan_of_test
from temporal_dsql_deploy.terraform import batch, commands, failures, foreseen, invented
from temporal_dsql_deploy.terraform.copy import lay_out
from temporal_dsql_deploy.terraform.hcl import escaped
from temporal_dsql_deploy.terraform.messages import Diagnostic, Message
from temporal_dsql_deploy.terraform.run import OnEvent, Terraform, ignore, ready, side_by_side
from temporal_dsql_deploy.terraform.variables import VARIABLE, automatic

ACCOUNT = "123456789012"
REGION = "eu-west-1"
_TESTS = "known-values"
_PROVIDER = re.compile(r'^provider\s+"aws"\s*\{([^\n]*\}[ \t]*$|.*?^\})', re.MULTILINE | re.DOTALL)
_AT_ONCE = 20
"""Cases of one process: each keeps about 25 MB of it until its end."""
_IN_A_BATCH = 10
"""Cases of one plan: each takes about 100 MB of it."""
_TEACHERS = 10
"""Cases whose two plans teach what first plans say, where there are at least twice as many."""
_SIDE_BY_SIDE = min(2, os.cpu_count() or 1)
"""Processes at a time, of up to 2 GB each."""


@dataclass(frozen=True, slots=True)
class Case:
    """One set of variables to plan with."""

    name: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    """Values as JSON has them; they win over terraform.tfvars and `--var-file`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What planning a case came to."""

    case: Case
    plan: Plan | None
    """None where Terraform refused."""
    problems: tuple[Diagnostic, ...] = ()
    """Its errors, and warnings too."""
    error: DeployError | None = None
    """The refusal, in the words of this tool."""

    def refused_because(self, text: str) -> bool:
        """Whether it was refused with an error that has `text` in it."""
        said = (f"{found.summary}\n{found.detail}" for found in self.problems)
        return self.plan is None and any(text in " ".join(words.split()) for words in said)


@dataclass(frozen=True, slots=True)
class Settings:
    """How to plan."""

    terraform: Path | None = None
    """The program; None for the one of `find.find`."""
    provider_mirror: Path | None = None
    """None for the one of `mirror.find`."""
    var_files: Sequence[Path] = ()
    """As `--var-file`, for all cases."""
    region: str | None = None
    """None for the one that variables, their files or the configuration name, or else eu-west-1."""
    account: str = ACCOUNT
    files: Mapping[str, str] = field(default_factory=dict)
    """Files to plan in place of, or beside, those of the directory, which then need not exist."""
    known: bool = True
    """False for the first plan alone: nothing is known that AWS would give."""
    revealed: bool = False
    """With what Terraform marks as sensitive, for who looks into it and prints nothing of it."""
    on_event: OnEvent = ignore


def plan(
    directory: Path, variables: Mapping[str, Any] | None = None, settings: Settings | None = None
) -> Plan:
    """The plan of a root module or of any other, for an empty account.

    Raises what a real plan raises for a wrong configuration or variable, BinaryMissing,
    BinaryUnusable, ProviderMissing.
    """
    (outcome,) = plans(directory, [Case(directory.name, variables or {})], settings)
    if outcome.plan is None:
        raise outcome.error or TerraformFailed(f"{directory} cannot be planned")
    return outcome.plan


def plans(
    directory: Path, cases: Iterable[Case], settings: Settings | None = None
) -> list[Outcome]:
    """The plans of a module with several sets of variables, in their order.

    A case that is refused is an outcome with its reasons and does not disturb the others. Raises
    what concerns all of them: BinaryMissing, BinaryUnusable, ProviderMissing, and
    ConfigurationRejected for what does not parse.
    """
    how = settings or Settings()
    with (
        ready(how.terraform, how.provider_mirror, how.on_event) as (binary, variables),
        tempfile.TemporaryDirectory(prefix="dsql-deploy-") as folder,
    ):
        here = lay_out(directory, Path(folder), how.files)
        # Neither another place of .terraform nor another workspace is meant for this copy.
        apart = {"TF_DATA_DIR": "", "TF_WORKSPACE": "", "GOGC": "400"}
        terraform = Terraform(binary, here, {**variables, **apart}, how.on_event)
        terraform.run(commands.init(backend=False, test_directory=_TESTS))
        return _Planning(directory.resolve(), terraform, how).outcomes(list(cases))


@dataclass(frozen=True, slots=True)
class _Part:
    """What one run plans of a case."""

    case: Case
    region: str
    overrides: invented.Overrides = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Planning:
    directory: Path
    """The one that was asked for; Terraform runs in a copy."""
    terraform: Terraform
    settings: Settings

    def outcomes(self, cases: Sequence[Case]) -> list[Outcome]:
        together = None
        if len(cases) > 1:
            together = batch.wrapped(self.terraform, [case.variables for case in cases])
        parts = [_Part(case, self._region(case)) for case in cases]
        if not self.settings.known:
            return self._all(parts, together)
        if together is None or len(parts) < 2 * _TEACHERS:
            return self._twice(parts, together)
        chosen = foreseen.teachers([case.variables for case in cases], _TEACHERS)
        region = parts[chosen[0]].region
        foresight = foreseen.Foresight(self.settings.account, region)
        outcomes = self._numbered(chosen, parts, together, foresight)
        alike = [i for i in range(len(parts)) if i not in outcomes and parts[i].region == region]
        outcomes |= self._once(alike, parts, together, foresight)
        left = [index for index in range(len(parts)) if index not in outcomes]
        outcomes |= self._numbered(left, parts, together, foresight)
        return [outcomes[index] for index in range(len(parts))]

    def _numbered(
        self,
        numbers: Sequence[int],
        parts: Sequence[_Part],
        together: batch.Batch,
        foresight: foreseen.Foresight,
    ) -> dict[int, Outcome]:
        """`_twice` of some of the parts."""
        outcomes = self._twice([parts[index] for index in numbers], together, foresight)
        return dict(zip(numbers, outcomes, strict=True))

    def _twice(
        self,
        parts: Sequence[_Part],
        together: batch.Batch | None,
        foresight: foreseen.Foresight | None = None,
    ) -> list[Outcome]:
        """The outcomes of parts in their order, from a first plan and one with known values."""
        outcomes = self._all(parts, together)
        first = {index: plan for index, outcome in enumerate(outcomes) if (plan := outcome.plan)}
        again = [
            replace(parts[index], overrides=self._overrides(plan, parts[index].region))
            for index, plan in first.items()
        ]
        second = zip(first.items(), again, self._all(again, together), strict=True)
        for (index, before), part, outcome in second:
            if outcome.plan and foresight and part.region == foresight.region:
                foresight.learn(before, outcome.plan, part.overrides)
            plan = outcome.plan and invented.only(outcome.plan, before, part.overrides)
            outcomes[index] = replace(outcome, plan=plan)
        return outcomes

    def _once(
        self,
        numbers: Sequence[int],
        parts: Sequence[_Part],
        together: batch.Batch,
        foresight: foreseen.Foresight,
    ) -> dict[int, Outcome]:
        """The outcomes of those parts whose first plan is foreseen."""
        given = [replace(parts[index], overrides=foresight.overrides) for index in numbers]
        found = {}
        for index, outcome in zip(numbers, self._all(given, together), strict=True):
            plan = outcome.plan
            first = plan and foresight.first_plan(plan)
            if plan and first:
                plan = invented.only(plan, first, foresight.overrides)
                found[index] = replace(outcome, plan=plan)
        return found

    def _overrides(self, plan: Plan, region: str) -> invented.Overrides:
        return invented.of_resources(plan, account=self.settings.account, region=region)

    def _all(self, parts: Sequence[_Part], together: batch.Batch | None) -> list[Outcome]:
        """The outcomes of parts in their order, from runs side by side."""
        groups = list(_groups(parts, together))
        outcomes: dict[int, Outcome] = {}
        with side_by_side(), ThreadPoolExecutor(_SIDE_BY_SIDE) as threads:
            runs = [
                threads.submit(self._group, [parts[index] for index in group], within)
                for group, within in groups
            ]
            try:
                for (group, _within), run in zip(groups, runs, strict=True):
                    outcomes.update(zip(group, run.result(), strict=True))
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                raise
        return [outcomes[index] for index in range(len(parts))]

    def _group(self, parts: Sequence[_Part], together: batch.Batch | None) -> list[Outcome]:
        """Parts of one region in one run; by files of their own where Terraform refuses any."""
        if together is None or len(parts) == 1:
            return self._each(parts)
        found = together.plans(
            [batch.Entry(part.case.variables, part.overrides) for part in parts],
            invented.of_data(account=self.settings.account, region=parts[0].region),
            self._var_files(),
        )
        if found is not None:
            return [
                Outcome(part.case, self._plan(part.case, body))
                for part, body in zip(parts, found, strict=True)
            ]
        # Halving to find the one would cost as much, and far more where most are refused.
        return self._each(parts)

    def _each(self, parts: Sequence[_Part]) -> list[Outcome]:
        """One `terraform test`, with a file for each part: a failure ends only its file."""
        folder = Path(tempfile.mkdtemp(prefix=_TESTS, dir=self.terraform.directory))
        for index, part in enumerate(parts):
            data = invented.of_data(account=self.settings.account, region=part.region)
            text = document(part.case.variables, data, part.overrides)
            (folder / f"{index:04}.tftest.json").write_text(text)
        command = commands.test(test_directory=folder.name, var_files=self._var_files())
        result = self.terraform.attempt(command, keep=lambda said: said.type == "test_plan")
        said: dict[str, list[Message]] = {}
        for message in result.messages:
            said.setdefault(Path(message.body.get("@testfile", "")).name, []).append(message)
        general = said.get("", [])
        return [
            self._outcome(
                part.case, [*said.get(f"{index:04}.tftest.json", []), *general], result.output
            )
            for index, part in enumerate(parts)
        ]

    def _var_files(self) -> list[Path]:
        return [path.expanduser().absolute() for path in self.settings.var_files]

    def _outcome(self, case: Case, messages: Sequence[Message], output: str) -> Outcome:
        found = (message.diagnostic for message in messages)
        # A place in the test file, which nobody has written, would lead nowhere.
        problems = tuple(
            replace(one, filename="", line=0) if one.filename.startswith(_TESTS) else one
            for one in found
            if one
        )
        errors = [one for one in problems if one.severity == "error"]
        planned = next((m for m in messages if m.type == "test_plan"), None)
        if planned is None or errors:
            context = failures.Context("plan", self.directory)
            error = failures.translate(errors, context, output=output)
            return Outcome(case, None, problems, error)
        plan = replace(
            self._plan(case, planned.body), warnings=failures.warnings(problems, self.directory)
        )
        return Outcome(case, plan, problems)

    def _plan(self, case: Case, message: Mapping[str, Any]) -> Plan:
        return replace(
            plan_of_test(message, revealed=self.settings.revealed),
            terraform_version=self.terraform.binary.version,
            variables=dict(case.variables),
        )

    def _region(self, case: Case) -> str:
        """The region of a case: variables win over files, files over the configuration."""
        if self.settings.region:
            return self.settings.region
        here = self.terraform.directory
        texts = [
            path.read_text(encoding="utf-8", errors="replace") for path in sorted(here.glob("*.tf"))
        ]
        written, name = _region_of_provider(texts)
        if written:
            return written
        if isinstance(case.variables.get(name), str):
            return str(case.variables[name])
        for path in reversed([*automatic(here), *self.settings.var_files]):
            if path.is_file() and (named := _region_in(path, name)):
                return named
        if of_environment := os.environ.get(f"{VARIABLE}{name}"):
            return of_environment
        default = rf'^variable\s+"{name}"\s*\{{[^}}]*?\bdefault\s*=\s*"([^"$]+)"'
        return _first(default, texts) or REGION


def _groups(
    parts: Sequence[_Part], together: batch.Batch | None
) -> Iterator[tuple[list[int], batch.Batch | None]]:
    """The numbers of the parts of each run, and the batch that they are planned in."""
    regions: dict[str | None, list[int]] = {}
    for index, part in enumerate(parts):
        fits = together is not None and together.fits(part.case.variables)
        regions.setdefault(part.region if fits else None, []).append(index)
    for region, members in regions.items():
        most = _AT_ONCE if region is None else _IN_A_BATCH
        # As many for each of those that run side by side, unless a batch would be of one only.
        rounds = ceil(len(members) / most / _SIDE_BY_SIDE)
        runs = max(1, min(rounds * _SIDE_BY_SIDE, len(members) // 2))
        for number in range(runs):
            yield members[number::runs], together if region is not None else None


def _region_of_provider(texts: Iterable[str]) -> tuple[str | None, str]:
    """The region that the provider is given, or else the variable that it is given by."""
    files = list(texts)
    for text in files:
        for block in _PROVIDER.finditer(text):
            given = re.search(r'\bregion\s*=\s*(?:"([^"$]+)"|(var|local)\.(\w+))', block[1])
            if given is None or re.search(r"\balias\s*=", block[1]):
                continue
            if given[1]:
                return given[1], "region"
            if given[2] == "var":
                return None, given[3]
            return _first(rf'^\s*{given[3]}\s*=\s*"([^"$]+)"', files), "region"
    return None, "region"


def _first(pattern: str, texts: Iterable[str]) -> str | None:
    found = (re.search(pattern, text, re.MULTILINE | re.DOTALL) for text in texts)
    return next((match[1] for match in found if match), None)


def _region_in(path: Path, name: str) -> str | None:
    # What cannot be read as text or JSON is told by Terraform, which names the line.
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".json":
        with suppress(ValueError):
            values = json.loads(text)
            region = values.get(name) if isinstance(values, dict) else None
            return region if isinstance(region, str) else None
        return None
    return _first(rf'^\s*{name}\s*=\s*"([^"$]+)"', [text])


def document(
    variables: Mapping[str, Any],
    data: Mapping[str, Mapping[str, Any]],
    overrides: invented.Overrides,
) -> str:
    """A test file in Terraform's JSON syntax that plans once, with what AWS would answer."""
    made = {
        "mock_provider": {
            "aws": {"mock_data": {kind: {"defaults": values} for kind, values in data.items()}}
        },
        "override_resource": [
            {"target": address, "override_during": "plan", "values": values}
            for address, values in overrides.items()
        ],
        "run": {"plan": {"command": "plan", "variables": dict(variables)}},
    }
    return json.dumps(escaped(made))
