"""Judge an environment, or a plan or state of anybody's, before anything is spent."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.checks import Judgement, Outcome, Subject, Verdict, judge, sarif
from temporal_dsql_deploy.checks import suppressions as suppressing
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import NotAPlan
from temporal_dsql_deploy.operations.plan.result import Source
from temporal_dsql_deploy.operations.plan.run import How, known_plan
from temporal_dsql_deploy.plan import UNKNOWN, Plan, State, read_configuration
from temporal_dsql_deploy.plan.configuration import Configuration
from temporal_dsql_deploy.plan.reader import read_document, read_either
from temporal_dsql_deploy.plan.writer import document
from temporal_dsql_deploy.platforms.protocol import Result
from temporal_dsql_deploy.terraform import configuration as terraform_configuration

SUPPRESSIONS = "checks.toml"
"""Of an environment, in the folder of its Terraform."""


@dataclass(frozen=True, slots=True)
class FindingResult(Result):
    """Something that is not as it must be."""

    resource: str
    """Address of the resource that is responsible; empty where none is."""
    attribute: str
    """Dotted path of the attribute in it; empty where the whole resource is meant."""
    evidence: str
    symptom: str
    """What it would cause."""
    fix: str
    file: str = ""
    """Where the resource is written; empty where that is not known."""
    line: int = 0
    suppressed: str = ""
    """Reason for which it is accepted; empty where it is not."""


@dataclass(frozen=True, slots=True)
class UnjudgedResult(Result):
    """What a rule is about and the plan does not tell enough of."""

    resource: str
    """Address; empty where it is about the plan as a whole."""
    reason: str


@dataclass(frozen=True, slots=True)
class RuleResult(Result):
    """What came of one rule."""

    rule: str
    family: str
    verdict: Verdict
    """SKIP: it could not be judged, or not for all that it is about."""
    holds: str
    """What must be so."""
    seen: list[str] = field(default_factory=list)
    """What was looked at."""
    findings: list[FindingResult] = field(default_factory=list)
    """Suppressed ones too; with no other the rule is not NG."""
    unjudged: list[UnjudgedResult] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CheckResult(Result):
    """What all rules say of one plan or state."""

    environment: str
    source: Source
    judged: str
    """The file that was judged, or the folder of an environment's Terraform."""
    ok: bool
    """Whether no rule is NG."""
    counts: dict[str, int]
    """Number of rules by verdict."""
    rules: list[RuleResult]
    errored: bool = False
    """Whether planning failed half way, so that the plan says less than all."""
    plan_file: Path | None = None
    """Where the plan that was judged is kept."""
    notes: list[str] = field(default_factory=list)
    """What to know about it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A judgement with what it was made from."""

    result: CheckResult
    subject: Subject
    judgement: Judgement
    name: str
    """What was judged: a file, or the folder of an environment's Terraform."""

    def sarif(self) -> dict[str, Any]:
        """It as a SARIF log."""
        judged = Path(self.name)
        # Code hosts show a finding in a file: that of a folder is the one that calls the modules.
        root = judged / "main.tf"
        return sarif.document(
            self.judgement,
            name=self.result.environment,
            version=version("temporal-dsql-deploy"),
            file=_from_here(root if root.is_file() else judged),
            place=lambda address: _place(self.subject, address),
        )

    def plan(self) -> dict[str, Any]:
        """The plan that was judged, as `terraform show -json` prints one."""
        assert isinstance(self.subject.plan, Plan)  # noqa: S101 - a state is never made here
        return document(self.subject.plan)


@dataclass(frozen=True, slots=True)
class Options:
    """What to judge with, beside the plan."""

    state: Path | None = None
    """A state as `terraform show -json` prints it: what was there before."""
    suppressions: Path | None = None
    """None for the file of the environment, where it has one."""
    save_plan: Path | None = None
    """Where the plan will be kept, for the result."""
    trunking: bool | None = None
    """Whether the account has ENI trunking on; None for what the plan says, else without."""
    today: date = field(default_factory=date.today)


def check(environment: Environment, how: How, options: Options) -> Checked:
    """Judge an environment by its plan with known values.

    Raises NotForPlatform for an environment without Terraform, InvalidSetting for the file of
    suppressions, and what planning raises.
    """
    plan, notes = known_plan(environment, how, revealed=True)
    folder = environment.terraform or Path()
    configuration = terraform_configuration.read(folder)
    subject = _subject(plan, configuration, options)
    own = folder / SUPPRESSIONS
    file = options.suppressions or (own if own.is_file() else None)
    named = _Named(environment.name, str(folder), Source.KNOWN_VALUES, notes)
    return _checked(subject, named, file, options)


