"""`dsql-deploy bench results`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import table, terminal

if TYPE_CHECKING:
    from temporal_dsql_deploy.bench.results import BenchResult

EXAMPLE = "dsql-deploy bench results"
_EVIDENCE = 3
"""Lines of it that are shown; the report has all."""
ResultsDirectory = Annotated[
    Path | None,
    typer.Option(
        "--results-dir",
        metavar="FOLDER",
        envvar="DSQL_DEPLOY_RESULTS_DIR",
        help="Where results are kept.",
    ),
]


def results(
    which: Annotated[
        str | None,
        typer.Argument(metavar="RESULT", help="One of them: its id, a file, or `last`."),
    ] = None,
    results_dir: ResultsDirectory = None,
    as_json: options.Json = False,
) -> None:
    """List the results of benchmarks, or show one."""
    from temporal_dsql_deploy.bench import store

    folder = store.folder(results_dir)
    if which is not None:
        result, saved = store.load(which, folder)
        if as_json:
            terminal.result(result)
        else:
            show(result)
            terminal.text(f"report: {saved.report}")
        return
    listed = store.listed(folder)
    if as_json:
        terminal.result(listed)
        return
    rows = [
        (
            one.id,
            f"{one.timestamp:%Y-%m-%d %H:%M}",
            one.environment or one.address,
            one.workload,
            f"{one.target_rate:g}/s",
            f"{one.throughput:.1f}/s",
            f"{one.p99:.0f} ms",
            "OK" if one.passed else "FAILED",
        )
        for one in listed.results
    ]
    columns = ["result", "when", "of", "workload", "target", "throughput", "p99", ""]
    if rows:
        terminal.render(table(columns, rows))
    else:
        terminal.text(f"no results in {folder}")


def show(result: "BenchResult") -> None:
    """A result in a few lines."""
    whole = result.results
    took = whole.latency
    config = result.config
    rows = [
        ("verdict", "OK" if result.passed else "FAILED"),
        ("load", f"{config.workflow_type}, {config.target_rate:g}/s for {config.duration}"),
        ("throughput", f"{whole.actual_rate:.1f}/s completed"),
        ("success", f"{whole.success_rate:.2%} of what was due"),
        (
            "latency",
            f"p50 {took.p50:.0f}, p95 {took.p95:.0f}, p99 {took.p99:.0f}, max {took.max:.0f} ms",
        ),
        ("workflows", _went(result)),
        ("result", result.id),
    ]
    terminal.render(table(["benchmark", ""], rows))
    for reason in result.failure_reasons:
        terminal.text(f"threshold missed: {reason}")
    for one in result.iterations:
        name = "bottleneck" if len(result.iterations) == 1 else f"bottleneck of {one.number}"
        terminal.text(f"{name}: {one.bottleneck.sentence}")
        for evidence in one.bottleneck.evidence[:_EVIDENCE]:
            terminal.text(f"  {evidence}")


def _went(result: "BenchResult") -> str:
    """Where all workflows went: those due, those completed, and whatever else there was."""
    names = ("due", "dropped", "rejected", "completed", "failed", "unfinished", "lost")
    counts = {name: sum(getattr(one.counts, name) for one in result.iterations) for name in names}
    said = (name for name in names if counts[name] or name in {"due", "completed"})
    return ", ".join(f"{counts[name]} {name}" for name in said)
