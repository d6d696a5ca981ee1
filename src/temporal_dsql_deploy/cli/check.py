"""`dsql-deploy check ENV`."""

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.cli.progress import watching
from temporal_dsql_deploy.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from temporal_dsql_deploy.operations.check import (
        Checked,
        CheckResult,
        FindingResult,
        Options,
        RuleResult,
    )

EXAMPLE = "dsql-deploy check dev"
_WIDTH = 110
"""Columns of sentences on a terminal that has more."""
_MANY = 3
"""Reasons of one rule above which the rest is counted."""
_ACCEPTED = "ACCEPTED"
"""What a rule is called whose findings are all suppressed: it does not hold."""


def check(
    environment: Annotated[
        str | None,
        typer.Argument(
            metavar="[ENV]",
            help="The environment: `dev`, `bench`, `prod`, or one of your own on ECS. It may be "
            "left out with --plan.",
            autocompletion=options.complete_environment,
        ),
    ] = None,
    plan_file: Annotated[
        Path | None,
        typer.Option(
            "--plan",
            metavar="JSON",
            help="Judge this plan or state, of `terraform show -json`; - for stdin.",
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state", metavar="JSON", help="The state before it, of `terraform show -json`."
        ),
    ] = None,
    suppressions: Annotated[
        Path | None,
        typer.Option(
            "--suppressions",
            metavar="TOML",
            help="Findings that are accepted, with reasons [checks.toml beside the Terraform].",
        ),
    ] = None,
    trunking: Annotated[
        bool | None,
        typer.Option(
            "--trunking/--no-trunking",
            help="Whether the account has awsvpcTrunking on [what the plan says, else not].",
        ),
    ] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Show the rules that hold too.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 also where a rule could not be judged.")
    ] = False,
    sarif: Annotated[
        Path | None,
        typer.Option("--sarif", metavar="FILE", help="Write the findings as SARIF 2.1.0."),
    ] = None,
    save_plan: Annotated[
        Path | None,
        typer.Option("--save-plan", metavar="FILE", help="Keep the plan that was judged, as JSON."),
    ] = None,
    var_file: options.VarFiles = None,
    terraform: options.TerraformBinary = None,
    provider_mirror: options.ProviderMirror = None,
    file: options.File = None,
    as_json: options.Json = False,
) -> None:
    """Prove, without an AWS account, that a cluster would form, fit, and stay within DSQL's limits.

    The exit code is 1 where a rule does not hold. SKIP is a rule that the plan does not tell
    enough for. `dsql-deploy explain RULE` says what a rule is about.
    """
    from temporal_dsql_deploy.operations.check import Options

    how = Options(state=state, suppressions=suppressions, save_plan=save_plan, trunking=trunking)
    options.check_out(sarif, "--sarif")
    options.check_out(save_plan, "--save-plan")
    if plan_file is not None:
        checked = _of_file(environment, plan_file, how, made=bool(save_plan or var_file or file))
    else:
        checked = _of_environment(
            environment, how, var_file or [], terraform, provider_mirror, file
        )
    if save_plan is not None:
        # What Terraform marks as sensitive is in it, as in every plan.
        options.write_out(save_plan, _text(checked.plan()), "--save-plan", private=True)
    if sarif is not None:
        options.write_out(sarif, _text(checked.sarif()), "--sarif")
    for note in checked.result.notes:
        terminal.warning(note)
    if as_json:
        terminal.result(checked.result)
    else:
        terminal.render(*_lines(checked.result, show_all=show_all))
    if (
        checked.result.errored
        or not checked.result.ok
        or (strict and checked.result.counts["SKIP"])
    ):
        raise typer.Exit(1)


def _of_file(name: str | None, plan: Path, how: "Options", *, made: bool) -> "Checked":
    from temporal_dsql_deploy.operations.check import check_file

    if made:
        raise UsageError(
            "--plan goes with none of --save-plan, --var-file and --file",
            cause="it judges a plan that was made already",
            fix="leave the others out",
        )
    if str(plan) == "-" == str(how.state):
        raise UsageError(
            "--plan and --state cannot both be stdin",
            cause="there is one stdin",
            fix="name a file for one of them",
        )
    if name is not None:
        options.check_name(name)
    return check_file(name, plan, how)


def _of_environment(
    name: str | None,
    how: "Options",
    var_files: list[Path],
    terraform: Path | None,
    provider_mirror: Path | None,
    file: Path | None,
) -> "Checked":
    from temporal_dsql_deploy.environments.find import find
    from temporal_dsql_deploy.operations import check as operation
    from temporal_dsql_deploy.operations.plan.run import How

    if name is None:
        raise UsageError(
            "there is nothing to judge",
            cause="neither an environment nor --plan is named",
            fix=f"name one: {EXAMPLE}, or: dsql-deploy check --plan plan.json",
        )
    options.address(name, file=file)
    environment = find(name, file=file)
    if not terminal.json:
        terminal.progress(f"planning {name} without AWS, with known values: this takes a minute")
    with watching() as on_event:
        planning = How(
            offline=True,
            var_files=var_files,
            terraform=terraform,
            provider_mirror=provider_mirror,
            on_event=on_event,
        )
        return operation.check(environment, planning, how)


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1) + "\n"


