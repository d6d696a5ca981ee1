"""A whole diagnosis: checks, members and log lines in, closed paths out."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.operations.probe import checks, cluster
from temporal_dsql_deploy.operations.probe.paths import Pair
from temporal_dsql_deploy.operations.probe.result import CheckResult, ProbeResult
from temporal_dsql_deploy.operations.probe.run import NO_HOST
from temporal_dsql_deploy.platforms.protocol import (
    Component,
    LogLine,
    LogQuery,
    Member,
    Platform,
    State,
    Status,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ROLES = topology.load().roles
MEMBERS = [
    Member(role.name, f"10.0.0.{number}", role.ports["membership"], role.ports["grpc"])
    for number, role in enumerate(ROLES.values(), 1)
]
WATCH = Pair("worker", "history")
NAMES = checks.able([])


def result(silent: Iterable[str] = (), refused: Iterable[str] = ()) -> ProbeResult:
    failed = {*silent, *refused}
    found = [
        CheckResult(name, name not in failed, 0.1, silent=name in set(silent)) for name in NAMES
    ]
    return ProbeResult("127.0.0.1:7233", "default", "x", not failed, NOW, 1.0, found)


def hanging(pair: Pair) -> list[str]:
    return [name for name, uses in checks.uses(NAMES).items() if pair in uses]


def dial(caller: str, callee: str, ago: float = 5, host: str = "") -> LogLine:
    where = host or next(member.address for member in MEMBERS if member.role == callee)
    text = f"dial tcp {where}:{ROLES[callee].ports['grpc']}: i/o timeout"
    return LogLine(
        caller, "network dial error", NOW - timedelta(seconds=ago), "WARN", {"error": text}
    )


def named(found: ProbeResult, *lines: LogLine, certain: bool = True) -> list[tuple[str, str, bool]]:
    closed = cluster.closed(found, MEMBERS, lines, certain=certain)
    return [(path.caller, path.callee, path.certain) for path in closed]


def test_a_path_is_named_with_the_checks_that_take_it_and_what_was_logged() -> None:
    silent = hanging(WATCH)
    (path,) = cluster.closed(result(silent), MEMBERS, [dial("worker", "history")], certain=True)
    assert (path.caller, path.callee, path.port_name) == ("worker", "history", "grpc")
    assert path.port == ROLES["history"].ports["grpc"]
    assert path.checks == silent
    assert path.certain
    assert "i/o timeout" in path.log[0]


def test_without_the_log_and_with_a_role_that_is_down_it_is_a_guess() -> None:
    assert named(result(hanging(WATCH)), certain=False) == [("worker", "history", False)]


def test_a_second_path_is_known_from_the_log_only() -> None:
    silent = hanging(Pair("history", "matching"))
    assert named(result(silent), dial("worker", "matching")) == [
        ("history", "matching", True),
        ("worker", "matching", True),
    ]


def test_nothing_is_blamed_when_everything_passed() -> None:
    assert named(result(), dial("history", "matching")) == []


def test_a_path_that_has_just_been_used_is_not_blamed_for_an_old_line() -> None:
    assert named(result(hanging(WATCH)), dial("history", "matching")) == [
        ("worker", "history", True)
    ]


def test_an_instance_that_is_gone_is_no_closed_path() -> None:
    silent = hanging(Pair("history", "matching"))
    gone = dial("worker", "matching", host="10.9.9.9")
    assert named(result(silent), gone) == [("history", "matching", True)]


def test_one_instance_of_two_that_is_not_reached_is_named_though_the_other_is() -> None:
    two = [*MEMBERS, replace(MEMBERS[1], address="10.0.1.2")]
    said = dial("history", MEMBERS[1].role, host="10.0.1.2")
    found = cluster.closed(result(["timer"]), two, [said], certain=True)
    assert [(path.caller, path.callee) for path in found] == [("history", MEMBERS[1].role)]


def test_a_refusal_is_no_closed_path() -> None:
    assert named(result(refused=["batch"])) == []
    assert named(result(set(NAMES) - {"start"}, refused=["start"])) == []


def test_a_check_whose_paths_are_all_open_failed_for_another_reason() -> None:
    assert named(result(["timer"])) == []
    assert named(result(["visibility"])) == []


class Fake:
    """What the diagnosis asks of a platform."""

    name = "cluster"

    def __init__(self, *lines: LogLine, down: str = "") -> None:
        self._lines = lines
        self._down = down

    def members(self) -> list[Member]:
        return [member for member in MEMBERS if member.role != self._down]

    def logs(self, query: LogQuery) -> Iterator[LogLine]:
        assert query.level == "warn"
        return iter(self._lines)

    def status(self) -> Status:
        states = {
            role: State.UNREACHABLE if role == self._down else State.SERVING for role in ROLES
        }
        parts = [Component(role, state) for role, state in states.items()]
        parts += [Component("ui", State.STOPPED)]
        return Status("cluster", "cluster", running=True, healthy=not self._down, components=parts)


def diagnosed(fake: Any, found: ProbeResult) -> ProbeResult:
    return cluster.diagnosed(cast("Platform", fake), found)


def test_what_was_logged_before_says_nothing_of_now() -> None:
    silent = hanging(Pair("history", "matching"))
    fresh, old = dial("worker", "matching"), dial("worker", "frontend", ago=300)
    found = diagnosed(Fake(fresh, old), result(silent))
    assert [(path.caller, path.callee) for path in found.paths] == [
        ("history", "matching"),
        ("worker", "matching"),
    ]


def test_a_role_that_is_down_is_said() -> None:
    found = diagnosed(Fake(down="worker"), result(hanging(Pair("worker", "frontend"))))
    assert found.notes == ["worker is UNREACHABLE"]
    assert [path.certain for path in found.paths] == [False]


def test_a_ring_without_a_role_is_said_and_no_path_is_sure_then() -> None:
    found = result(hanging(Pair("worker", "frontend")))
    error = f"UNAVAILABLE: {NO_HOST}"
    failed = [one if one.ok else replace(one, error=error) for one in found.checks]
    told = diagnosed(Fake(), replace(found, checks=failed))
    assert "membership doctor" in told.notes[0]
    assert not any(path.certain for path in told.paths)


def test_a_database_that_is_away_explains_everything() -> None:
    message = "sql handle: unable to refresh database connection pool"
    lost = LogLine("history", message, NOW, "ERROR", {"error": "refused"})
    found = diagnosed(Fake(lost), result(NAMES))
    assert found.paths == []
    assert "database" in found.notes[0]


def test_what_has_ended_history_is_named_by_its_own_log() -> None:
    error = {"error": "failed reaching server: context deadline exceeded"}
    line = LogLine("history-1", "error creating sdk client", NOW, "FATAL", error)
    left = [member for member in MEMBERS if member.role != "history"]
    found = cluster.closed(result(NAMES), left, [line], certain=False)
    sure = [(path.caller, path.callee) for path in found if path.certain]
    assert sure == [("history", "frontend")]


def test_a_cluster_that_works_is_not_even_looked_at() -> None:
    assert diagnosed(None, result()) == result()


def test_in_one_process_there_is_no_path() -> None:
    class Local:
        name = "local"

    assert diagnosed(Local(), result(NAMES)).paths == []


@pytest.mark.parametrize(("platform", "lacks"), [("cluster", set()), ("ecs", {"nexus"})])
def test_what_a_server_cannot_do_is_not_asked_of_it(platform: str, lacks: set[str]) -> None:
    class Named:
        name = platform

    asked = cluster.names(cast("Platform", Named()), thorough=True)
    assert set(NAMES) - set(asked) == lacks


def test_every_platform_has_its_server() -> None:
    assert set(cluster.SERVERS.values()) == set(topology.servers())
