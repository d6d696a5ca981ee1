"""The gate before anything is changed: red and busy are waited out, and said."""

import json

import pytest

from temporal_dsql_deploy.errors import NotReady, PermissionMissing
from temporal_dsql_deploy.operations.visibility import ready
from temporal_dsql_deploy.platforms.clock import Clock
from temporal_dsql_deploy.visibility.domain import Domain
from tests.support.opensearch import Gate

RED = (200, b'{"status": "red", "unassigned_shards": 0}')
GREEN = (200, b'{"status": "green"}')
BUSY = (503, b"")


class World:
    """One that answers about its health what comes next, and seconds that pass at once."""

    def __init__(self, gate: Gate, *answers: tuple[int, bytes]) -> None:
        self.left = [*answers]
        self.said: list[str] = []
        self.seconds = 0.0
        self.domain = Domain(gate.url)
        gate.verifies = False
        gate.answer = self._answer

    def _answer(self, _: str, path: str) -> tuple[int, bytes]:
        if path.startswith("/_cat/shards"):
            return 200, json.dumps([]).encode()
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def wait(self, seconds: float) -> None:
        clock = Clock(lambda: self.seconds, self._sleep)
        ready.until_ready(self.domain, self.said.append, wait=seconds, clock=clock)


def test_red_and_busy_are_waited_out_and_said_once_each() -> None:
    with Gate() as gate:
        world = World(gate, BUSY, BUSY, RED, RED, GREEN)
        world.wait(60)
    busy, red = (line.partition(": ")[2] for line in world.said)
    assert busy.startswith("to GET /_cluster/health it says 503")
    assert red == "red; waiting up to 60 s"
    assert world.seconds > 0


def test_it_is_not_waited_for_ever() -> None:
    with Gate() as gate:
        world = World(gate, RED)
        with pytest.raises(NotReady, match="not ready after 30 s"):
            world.wait(30)
    assert world.seconds <= 32


def test_what_waiting_does_not_help_is_said_at_once() -> None:
    with Gate() as gate:
        world = World(gate, (403, b"no"))
        with pytest.raises(PermissionMissing):
            world.wait(60)
    assert world.seconds == 0
