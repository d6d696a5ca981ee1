"""The picture as an SVG document: boxes and lines above, the exact matrix below.

Places are chosen for what a Temporal cluster has; a party that is not known here gets the next free
place, so that nothing is left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from temporal_dsql_deploy.plan.diagram.picture import Link, Picture
from temporal_dsql_deploy.topology import load

_WIDTH = 1240
_BOX = (168, 62)

_ROLES = ("frontend", "history", "matching", "worker")
_PLACES = {
    "client": (560, 128),
    "client-vpn": (300, 128),
    "load-balancer": (820, 128),
    "ui": (230, 300),
    "frontend": (560, 300),
    "benchmark": (960, 300),
    "worker": (800, 400),
    "history": (430, 500),
    "matching": (690, 500),
    "grafana": (190, 420),
    "loki": (190, 560),
    "adot": (190, 660),
    "visibility": (690, 660),
    "opensearch-setup": (960, 660),
    "instances": (960, 530),
    "database": (430, 800),
    "internet": (800, 800),
}
_TITLES = {
    "client": "clients (group “client”)",
    "client-vpn": "operators by Client VPN",
    "load-balancer": "load balancer",
    "ui": "UI",
    "grafana": "Grafana",
    "loki": "Loki",
    "adot": "ADOT collector",
    "visibility": "OpenSearch",
    "opensearch-setup": "OpenSearch set-up",
    "database": "Aurora DSQL",
    "internet": "internet, by NAT",
    "instances": "EC2 instances",
}
_OUTSIDE = {"client-vpn", "database", "internet"}
_STYLE = Path(__file__).with_name("style.css").read_text()
_ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0L8 4L0 8z" fill="#7b8794"/></marker></defs>'
)


@dataclass(frozen=True, slots=True)
class _Line:
    """What is drawn as one line: one or several ports of the same pair."""

    source: str
    target: str
    ports: tuple[int, ...]


def draw(picture: Picture) -> str:
    """An SVG document, which needs nothing but itself."""
    places = _places(picture)
    bottom = max((y for _, y in places.values()), default=200) + 70
    body = [
        *_frame(picture, places),
        *_lines(picture, places),
        *_boxes(picture, places),
    ]
    matrix, height = _matrix(picture, bottom)
    calls, height = _calls(picture, height)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(picture.project)}">'
    )
    return "\n".join(
        [
            opening,
            f"<style>{_STYLE}</style>",
            _ARROW,
            '<rect width="100%" height="100%" fill="#fff"/>',
            _text(40, 44, picture.project, "title"),
            *body,
            *matrix,
            *calls,
            "</svg>",
            "",
        ]
    )


def _places(picture: Picture) -> dict[str, tuple[int, int]]:
    """Middle of each party's box."""
    known = {name: place for name, place in _PLACES.items() if name in picture.parties}
    others = [name for name in picture.parties if name not in known and name not in _PLACES]
    free = ((130 + 190 * (i % 6), 900 + 90 * (i // 6)) for i in range(len(others)))
    return {**known, **dict(zip(others, free, strict=True))}


def _frame(picture: Picture, places: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    inside = [y for name, (_, y) in places.items() if name not in _OUTSIDE and y < 780]
    low, high = 190, max(inside, default=500) + 56
    yield _rect(40, low, _WIDTH - 80, high - low, "vpc")
    zones = " · ".join(
        f"{zone.name} {zone.private}" + (f" + NAT {zone.public}" if zone.public else "")
        for zone in picture.zones
    )
    yield _text(56, low + 22, f"VPC {picture.vpc or '(existing)'}", "name")
    yield _text(56, low + 40, zones, "small")
    roles = [places[name] for name in _ROLES if name in places]
    if roles:
        left, right = min(x for x, _ in roles) - 104, max(x for x, _ in roles) + 104
        top, base = min(y for _, y in roles) - 46, max(y for _, y in roles) + 46
        yield _rect(left, top, right - left, base - top, "ring")
        ports = ", ".join(str(role.ports["membership"]) for role in load().roles.values())
        yield _text(left + 10, base - 8, f"one membership ring: each to each, {ports}", "small")


def _boxes(picture: Picture, places: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    wide, tall = _BOX
    for name, (x, y) in places.items():
        kind = "box role" if name in _ROLES else "box outside" if name in _OUTSIDE else "box"
        yield _rect(x - wide // 2, y - tall // 2, wide, tall, kind)
        yield _text(x, y - 10, _TITLES.get(name, name), "name", middle=True)
        for number, line in enumerate(picture.parties[name].details[:2]):
            yield _text(x, y + 8 + 15 * number, line, "small", middle=True)


def _lines(picture: Picture, places: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    for line in _drawn(picture.links):
        yield from _line(line, places)


def _drawn(links: Iterable[Link]) -> list[_Line]:
    """One line for each pair. The ring is a frame, and a role does not point at itself."""
    membership = {role.ports["membership"] for role in load().roles.values()}
    pairs: dict[tuple[str, str], list[int]] = defaultdict(list)
    for link in links:
        if link.port not in membership and link.source != link.target:
            pairs[link.source, link.target].append(link.port)
    return [
        _Line(source, target, tuple(sorted(ports))) for (source, target), ports in pairs.items()
    ]


def _line(line: _Line, places: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    if line.source not in places or line.target not in places:
        return
    start, end = places[line.source], places[line.target]
    # Two lines between the same boxes keep apart, each to its left.
    length = max(1.0, ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5)
    aside = (
        round(-(end[1] - start[1]) / length * 12),
        round((end[0] - start[0]) / length * 12),
    )
    x1, y1 = _edge(start, end, aside)
    x2, y2 = _edge(end, start, aside)
    yield f'<path class="link" d="M{x1} {y1}L{x2} {y2}"/>'
    label = ", ".join(map(str, line.ports))
    x, y = round(x1 + (x2 - x1) * 0.42), round(y1 + (y2 - y1) * 0.42)
    wide = 7 * len(label) + 6
    yield _rect(x - wide // 2, y - 9, wide, 15, "label")
    yield _text(x, y + 3, label, "port", middle=True)


def _edge(
    box: tuple[int, int], towards: tuple[int, int], aside: tuple[int, int]
) -> tuple[int, int]:
    """Where a line from the middle of a box to another place leaves the box."""
    dx, dy = towards[0] - box[0], towards[1] - box[1]
    half_wide, half_tall = _BOX[0] / 2, _BOX[1] / 2
    scale = min(
        half_wide / abs(dx) if dx else float("inf"), half_tall / abs(dy) if dy else float("inf")
    )
    return round(box[0] + dx * scale) + aside[0], round(box[1] + dy * scale) + aside[1]


def _matrix(picture: Picture, top: int) -> tuple[list[str], int]:
    """Who talks to whom, exactly: callers down, called across, ports in the cells."""
    ports: dict[tuple[str, str], list[int]] = defaultdict(list)
    for link in picture.links:
        ports[link.source, link.target].append(link.port)
    callers = sorted({source for source, _ in ports})
    called = sorted({target for _, target in ports})
    wide = min(120, (_WIDTH - 80 - 150) // max(1, len(called)))
    drawn = [_text(40, top + 24, "Who talks to whom, by TCP port", "name")]
    y = top + 40
    for number, name in enumerate(called):
        drawn += [
            _rect(190 + number * wide, y, wide, 24, "head"),
            _text(190 + number * wide + wide // 2, y + 16, name, "small", middle=True),
        ]
    for row, source in enumerate(callers):
        line = y + 24 + row * 24
        drawn += [_rect(40, line, 150, 24, "head"), _text(48, line + 16, source, "small")]
        for number, target in enumerate(called):
            drawn.append(_rect(190 + number * wide, line, wide, 24, "cell"))
            text = " ".join(str(port) for port in sorted(ports[source, target]))
            if text:
                x = 190 + number * wide + wide // 2
                drawn.append(_text(x, line + 16, text, "port", middle=True))
    return drawn, y + 24 + 24 * len(callers) + 20


def _calls(picture: Picture, top: int) -> tuple[list[str], int]:
    """AWS APIs by the parties that call them through an endpoint or a gateway."""
    callers: dict[str, list[str]] = defaultdict(list)
    for call in picture.calls:
        callers[call.api].append(call.party)
    drawn = [_text(40, top + 16, "AWS APIs by VPC endpoint, and who may call them", "name")]
    for row, (api, parties) in enumerate(sorted(callers.items())):
        drawn.append(_text(40, top + 38 + row * 18, api, "small"))
        drawn.append(_text(190, top + 38 + row * 18, ", ".join(sorted(set(parties))), "small"))
    return drawn, top + 38 + 18 * len(callers) + 30


def _rect(x: int, y: int, wide: int, tall: int, kind: str) -> str:
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{wide}" height="{tall}" rx="6"/>'


def _text(x: int, y: int, text: str, kind: str, *, middle: bool = False) -> str:
    anchor = ' text-anchor="middle"' if middle else ""
    return f'<text class="{kind}" x="{x}" y="{y}"{anchor}>{escape(text)}</text>'
