"""Start containers of a cluster in their order: the database, its schema, the roles, the UI."""

import time
from collections.abc import Collection, Sequence

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.errors import NotReady, StartFailed
from temporal_dsql_deploy.persistence.database import Database
from temporal_dsql_deploy.platforms.cluster import postgresql, serving
from temporal_dsql_deploy.platforms.cluster.containers.container import SCHEMA, Container
from temporal_dsql_deploy.platforms.cluster.containers.deployment import Deployment
from temporal_dsql_deploy.platforms.cluster.layout import DATABASE, UI
from temporal_dsql_deploy.platforms.cluster.starting import until_found
from temporal_dsql_deploy.platforms.protocol import Report

_POLL = 0.2
_LOOK = 0.5
"""Seconds between two looks at whether a container still runs: each is a program that starts."""


class Starter:
    """Starts containers that are there, and waits until they can be used."""

    def __init__(self, deployment: Deployment, report: Report) -> None:
        self._deployment = deployment
        self._report = report

    def start(self, names: Collection[str]) -> None:
        """Start these where they do not run. Raises StartFailed, NotReady, NotRunning, OSError."""
        wanted = [
            one
            for name, one in self._deployment.containers().items()
            if name in names and not one.alive()
        ]
        if any(one.settings["component"] == DATABASE for one in wanted):
            self._start([one for one in wanted if one.settings["component"] == DATABASE])
            database = self.until_ready()
            self._report(f"PostgreSQL at {database.host}:{database.port} takes connections")
        roles = [one for one in wanted if one.settings["component"] in topology.load().roles]
        if roles:
            self._start_roles(roles)
        self._start([one for one in wanted if one.settings["component"] == UI])
        if roles:
            self._until_serving([one.component for one in roles])

    def until_ready(self) -> Database:
        """Wait for the database. Raises NotRunning, StartFailed, NotReady, OSError."""
        database = self._deployment.database(self._deployment.containers())
        if database is None:
            raise self._deployment.directory.not_running("its PostgreSQL does not run")
        look = Look(self._deployment)
        postgresql.until_ready(database, lambda: look.broken([DATABASE]))
        return database

    def _start(self, wanted: Sequence[Container]) -> None:
        self._deployment.engine.start([one.id for one in wanted])

    def _start_roles(self, wanted: Sequence[Container]) -> None:
        database = self.until_ready()
        everything = self._deployment.everything()
        others = [
            one
            for one in everything.values()
            if one.alive() and one.settings["component"] in topology.load().roles
        ]
        self._set_up(everything.get(SCHEMA), first=not others)
        new = postgresql.is_new(database)
        if others:
            until_found(database, others, self._report)
        else:
            postgresql.forget_members(database)
        self._start(wanted[:1])
        if new:
            # On an empty database roles that start together race for the same row.
            self._until_joined(wanted[0].component)
        self._start(wanted[1:])

    def _set_up(self, schema: Container | None, *, first: bool) -> None:
        """Bring the schema to that of its image, which may be a new one."""
        if schema is None:
            raise StartFailed(
                "the schema cannot be made",
                cause="its container is not there",
                fix="make it again: dsql-deploy up ENV",
            )
        if first or schema.exit is None or schema.exit.code != 0:
            self._report("bringing the schema of PostgreSQL up to date")
            self._deployment.engine.once(schema.id)

    def _until_joined(self, name: str) -> None:
        joined = topology.load().one_role_first_on_empty_database.joined_log
        deadline = time.monotonic() + serving.SECONDS
        while True:
            one = self._deployment.containers()[name]
            if joined in self._deployment.said(one):
                return
            if not one.alive():
                raise self._deployment.failed(name, one)
            if time.monotonic() > deadline:
                raise NotReady(
                    f"{name} has not joined the ring after {serving.SECONDS:g} s",
                    cause=f"it has not logged: {joined}",
                    fix=f"read what it is doing: dsql-deploy logs ENV --component {name}",
                )
            time.sleep(_POLL)

    def _until_serving(self, names: Sequence[str]) -> None:
        there = self._deployment.containers()
        look = Look(self._deployment)
        for name in names:
            if not there[name].alive():
                raise self._deployment.failed(name, there[name])
        serving.until_serving([there[name] for name in names], lambda _: look.broken(names))
        self._report(f"{', '.join(names)}: SERVING")


class Look:
    """Whether containers still run, asked again and again."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._next = 0.0

    def broken(self, names: Collection[str]) -> StartFailed | None:
        """Why one of these has ended, not looked at too often; None while all run."""
        if time.monotonic() < self._next:
            return None
        self._next = time.monotonic() + _LOOK
        return self._deployment.broken(names)