def _lines(result: "CheckResult", *, show_all: bool) -> "Iterator[Text]":
    """The tree of families and rules: what does not hold, what could not be judged, the sum."""
    families: dict[str, list[RuleResult]] = {}
    for rule in result.rules:
        families.setdefault(rule.family, []).append(rule)
    for family, rules in families.items():
        yield _family(family, rules)
        for rule in rules:
            if show_all or rule.verdict == "NG" or rule.findings:
                yield from _rule(rule, show_all=show_all)
        if not show_all:
            yield from _unjudged([r for r in rules if r.verdict == "SKIP" and not r.findings])
    yield _line("")
    yield _total(result)


def _line(text: str, verdict: str = "", indent: int = 0) -> "Text":
    from rich.text import Text

    colours = {"OK": "green", "NG": "bold red", "SKIP": "yellow", _ACCEPTED: "yellow"}
    made = Text(" " * indent)
    if verdict:
        made.append(f"{verdict:4} ", colours[verdict])
    return made.append(text)


def _family(name: str, rules: "list[RuleResult]") -> "Text":
    from temporal_dsql_deploy.checks import registry

    said = [str(rule.verdict) for rule in rules]
    worst = next((each for each in ("NG", "SKIP") if each in said), "OK")
    title = next(family.title for family in registry.families() if family.name == name)
    counts = [f"{said.count(each)} {each}" for each in ("OK", "NG", "SKIP") if each in said]
    if accepted := sum(1 for rule in rules for one in rule.findings if one.suppressed):
        counts.append(f"{accepted} accepted")
    return _line(f"{name}: {title} ({', '.join(counts)})", worst)


def _rule(rule: "RuleResult", *, show_all: bool) -> "Iterator[Text]":
    seen = f" ({'; '.join(rule.seen)})" if rule.seen and rule.verdict == "OK" else ""
    first, *rest = _wrapped(f"{rule.rule}: {rule.holds}{seen}", 7)
    accepted = rule.findings and rule.verdict != "NG"
    yield _line(first.lstrip(), _ACCEPTED if accepted else str(rule.verdict), 2)
    for line in rest:
        yield _line(line)
    for finding in rule.findings:
        yield from _finding(finding)
    yield from _reasons(rule, show_all=show_all)


def _unjudged(rules: "list[RuleResult]") -> "Iterator[Text]":
    """Rules that could not be judged; those for one and the same reason are told together."""
    together: dict[frozenset[str], list[RuleResult]] = {}
    for rule in rules:
        together.setdefault(frozenset(one.reason for one in rule.unjudged), []).append(rule)
    for reasons, alike in together.items():
        if len(alike) == 1:
            yield from _rule(alike[0], show_all=False)
            continue
        names = ", ".join(rule.rule for rule in alike)
        first, *rest = _wrapped(f"{'; '.join(sorted(reasons))}: {names}", 7)
        yield _line(first.lstrip(), "SKIP", 2)
        for line in rest:
            yield _line(line)


def _reasons(rule: "RuleResult", *, show_all: bool) -> "Iterator[Text]":
    """Why a rule could not be judged, or not for all that it is about."""
    shown = rule.unjudged if show_all else rule.unjudged[:_MANY]
    for one in shown:
        for text in _wrapped(": ".join(filter(None, (one.resource, one.reason))), 7):
            yield _line(text)
    if more := len(rule.unjudged) - len(shown):
        yield _line(f"and {more} more; --all has all", indent=7)


def _finding(finding: "FindingResult") -> "Iterator[Text]":
    there = f"  ({finding.file}:{finding.line})" if finding.file else ""
    where = " ".join(filter(None, (finding.resource, finding.attribute))) or "the plan"
    yield _line(f"{where}{there}", indent=7)
    parts = [("found", finding.evidence)]
    if finding.suppressed:
        parts.append(("accepted", finding.suppressed))
    else:
        parts += [("symptom", finding.symptom), ("fix", finding.fix)]
    for label, text in parts:
        first, *rest = _wrapped(text, 18)
        yield _line(f"{label:<9}{first.lstrip()}", indent=9)
        for line in rest:
            yield _line(line)


def _wrapped(text: str, indent: int) -> list[str]:
    """A text as lines, broken for a terminal; lines of its own, as Terraform has, are kept."""
    console = terminal.stdout()
    margin = " " * indent
    if not console.is_terminal or "\n" in text:
        return [f"{margin}{line}" for line in text.splitlines()] or [margin]
    width = max(min(console.width, _WIDTH), indent + 20)
    return textwrap.wrap(
        text,
        width,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [margin]


def _total(result: "CheckResult") -> "Text":
    findings = [finding for rule in result.rules for finding in rule.findings]
    open_ones = sum(not finding.suppressed for finding in findings)
    parts = [f"{result.counts['OK']} rules hold"]
    if result.counts["NG"]:
        rules, found = (
            result.counts["NG"],
            "1 finding" if open_ones == 1 else f"{open_ones} findings",
        )
        parts.insert(0, f"{found} of {rules} {'rule' if rules == 1 else 'rules'}")
    if accepted := len(findings) - open_ones:
        parts.append(f"{accepted} accepted")
    if result.counts["SKIP"]:
        parts.append(f"but {result.counts['SKIP']} could not be judged")
    kept = f"; the plan is kept in {result.plan_file}" if result.plan_file else ""
    verdict = "OK" if result.ok else "NG"
    name = result.environment
    if result.source == "file":
        name += f" ({result.judged})"
    return _line(f"{name}: {', '.join(parts)}{kept}", verdict)
