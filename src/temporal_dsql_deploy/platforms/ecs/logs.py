"""The logs of a cluster's services, as CloudWatch Logs has them."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.platforms.clock import REAL, Clock
from temporal_dsql_deploy.platforms.ecs import definitions
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.definitions import Definition
from temporal_dsql_deploy.platforms.processes import log_lines
from temporal_dsql_deploy.platforms.protocol import LogLine, LogQuery

WINDOWS = (
    timedelta(minutes=5),
    timedelta(hours=1),
    timedelta(days=1),
    timedelta(days=3660),
)
"""How far back the last lines are looked for, one after the other, until there are enough."""
_POLL = 3.0
_LATE = timedelta(seconds=15)
"""That a line may come after others of its time: what follows looks back so far."""
_NOT_THERE = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True)
class Source:
    """The log of one component's own container."""

    component: str
    definition: Definition


@dataclass(slots=True)
class Reader:
    """Reads the logs of some components."""

    sources: Sequence[Source]
    clients: Clients
    query: LogQuery
    names: Mapping[str, str] = field(default_factory=dict)
    """What the tasks are called, by id."""
    clock: Clock = REAL
    now: datetime | None = None
    """When it is; None for the time of this machine."""

    def lines(self) -> Iterator[LogLine]:
        """The last lines, oldest first; with `follow` those that come after them, for ever.

        Raises what `aws.told` makes of a refusal.
        """
        until = self.now or datetime.now(UTC)
        last = self._tail(until)
        yield from (line for _, _, line in last)
        if self.query.follow:
            yield from self._follow(until, {one for _, one, _ in last})

    def _tail(self, until: datetime) -> "Sequence[_Event]":
        found: list[_Event] = []
        if not self.query.tail:
            return found
        for window in WINDOWS:
            found = self._since(until - window, self.query.tail)
            if len(found) >= self.query.tail:
                break
        return found

    def _since(self, start: datetime, most: int) -> "list[_Event]":
        """The last of those since then that the query wants, by time."""
        found: list[_Event] = []
        for source in self.sources:
            found += deque(self._events(source, start), maxlen=most)
        return sorted(found, key=lambda one: one[0])[-most:]

    def _follow(self, start: datetime, seen: set[str]) -> Iterator[LogLine]:
        newest = start
        while True:
            self.clock.sleep(_POLL)
            found: list[_Event] = []
            for source in self.sources:
                found += self._events(source, newest - _LATE)
            new = sorted((one for one in found if one[1] not in seen), key=lambda one: one[0])
            yield from (line for _, _, line in new)
            newest = max([newest, *(at for at, _, _ in new)])
            # What is asked for again is remembered, and nothing else: a log may be long.
            seen = {one for _, one, _ in found}

    def _events(self, source: Source, start: datetime) -> "Iterator[_Event]":
        definition = source.definition
        for event in self._pages(definition, start):
            at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
            task = event["logStreamName"].rpartition("/")[2]
            name = self.names.get(task, f"{source.component} {task[:8]}")
            line = log_lines.of_process(event["message"], source.component, name)
            if line is None:
                continue
            line = line if line.time else replace(line, time=at)
            if log_lines.wanted(line, LogQuery(level=self.query.level)):
                yield at, event["eventId"], line

    def _pages(self, definition: Definition, start: datetime) -> Iterator[dict[str, Any]]:
        from botocore.exceptions import ClientError

        group = definition.log_group
        pages = self.clients.logs.get_paginator("filter_log_events").paginate(
            logGroupName=group,
            logStreamNamePrefix=definition.stream(""),
            startTime=max(0, round(start.timestamp() * 1000)),
        )
        with aws.calling(f"read the log group {group} (logs:FilterLogEvents)"):
            try:
                for page in pages:
                    yield from page["events"]
            except ClientError as error:
                # Where the group is not there nothing was ever logged.
                if aws.refusal(error) != _NOT_THERE:
                    raise


_Event = tuple[datetime, str, LogLine]
"""When CloudWatch says that it was, its id, and the line."""


def sources(task_definitions: Mapping[str, str], clients: Clients) -> list[Source]:
    """The logs of components, of which each one's task definition is given by ARN.

    Raises what `aws.told` makes of a refusal.
    """
    found = []
    for component, arn in task_definitions.items():
        first = definitions.read(arn, clients)[0]
        if first.log_group:
            found.append(Source(component, first))
    return found
