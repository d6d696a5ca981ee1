"""A result as one page of HTML, which needs nothing else and asks nobody."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from functools import partial

from jinja2 import Environment, PackageLoader, StrictUndefined

from temporal_dsql_deploy.bench.option import Duration
from temporal_dsql_deploy.bench.report import tables
from temporal_dsql_deploy.bench.report.charts import charts
from temporal_dsql_deploy.bench.report.flow import flow
from temporal_dsql_deploy.bench.report.gaps import gaps
from temporal_dsql_deploy.bench.report.numbers import milliseconds, short
from temporal_dsql_deploy.bench.report.plot import HEIGHT, WIDTH, Chart, Drawing, draw
from temporal_dsql_deploy.bench.report.tables import Table
from temporal_dsql_deploy.bench.results import BenchResult, Iteration, Verdict

_MOST_PARTS = 240
_LEAST_PARTS = 20
_ALL_PARTS = 360
"""Of all iterations together: what keeps the page small, however long they are."""


@dataclass(frozen=True, slots=True)
class Section:
    """All of one iteration."""

    iteration: Iteration
    began: str
    notes: list[str]
    drawings: list[Drawing]
    wide: list[Table]
    lists: list[Table]
    """Those of which two stand side by side."""
    numbers: Table


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and of which iterations."""

    title: str
    verdict: Verdict
    is_open: bool
    """Whether its evidence is shown at once."""


def page(result: BenchResult) -> str:
    """The report. The same result always gives the same page."""
    environment = Environment(
        loader=PackageLoader("temporal_dsql_deploy.bench.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    many = len(result.iterations) > 1
    return environment.get_template("page.html.j2").render(
        result=result,
        began=f"{result.timestamp.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        what=_what(result),
        judgements=list(_judgements(result)),
        figures=tables.figures(result),
        flow=flow(tables.summed(result.iterations)),
        iterations=tables.over_iterations(result.iterations) if many else None,
        sections=[_section(result, one) for one in result.iterations],
        configuration=tables.configuration(result),
        system=tables.system(result),
        width=WIDTH,
        height=HEIGHT,
    )


def _what(result: BenchResult) -> str:
    config, system = result.config, result.system
    times = f", {config.iterations} times" if config.iterations > 1 else ""
    return (
        f"{config.workflow_type}, {short(config.target_rate)} workflows a second for "
        f"{config.duration}{times}, on {system.environment or system.address} "
        f"(Temporal {system.server_version})"
    )


def _judgements(result: BenchResult) -> Iterable[Judgement]:
    many = len(result.iterations) > 1
    for one in result.iterations:
        party = one.bottleneck.party
        said = "no bottleneck" if party == "none" else f"bottleneck: {party}"
        title = f"Iteration {one.number}, {said}" if many else said.capitalize()
        yield Judgement(title, one.bottleneck, is_open=not many)


def _section(result: BenchResult, one: Iteration) -> Section:
    most = min(_MOST_PARTS, max(_LEAST_PARTS, _ALL_PARTS // len(result.iterations)))
    last_start = Duration.parse(result.config.duration).seconds
    return Section(
        iteration=one,
        began=f"{one.began.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        notes=list(_notes(one)),
        drawings=[
            # A curve has few points, however long the run.
            draw(chart, parts_at_most=_MOST_PARTS if chart.xs else most, number=_axis(chart))
            for chart in charts(one, last_start=last_start)
        ],
        wide=[tables.latencies(one), *tables.workers(one)],
        lists=tables.lists(one),
        numbers=tables.numbers(one, rows=most // 4),
    )


def _axis(chart: Chart) -> partial[str]:
    return partial(milliseconds) if chart.unit == "ms" else partial(short)


def _notes(one: Iteration) -> Iterable[str]:
    for gap in gaps(one.series):
        yield f"Gap: {gap}, as when a server or all workers are away."
    yield (
        f"{one.state_transitions:,} state transitions, "
        f"{short(one.state_transitions_per_second)} a second from the first start to the last "
        "completion."
    )
    way = "ahead of" if one.clock_offset >= 0 else "behind"
    unsure = one.clock_uncertainty
    known = "which is a guess" if unsure is None else f"known to ± {short(unsure)} ms"
    yield (
        f"The server's clock was {short(abs(one.clock_offset))} ms {way} the generator's, "
        f"{known}; it is taken out of all latencies."
    )
    if one.counts.unconfirmed:
        yield (
            f"{one.counts.unconfirmed:,} workflows were found at the server although their start "
            "was given up."
        )
