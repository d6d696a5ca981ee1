"""A page in Prometheus's text format, read fast: the few series that are wanted of many."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from temporal_dsql_deploy.platforms import web

_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of a page."""

    name: str
    labels: dict[str, str]
    value: float


def samples(page: str, names: Iterable[str]) -> Iterator[Sample]:
    """The samples of these names. A line that is none is passed over."""
    wanted = tuple(names)
    for line in page.splitlines():
        if not line.startswith(wanted):
            continue
        series, _, value = line.rpartition(" ")
        name, _, labels = series.partition("{")
        if name not in wanted:
            continue
        try:
            number = float(value)
        except ValueError:
            continue
        yield Sample(name, dict(_LABEL.findall(labels)), number)


def fetch(url: str) -> str:
    """The page; empty when it is not there."""
    try:
        return web.fetch(url).decode(errors="replace")
    except OSError:
        return ""
