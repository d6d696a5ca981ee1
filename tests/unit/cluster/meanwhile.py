"""Two commands that make the same thing in the cache."""

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from temporal_dsql_deploy.platforms.cluster import wheels
from temporal_dsql_deploy.platforms.protocol import Report

_PATIENCE = 60.0


def told(make: Callable[[Report], Path], made: Path) -> list[str]:
    """What `make` tells that has to wait for another, who makes meanwhile what is at `made`."""
    aside = made.rename(made.with_name("aside"))
    said: list[str] = []
    waits = Event()

    def report(line: str) -> None:
        said.append(line)
        waits.set()

    second = Thread(target=make, args=[report])
    with wheels.alone(made, said.append):
        second.start()
        assert waits.wait(_PATIENCE)
        aside.rename(made)
    second.join(_PATIENCE)
    assert not second.is_alive()
    return said
