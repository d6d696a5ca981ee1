"""Plots as plain geometry, which a template draws as SVG.

Lines are in a box of `WIDTH` by `HEIGHT` that is stretched to whatever width there is; ticks and
labels are placed in percent of it, so that text keeps its size on any screen.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

WIDTH = 1000
HEIGHT = 200
_TICKS = 4
_X_TICKS = 7
_LABEL = 20.0
"""Percent of a narrow plot that the label of a band takes."""
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)
"""Of an axis of seconds."""


@dataclass(frozen=True, slots=True)
class Line:
    """The values of something, one for each position; None where there is none."""

    name: str
    colour: str
    """`a` to `d`, `under` for a wide one below others, or `target`: a class of the style sheet."""
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Band:
    """A part of the x axis that is shaded."""

    begin: float
    end: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What a plot shows."""

    key: str
    title: str
    text: str
    """What to look for, in a sentence."""
    unit: str
    lines: Sequence[Line]
    log: bool = False
    xs: Sequence[float] = ()
    """Positions of the values in units of the x axis; none for the middles of seconds."""
    x_end: float = 0.0
    x_ticks: Sequence[tuple[float, str]] = ()
    x_names: Callable[[float, float], str] = field(default=lambda begin, _: f"{begin:g}")
    """What a position, or a range of them, is called when it is pointed at."""
    bands: Sequence[Band] = ()
    marks: Sequence[tuple[float, str]] = ()
    """Positions on the x axis with a name."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis: pixels from the top, or percent from the left."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Path:
    """A line as it is drawn."""

    name: str
    colour: str
    d: str
    """Of single values, or of the medians of parts."""
    area: str
    """From the least to the greatest of each part; empty where they are one."""


@dataclass(frozen=True, slots=True)
class Shade:
    """A band as it is drawn, in percent."""

    left: float
    width: float
    label: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A plot, ready for the template."""

    chart: Chart
    paths: list[Path]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    shades: list[Shade]
    marks: list[Tick]
    part: int
    """How many values, at most, are put together."""
    hover: dict[str, Any]
    """What the page's script shows of the position that is pointed at."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to pixels above the bottom of the box."""

    low: float
    high: float
    log: bool

    def at(self, value: float) -> float:
        """Pixels from the top of the box."""
        if self.log:
            value = max(value, self.low)
            above = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            above = (value - self.low) / (self.high - self.low)
        return round(HEIGHT * (1 - above), 1)

    def ticks(self) -> list[float]:
        """Round values from the bottom to the top."""
        if not self.log:
            step = _step(self.high)
            return [index * step for index in range(round(self.high / step) + 1)]
        decades = math.log10(self.high / self.low)
        wanted = (1, 2, 5) if decades <= 2 else (1,)
        every = max(1, round(decades / _TICKS)) if decades > 2 else 1
        first = math.floor(math.log10(self.low))
        last = math.ceil(math.log10(self.high))
        values = [one * 10.0**power for power in range(first, last + 1, every) for one in wanted]
        edge = 1 + 1e-9
        return [value for value in values if self.low / edge <= value <= self.high * edge]


def scale(values: Iterable[float], *, log: bool) -> Scale:
    """One that holds all values, with round ends; from 0 where it is linear."""
    known = [value for value in values if math.isfinite(value) and (value > 0 or not log)]
    most = max(known, default=1.0)
    if not log:
        step = _step(most or 1.0)
        return Scale(0.0, step * max(1, math.ceil(most / step - 1e-9)), log=False)
    low, high = _round(min(known, default=1.0), math.floor), _round(most, math.ceil)
    return Scale(low, high if high > low else 10 * low, log=True)


def _step(most: float) -> float:
    """A round step of about a quarter of it."""
    rough = most / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= rough * (1 - 1e-9))


def _round(value: float, how: Callable[[float], int]) -> float:
    """The next of 1, 2, 5, 10, 20, ... below or above."""
    power = math.floor(math.log10(value))
    steps = [one * 10.0**at for at in (power - 1, power, power + 1) for one in (1, 2, 5)]
    if how is math.floor:
        return max(step for step in steps if step <= value * (1 + 1e-9))
    return min(step for step in steps if step >= value * (1 - 1e-9))


@dataclass(frozen=True, slots=True)
class Part:
    """Neighbouring values, put together."""

    place: float
    """The middle of their places."""
    least: float
    median: float
    greatest: float


def thinned(values: Sequence[float | None], most: int) -> list[Part | None]:
    """The values in `most` parts, or each for itself when there are at most twice as many.

    What is None throughout stays a hole.
    """
    made: list[Part | None] = []
    for begin, end in cut(len(values), most):
        known = [value for value in values[begin:end] if value is not None]
        made.append(
            Part((begin + end - 1) / 2, min(known), median(known), max(known)) if known else None
        )
    return made


