"""The logs of services in CloudWatch: the last lines, by level, and what follows."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.errors import PermissionMissing
from temporal_dsql_deploy.platforms.clock import Clock
from temporal_dsql_deploy.platforms.ecs import logs
from temporal_dsql_deploy.platforms.protocol import LogQuery
from tests.support.fake_ecs import FakeEcs, clients, definition

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class Groups:
    """CloudWatch Logs: events by group, which a test may add to while it is read."""

    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    refusal: str = "ResourceNotFoundException"

    def log(self, role: str, ago: float, message: str, task: str = "abcdef0123") -> None:
        events = self.events.setdefault(f"/ecs/temporal-dev/temporal-{role}", [])
        number = sum(map(len, self.events.values()))
        events.append(
            {
                "timestamp": round((NOW - timedelta(seconds=ago)).timestamp() * 1000),
                "eventId": str(number),
                "message": message,
                "logStreamName": f"temporal-{role}/temporal-{role}/{task}",
            }
        )

    def get_paginator(self, name: str) -> "Groups":
        assert name == "filter_log_events"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        self.asked.append(asked)
        if asked["logGroupName"] not in self.events:
            said = {"Error": {"Code": self.refusal, "Message": "no"}}
            raise ClientError(said, "FilterLogEvents")
        found = [
            one
            for one in self.events[asked["logGroupName"]]
            if one["timestamp"] >= asked["startTime"]
            and one["logStreamName"].startswith(asked["logStreamNamePrefix"])
        ]
        yield {"events": sorted(found, key=lambda one: one["timestamp"])}


def reader(groups: Groups, query: LogQuery, clock: Clock | None = None) -> logs.Reader:
    made = clients(FakeEcs(), groups)  # type: ignore[arg-type]
    arns = {role: definition(role, 1) for role in ("history", "frontend")}
    found = logs.sources(arns, made)
    return logs.Reader(found, made, query, {"abcdef0123": "history-1"}, clock or Clock(), NOW)


def json_line(level: str, message: str) -> str:
    return f'{{"level":"{level}","msg":"{message}"}}'


def test_the_last_lines_of_all_are_told_by_time() -> None:
    groups = Groups()
    groups.log("history", 30, json_line("info", "second"))
    groups.log("frontend", 40, json_line("info", "first"), task="ffffffffff")
    groups.log("history", 10, "plain")
    found = list(reader(groups, LogQuery(tail=2)).lines())
    assert [one.message for one in found] == ["second", "plain"]
    assert found[1].time == NOW - timedelta(seconds=10)
    assert found[0].component == "history"
    assert found[0].fields == {"instance": "history-1"}


def test_other_containers_of_the_task_are_left_out() -> None:
    groups = Groups()
    groups.log("frontend", 5, "of the server")
    groups.events["/ecs/temporal-dev/temporal-frontend"][0]["logStreamName"] = "service-connect/x/1"
    assert list(reader(groups, LogQuery()).lines()) == []


def test_it_looks_further_back_until_there_are_enough() -> None:
    groups = Groups()
    groups.log("history", 7200, json_line("warn", "two hours old"))
    groups.log("history", 60, json_line("info", "young"))
    query = LogQuery(tail=1, level="warn")
    assert [one.message for one in reader(groups, query).lines()] == ["two hours old"]


def test_a_group_that_is_not_there_has_no_lines_and_a_refusal_is_told() -> None:
    groups = Groups()
    assert list(reader(groups, LogQuery()).lines()) == []
    groups.refusal = "AccessDeniedException"
    with pytest.raises(PermissionMissing, match="FilterLogEvents"):
        list(reader(groups, LogQuery()).lines())


@given(st.lists(st.floats(0, 20), min_size=1, max_size=20))
def test_what_follows_is_told_once_however_late_it_comes(delays: list[float]) -> None:
    """A line may come after younger ones, by a few seconds."""
    groups = Groups()
    arriving = sorted((index + delay * 0.5, index) for index, delay in enumerate(delays))
    passed = 0.0

    def sleep(seconds: float) -> None:
        nonlocal passed
        passed += seconds
        while arriving and arriving[0][0] <= passed:
            _, index = arriving.pop(0)
            groups.log("history", -index, json_line("info", f"line {index}"))

    clock = Clock(lambda: passed, sleep)
    lines = reader(groups, LogQuery(tail=0, follow=True), clock).lines()
    found = [one.message for one in islice(lines, len(delays))]
    assert sorted(found) == sorted(f"line {index}" for index in range(len(delays)))
