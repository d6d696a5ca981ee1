"""The command `dsql-deploy`: its verbs, and the one place where errors become output."""

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from temporal_dsql_deploy.cli import (
    bench,
    check,
    destroy,
    diagram,
    doctor,
    down,
    env,
    explain,
    images,
    lease,
    lock,
    logs,
    membership,
    open_page,
    plan,
    probe,
    recover,
    rehearse,
    restart,
    scale,
    schema,
    secret,
    status,
    up,
    visibility,
)
from temporal_dsql_deploy.cli.console import COMMAND, terminal
from temporal_dsql_deploy.errors import DeployError, MissingError, UsageError

_INTERRUPTED = 130
_WRONG_USE: Any = typer.BadParameter.__bases__[0]
"""Typer's error of a wrong command line, which has no public name."""
EXIT_CODES = {
    0: "it is so, or it is done",
    1: "it is not so: findings, thresholds missed, unhealthy, failed",
    2: "the command line is wrong",
    3: "something needed is missing: tool, credential, environment, permission",
    4: "refused: protected, locked by another, not confirmed",
    5: "stopped half way; the same command goes on",
    130: "interrupted",
}
"""Documented in docs/reference/cli.md, and the same for every verb."""


class _Verbs(TyperGroup):
    """All verbs; turns what they raise into output and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except DeployError as error:
            raise _failed(error) from error
        except _WRONG_USE as error:
            if "--json" not in sys.argv:
                raise
            terminal.json = True
            raise _failed(UsageError(error.format_message(), fix="see --help")) from error
        except KeyboardInterrupt:
            terminal.progress("interrupted")
            raise typer.Exit(_INTERRUPTED) from None
        except BrokenPipeError:
            # Whoever read our output has seen enough.
            _discard_output()
            raise typer.Exit(0) from None
        except OSError as error:
            _discard_output()
            raise _failed(_from_system(error)) from error
        return result

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The verbs of --help, under what they are for."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name, verb in self.commands.items():
            panel = str(getattr(verb, "rich_help_panel", "Verbs"))
            panels.setdefault(panel, []).append((name, verb.get_short_help_str(limit=90)))
        for panel, verbs in panels.items():
            with formatter.section(panel):
                formatter.write_dl(verbs)


def _failed(error: DeployError) -> typer.Exit:
    if os.environ.get("DSQL_DEPLOY_DEBUG"):
        traceback.print_exc()
    terminal.error(error)
    return typer.Exit(error.exit_code)


def _from_system(error: OSError) -> MissingError:
    return MissingError(
        f"{error.filename or 'the output'} cannot be used",
        cause=error.strerror or str(error),
        fix="make room or give this user the right to it, then try again",
    )


def _discard_output() -> None:
    """Without this, Python complains at its end about what it could not write."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


app = typer.Typer(
    name=COMMAND,
    # Plain help: rendering it with Rich doubles the time that --help takes.
    rich_markup_mode=None,
    cls=_Verbs,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    help="Temporal on Amazon Aurora DSQL: the same verbs on a laptop and on ECS.",
)


def _version(*, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("temporal-dsql-deploy"))
        raise typer.Exit


@app.callback(epilog=f"Example: {up.EXAMPLE}")
def _main(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=lambda value: _version(wanted=value),
            help="Print the version and exit.",
        ),
    ] = False,
) -> None:
    pass


def _verb(name: str, function: Callable[..., None], example: str, panel: str) -> None:
    app.command(name, epilog=f"Example: {example}", rich_help_panel=panel)(function)


_verb("up", up.up, up.EXAMPLE, "Run")
_verb("down", down.down, down.EXAMPLE, "Run")
_verb("destroy", destroy.destroy, destroy.EXAMPLE, "Run")
_verb("status", status.status, status.EXAMPLE, "Look")
_verb("logs", logs.logs, logs.EXAMPLE, "Look")
_verb("open", open_page.open_page, open_page.EXAMPLE, "Look")
_verb("scale", scale.scale, scale.EXAMPLE, "Change what runs")
_verb("restart", restart.restart, restart.EXAMPLE, "Change what runs")
_verb("recover", recover.recover, recover.EXAMPLE, "Change what runs")
_verb("probe", probe.probe, probe.EXAMPLE, "Find what is wrong")
app.add_typer(images.app, name="images", rich_help_panel="What a cluster stands on")
app.add_typer(schema.app, name="schema", rich_help_panel="What a cluster stands on")
app.add_typer(secret.app, name="secret", rich_help_panel="What a cluster stands on")
app.add_typer(visibility.app, name="visibility", rich_help_panel="What a cluster stands on")
app.add_typer(membership.app, name="membership", rich_help_panel="Find what is wrong")
app.add_typer(lease.app, name="lease", rich_help_panel="Find what is wrong")
app.add_typer(lock.app, name="lock", rich_help_panel="Who may, who did")
_verb("check", check.check, check.EXAMPLE, "Before anything is spent")
_verb("plan", plan.plan, plan.EXAMPLE, "Before anything is spent")
_verb("diagram", diagram.diagram, diagram.EXAMPLE, "Before anything is spent")
_verb("rehearse", rehearse.rehearse, rehearse.EXAMPLE, "Before anything is spent")
app.add_typer(bench.app, name="bench", rich_help_panel="Measure and watch")
_verb("env", env.env, env.EXAMPLE, "What a cluster stands on")
_verb("explain", explain.explain, explain.EXAMPLE, "Find what is wrong")
_verb("doctor", doctor.doctor, doctor.EXAMPLE, "Find what is wrong")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line of this process."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        # One way out for all three: what Ctrl-C undoes, these undo too. `nohup` stays what it is.
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)
    _open_what_is_closed()
    try:
        app(prog_name=COMMAND)
    except SystemExit as ended:
        _leave(ended)


def _open_what_is_closed() -> None:
    """Put the standard streams that this process was started without (`>&-`) on nothing.

    In their order, as each takes the first number that is free: no file of ours may become stdout.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123


def _leave(ended: SystemExit) -> None:
    """End this process; without Python's own end where the Temporal SDK has been used.

    The SDK's threads may call into Python while it takes itself down, which aborts the process
    (seen with temporalio 1.35 in 2 of 130 probes).
    """
    if "temporalio" not in sys.modules:
        raise ended
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    os._exit(ended.code if isinstance(ended.code, int) else int(bool(ended.code)))
