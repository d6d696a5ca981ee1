"""`dsql-deploy bench run ENV`."""

import os
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.bench import ecs
from temporal_dsql_deploy.cli.bench.declared import with_options
from temporal_dsql_deploy.cli.bench.results import ResultsDirectory, show
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.errors import UsageError

if TYPE_CHECKING:
    from temporal_dsql_deploy.bench.options import Settings
    from temporal_dsql_deploy.bench.results import BenchResult
    from temporal_dsql_deploy.bench.run import Target
    from temporal_dsql_deploy.platforms.protocol import Component

_NO_SERVERS = {"ui", "metrics", "database", "opensearch"}
"""Components that are no role of Temporal."""
EXAMPLE = "dsql-deploy bench run local --rate 50 --duration 1m"


@with_options
def run(
    environment: Annotated[
        str | None,
        typer.Argument(
            metavar="ENV",
            help="The environment: `local`, `cluster`, `bench`, or one of your own [local].",
            autocompletion=options.complete_environment,
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            envvar="TEMPORAL_ADDRESS",
            help="A frontend, in place of an environment; the variable counts without ENV.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", envvar="BENCHMARK_OUT", help="Write the result here too, as JSON."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", envvar="BENCHMARK_REPORT", help="Write the report here too, as HTML."
        ),
    ] = None,
    results_dir: ResultsDirectory = None,
    deadline: options.Deadline = options.DEADLINE,
    file: options.File = None,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
    *,
    given: dict[str, Any],
) -> None:
    """Start workflows at a rate, whatever becomes of them, and measure each from when it was due.

    Each option may also be given by its environment variable. Exit code 1: a threshold is missed.
    """
    made = _settings(given)
    options.check_out(out)
    options.check_out(report, "--report")
    if on_ecs := ecs.platform(environment, file):
        folder = _folder(results_dir)
        result = ecs.measure(on_ecs, environment or "", made)
        _keep(result, out, report, folder, as_json=as_json)
        if not result.passed:
            raise typer.Exit(1)
        return
    target = _target(environment, address, file, data_dir)
    if pages := [one.strip() for one in made.server_metrics.split(",") if one.strip()]:
        target = replace(target, pages=pages)
    if made.worker_only:
        _work(target, made)
        return
    folder = _folder(results_dir)
    result, interrupted = _measure(target, made, deadline)
    _keep(result, out, report, folder, as_json=as_json)
    if interrupted:
        raise KeyboardInterrupt
    if not result.passed:
        raise typer.Exit(1)


def _folder(given: Path | None) -> Path:
    from temporal_dsql_deploy.bench import store

    return store.folder(given)


def _keep(
    result: "BenchResult",
    out: Path | None,
    report: Path | None,
    folder: Path,
    *,
    as_json: bool,
) -> None:
    """Show it, and write it where it is to be."""
    from temporal_dsql_deploy.bench import store

    # Shown first: what took an hour to find is not lost to a full disk.
    for warning in result.warnings:
        terminal.warning(warning)
    if as_json:
        terminal.result(result)
    else:
        show(result)
    from temporal_dsql_deploy.bench.report.page import page

    if out is not None:
        options.write_out(out, store.document(result))
    if report is not None:
        options.write_out(report, page(result), "--report")
    saved = store.save(result, folder)
    if not as_json:
        terminal.text(f"report: {saved.report}")


def _settings(given: dict[str, Any]) -> "Settings":
    """The settings that were given. Raises InvalidSetting."""
    from temporal_dsql_deploy.bench import workloads
    from temporal_dsql_deploy.bench.options import settings
    from temporal_dsql_deploy.environments.model import check_namespace, check_option

    made = settings(given, now=f"{datetime.now(UTC):%Y%m%d-%H%M%S}")
    workloads.parse(made.workload)
    check_option("--namespace", check_namespace, made.namespace)
    _warn_of_unknown_variables()
    return made


def _measure(target: "Target", made: "Settings", deadline: float) -> "tuple[BenchResult, bool]":
    """The result, and whether the user has interrupted it after some of its iterations."""
    from temporal_dsql_deploy.bench.run import Interrupted
    from temporal_dsql_deploy.bench.run import run as run_benchmark
    from temporal_dsql_deploy.cli.bench.live import watching

    def prove() -> None:
        _probe(target, made.namespace, deadline)

    with watching(made) as watch:
        try:
            return run_benchmark(target, made, prove=prove, tell=watch), False
        except Interrupted as stopped:
            return stopped.result(), True


def _warn_of_unknown_variables() -> None:
    """Say which variables nobody reads: in a container a misspelt one would not be noticed."""
    import difflib

    from temporal_dsql_deploy.bench.options import OPTIONS

    known = [*(option.variable for option in OPTIONS), "BENCHMARK_OUT", "BENCHMARK_REPORT"]
    for name in sorted(os.environ):
        if name.startswith("BENCHMARK_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            guess = f"; did you mean {near[0]}?" if near else ""
            terminal.warning(f"{name} is no variable of the benchmark{guess}")


def _target(
    name: str | None, address: str | None, file: Path | None, data_dir: Path | None
) -> "Target":
    """The cluster to be measured."""
    from temporal_dsql_deploy.bench.run import Target

    if address and name is None:
        return Target(_checked(address))
    if address and address != os.environ.get("TEMPORAL_ADDRESS"):
        raise UsageError(
            f"{name} and --address do not go together",
            cause="both name the cluster to be measured",
            fix="leave one of them out",
        )
    chosen, platform = options.choose(name or "local", file, data_dir)

    def servers() -> "list[Component]":
        return [one for one in platform.status().components if one.name not in _NO_SERVERS]

    def pids() -> list[int]:
        return sorted({one.pid for one in servers() if one.pid is not None})

    def services() -> dict[str, int]:
        return dict(Counter(one.name for one in servers()))

    pages = platform.pages()
    return Target(
        platform.frontend(),
        environment=chosen.name,
        services=services,
        pids=pids,
        pages=[url for page, url in pages.items() if page.startswith("metrics")],
    )


def _checked(address: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(
            f"--address {address} is not right",
            cause="it is a host and a port",
            fix="write it as temporal-frontend:7233",
        )
    return address


def _probe(target: "Target", namespace: str, deadline: float) -> None:
    """See that the cluster works from end to end. Raises BenchmarkFailed."""
    from temporal_dsql_deploy.errors import BenchmarkFailed
    from temporal_dsql_deploy.operations.probe import run as probe

    result = probe.probe(probe.Question(target.address, namespace, deadline, _ignore))
    failed = [check for check in result.checks if not check.ok]
    if failed:
        raise BenchmarkFailed(
            "the cluster does not work, so there is nothing to measure",
            cause="; ".join(f"{check.name}: {check.error}" for check in failed),
            fix=failed[0].meaning,
        )


def _ignore(_: str) -> None:
    pass


def _work(target: "Target", made: "Settings") -> None:
    from temporal_dsql_deploy.bench import apart
    from temporal_dsql_deploy.cli.bench.live import watching

    with watching(made) as watch:
        apart.work(target.address, made, watch)
