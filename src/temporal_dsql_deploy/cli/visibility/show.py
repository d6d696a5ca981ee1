"""What the verbs of `visibility` print for people."""

from typing import TYPE_CHECKING

import typer

from temporal_dsql_deploy.cli.console import table, terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from temporal_dsql_deploy.operations.visibility.result import (
        Finding,
        Step,
        VisibilityPlan,
        VisibilityResult,
        VisibilityStatus,
    )

_FIELD = "field "


def status(found: "VisibilityStatus") -> None:
    """The index, and whatever is wrong."""
    terminal.render(table(["visibility", ""], _rows(found)))
    for warning in found.warnings:
        terminal.text(f"warning: {warning}")
    terminal.text("")
    if found.ok:
        terminal.text("everything is as the server expects it")
    findings(found.findings)


def _rows(found: "VisibilityStatus") -> list[tuple[str, str]]:
    right = sum(one.ok for one in found.fields)
    index = found.stored_in or "missing"
    if found.stored_in not in {"", found.index}:
        index = f"{found.stored_in}, by its alias {found.index}"
    rows = [
        ("OpenSearch", f"{found.url} ({found.version})"),
        ("health", _health(found)),
        ("expected", found.expected),
        ("auto_create_index", found.auto_create_index),
        ("template", found.template),
        ("index", index if found.stored_in else f"{found.index}: missing"),
    ]
    if not found.stored_in:
        return rows
    documents = "unknown" if found.documents is None else f"{found.documents:,}"
    return [
        *rows,
        ("documents", documents),
        ("shards", f"{found.shards} (primary + replicas)"),
        ("mapping", f"{right} of {len(found.fields)} fields as expected"),
        ("search attributes", ", ".join(found.further_fields) or "none of your own"),
        ("sort", ", ".join(found.sort.values()) or "none"),
    ]


def _health(found: "VisibilityStatus") -> str:
    if not found.unassigned_shards:
        return found.health
    return f"{found.health}, {found.unassigned_shards} shards without a place"


def sentence(one: "Finding") -> str:
    """A finding in one line."""
    return f"{one.what}: expected {one.expected or 'nothing'}, found {one.found or 'nothing'}"


def findings(found: "Sequence[Finding]") -> None:
    """Each with what to do, which is said once for those that follow each other."""
    lines = [(_line(same), same[0].fix) for same in _together(found)]
    for at, (line, fix) in enumerate(lines):
        terminal.text(f"NG  {line}")
        if at + 1 == len(lines) or lines[at + 1][1] != fix:
            terminal.text(f"    fix: {terminal.spelled(fix)}")


def _together(found: "Sequence[Finding]") -> "list[list[Finding]]":
    """Fields of one type that are missing, together; the others one by one."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for one in found:
        missing = one.what.startswith(_FIELD) and not one.found
        key = (one.expected, one.fix) if missing else (one.what, one.found, one.fix)
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def _line(same: "Sequence[Finding]") -> str:
    if len(same) == 1:
        return sentence(same[0])
    names = ", ".join(one.what.removeprefix(_FIELD) for one in same)
    return f"{len(same)} fields are missing, {same[0].expected} is expected: {names}"


def plan(found: "VisibilityPlan", *, as_json: bool) -> None:
    """What would be done."""
    if as_json:
        terminal.result(found)
        return
    findings(found.findings)
    if found.calls:
        terminal.text("would be done:", *(f"  {call}" for call in found.calls))
    elif not found.steps:
        terminal.text("nothing to do" if not found.findings else "nothing would be done")
    steps(found.steps)


def steps(found: "Sequence[Step]") -> None:
    """What somebody has to do, one after the other."""
    if not found:
        return
    terminal.text("", "it cannot be mended in place. The way to one that is right:")
    for number, step in enumerate(found, start=1):
        terminal.text(f"{number:>3}. {terminal.spelled(step.text)}")
        terminal.text(*(f"       {call}" for call in step.calls))


def result(done: "VisibilityResult", *, as_json: bool) -> None:
    """What was done and what there is now. Raises typer.Exit where that is not right."""
    if as_json:
        terminal.result(done)
    else:
        terminal.text(*(f"done: {call.partition(' {')[0]}" for call in done.done))
        if not done.done:
            terminal.text("nothing to do" if done.status.ok else "nothing was done")
        terminal.text("")
        status(done.status)
        steps(done.steps)
    if not done.status.ok:
        raise typer.Exit(1)
