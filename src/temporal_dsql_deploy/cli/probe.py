"""`dsql-deploy probe ENV`."""

from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import table, terminal

if TYPE_CHECKING:
    from temporal_dsql_deploy.environments.model import Environment
    from temporal_dsql_deploy.operations.probe.result import CheckResult, ClosedPath, ProbeResult
    from temporal_dsql_deploy.platforms.protocol import Platform

EXAMPLE = "dsql-deploy probe cluster --watch 60 --metrics-port 9464"


def probe(
    environment: options.EnvironmentName = "local",
    namespace: Annotated[
        str | None, typer.Option(help="Namespace to use [the environment's first, or default].")
    ] = None,
    deadline: options.Deadline = options.DEADLINE,
    watch: Annotated[
        float | None,
        typer.Option(
            min=1, metavar="SECONDS", help="Probe again and again, this often, until stopped."
        ),
    ] = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, metavar="PORT", help="With --watch: serve Prometheus metrics there."
        ),
    ] = None,
    make_namespace: Annotated[
        bool,
        typer.Option("--make-namespace", help="Register the namespace first, if it is not there."),
    ] = False,
    direct: options.Direct = False,
    file: options.File = None,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
) -> None:
    """Run real workflows from end to end, say what does not work, and name closed paths.

    No health check of Temporal notices a closed path between two roles; this does. Exit code 1: a
    check failed. On ECS a task inside the VPC does it.
    """
    _check_use(watch, metrics_port)
    chosen, platform = options.choose(environment, file, data_dir, direct=direct)
    named = namespace or chosen.probe_namespace
    if watch is not None:
        # Refuses what cannot be dialled from here.
        if options.outside(platform):
            platform.frontend()
        _watch(platform, chosen.name, named, deadline, watch, metrics_port, as_json=as_json)
    result = _probed(platform, chosen, named, deadline, make=make_namespace)
    if as_json:
        terminal.result(result)
    else:
        show(result)
    if not result.ok:
        raise typer.Exit(1)


def _probed(
    platform: "Platform",
    environment: "Environment",
    namespace: str,
    deadline: float,
    *,
    make: bool,
) -> "ProbeResult":
    if found := options.outside(platform):
        from temporal_dsql_deploy.operations.on_ecs import inside, prove
        from temporal_dsql_deploy.operations.probe.result import ProbeResult

        command = prove.probe_command(environment, deadline, namespace, make=make)
        return inside.run(found.deployed, found.clients, command, ProbeResult, terminal.progress)
    platform.frontend()
    from temporal_dsql_deploy.operations.probe.cluster import probe_platform

    if make:
        from temporal_dsql_deploy.operations.settle import make_namespace

        make_namespace(platform, environment, namespace, terminal.progress)
    return probe_platform(platform, namespace, deadline=deadline, report=terminal.progress)


def _check_use(watch: float | None, metrics_port: int | None) -> None:
    import math

    if watch is not None and not math.isfinite(watch):
        raise typer.BadParameter(f"--watch {watch} is not a number of seconds")
    if metrics_port is not None and watch is None:
        raise typer.BadParameter("--metrics-port goes with --watch: one probe has no page")


def _watch(
    platform: "Platform",
    environment: str,
    namespace: str,
    deadline: float,
    interval: float,
    port: int | None,
    *,
    as_json: bool,
) -> None:
    """Until a signal; never returns."""
    import contextlib

    from temporal_dsql_deploy.operations.probe.watch import Metrics, rounds

    metrics = Metrics(environment)
    with contextlib.ExitStack() as stack:
        if port is not None:
            served = stack.enter_context(metrics.served(port))
            terminal.progress(f"metrics: http://127.0.0.1:{served}/metrics")
        for result in rounds(platform, namespace, deadline=deadline, interval=interval):
            metrics.take(result)
            if as_json:
                terminal.line(result)
            else:
                terminal.text(line(result), *explanation(result))


def line(result: "ProbeResult") -> str:
    """A round of the canary in one line."""
    at = result.at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    failed = [f"{check.name} ({check.error})" for check in result.checks if not check.ok]
    left_out = [check.name for check in result.checks if check.left_out]
    tried = len(result.checks) - len(left_out)
    said = f"FAILED: {', '.join(failed)}" if failed else f"OK: {tried} checks"
    if left_out:
        said += f"; left out: {', '.join(left_out)}"
    return f"{at}  {result.seconds:.1f} s  {said}"


def show(result: "ProbeResult") -> None:
    """The checks as a table, what the failed ones mean, and what explains them."""
    rows = [
        (check.name, _word(check), f"{check.seconds * 1000:.0f} ms", check.error or check.left_out)
        for check in result.checks
    ]
    terminal.render(table(["probe", "result", "latency", ""], rows))
    for meaning in dict.fromkeys(check.meaning for check in result.checks if check.meaning):
        terminal.text(meaning)
    terminal.text(*explanation(result))


def _word(check: "CheckResult") -> str:
    if not check.ok:
        return "FAILED"
    return "LEFT OUT" if check.left_out else "OK"


def explanation(result: "ProbeResult") -> list[str]:
    """What explains the failed checks, in sentences; nothing where nothing is known."""
    return [
        *(terminal.spelled(note) for note in result.notes),
        *(sentence for path in result.paths for sentence in _sentences(path)),
    ]


def _sentences(path: "ClosedPath") -> list[str]:
    way = f"{path.caller} -> {path.callee} port {path.port} ({path.port_name})"
    why = f"takes part in: {', '.join(path.checks)}" if path.checks else "seen in the log only"
    said = "closed" if path.certain else f"closed, perhaps, or {path.callee} does not run"
    return [f"{way}: {said}; {why}", *(f"  {path.caller} logged {line}" for line in path.log)]
