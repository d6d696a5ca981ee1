"""A Temporal server's log as log lines: JSON objects, and a few plain ones."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from temporal_dsql_deploy.platforms.protocol import LEVELS, LogLine, LogQuery

SERVER = "server"
"""The component of a line that names no role: the process as a whole."""
_PARTS = {
    "history": "history",
    "matching": "matching",
    "outbound-queue": "history",
    "perns-worker": "worker",
    "shard": "history",
    "timer-queue": "history",
    "transfer-queue": "history",
    "visibility-queue": "history",
    "worker": "worker",
}
"""Seen in the log of temporal-server 1.32.0, by how they begin."""
_POSTGRESQL = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) UTC \[\d+\] ([A-Z0-9]+): +(.*)")
"""With log_line_prefix '%m [%p] ' and log_timezone UTC; an OpenSearch is told to write the same."""
_POSTGRESQL_LEVELS = {
    "WARNING": "WARN",
    "WARN": "WARN",
    "ERROR": "ERROR",
    "FATAL": "ERROR",
    "PANIC": "ERROR",
}
_TRACE = re.compile(r"\s+(at |\.\.\. \d+ more)")
"""Lines of a stack trace of Java."""
_CHATTER = {"DEBUG", "INFO", "WARN"}
_REFUSED_VALUE = "Failed to convert value, using default"
"""What temporal-server 1.32.0 logs, with a `key`, for a dynamic config value of another type."""


def parse(text: str) -> LogLine | None:
    """One line of the log; None for an empty one."""
    if not text.strip():
        return None
    try:
        fields = json.loads(text)
    except ValueError:
        return LogLine(component=SERVER, message=text)
    if not isinstance(fields, dict) or "msg" not in fields:
        return LogLine(component=SERVER, message=text)
    return LogLine(
        component=str(fields.pop("service", "") or _role_of(str(fields.get("component", "")))),
        time=_time(str(fields.pop("time", "") or fields.pop("ts", ""))),
        level=str(fields.pop("level", "")).upper(),
        message=str(fields.pop("msg")),
        fields=fields,
    )


def _role_of(part: str) -> str:
    """The role that a part of the server belongs to, by the name that it logs as `component`."""
    return next((role for start, role in _PARTS.items() if part.startswith(start)), SERVER)


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def wanted(line: LogLine, query: LogQuery) -> bool:
    """Whether the query asks for this line; a line without a level is never left out for it."""
    if query.component and line.component != query.component:
        return False
    if query.level and line.level.lower() in LEVELS:
        return LEVELS.index(line.level.lower()) >= LEVELS.index(query.level)
    return True


def complaints(log: str) -> list[str]:
    """What a process said last: its plain lines and errors, not its chatter."""
    lines = ((text, parse(text)) for text in log.splitlines() if not _TRACE.match(text))
    return [text[:300] for text, line in lines if line and line.level not in _CHATTER][-5:]


def refused_values(logs: list[str], given: Mapping[str, Any]) -> list[str]:
    """The values of the dynamic config `given` that servers have not taken, a sentence each."""
    texts = (text for log in logs for text in log.splitlines() if _REFUSED_VALUE in text)
    refused = {str(line.fields.get("key", "")).lower() for line in map(parse, texts) if line}
    return [
        f"dynamic config {key} = {json.dumps(value)} has the wrong type: the server ignores it"
        for key, value in given.items()
        if key.lower() in refused
    ]


def of_process(text: str, component: str, instance: str) -> LogLine | None:
    """A line of a process that is one component, whatever part of it the line names.

    PostgreSQL's plain lines are read too. None for an empty one.
    """
    line = parse(text)
    if line is None:
        return None
    match = _POSTGRESQL.match(line.message) if line.time is None else None
    if match is not None:
        level = _POSTGRESQL_LEVELS.get(match[2], "INFO")
        line = replace(line, time=_time(f"{match[1]}+00:00"), level=level, message=match[3])
    fields = line.fields if instance == component else {"instance": instance, **line.fields}
    return replace(line, component=component, fields=fields)
