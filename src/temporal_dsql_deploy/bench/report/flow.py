"""Where all workflows went, as a picture: bands from one state to the next, as wide as many."""

from dataclasses import dataclass

from temporal_dsql_deploy.bench.report.numbers import count, part
from temporal_dsql_deploy.bench.results import Counts

_ALL = 130.0
"""Pixels of what was due."""
_LABEL = 40.0
"""Pixels that the two lines of a label take."""
_GAP = 10.0
_THINNEST = 1.5
"""One lost workflow of a million is to be seen."""
_COLUMNS = (0.0, 27.0, 54.0, 80.0)
"""Percent."""


@dataclass(frozen=True, slots=True)
class Node:
    """A state, and how many came to it."""

    name: str
    kind: str
    """`good`, `bad` or `none`: a class of the style sheet."""
    number: str
    share: str
    """Of those due."""
    left: float
    """Percent."""
    top: float
    """Pixels, as `height`."""
    height: float


@dataclass(frozen=True, slots=True)
class Ribbon:
    """What went from one state to another."""

    kind: str
    d: str
    """An SVG path in a box 1000 wide."""


@dataclass(frozen=True, slots=True)
class Flow:
    """The picture."""

    nodes: list[Node]
    ribbons: list[Ribbon]
    height: float
    sentence: str
    """The same in words."""


def flow(counts: Counts) -> Flow:
    """The picture of an iteration, or of several together."""
    # Those that were found although their start was given up came by way of "rejected".
    late = min(counts.unconfirmed, counts.completed)
    columns = (
        (("Due", "good", counts.due),),
        (("Sent", "good", counts.sent), ("Dropped", "bad", counts.dropped)),
        (("Accepted", "good", counts.accepted), ("Rejected", "bad", counts.rejected)),
        (
            ("Completed", "good", counts.completed),
            ("Failed", "bad", counts.failed),
            ("Unfinished", "bad", counts.unfinished),
            ("Lost", "bad", counts.lost),
        ),
    )
    placed = {
        node.name: node
        for left, column in zip(_COLUMNS, columns, strict=True)
        for node in _column(left, column, counts.due)
    }
    streams = (
        ("Due", "Sent", counts.sent),
        ("Due", "Dropped", counts.dropped),
        ("Sent", "Accepted", counts.accepted),
        ("Sent", "Rejected", counts.rejected),
        ("Accepted", "Completed", counts.completed - late),
        ("Accepted", "Failed", counts.failed),
        ("Accepted", "Unfinished", counts.unfinished),
        ("Accepted", "Lost", counts.lost),
        ("Rejected", "Completed", late),
    )
    return Flow(
        nodes=list(placed.values()),
        ribbons=_ribbons(placed, streams, counts.due),
        height=max(node.top + max(node.height, _LABEL) for node in placed.values()) + 2,
        sentence=_sentence(counts),
    )


def _column(left: float, states: tuple[tuple[str, str, int], ...], due: int) -> list[Node]:
    made = []
    top = 0.0
    for name, kind, number in states:
        height = _height(number, due)
        made.append(
            Node(
                name=name,
                kind=kind if number else "none",
                number=count(number),
                share=part(number, due) if number else "",
                left=left,
                top=round(top, 1),
                height=height,
            )
        )
        top += max(height, _LABEL) + _GAP
    return made


def _height(number: int, due: int) -> float:
    return round(max(_THINNEST, _ALL * number / due), 1) if number and due else 0.0


def _ribbons(
    placed: dict[str, Node], streams: tuple[tuple[str, str, int], ...], due: int
) -> list[Ribbon]:
    leaving = {name: node.top for name, node in placed.items()}
    coming = dict(leaving)
    made = []
    for source, target, number in streams:
        if number <= 0:
            continue
        height = _height(number, due)
        kind = placed[target].kind
        begin, end = placed[source].left * 10, placed[target].left * 10
        made.append(Ribbon(kind, _bent(begin, leaving[source], end, coming[target], height)))
        leaving[source] += height
        coming[target] += height
    return made


def _bent(x0: float, y0: float, x1: float, y1: float, height: float) -> str:
    middle = (x0 + x1) / 2
    below, beyond = y0 + height, y1 + height
    return (
        f"M{x0:g} {y0:.1f}C{middle:g} {y0:.1f} {middle:g} {y1:.1f} {x1:g} {y1:.1f}V{beyond:.1f}"
        f"C{middle:g} {beyond:.1f} {middle:g} {below:.1f} {x0:g} {below:.1f}Z"
    )


def _sentence(counts: Counts) -> str:
    said = (
        f"Of {count(counts.due)} workflows due {count(counts.dropped)} were dropped and "
        f"{count(counts.sent)} sent; the server rejected {count(counts.rejected)} of these and "
        f"accepted {count(counts.accepted)}; {count(counts.completed)} completed, "
        f"{count(counts.failed)} failed, {count(counts.unfinished)} did not finish in time and "
        f"{count(counts.lost)} were lost."
    )
    if counts.unconfirmed:
        said += (
            f" {count(counts.unconfirmed)} whose start was given up were found at the server all "
            "the same, and are counted where they ended."
        )
    return said