def check_file(name: str | None, path: Path, options: Options) -> Checked:
    """Judge the plan or state in a file of `terraform show -json`, `-` for stdin.

    `name` is what it is called in the result; None for the project's name in it.
    Raises NotAPlan, and InvalidSetting for the file of suppressions.
    """
    content, called = read_document(path)
    plan = read_either(content, called, revealed=True)
    configuration = read_configuration(content)
    subject = _subject(plan, configuration, options)
    notes = []
    if isinstance(plan, Plan) and plan.errored:
        notes.append("planning failed half way: the plan says less than all")
    if isinstance(plan, Plan) and not plan.complete:
        notes.append("some changes were deferred to a later plan: this one says less than all")
    if any(group["id"] is UNKNOWN for group in plan.of_type("aws_security_group")):
        notes.append(
            "ids are known only after the apply, so much cannot be judged: `dsql-deploy check ENV` "
            "plans with known values, also a root module of your own (docs/guides/checks.md)"
        )
    name = name or subject.project or called
    return _checked(
        subject, _Named(name, called, Source.FILE, notes), options.suppressions, options
    )


def _subject(plan: Plan | State, declared: Configuration | None, options: Options) -> Subject:
    before = _before(options.state)
    return Subject(plan, before=before, configuration=declared, trunking=options.trunking)


@dataclass(frozen=True, slots=True)
class _Named:
    environment: str
    judged: str
    source: Source
    notes: Sequence[str]


def _checked(subject: Subject, named: _Named, file: Path | None, options: Options) -> Checked:
    if not subject.roles:
        # Rules hold of nothing: a wrong file would be called right.
        raise NotAPlan(
            f"there is no Temporal cluster in {named.judged}",
            cause="no ECS task definition that is there after an apply runs a role of Temporal",
            fix="give the plan or state that has the cluster's ECS services",
        )
    if len(clusters := _clusters(subject)) > 1:
        # Their tasks would be counted, and their rules taken, together.
        raise NotAPlan(
            f"there are {len(clusters)} Temporal clusters in {named.judged}",
            cause=f"roles of Temporal run in the ECS clusters {', '.join(clusters)}",
            fix="give each cluster a root module, and so a plan, of its own",
        )
    judgement = judge(subject, careful=True)
    notes = list(named.notes)
    if file is not None:
        accepted = suppressing.read(file)
        judgement, more = suppressing.apply(judgement, accepted, options.today)
        notes += [f"{file}: {note}" for note in more]
    counts = Counter(str(outcome.verdict) for outcome in judgement.outcomes)
    result = CheckResult(
        environment=named.environment,
        source=named.source,
        judged=named.judged,
        ok=not judgement.findings,
        counts={str(verdict): counts[verdict] for verdict in Verdict},
        rules=[_rule(subject, outcome) for outcome in judgement.outcomes],
        errored=isinstance(subject.plan, Plan) and subject.plan.errored,
        plan_file=options.save_plan,
        notes=notes,
    )
    return Checked(result, subject, judgement, named.judged)


def _clusters(subject: Subject) -> list[str]:
    """ECS clusters that run a role of Temporal, as far as they are known."""
    services = (task.service for task in subject.tasks if task.role)
    named = {service["cluster"] for service in services if service is not None}
    return sorted(one for one in named if isinstance(one, str))


def _before(path: Path | None) -> State | None:
    if path is None:
        return None
    content, called = read_document(path)
    state = read_either(content, called, revealed=True)
    if isinstance(state, State):
        return state
    raise NotAPlan(
        f"{called} is not the JSON of a state",
        cause="it is a plan, and --state is for what is there before it",
        fix="give the state: terraform show -json > state.json; or give the plan with --plan",
    )


def _rule(subject: Subject, outcome: Outcome) -> RuleResult:
    said = [(finding, "") for finding in outcome.findings]
    said += [(each.finding, each.reason) for each in outcome.suppressed]
    findings = []
    for finding, reason in said:
        file, line = _place(subject, finding.resource) or ("", 0)
        findings.append(
            FindingResult(
                finding.resource,
                finding.attribute,
                finding.evidence,
                finding.symptom,
                finding.fix,
                file,
                line,
                reason,
            )
        )
    return RuleResult(
        rule=outcome.rule.id,
        family=outcome.rule.family,
        verdict=outcome.verdict,
        holds=outcome.rule.holds,
        seen=list(outcome.seen),
        findings=findings,
        unjudged=[UnjudgedResult(one.resource, one.reason) for one in outcome.unjudged],
    )


def _place(subject: Subject, address: str) -> tuple[str, int] | None:
    """File and line of a resource, from the working directory where it is below that."""
    found = subject.configuration.place(address) if subject.configuration else None
    if found is None or subject.configuration is None:
        return None
    return _from_here(Path(subject.configuration.folder) / found[0]), found[1]


def _from_here(path: Path) -> str:
    """A path from the working directory where it is below that, else from the root."""
    full, here = path.resolve(), Path.cwd()
    return str(full.relative_to(here) if full.is_relative_to(here) else full)
