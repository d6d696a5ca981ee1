"""`dsql-deploy lease reset ENV`."""

from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.cli.lease.show import tell
from temporal_dsql_deploy.errors import NotConfirmed

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.lease.run import LeaseReset

EXAMPLE = "dsql-deploy lease reset prod --watch"
LEAST_MINUTES = 10
"""As operations.lease.proof.LEAST_MINUTES, which is not imported for --help; a test compares."""


def reset(
    environment: options.EnvironmentOnEcs,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Look at the counter every 30 s until it is proven wrong."),
    ] = False,
    minutes: Annotated[
        int,
        typer.Option(
            "--minutes",
            min=LEAST_MINUTES,
            max=120,
            help="How long it has to be wrong; a minute longer than connections may live, anyway.",
        ),
    ] = LEAST_MINUTES,
    terraform: options.TerraformBinary = None,
    provider_mirror: options.ProviderMirror = None,
    file: options.File = None,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Take what is proven to have leaked from the counter. Asks first.

    Proven is what is more than 1.2 times the connections that CloudWatch counts, in each of the
    minutes; a counter that changes has to be watched for that. Nothing that is open is taken away.
    """
    from temporal_dsql_deploy.operations.lease import run
    from temporal_dsql_deploy.operations.lease.look import Sources, look

    # Not after half an hour of watching.
    if not (yes or dry_run or terminal.interactive()):
        options.address(environment, file=file)
        raise _unconfirmed(environment, "there is no terminal to ask on")
    sources = Sources.of(options.deployed(environment, file, terraform, provider_mirror))
    if watch:
        seen = run.watch(sources, minutes, run.Watching(terminal.progress))
    else:
        seen = look(sources, minutes=minutes)
    plan = run.plan(sources, seen)
    if dry_run:
        _tell(plan, "would be written", as_json=as_json)
        return
    if not yes:
        _confirm(environment, plan)
    _tell(run.reset(sources, seen, terminal.progress), "was written", as_json=as_json)


def _tell(result: "LeaseReset", done: str, *, as_json: bool) -> None:
    if as_json:
        terminal.result(result)
        return
    if result.dry_run:
        tell(result.status)
    leaked = result.before - result.after
    terminal.text(f"counter: {result.after} {done} for {result.before}; {leaked} had leaked")


def _confirm(environment: str, plan: "LeaseReset") -> None:
    tell(plan.status)
    question = f"This makes the counter of leases of {environment} {plan.after}."
    if not terminal.confirm(question, "Write it?"):
        raise _unconfirmed(environment, "the question was answered with no")


def _unconfirmed(environment: str, cause: str) -> NotConfirmed:
    return NotConfirmed(
        f"the counter of leases of environment {environment} is not reset",
        cause=cause,
        fix="say that you are sure: dsql-deploy lease reset ENV --yes",
    )