def cut(length: int, most: int) -> list[tuple[int, int]]:
    """The parts of a line of so many values."""
    return parts(length, 2 * most if length <= 2 * most else most)


def parts(length: int, most: int) -> list[tuple[int, int]]:
    """So many places cut into `most` parts at most, all nearly alike."""
    number = min(length, most)
    return [(part * length // number, (part + 1) * length // number) for part in range(number)]


def draw(chart: Chart, *, parts_at_most: int, number: Callable[[float], str]) -> Drawing:
    """The geometry of a chart, in which no line has many more points than the parts."""
    length = max((len(line.values) for line in chart.lines), default=0)
    xs = chart.xs or [place + 0.5 for place in range(length)]
    end = chart.x_end or float(length) or 1.0
    values = [value for line in chart.lines for value in line.values if value is not None]
    ys = scale(values, log=chart.log)
    return Drawing(
        chart=chart,
        paths=[_drawn(line, xs, end, ys, parts_at_most) for line in chart.lines],
        x_ticks=[Tick(_percent(at, end), label) for at, label in chart.x_ticks],
        y_ticks=[Tick(ys.at(value), number(value)) for value in ys.ticks()],
        shades=_shades(chart, end),
        marks=[Tick(_percent(at, end), label) for at, label in chart.marks if 0 < at < end],
        part=max((end - begin for begin, end in cut(length, parts_at_most)), default=1),
        hover=_hover(chart, xs, end, parts_at_most),
    )


def _shades(chart: Chart, end: float) -> list[Shade]:
    """The bands; one that is close behind another has no label, as there is no room for it."""
    made: list[Shade] = []
    labelled = -_LABEL
    for band in chart.bands:
        left, width = _percent(band.begin, end), _percent(band.end - band.begin, end)
        has_room = left + width / 2 - labelled >= _LABEL
        labelled = left + width / 2 if has_room else labelled
        made.append(Shade(left, width, band.label if has_room else ""))
    return made


def _percent(at: float, end: float) -> float:
    return round(100 * at / end, 2)


def _drawn(line: Line, xs: Sequence[float], end: float, ys: Scale, most: int) -> Path:
    """A path; a value between two holes becomes a dash over its own place."""
    runs: list[list[Part]] = [[]]
    for part in thinned(line.values, most):
        if part is not None:
            runs[-1].append(part)
        elif runs[-1]:
            runs.append([])

    def points(run: Sequence[Part], value: Callable[[Part], float]) -> str:
        return " ".join(
            f"{WIDTH * _between(xs, part.place) / end:.1f} {ys.at(value(part)):g}" for part in run
        )

    def path(run: Sequence[Part]) -> str:
        if len(run) > 1:
            return f"M{points(run, _median)}"
        half = 0.4 * WIDTH / max(1, len(line.values))
        return f"M{points(run, _median)}m{-half:.1f} 0h{2 * half:.1f}"

    known = [run for run in runs if run]
    return Path(
        name=line.name,
        colour=line.colour,
        d=" ".join(path(run) for run in known),
        area=" ".join(
            f"M{points(run, lambda part: part.greatest)} "
            f"{points(run[::-1], lambda part: part.least)}Z"
            for run in known
            if any(part.least < part.greatest for part in run)
        ),
    )


def _median(part: Part) -> float:
    return part.median


def _between(xs: Sequence[float], place: float) -> float:
    """The position of a place, which may be half way to the next."""
    return (xs[math.floor(place)] + xs[math.ceil(place)]) / 2


def _hover(chart: Chart, xs: Sequence[float], end: float, most: int) -> dict[str, Any]:
    """By part of the x axis: where it is, what it is called, and each line's range of values."""
    places = cut(len(xs), most) if xs else []
    return {
        "unit": chart.unit,
        "at": [round(_percent((xs[begin] + xs[last - 1]) / 2, end), 1) for begin, last in places],
        "names": [chart.x_names(xs[begin], xs[last - 1]) for begin, last in places],
        "lines": [
            {
                "name": line.name,
                "values": [_range(line.values[begin:last]) for begin, last in places],
            }
            for line in chart.lines
        ],
    }


def _range(values: Sequence[float | None]) -> list[float]:
    """The least and the greatest, once where they are alike; empty where there is none."""
    known = [float(f"{value:.4g}") for value in values if value is not None]
    return sorted({min(known), max(known)}) if known else []


def second_ticks(length: float) -> list[float]:
    """Round seconds on an axis of so many."""
    step = next((one for one in _STEPS if length / one <= _X_TICKS), 3600)
    return [float(at) for at in range(0, int(length) + 1, step)]
