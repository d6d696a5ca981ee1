"""The report: what it says of a result, and the geometry of its pictures."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import ClassVar
from xml.etree import ElementTree

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from temporal_dsql_deploy.bench import report
from temporal_dsql_deploy.bench.report import numbers, plot
from temporal_dsql_deploy.bench.report.charts import charts
from temporal_dsql_deploy.bench.report.flow import flow
from temporal_dsql_deploy.bench.report.gaps import gaps
from temporal_dsql_deploy.bench.report.page import page
from temporal_dsql_deploy.bench.results import BenchResult, Counts, Iteration, Second
from tests.support.bench_results import Load, result

STYLE = (Path(report.__file__).parent / "templates/style.css").read_text()
BAD = Load(seconds=40, rate=40.0, dropped=0.02, rejected=0.01, failed=0.01, lost=2, away=(12, 18))
VALUES = st.none() | st.floats(0, 1e6)
NUMBERS = st.integers(0, 100_000)


@cache
def base() -> BenchResult:
    return result(Load(seconds=5, rate=5.0))


@cache
def bad() -> BenchResult:
    return result(BAD)


class Text(HTMLParser):
    """What a reader sees, and whether every element is closed."""

    VOID: ClassVar = {"meta", "link", "br", "line", "rect", "path"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.ids: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.words += data.split()

    def __str__(self) -> str:
        return " ".join(self.words)


def text(made: BenchResult) -> str:
    return str(Text(page(made)))


def test_the_verdict_comes_first_with_its_reasons() -> None:
    assert bad().failure_reasons
    said = text(replace(bad(), warnings=["the namespace was not emptied"]))
    verdict = said.split("Target")[0]
    assert "Failed" in verdict
    assert all(reason in verdict for reason in bad().failure_reasons)
    assert "Warning: the namespace was not emptied" in verdict
    bottleneck = bad().iterations[0].bottleneck
    assert f"No bottleneck. {bottleneck.sentence}" in verdict
    assert all(evidence in verdict for evidence in bottleneck.evidence)
    assert "Passed All thresholds were met." in text(base())


def test_key_figures_are_those_of_the_result() -> None:
    said = text(bad())
    counts, latency = bad().iterations[0].counts, bad().results.latency
    for name, value in [
        ("Target", "40/s"),
        ("Sent", f"{counts.sent:,}"),
        ("Accepted", f"{counts.accepted:,}"),
        ("Completed", f"{counts.completed:,}"),
        ("Throughput", f"{numbers.short(bad().results.actual_rate)}/s"),
        ("p99 latency", numbers.milliseconds(latency.p99)),
        ("Max latency", numbers.milliseconds(latency.max)),
    ]:
        assert f"{name} {value}" in said


def test_a_server_that_was_away_is_shaded_and_named() -> None:
    (gap,) = gaps(bad().iterations[0].series)
    assert (gap.begin, gap.end) == BAD.away
    made = page(bad())
    assert f"Gap: {gap}" in made
    assert made.count(">gap 6 s</text>") == 7


def test_errors_failures_workers_and_database_are_listed() -> None:
    said = text(bad())
    one = bad().iterations[0]
    for cause, number in [*one.rejections.items(), *one.failures.items()]:
        assert f"{cause} {number}" in said
    assert "UpdateWorkflowExecution 5.6" in said
    assert all(
        f"{worker.identity} 0.3 4 10 10 {worker.workflow_tasks}" in said for worker in one.workers
    )


def test_the_whole_configuration_and_system_are_there() -> None:
    said = text(base())
    for name in base().config.options:
        assert f"--{name.replace('_', '-')}" in said
    assert "history shards 512" in said
    assert "frontend: 2, history: 3" in said


def test_several_iterations_have_a_table_and_a_section_each() -> None:
    made = Text(page(result(Load(seconds=5, rate=5.0, iterations=3))))
    assert {f"iteration-{number}" for number in (1, 2, 3)} <= set(made.ids)
    assert "± 95 %" in str(made)
    assert len(made.ids) == len(set(made.ids))


def test_what_stands_in_a_result_is_text_and_never_markup() -> None:
    evil = "</script><script>alert(1)</script>"
    one = base().iterations[0]
    one = replace(
        one,
        workers=[replace(one.workers[0], identity=evil)],
        rejections={evil: 1},
        bottleneck=replace(one.bottleneck, sentence=evil, evidence=[evil]),
    )
    made = page(replace(base(), id=evil, iterations=[one], warnings=[evil]))
    assert "alert(1)" in made
    assert "<script>alert" not in made


def dead() -> Iteration:
    """One in which nothing happened."""
    one = base().iterations[0]
    empty = replace(one.latency, count=0, mean=0, p50=0, p99=0, max=0, histogram="")
    return replace(
        one,
        counts=Counts(**dict.fromkeys(Counts.__dataclass_fields__, 0)),
        series=[Second(0, 0.0, 0, 0, 0, 0, 0, 0, 0, 0, None, None, None, None, None)],
        workers=[],
        latency=empty,
        start_latency=empty,
        lag=empty,
        client_latency=empty,
        schedule_to_start=None,
        activity_schedule_to_start=None,
    )


def unconfirmed() -> Iteration:
    one = base().iterations[0]
    return replace(one, counts=replace(one.counts, rejected=2, unconfirmed=1))


EDGES: dict[str, Callable[[], BenchResult]] = {
    "nothing happened": lambda: replace(base(), iterations=[dead()]),
    "no second": lambda: replace(base(), iterations=[replace(dead(), series=[])]),
    "no iteration": lambda: replace(base(), iterations=[]),
    "server not seen": lambda: result(Load(seconds=3, rate=3.0, server_seen=False)),
    "all dropped": lambda: result(Load(seconds=3, rate=3.0, dropped=1.0)),
    "one second": lambda: result(Load(seconds=1, rate=1.0)),
    "unconfirmed": lambda: replace(base(), iterations=[unconfirmed()]),
}


@pytest.mark.parametrize("name", EDGES)
def test_there_is_a_page_of_whatever_happened(name: str) -> None:
    said = text(EDGES[name]())
    assert "What the words mean" in said
    assert not {"nan", "inf", "None"} & set(said.split())


def test_every_picture_is_well_formed_and_told_in_words() -> None:
    made = page(bad())
    starts = [match.start() for match in re.finditer(r'<svg [^>]*role="img"', made)]
    assert len(starts) == 9
    for start in starts:
        picture = made[start : _end(made, start)]
        root = ElementTree.fromstring(picture)  # noqa: S314 - it is our own
        assert [child.tag for child in root[:2]] == ["title", "desc"]
        assert all(len((child.text or "").split()) > 2 for child in root[:2])


def _end(made: str, start: int) -> int:
    depth = 0
    for match in re.finditer(r"<svg|</svg>", made[start:]):
        depth += 1 if match[0] == "<svg" else -1
        if not depth:
            return start + match.end()
    raise AssertionError("an svg is not closed")


def test_a_page_says_the_same_of_the_same() -> None:
    assert page(bad()) == page(bad())


def test_it_loads_nothing() -> None:
    made = page(bad())
    assert not re.findall(r"https?://|@import|url\(", made)
    assert re.findall(r'(?:src|href)="([^"#]*)', made) == ["data:,"]


def test_an_hour_stays_small() -> None:
    second = bad().iterations[0].series
    hour = [replace(second[at % len(second)], second=at) for at in range(3600)]
    one = replace(bad().iterations[0], series=hour)
    assert len(page(replace(bad(), iterations=[one]))) < 1_000_000
    five = [replace(one, number=number) for number in range(1, 6)]
    assert len(page(replace(bad(), iterations=five))) < 2_000_000


@given(st.lists(VALUES, max_size=400), st.integers(1, 40))
def test_thinning_keeps_the_extremes_and_the_holes(values: list[float | None], most: int) -> None:
    kept = plot.thinned(values, most)
    assert len(kept) <= 2 * most
    known = [value for value in values if value is not None]
    drawn = [part for part in kept if part]
    assert min((part.least for part in drawn), default=None) == min(known, default=None)
    assert max((part.greatest for part in drawn), default=None) == max(known, default=None)
    assert all(part.least <= part.median <= part.greatest for part in drawn)
    assert [part.place for part in drawn] == sorted({part.place for part in drawn})
    for (begin, end), part in zip(plot.cut(len(values), most), kept, strict=True):
        assert (part is None) == all(value is None for value in values[begin:end])


@given(st.integers(1, 5000), st.integers(1, 300))
def test_parts_are_all_of_it_and_nearly_alike(length: int, most: int) -> None:
    made = plot.parts(length, most)
    assert [place for begin, end in made for place in range(begin, end)] == list(range(length))
    sizes = {end - begin for begin, end in made}
    assert max(sizes) - min(sizes) <= 1


@given(values=st.lists(st.floats(0, 1e9), max_size=30), log=st.booleans())
def test_an_axis_holds_all_values_and_has_a_few_round_ticks(
    *, values: list[float], log: bool
) -> None:
    assume(not any(0 < value < 1e-6 for value in values))
    axis = plot.scale(values, log=log)
    assert all(-0.1 <= axis.at(value) <= plot.HEIGHT + 0.1 for value in values)
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 9
    assert ticks == sorted(set(ticks))
    assert all(0 <= axis.at(tick) <= plot.HEIGHT for tick in ticks)


@given(values=st.lists(st.floats(1e-3, 1e6), min_size=2, max_size=30), log=st.booleans())
def test_more_is_higher(*, values: list[float], log: bool) -> None:
    axis = plot.scale(values, log=log)
    heights = [axis.at(value) for value in sorted(values)]
    assert heights == sorted(heights, reverse=True)


def seconds(completed: Sequence[int], is_open: Sequence[int]) -> list[Second]:
    template = base().iterations[0].series[0]
    return [
        replace(template, second=at, completed=done, failed=0, open=left)
        for at, (done, left) in enumerate(zip(completed, is_open, strict=True))
    ]


def test_a_quiet_second_is_no_gap_where_completions_are_rare() -> None:
    assert not gaps(seconds([1, 0, 1, 0, 1], [1, 1, 1, 1, 1]))
    assert not gaps(seconds([20, 0, 20], [0, 0, 0]))
    assert not gaps(seconds([0, 0, 20, 20], [20, 40, 40, 20]))
    assert not gaps(seconds([20, 0, 20], [20, 40, 20]))
    assert not gaps(seconds([20, 0, 0, 0, 1], [1, 1, 1, 1, 0]))
    (gap,) = gaps(seconds([20, 0, 0, 20], [5, 25, 45, 25]))
    assert (gap.begin, gap.end, gap.open) == (1, 3, 45)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 50)), max_size=60))
def test_gaps_are_seconds_without_a_completion_while_workflows_are_open(
    drawn: list[tuple[int, int]],
) -> None:
    series = seconds([done for done, _ in drawn], [left for _, left in drawn])
    found = gaps(series)
    inside = {second for gap in found for second in range(gap.begin, gap.end)}
    assert all(not series[second].completed and series[second].open for second in inside)
    assert len(inside) == sum(gap.seconds for gap in found)


def test_labels_of_bands_keep_apart() -> None:
    bands = [plot.Band(at, at + 2, f"gap at {at}") for at in (10, 14, 40, 50, 60)]
    chart = plot.Chart("key", "title", "text", "", [], bands=bands, x_end=100)
    shades = plot.draw(chart, parts_at_most=10, number=numbers.short).shades
    assert [one.label for one in shades] == ["gap at 10", "", "gap at 40", "", "gap at 60"]
    assert [one.left for one in shades] == [10, 14, 40, 50, 60]


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_the_picture_of_the_flow_shows_whoever_was_there(
    dropped: int, rejected: int, completed: int, failed: int, lost: int
) -> None:
    accepted = completed + failed + lost
    sent = accepted + rejected
    counts = Counts(
        due=sent + dropped,
        dropped=dropped,
        sent=sent,
        accepted=accepted,
        rejected=rejected,
        completed=completed,
        failed=failed,
        unfinished=0,
        lost=lost,
        unconfirmed=0,
    )
    made = flow(counts)
    by_name = {node.name: node for node in made.nodes}
    for name, number in [("Dropped", dropped), ("Lost", lost), ("Completed", completed)]:
        assert by_name[name].number == f"{number:,}"
        assert (by_name[name].height > 0) == (number > 0)
    assert len(made.ribbons) == sum(
        number > 0 for number in (sent, dropped, accepted, rejected, completed, failed, lost)
    )
    assert all(node.top + node.height <= made.height for node in made.nodes)


def test_the_percentile_curve_ends_at_the_greatest() -> None:
    one = bad().iterations[0]
    (curve,) = [it for it in charts(one, last_start=40) if it.key == "percentiles"]
    values = [value for value in curve.lines[0].values if value is not None]
    assert values == sorted(values)
    assert values[-1] == pytest.approx(one.latency.max, rel=1e-3)
    place = next(at for at, x in enumerate(curve.xs) if x >= 2)
    assert values[place] == pytest.approx(one.latency.p99, rel=0.05)


@given(st.floats(0, 1))
def test_only_all_are_all_and_only_none_are_none(value: float) -> None:
    assert (numbers.share(value) == "100 %") == (value == 1)
    assert (numbers.share(value) == "0 %") == (value == 0)


@given(st.floats(1e-6, 1e9))
def test_a_number_is_said_with_three_digits_at_least(value: float) -> None:
    said = float(numbers.short(value).replace(",", ""))
    assert said == pytest.approx(value, rel=0.005)


def colours(*, dark: bool) -> dict[str, str]:
    light, _, rest = STYLE.partition("@media screen and (prefers-color-scheme: dark)")
    return dict(re.findall(r"--([\w-]+): (#\w{6});", rest if dark else light))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return sum(share * one for share, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("dark", [False, True])
def test_colours_have_the_contrast_that_wcag_asks_for(*, dark: bool) -> None:
    """4.5 for text, 3 for lines."""
    known = colours(dark=dark)

    def contrast(one: str, other: str) -> float:
        darker, lighter = sorted(luminance(known[it]) for it in (one, other))
        return (lighter + 0.05) / (darker + 0.05)

    texts = [(name, back) for name in ("ink", "soft") for back in ("card", "back")]
    texts += [(name, "card") for name in ("good", "bad", "gap-ink", "a")]
    lines = [(name, "card") for name in ("b", "c", "d", "target")]
    assert all(contrast(*pair) >= 4.5 for pair in texts)
    assert all(contrast(*pair) >= 3 for pair in lines)
