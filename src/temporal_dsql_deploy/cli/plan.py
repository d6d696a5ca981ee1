"""`dsql-deploy plan ENV`."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.cli.progress import watching
from temporal_dsql_deploy.errors import UsageError

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.plan.result import Move, Permission, PlanResult, Rule

EXAMPLE = "dsql-deploy plan dev --offline"
_WIDTH = 96
_MANY = 12
"""Lines of one kind above which they are counted instead."""


def plan(
    environment: options.EnvironmentOnEcs,
    offline: Annotated[
        bool,
        typer.Option(
            "--offline",
            help="Plan without AWS, for an empty account, with invented ids.",
        ),
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Keep the plan in this file, for an apply.")
    ] = None,
    plan_file: Annotated[
        Path | None,
        typer.Option(
            "--plan",
            metavar="PLAN_JSON",
            help="Summarise this plan, of `terraform show -json`; - for stdin.",
        ),
    ] = None,
    var_file: options.VarFiles = None,
    terraform: options.TerraformBinary = None,
    provider_mirror: options.ProviderMirror = None,
    file: options.File = None,
    as_json: options.Json = False,
) -> None:
    """Say what an apply would do to the cluster: what restarts and why, what is lost, what opens.

    The exit code is 0 with changes and without; `--json` tells them apart by `changes`. It is 1
    where planning failed half way.
    """
    from temporal_dsql_deploy.operations.plan import run

    folder = None
    if plan_file is not None:
        if offline or out or var_file:
            raise UsageError(
                "--plan goes with none of --offline, --out and --var-file",
                cause="it summarises a plan that was made already",
                fix="leave the others out",
            )
        options.check_name(environment)
        result = run.from_file(environment, plan_file)
    else:
        if offline and out:
            raise UsageError(
                "--offline and --out do not go together",
                cause="a plan without AWS cannot be applied",
                fix="leave one of them out",
            )
        from temporal_dsql_deploy.environments.find import find

        options.address(environment, file=file)
        options.check_out(out)
        chosen = find(environment, file=file)
        folder = chosen.terraform
        with watching() as on_event:
            how = run.How(
                offline=offline,
                out=out,
                var_files=var_file or [],
                terraform=terraform,
                provider_mirror=provider_mirror,
                on_event=on_event,
            )
            result = run.plan(chosen, how)
    for note in result.notes:
        terminal.warning(note)
    if as_json:
        terminal.result(result)
    else:
        terminal.text(*lines(result, folder))
    if result.errored:
        raise typer.Exit(1)


def lines(result: "PlanResult", folder: Path | None = None) -> list[str]:
    """A plan as text, what matters most first; `folder` is where its Terraform is."""
    name = result.environment
    if not result.changes and not result.complete:
        return [_partial(result), *_drift(result), *_kept(result, folder)]
    if not result.changes:
        nothing = "what runs is what is written"
        if result.source == "known-values":
            nothing = "its Terraform would make nothing in an empty account"
        return [
            f"{name}: no changes: {nothing}",
            *_drift(result),
            *_kept(result, folder),
        ]
    counts = result.counts
    made = [
        *_section("DATA IS LOST", _losses(result)),
        *_section("tasks", _restarts(result)),
        *_section("what there will be", result.makes),
        *_section("instances", [] if result.makes else result.instances),
        *_network(result),
        *_section(
            "permissions", _many([_permission(p) for p in result.permissions], "permissions")
        ),
        *_section("also", _others(result)),
        *_section("created", _created(result)),
        *_section("moved", _many([_move(move) for move in result.moves], "resources")),
        *_section("imported", _many(result.imports, "resources")),
        *_drift(result),
    ]
    total = (
        f"{name}: {counts.create} to create, {counts.update} to update, "
        f"{counts.replace} to replace, {counts.delete} to delete"
    )
    forgotten = f", {counts.forget} to forget" if counts.forget else ""
    moved = f", {counts.move} to move" if counts.move else ""
    imported = f", {counts.imported} to import" if counts.imported else ""
    made.append(total + forgotten + moved + imported)
    if not result.complete:
        made.append(_partial(result))
    return [*made, *_kept(result, folder)]


def _move(move: "Move") -> str:
    return f"{move.previous} -> {move.address}"


def _partial(result: "PlanResult") -> str:
    if result.errored:
        return f"{result.environment}: planning FAILED half way: there may be more changes"
    return (
        f"{result.environment}: the plan is not complete: an apply of it is to be followed by "
        "another plan"
    )


def _kept(result: "PlanResult", folder: Path | None) -> list[str]:
    if result.plan_file is None:
        return []
    there = [f"-chdir={folder.absolute()}"] if folder else []
    apply = shlex.join(["terraform", *there, "apply", str(result.plan_file)])
    return [f"kept in {result.plan_file}, for: {apply}"]


def _section(title: str, said: list[str]) -> list[str]:
    return [f"{title}:", *(f"  {line}" for line in said), ""] if said else []


def _losses(result: "PlanResult") -> list[str]:
    made = []
    for loss in result.losses:
        because = f", because of {', '.join(loss.because)}" if loss.because else ""
        made.append(f"{loss.action.upper()} {loss.what} {loss.address}{because}")
        made.append(f"  lost with it: {loss.lost}")
    return made


def _restarts(result: "PlanResult") -> list[str]:
    made = []
    for restart in result.restarts:
        said = ": ".join([restart.component, *restart.reasons, restart.effect])
        if len(restart.reasons) <= 1 and len(said) <= _WIDTH:
            made.append(said)
        else:
            made.append(f"{restart.component}: {restart.effect}, because of")
            made += [f"  {reason}" for reason in restart.reasons]
    return made


def _rule(rule: "Rule") -> str:
    half = f" ({rule.directions[0]} only)" if len(rule.directions) == 1 else ""
    return f"{'open' if rule.opened else 'CLOSE'} {rule.source} -> {rule.target} {rule.ports}{half}"


def _network(result: "PlanResult") -> list[str]:
    if not result.makes:
        return _section("network", _many([_rule(rule) for rule in result.rules], "network paths"))
    from temporal_dsql_deploy.operations.plan.first import open_to_everybody

    # Of a first plan every path is new: what matters is who can come in and out.
    wide = open_to_everybody(result.rules)
    rest = len(result.rules) - len(wide)
    said = [_rule(rule) for rule in wide]
    return _section("network", [*said, f"{rest} paths within the cluster; --json has all"])


def _permission(permission: "Permission") -> str:
    sign = "+" if permission.added else "-"
    return f"{sign} {permission.action} on {permission.resource} ({permission.address})"


def _others(result: "PlanResult") -> list[str]:
    return [
        f"{other.action} {other.address}"
        + (f": {', '.join(other.attributes)}" if other.attributes else "")
        for other in result.others
    ]


def _created(result: "PlanResult") -> list[str]:
    if result.makes:
        number = sum(result.created.values())
        return [f"{number} resources of {len(result.created)} types; --json has all"]
    most_first = sorted(result.created.items(), key=lambda item: -item[1])
    return _many([f"{count} {kind.removeprefix('aws_')}" for kind, count in most_first], "types")


def _drift(result: "PlanResult") -> list[str]:
    title = "changed outside Terraform"
    if not result.changes:
        # AWS fills in much after an apply: an address, a default, a list of what was attached.
        title = "not as after the last apply, in what the files leave open"
    return _section(title, _many(result.drift, "resources"))


def _many(said: list[str], what: str) -> list[str]:
    if len(said) <= _MANY:
        return said
    return [*said[:_MANY], f"and {len(said) - _MANY} more {what}; --json has all"]
