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
_BOX = (172, 62)

_ROLES = ("frontend", "history", "matching", "worker")
_RING = "ring"
_VPC = "vpc"
_PLACES = {
    "client": (560, 110),
    "client-vpn": (300, 110),
    "load-balancer": (820, 240),
    "ui": (190, 300),
    "frontend": (560, 300),
    "benchmark": (1020, 300),
    "worker": (800, 390),
    "history": (430, 490),
    "matching": (670, 490),
    "grafana": (190, 480),
    "loki": (190, 640),
    "adot": (1020, 400),
    "visibility": (680, 640),
    "opensearch-setup": (1020, 640),
    "schema-setup": (390, 640),
    "admin-task": (1020, 200),
    "instances": (1020, 500),
    "database": (440, 790),
    "internet": (820, 790),
}
_TITLES = {
    "client": "clients",
    "client-vpn": "operators",
    "load-balancer": "load balancer",
    "ui": "UI",
    "grafana": "Grafana",
    "loki": "Loki",
    "adot": "ADOT collector",
    "visibility": "OpenSearch",
    "opensearch-setup": "OpenSearch set-up",
    "schema-setup": "schema set-up",
    "admin-task": "operators' task",
    "database": "Aurora DSQL",
    "internet": "internet, by NAT",
    "instances": "EC2 instances",
}
_ABOUT = {
    "client": ("who wears the group “client”",),
    "client-vpn": ("by AWS Client VPN",),
    "database": ("by IAM and TLS",),
    "internet": ("AWS APIs, image registries",),
    "load-balancer": ("for clients elsewhere",),
}
"""What is said of a party of which the plan says nothing more."""
_OUTSIDE = {"client-vpn", "database", "internet"}
_STYLE = Path(__file__).with_name("style.css").read_text()
_ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0L8 4L0 8z" fill="#7b8794"/></marker></defs>'
)


@dataclass(frozen=True, slots=True)
class _Place:
    """A rectangle by its middle."""

    x: int
    y: int
    wide: int = _BOX[0]
    tall: int = _BOX[1]


@dataclass(frozen=True, slots=True)
class _Line:
    """What is drawn as one line: one or several ports of the same pair."""

    source: str
    target: str
    ports: tuple[int, ...]


def draw(picture: Picture) -> str:
    """An SVG document, which needs nothing but itself."""
    places = _places(picture)
    frames = _frames(places)
    bottom = max((place.y for place in places.values()), default=200) + 70
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
            *_frame(picture, frames),
            *(part for line in _drawn(picture.links) for part in _line(line, {**places, **frames})),
            *_boxes(picture, places),
            *matrix,
            *calls,
            "</svg>",
            "",
        ]
    )


