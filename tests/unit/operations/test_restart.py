"""`restart`: what it refuses, and how it says to go on."""

import pytest

from temporal_dsql_deploy.errors import NotRunning, PortTaken, StoppedHalfway
from temporal_dsql_deploy.operations.restart import Request, Restarted, _refuse_missing, _Rolling
from temporal_dsql_deploy.platforms.protocol import Instance

THERE = [Instance(f"history-{number}", "history", running=True) for number in (1, 2)]


class Fake:
    """A cluster of two histories."""

    def instances(self) -> list[Instance]:
        return THERE


def test_what_is_gone_once_the_lock_was_had_is_refused() -> None:
    _refuse_missing(THERE, [])
    _refuse_missing(THERE, ["history", "history-2"])
    with pytest.raises(NotRunning, match="there is no history-3 to be restarted"):
        _refuse_missing(THERE, ["history", "history-3"])
    with pytest.raises(NotRunning):
        _refuse_missing([], [])


def test_what_ends_half_way_keeps_the_remedy_and_the_options() -> None:
    request = Request([], grace=3, deadline=15, options=["--grace", "3"])
    rolling = _Rolling(Fake(), THERE, lambda _: None, request)  # type: ignore[arg-type]
    rolling.done.append(Restarted("history-1", 1.0))
    with pytest.raises(StoppedHalfway) as failed, rolling.told(THERE[1]):
        raise PortTaken("port 7234 is taken", cause="by another", fix="end it")
    again = "dsql-deploy restart ENV history-2 --grace 3"
    assert failed.value.fix == f"end it; then: {again}"


def test_a_refusal_before_anything_was_stopped_is_the_error() -> None:
    request = Request([], grace=3, deadline=15)
    rolling = _Rolling(Fake(), THERE, lambda _: None, request)  # type: ignore[arg-type]
    with pytest.raises(PortTaken), rolling.told(THERE[0]):
        raise PortTaken("port 7234 is taken", cause="by another", fix="end it")
