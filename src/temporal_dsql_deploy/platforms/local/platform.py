"""The platform `local`: the protocol, spoken by one embedded server process."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from temporal_dsql_deploy.environments.find import state_directory
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import (
    NotForPlatform,
    NotRunning,
    PortTaken,
    StartFailed,
)
from temporal_dsql_deploy.persistence.database import Database
from temporal_dsql_deploy.platforms.local import server
from temporal_dsql_deploy.platforms.local.binary import find_binary
from temporal_dsql_deploy.platforms.local.server import ServerSettings
from temporal_dsql_deploy.platforms.processes import log_lines, logs, ports, record, supervisor
from temporal_dsql_deploy.platforms.processes.directory import Directory
from temporal_dsql_deploy.platforms.processes.record import Record
from temporal_dsql_deploy.platforms.protocol import (
    GRACE,
    Change,
    Instance,
    LogLine,
    LogQuery,
    Member,
    Report,
    Requirement,
    SqlStore,
    Status,
    Stopped,
    Stored,
)
from temporal_dsql_deploy.platforms.requirement import requirement

_PATIENCE = 120.0
_SERVER = log_lines.SERVER
"""The one process: the name of its log and run record."""
_DATABASE = "temporal.db"


class LocalPlatform:
    """The whole cluster in one process of the Temporal CLI: `temporal server start-dev`."""

    name = "local"

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        root = environment.data_dir or state_directory(environment.name)
        self._directory = Directory(
            root.expanduser().absolute(), environment.name, [f"{_DATABASE}*"]
        )
        self._log = self._directory.log(_SERVER)
        self._record = self._directory.record(_SERVER)
        self._before: Record | None = None
        """The last run before the one of `start`, for `undo`."""
        self._was_running = False

    def lock(self, verb: str, waiting: Report) -> AbstractContextManager[None]:
        """See Platform."""
        return self._directory.lock(verb, waiting, patience=_PATIENCE)

    def plan(self) -> list[Change]:
        """See Platform. Raises as `start` does."""
        running = self._running()
        settings = self._wanted()
        changes = self._changes(running, settings)
        if changes:
            self._check_ports(settings, _ports_of(running))
        return changes

    def _changes(self, running: Record | None, settings: ServerSettings) -> list[Change]:
        if running is None:
            return [
                Change(what="server", action="start", detail=shlex.join(self._command(settings)))
            ]
        differences = settings.differences(ServerSettings.from_record(running.settings))
        if not differences:
            return []
        return [Change(what="server", action="restart", detail=", ".join(differences))]

    def start(self, starting: Callable[[], None]) -> list[Change]:
        """See Platform. Raises PortTaken, BinaryMissing, DirectoryUnusable and their like."""
        running = self._running()
        settings = self._wanted()
        changes = self._changes(running, settings)
        if not changes:
            return []
        self._directory.prepare()
        self._check_ports(settings, _ports_of(running))
        self._before = running or record.read(self._record)
        self._was_running = running is not None
        starting()
        supervisor.stop(self._record, grace=GRACE)
        self._start(settings)
        return changes

    def undo(self) -> str:
        """See Platform."""
        supervisor.stop(self._record, grace=GRACE)
        if self._before is not None and self._was_running:
            self._start(ServerSettings.from_record(self._before.settings))
            return "went back to the settings that it ran with before"
        if self._before is not None:
            record.write(self._record, self._before)
        else:
            self._record.unlink(missing_ok=True)
        return "stopped what was started"

    def _start(self, settings: ServerSettings) -> None:
        component = supervisor.Component(
            name=_SERVER,
            command=self._command(settings),
            record=self._record,
            log=self._log,
            environment=server.process_environment(),
            settings=settings.to_record(),
        )
        try:
            supervisor.start(component)
        except OSError as error:
            raise self._directory.unusable(error) from error

    def _command(self, settings: ServerSettings) -> list[str]:
        namespaces = list(self._environment.namespaces)
        return server.command(settings, self._directory.root / _DATABASE, namespaces)

    def _wanted(self) -> ServerSettings:
        last = record.read(self._record)
        return server.wanted(
            self._environment,
            binary=str(find_binary(self._environment.temporal_binary).path),
            last=ServerSettings.from_record(last.settings) if last else None,
            running=last is not None and last.alive(),
            is_free=ports.is_free,
            any_free=ports.any_free,
        )

    def _check_ports(self, settings: ServerSettings, own: set[int]) -> None:
        for name, port in settings.ports.items():
            option = server.PORT_OPTIONS[name]
            try:
                if port in own or ports.is_free(port):
                    continue
            except OSError as error:
                raise PortTaken(
                    f"port {port}, which is to be the {name} port, cannot be used",
                    cause=f"{error.strerror}: the system keeps low ports for root",
                    fix=f"choose another port with {option}",
                ) from error
            raise PortTaken(
                f"port {port}, which is to be the {name} port, is taken",
                cause=f"{ports.holder(port)} listens there",
                fix=f"stop that process, or choose another port with {option}",
            )

    def requirements(self) -> list[Requirement]:
        """See Platform."""
        return [
            requirement("Temporal CLI", self._binary_found),
            requirement("data directory", self._directory.check),
            requirement("ports", self._ports_found),
        ]

    def _binary_found(self) -> str:
        binary = find_binary(self._environment.temporal_binary)
        return f"{binary.version()}, {binary.path} (from {binary.origin})"

    def _ports_found(self) -> str:
        running = self._running()
        settings = self._wanted()
        self._check_ports(settings, _ports_of(running))
        listed = ", ".join(f"{name} {port}" for name, port in settings.ports.items())
        return f"{listed}: {'in use by this environment' if running else 'free'}"

    def broken(self) -> StartFailed | None:
        """See Platform."""
        run = record.read(self._record)
        if run is not None and run.alive():
            return None
        ended = run.exit.describe() if run and run.exit else "ended"
        log = logs.since(self._log, run.log_start if run else 0)
        said = "\n".join(log_lines.complaints(log))
        return StartFailed(
            f"the server {ended} before it was ready",
            cause=f"the end of its log, {self._log}:\n{said}",
            fix="the whole log: dsql-deploy logs ENV",
        )

    def warnings(self) -> list[str]:
        """See Platform."""
        running = self._running()
        values = ServerSettings.from_record(running.settings).dynamic_config if running else {}
        if running is None or not values:
            return []
        return log_lines.refused_values([logs.since(self._log, running.log_start)], values)

    def running(self) -> bool:
        """See Platform."""
        return self._running() is not None

    def frontend(self) -> str:
        """See Platform."""
        return f"{server.ADDRESS}:{self._ports()['frontend']}"

    def pages(self) -> dict[str, str]:
        """See Platform."""
        taken = self._ports()
        return {
            "ui": f"http://{server.ADDRESS}:{taken['ui']}",
            "metrics": f"http://{server.ADDRESS}:{taken['metrics']}/metrics",
        }

    def _ports(self) -> dict[str, int]:
        running = self._running()
        if running is None:
            raise self._not_running()
        return ServerSettings.from_record(running.settings).ports

    def _not_running(self) -> NotRunning:
        run = record.read(self._record)
        cause = "it has not been started yet"
        if run is not None:
            how = f"{run.exit.describe()} at {_clock(run.exit.at)}" if run.exit else "was killed"
            cause = f"its server {how}"
        return self._directory.not_running(cause)

    def _running(self) -> Record | None:
        run = record.read(self._record)
        return run if run is not None and run.alive() else None

    def status(self) -> Status:
        """See Platform."""
        from temporal_dsql_deploy.platforms.local import status

        self._directory.refuse_foreign()
        facts = {"data": str(self._directory.root), "log": str(self._log)}
        running = self._running()
        if running is None:
            return status.stopped(self._environment.name, str(self._not_running().cause), facts)
        return status.running(self._environment.name, running, self.pages(), facts)

    def members(self) -> list[Member]:
        """See Platform."""
        raise self._no_ring()

    def database(self) -> Database:
        """See Platform."""
        raise NotForPlatform(
            f"environment {self._environment.name} has no database that can be read from outside",
            cause="the embedded server keeps its data in SQLite, and makes its own schema there",
            fix="name one with a database: cluster, or one on ECS",
        )

    def sql_store(self, name: str) -> SqlStore:  # noqa: ARG002 - the protocol has it
        """See Platform."""
        return SqlStore(self.database(), None)

    def _no_ring(self) -> NotForPlatform:
        return NotForPlatform(
            f"environment {self._environment.name} has no membership",
            cause="the embedded server is one process without a ring, and keeps its data in SQLite",
            fix="run the four roles as processes of their own: dsql-deploy up cluster",
        )

    def log_components(self) -> list[str]:
        """See Platform."""
        from temporal_dsql_deploy import topology

        return [*topology.load().roles, log_lines.SERVER]

    def logs(self, query: LogQuery) -> Iterator[LogLine]:
        """See Platform."""

        def parse(text: str) -> LogLine | None:
            line = log_lines.parse(text)
            return line if line is not None and log_lines.wanted(line, query) else None

        self._directory.refuse_foreign()
        if not query.follow and not self._log.exists():
            raise self._not_running()
        try:
            tail = logs.Tail(self._log, parse)
            yield from logs.read([tail], count=query.tail, follow=query.follow)
        except OSError as error:
            raise self._directory.unusable(error) from error

    def plan_scale(self, replicas: Mapping[str, int]) -> list[Change]:
        """See Platform."""
        listed = ", ".join(f"{role}={count}" for role, count in replicas.items())
        raise NotForPlatform(
            f"environment {self._environment.name} cannot be scaled to {listed}",
            cause="the embedded server is one process with all roles in it",
            fix="run the four roles as processes of their own: dsql-deploy up cluster",
        )

    def scale(
        self,
        replicas: Mapping[str, int],
        starting: Callable[[], None],  # noqa: ARG002 - nothing is started
        serving: Callable[[list[Change]], None],  # noqa: ARG002
    ) -> list[Change]:
        """See Platform."""
        return self.plan_scale(replicas)

    def instances(self) -> list[Instance]:
        """See Platform."""
        self._directory.refuse_foreign()
        run = self._last()
        note = "" if run.alive() else str(self._not_running().cause)
        since = datetime.fromisoformat(run.started_at)
        return [Instance(_SERVER, _SERVER, running=run.alive(), since=since, note=note)]

    def restart(self, names: Sequence[str], *, grace: float) -> None:  # noqa: ARG002 - there is one
        """See Platform."""
        settings = ServerSettings.from_record(self._last().settings)
        self._check_ports(settings, _ports_of(self._running()))
        supervisor.stop(self._record, grace=grace)
        self._start(settings)

    def _last(self) -> Record:
        run = record.read(self._record)
        if run is None:
            raise self._not_running()
        return run

    def stop(self, *, grace: float) -> Stopped:
        """See Platform."""
        was_running = self._running() is not None
        killed = supervisor.stop(self._record, grace=grace)
        return Stopped(was_running=was_running, killed=killed)

    def stored(self) -> list[Stored]:
        """See Platform."""
        return self._directory.stored()

    def remove(self) -> None:
        """See Platform."""
        try:
            self._directory.remove()
        except OSError as error:
            raise self._directory.unusable(error) from error


def _ports_of(running: Record | None) -> set[int]:
    return set(ServerSettings.from_record(running.settings).ports.values()) if running else set()


def _clock(at: str) -> str:
    return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