def _places(picture: Picture) -> dict[str, _Place]:
    known = {name: _Place(*place) for name, place in _PLACES.items() if name in picture.parties}
    others = [name for name in picture.parties if name not in known]
    free = (_Place(130 + 190 * (i % 6), 890 + 90 * (i // 6)) for i in range(len(others)))
    return {**known, **dict(zip(others, free, strict=True))}


def _frames(places: Mapping[str, _Place]) -> dict[str, _Place]:
    """The VPC around what stands in it, and the ring around the roles that are there."""
    inside = [place.y for name, place in places.items() if name not in _OUTSIDE and place.y < 780]
    low, high = 180, max(inside, default=500) + 56
    vpc = _Place(_WIDTH // 2, (low + high) // 2, _WIDTH - 80, high - low)
    roles = [places[name] for name in _ROLES if name in places]
    if not roles:
        return {_VPC: vpc}
    left, right = min(role.x for role in roles) - 108, max(role.x for role in roles) + 108
    top, base = min(role.y for role in roles) - 46, max(role.y for role in roles) + 62
    ring = _Place((left + right) // 2, (top + base) // 2, right - left, base - top)
    return {_VPC: vpc, _RING: ring}


def _frame(picture: Picture, frames: Mapping[str, _Place]) -> Iterator[str]:
    vpc = frames[_VPC]
    left, top = vpc.x - vpc.wide // 2, vpc.y - vpc.tall // 2
    zones = " · ".join(
        f"{zone.name} {zone.private}" + (f" + NAT {zone.public}" if zone.public else "")
        for zone in picture.zones
    )
    yield _rectangle(vpc, "vpc")
    yield _text(left + 16, top + 22, f"VPC {picture.vpc or '(existing)'}", "name")
    yield _text(left + 16, top + 40, zones, "small")
    if ring := frames.get(_RING):
        numbers = sorted(role.ports["membership"] for role in load().roles.values())
        ports = ", ".join(map(str, numbers))
        left, base = ring.x - ring.wide // 2, ring.y + ring.tall // 2
        yield _rectangle(ring, "ring")
        yield _text(left + 10, base - 9, f"one membership ring: each to each, {ports}", "small")


def _boxes(picture: Picture, places: Mapping[str, _Place]) -> Iterator[str]:
    for name, place in places.items():
        kind = "box role" if name in _ROLES else "box outside" if name in _OUTSIDE else "box"
        yield _rectangle(place, kind)
        yield _text(place.x, place.y - 10, _title(name), "name", middle=True)
        about = picture.parties[name].details or _ABOUT.get(name, ())
        for number, line in enumerate(about[:2]):
            yield _text(place.x, place.y + 8 + 15 * number, line, "small", middle=True)


def _drawn(links: Iterable[Link]) -> list[_Line]:
    """One line for each pair; one for all roles where each has it, or for all that is in the VPC.

    The ring is a frame, and a role does not point at itself.
    """
    membership = {role.ports["membership"] for role in load().roles.values()}
    pairs: dict[tuple[str, str], set[int]] = defaultdict(set)
    for link in links:
        if link.target == "internet":
            pairs[_VPC, link.target].add(link.port)
        elif link.port not in membership and link.source != link.target:
            pairs[link.source, link.target].add(link.port)
    for target in sorted({target for _, target in pairs} - {*_ROLES, "internet"}):
        shared = set.intersection(*(pairs.get((role, target), set()) for role in _ROLES))
        if shared:
            pairs[_RING, target] = shared
            for role in _ROLES:
                pairs[role, target] -= shared
    return [
        _Line(source, target, tuple(sorted(ports)))
        for (source, target), ports in sorted(pairs.items())
        if ports
    ]


def _line(line: _Line, places: Mapping[str, _Place]) -> Iterator[str]:
    start, end = places[line.source], places[line.target]
    if line.source in {_RING, _VPC}:
        # From the edge of a frame straight to what stands beside or below it.
        start = _beside(start, end)
    # Two lines between the same boxes keep apart, each to its left.
    length = max(1.0, ((end.x - start.x) ** 2 + (end.y - start.y) ** 2) ** 0.5)
    aside = (round(-(end.y - start.y) / length * 12), round((end.x - start.x) / length * 12))
    x1, y1 = _leaves(
        start, start.x + aside[0], start.y + aside[1], end.x - start.x, end.y - start.y
    )
    x2, y2 = _leaves(end, end.x + aside[0], end.y + aside[1], start.x - end.x, start.y - end.y)
    yield f'<path class="link" d="M{x1} {y1}L{x2} {y2}"/>'
    label = ", ".join(map(str, line.ports))
    x, y = round(x1 + (x2 - x1) * 0.42), round(y1 + (y2 - y1) * 0.42)
    wide = 7 * len(label) + 6
    yield _rectangle(_Place(x, y - 1, wide, 15), "label")
    yield _text(x, y + 3, label, "port", middle=True)


def _beside(frame: _Place, other: _Place) -> _Place:
    """The point of a frame that is nearest to another place."""
    x = min(max(other.x, frame.x - frame.wide // 2), frame.x + frame.wide // 2)
    y = min(max(other.y, frame.y - frame.tall // 2), frame.y + frame.tall // 2)
    return _Place(x, y, 0, 0)


def _leaves(box: _Place, x: int, y: int, dx: int, dy: int) -> tuple[int, int]:
    """Where a line that starts inside a box, at x and y, leaves it in the direction dx, dy."""
    right = (box.x + (box.wide if dx > 0 else -box.wide) / 2 - x) / dx if dx else float("inf")
    below = (box.y + (box.tall if dy > 0 else -box.tall) / 2 - y) / dy if dy else float("inf")
    scale = min(max(right, 0.0), max(below, 0.0), 1.0)
    return round(x + dx * scale), round(y + dy * scale)


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
            _text(190 + number * wide + wide // 2, y + 16, _title(name), "small", middle=True),
        ]
    for row, source in enumerate(callers):
        line = y + 24 + row * 24
        drawn += [_rect(40, line, 150, 24, "head"), _text(48, line + 16, _title(source), "small")]
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


def _title(name: str) -> str:
    return _TITLES.get(name, name)


def _rect(x: int, y: int, wide: int, tall: int, kind: str) -> str:
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{wide}" height="{tall}" rx="6"/>'


def _rectangle(place: _Place, kind: str) -> str:
    x, y = place.x - place.wide // 2, place.y - place.tall // 2
    return _rect(x, y, place.wide, place.tall, kind)


def _text(x: int, y: int, text: str, kind: str, *, middle: bool = False) -> str:
    anchor = ' text-anchor="middle"' if middle else ""
    return f'<text class="{kind}" x="{x}" y="{y}"{anchor}>{escape(text)}</text>'
