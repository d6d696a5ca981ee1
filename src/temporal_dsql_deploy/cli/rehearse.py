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
    from temporal_dsql_deploy.rehearsal.result import RehearsePlan, RehearseResult, StandIn

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
    code 1: the probe failed.
    """
    from temporal_dsql_deploy.environments.find import find

    options.address(environment, file=file)
    found = find(environment, file=file)
    if end:
        _end(found, alone=not (keep or dry_run or var_file or as_json))
        return
    with watching() as on_event:
        from temporal_dsql_deploy.operations.staged import proof
        from temporal_dsql_deploy.rehearsal import run as operation
        from temporal_dsql_deploy.rehearsal.prepare import Request

        request = Request(found, tuple(var_file or ()), terraform, provider_mirror, on_event)
        if dry_run:
            _tell(operation.plan(request), as_json=as_json)
            return
        probe = proof.of(deadline, terminal.progress, direct=False)
        result = operation.run(request, probe, terminal.progress, keep=keep)
    if as_json:
        terminal.result(result)
    else:
        _show(result)
    if not result.ok:
        raise typer.Exit(1)


def _end(found: "Environment", *, alone: bool) -> None:
    if not alone:
        raise UsageError(
            "--end goes alone",
            cause="it takes away what stands, and begins nothing",
            fix="leave the other options out",
        )
    from temporal_dsql_deploy.rehearsal import run as operation

    operation.end(found.name, terminal.progress)
    terminal.progress(f"nothing is left of a rehearsal of {found.name}")


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
        terminal.text("", "It stands. To talk to it:")
        terminal.text(*(f"  export {name}={value}" for name, value in result.standing.items()))
        terminal.text("To end it:", f"  {terminal.spelled('dsql-deploy rehearse ENV --end')}")


def _stand_ins(found: "Sequence[StandIn]") -> None:
    rows = [(one.instead_of, one.what, one.cannot_show) for one in found]
    terminal.render(table(("instead of", "there is", "which cannot show"), rows))
    terminal.text("")


def _overrides(found: "Sequence[str]") -> None:
    terminal.text("What differs from the environment's own:")
    terminal.text(*(f"  {line}" for line in found), "")
