"""`dsql-deploy bench compare A B`."""

from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.bench.results import ResultsDirectory
from temporal_dsql_deploy.cli.console import table, terminal

EXAMPLE = "dsql-deploy bench compare benchmark-20261121-093000 last"
if TYPE_CHECKING:
    from temporal_dsql_deploy.bench.compare import Comparison

Which = Annotated[str, typer.Argument(help="A result: its id, a file, or `last`.")]


def compare(
    a: Which, b: Which, results_dir: ResultsDirectory = None, as_json: options.Json = False
) -> None:
    """Say what differs between two results, and whether that is more than noise."""
    from temporal_dsql_deploy.bench import store
    from temporal_dsql_deploy.bench.compare import compare as compare_results

    folder = store.folder(results_dir)
    found = compare_results(store.load(a, folder)[0], store.load(b, folder)[0])
    if as_json:
        terminal.result(found)
    else:
        _show(found)


def _show(found: "Comparison") -> None:
    rows = [
        (
            metric.name,
            _number(metric.a, metric.unit),
            _number(metric.b, metric.unit),
            "" if metric.percent is None else f"{metric.percent:+.1f} %",
            "" if metric.noise_percent is None else f"± {metric.noise_percent:.1f} %",
            metric.verdict,
        )
        for metric in found.metrics
    ]
    terminal.render(table(["", "A", "B", "difference", "noise", ""], rows))
    terminal.text("", "Means of the iterations; noise: what they may differ by and show nothing.")
    terminal.text(found.sentence)
    for setting in found.settings:
        terminal.text(f"{setting.name}: {setting.a} in A, {setting.b} in B")
    for caution in found.cautions:
        terminal.warning(caution)


def _number(value: float | None, unit: str) -> str:
    from temporal_dsql_deploy.bench.report.numbers import milliseconds, short

    if value is None:
        return ""
    return milliseconds(value) if unit == "ms" else f"{short(value)} {unit}".strip()
