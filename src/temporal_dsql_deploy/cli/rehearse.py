"""`dsql-deploy rehearse ENV`."""

from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import table, terminal
from temporal_dsql_deploy.cli.progress import watching
from temporal_dsql_deploy.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from temporal_dsql_deploy.environments.model import Environment
    from temporal_dsql_deploy.operations.staged.up import Probe
    from temporal_dsql_deploy.rehearsal.prepare import Request
    from temporal_dsql_deploy.rehearsal.requested import Requested
    from temporal_dsql_deploy.rehearsal.result import (
        FaultResult,
        RehearsePlan,
        RehearseResult,
        StandIn,
    )

EXAMPLE = "dsql-deploy rehearse dev --keep"


def rehearse(
    environment: options.EnvironmentOnEcs,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Leave it standing, and say how it is talked to and ended."),
    ] = False,
    end: Annotated[
        bool, typer.Option("--end", help="Take away what stands of a rehearsal of ENV.")
    ] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            metavar="NAME[=ARGUMENT]",
            help="Let this go wrong in the rehearsal of ENV that stands, and wait until it is well "
            "again; where none stands, in a new one. May be repeated; `none` takes all away, and a "
            "wrong name lists what there is.",
        ),
    ] = None,
    wait: options.StepWait = None,
    var_file: options.VarFiles = None,
    deadline: options.Deadline = options.DEADLINE,
    file: options.File = None,
    terraform: options.TerraformBinary = None,
    provider_mirror: options.ProviderMirror = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Apply, deploy and probe ENV on this machine, in an AWS that is emulated: nothing is spent.

    ECS starts real containers there, and nftables holds the plan's security groups. What plays a
    part of AWS is named, with what it cannot show. It takes Linux, root, Docker and nftables; exit
    code 1: the probe failed, or it is not well again after a fault.
    """
    from temporal_dsql_deploy.environments.find import find

    options.address(environment, file=file)
    found = find(environment, file=file)
    if end:
        _end(found, alone=not (keep or dry_run or var_file or as_json or fault))
        return
    asked = _asked(fault, dry_run=dry_run)
    with watching() as on_event:
        from temporal_dsql_deploy.operations.staged import proof
        from temporal_dsql_deploy.rehearsal import run as operation
        from temporal_dsql_deploy.rehearsal.prepare import Request

        request = Request(found, tuple(var_file or ()), terraform, provider_mirror, on_event)
        if dry_run:
            _tell(operation.plan(request), as_json=as_json)
            return
        probe = proof.of(deadline, terminal.progress, direct=False)
        result: FaultResult | RehearseResult
        if asked is not None and (not asked or operation.stands(found.name)):
            result = _hit(request, asked, probe, wait)
        else:
            result = operation.run(
                request, probe, terminal.progress, keep=keep, faults=asked or (), wait=wait
            )
    _print(result, as_json=as_json)
    if not result.ok:
        raise typer.Exit(1)


def _asked(fault: "list[str] | None", *, dry_run: bool) -> "list[Requested] | None":
    """What --fault says; None without one."""
    if not fault:
        return None
    if dry_run:
        raise UsageError(
            "--fault and --dry-run do not go together",
            cause="a fault is not planned",
            fix="leave one of them out",
        )
    from temporal_dsql_deploy.rehearsal import requested

    return requested.parse(fault)


def _hit(
    request: "Request", asked: "Sequence[Requested]", probe: "Probe", wait: float | None
) -> "FaultResult":
    from temporal_dsql_deploy.rehearsal import healing

    limit = healing.LIMIT if wait is None else wait
    return healing.run(request, asked, probe, terminal.progress, limit=limit)


def _print(result: "FaultResult | RehearseResult", *, as_json: bool) -> None:
    from temporal_dsql_deploy.rehearsal.result import FaultResult

    if as_json:
        terminal.result(result)
    elif isinstance(result, FaultResult):
        _show_fault(result)
    else:
        _show(result)


def _end(found: "Environment", *, alone: bool) -> None:
    if not alone:
        raise UsageError(
            "--end goes alone",
            cause="it takes away what stands, and begins nothing",
            fix="leave the other options out",
        )
    from temporal_dsql_deploy.rehearsal import run as operation

    stood = operation.stands(found.name)
    operation.end(found.name, terminal.progress)
    before = "" if stood else "none stood; "
    terminal.progress(f"{before}nothing is left of a rehearsal of {found.name}")


def _tell(plan: "RehearsePlan", *, as_json: bool) -> None:
    if as_json:
        terminal.result(plan)
        return
    terminal.text(f"{plan.environment} would be rehearsed in the VPC {plan.vpc}", "")
    _stand_ins(plan.stand_ins)
    _overrides(plan.overrides)


def _show(result: "RehearseResult") -> None:
    from temporal_dsql_deploy.cli.probe import show as show_probe

    terminal.text("")
    _stand_ins(result.stand_ins)
    _overrides(result.overrides)
    if result.denied:
        terminal.text("Refused by security groups:")
        rows = [(one.source, f"{one.target}:{one.port}", one.attempts) for one in result.denied]
        terminal.render(table(("from", "to", "attempts"), rows))
        terminal.text("")
    took = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in result.seconds.items())
    terminal.text(f"It took: {took}", "")
    if result.probe is not None:
        show_probe(result.probe)
    if result.standing is not None:
        from temporal_dsql_deploy.rehearsal.standing import shell_lines

        terminal.text("", "It stands. To talk to it:")
        terminal.text(*(f"  {line}" for line in shell_lines(result.standing)))
        terminal.text("To end it:", f"  {terminal.spelled('dsql-deploy rehearse ENV --end')}")


def _show_fault(result: "FaultResult") -> None:
    from temporal_dsql_deploy.cli.probe import show as show_probe

    terminal.text("")
    rows = [
        (one.component, f"{one.running} of {one.desired}", _seconds(one.seconds))
        for one in result.services
    ]
    terminal.render(table(("service", "tasks", "steady after"), rows))
    for title, lines in (("Stopped:", result.stopped), ("ECS says:", result.events)):
        if lines:
            terminal.text("", title, *(f"  {line}" for line in lines))
    terminal.text("")
    if result.probe is not None:
        show_probe(result.probe)
    if result.causes:
        terminal.text("It is not well:", *(f"  {line}" for line in result.causes))
    else:
        terminal.text(f"It is well; every service was steady after {_seconds(result.seconds)}")
    if result.lasting:
        again = terminal.spelled("dsql-deploy rehearse ENV --fault none")
        terminal.text(f"Still so: {', '.join(result.lasting)}; to end that: {again}")


def _seconds(found: float | None) -> str:
    return "not" if found is None else f"{found:.1f} s"


def _stand_ins(found: "Sequence[StandIn]") -> None:
    rows = [(one.instead_of, one.what, one.cannot_show) for one in found]
    terminal.render(table(("instead of", "there is", "which cannot show"), rows))
    terminal.text("")


def _overrides(found: "Sequence[str]") -> None:
    terminal.text("What differs from the environment's own:")
    terminal.text(*(f"  {line}" for line in found), "")
