"""Whether the stores can be reached, tried before the server starts, which hides the cause.

In reservoir mode the server logs no cause for a database that it cannot reach, and ignores SIGTERM
for a minute and a half (measured with the Temporal-DSQL server at cf90c57).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from . import reach
from .reach import Finding, Target, Tls
from .stores import sql_value
from .variables import Settings

_SQL = "TEMPORAL_SQL_"
_VISIBILITY = "TEMPORAL_VISIBILITY_SQL_"
_SEARCH = "TEMPORAL_ELASTICSEARCH_"


@dataclass(frozen=True)
class Result:
    """What became of one store."""

    target: Target
    seconds: float
    finding: Finding | None
    """None where the store answers as it should."""


def targets(settings: Settings) -> tuple[Target, ...]:
    """What the server is going to connect to, without what is the same twice."""
    found = [_sql(settings, "database", _SQL)]
    if settings.text("TEMPORAL_VISIBILITY_STORE") == "sql":
        visibility = _sql(settings, "visibility", _VISIBILITY)
        if (visibility.host, visibility.port) != (found[0].host, found[0].port):
            found.append(visibility)
    else:
        found.append(_search(settings))
    return tuple(found)


def run(wanted: Iterable[Target], seconds: float) -> list[Result]:
    """Try all targets at once; what has not answered after `seconds` is told where it hangs."""
    deadline = time.monotonic() + seconds
    attempts = [_Attempt(target, deadline) for target in wanted]
    for attempt in attempts:
        attempt.start()
    return [attempt.result() for attempt in attempts]


class _Attempt(threading.Thread):
    """A thread for a target: a name server that is silent cannot be given a time-out."""

    def __init__(self, target: Target, deadline: float) -> None:
        super().__init__(daemon=True)
        self._progress = reach.Progress(deadline)
        self._target = target
        self._began = time.monotonic()
        self._took: float | None = None
        self._finding: Finding | None = None

    def run(self) -> None:
        self._finding = reach.attempt(self._target, self._progress)
        self._took = time.monotonic() - self._began

    def result(self) -> Result:
        # What times out by itself has a little longer to say so.
        self.join(max(0.0, self._progress.deadline - time.monotonic()) + 0.2)
        if self._took is None:
            late = reach.silent(self._target, self._progress)
            return Result(self._target, time.monotonic() - self._began, late)
        return Result(self._target, self._took, self._finding)


def _sql(settings: Settings, name: str, prefix: str) -> Target:
    tls = None
    if sql_value(settings, prefix, "TLS_ENABLED"):
        authority = sql_value(settings, prefix, "TLS_CA_FILE")
        tls = Tls(
            verify=bool(sql_value(settings, prefix, "TLS_HOST_VERIFICATION")),
            ca_file=None if authority is None else str(authority),
        )
    return Target(
        name=name,
        protocol="postgresql",
        host=str(sql_value(settings, prefix, "HOST")),
        port=int(sql_value(settings, prefix, "PORT") or 0),
        variable=f"{_SQL}HOST" if prefix == _SQL else f"{_VISIBILITY}HOST",
        tls=tls,
    )


def _search(settings: Settings) -> Target:
    authority = settings.optional(f"{_SEARCH}TLS_CA_FILE")
    encrypted = settings.text(f"{_SEARCH}SCHEME") == "https"
    user = settings.optional(f"{_SEARCH}USER")
    return Target(
        name="visibility",
        protocol="http",
        host=settings.text(f"{_SEARCH}HOST"),
        port=settings.number(f"{_SEARCH}PORT"),
        variable=f"{_SEARCH}HOST",
        tls=Tls(verify=True, ca_file=None if authority is None else str(authority))
        if encrypted
        else None,
        index=settings.text(f"{_SEARCH}INDEX"),
        signed=settings.switch(f"{_SEARCH}REQUEST_SIGNING"),
        user=None if user is None else str(user),
        password=settings.secret(f"{_SEARCH}PASSWORD"),
    )
